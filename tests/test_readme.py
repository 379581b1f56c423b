"""The README's lines, pasted."""

import re
import subprocess
from pathlib import Path

from django.conf import settings

README = (Path(settings.BASE_DIR) / "README.md").read_text()


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
    source = (Path(settings.BASE_DIR) / "omarty" / "settings.py").read_text()
    example = (Path(settings.BASE_DIR) / ".env.example").read_text()
    names = set(
        re.findall(r'(?:_boolean|_number|_secret|_database|_list|env\.\w+)\(\s*"([A-Z_]+)"', source)
    )
    assert len(names) >= 14
    assert {name for name in names if f"| `{name}` |" not in README} == set()
    assert {name for name in names if f"{name}=" not in example} == set()
