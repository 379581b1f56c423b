"""The README's lines, pasted; what README and docs name is there."""

import ast
import re
import subprocess
from itertools import chain

import pytest

from tests.house import ROOT, Function, modules

README = (ROOT / "README.md").read_text()
PAGES = ["README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))]


def test_both_calls_answer_as_the_readme_says(live_server):
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 2
    section = README[README.index("## The two calls") : README.index("Sign-in answers")]
    promised = re.findall(r"`(\{\"status\":.*?\})`", section)
    assert len(promised) == 4
    script = blocks[0].replace("http://127.0.0.1:8000", live_server.url)
    for block, first, second in zip(
        (script, script.splitlines()[0] + "\n" + blocks[1]),
        promised[::2],
        promised[1::2],
        strict=True,
    ):
        for answer in (first, second):
            ran = subprocess.run(["bash", "-c", block], capture_output=True, text=True, timeout=60)
            # Ids run on in a database that tests have used before.
            assert re.sub(r'"id":"\d+"', '"id":"3"', ran.stdout) == answer, ran.stderr


def test_every_setting_is_in_the_readme_and_in_the_example():
    source = (ROOT / "omarty" / "settings.py").read_text()
    example = (ROOT / ".env.example").read_text()
    names = set(re.findall(r'(?:read\.(?:env\.)?\w+|os\.environ\.get)\(\s*"([A-Z_]+)"', source))
    assert len(names) >= 14
    assert {name for name in names if f"| `{name}` |" not in README} == set()
    assert {name for name in names if f"{name}=" not in example} == set()


def mapped():
    """The paths that the map of "The house" names, folders with a slash at their end."""
    [drawing] = re.findall(r"## The house\n\n```\n(.*?)```", README, re.DOTALL)
    folders = [""]
    for line in drawing.splitlines():
        [(indent, names)] = re.findall(r"^( *)(\S+(?: \S+)*?)(?: {2,}.*)?$", line)
        depth = len(indent) // 2
        assert depth < len(folders), line
        paths = [folders[depth] + name for name in names.split(" ")]
        folders[depth + 1 :] = [paths[0]]
        yield from paths


def test_the_map_names_every_room_and_every_module_of_the_project():
    code = [
        file.relative_to(ROOT)
        for top in ("omarty", "buildings", "contacts", "audit", "tests", "benchmarks")
        for file in (ROOT / top).rglob("*.py")
        if file.read_text().strip() and "migrations" not in file.parts
    ]
    rooms = {f"{file.parent}/" for file in code}
    loose = {str(file) for file in code if str(file.parent) == "omarty"} - {"omarty/__init__.py"}
    assert len(rooms) > 15
    assert (rooms | loose) - set(mapped()) == set()


def test_every_command_is_in_the_readme():
    folder = ROOT / "omarty" / "management" / "commands"
    names = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    listed = README[README.index("## Commands") : README.index("## The house")]
    assert {name for name in names if f"`{name}" not in listed} == set()


def test_what_the_map_names_is_there():
    assert [path for path in mapped() if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_paths_and_functions_that_are_named_are_there(page):
    text = (ROOT / page).read_text()
    tops = "omarty|buildings|contacts|audit|tests|docs|locale|requirements"
    paths = set(re.findall(rf"(?<![\w./-])(?:{tops})/[\w./*-]*\w\b/?(?![\w<*])", text))
    assert paths or page not in {"README.md", "docs/architecture.md"}
    assert {path for path in paths if not (ROOT / path).exists()} == set()
    trees = [module.tree for module in modules().values()]
    defined = {
        node.name
        for node in chain.from_iterable(map(ast.walk, trees))
        if isinstance(node, Function | ast.ClassDef)
    }
    assert set(re.findall(r"(?<![\w.])(\w+)\(\)", text)) - defined == set()
