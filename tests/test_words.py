"""One concept, one word (docs/glossary.md): the words that we no longer use stand nowhere."""

import ast
import io
import re
import subprocess
import tokenize

import pytest

from tests.conftest import ONCE
from tests.house import ROOT

pytestmark = ONCE

# What we no longer say, and what we say. A word ends at an underscore too: names count.
RETIRED = {
    r"(?i:he|him|his|himself)": "they, or the noun",
    r"(?i:mend|mends|mended|mending)": "edit, correct, fix",
    r"(?i:lately)": "recent activity",
    r"(?i:lived in)": "occupied",
    r"(?i:staircases?)": "floors with units",
    r"(?i:hindrances?|objections?)": "…Refused, or a reason",
    r"\b(?:Denied|Denial|DENIALS|STANDINGS|Misused|until_done|in_pages|page_of)\b": "the names in the code",
}
# Files in which some of them stand all the same, and why.
EXCEPTIONS = [
    ("tests/test_words.py", ".*", "names them"),
    (".*/migrations/.*", ".*", "what the tables were then"),
    (
        "omarty/backoffice/former_addresses.py",
        "mend|mending|staircase",
        "people kept these addresses",
    ),
    ("buildings/unit_import/cells.py", "lived in", "a file of units may say so for occupied"),
]
NO_TEXT = {".png", ".mo", ".ico", ".woff2"}
# Other people's programs, and the tables that people keep.
NOT_OURS = {"vendor", "field"}


def files():
    """Every file of the project that holds text of ours."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = [ROOT / name for name in sorted(set(listed.stdout.splitlines()))]
    return [
        each
        for each in found
        if each.is_file() and each.suffix not in NO_TEXT and not NOT_OURS & set(each.parts)
    ]


def without_data(source):
    """Python without its strings, docstrings excepted: in tests they are what persons type."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef)
    said = {
        (node.body[0].lineno, node.body[0].col_offset)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, holders) and ast.get_docstring(node) is not None
    }
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        # From Python 3.12 on the pieces of an f-string are tokens of their own.
        if token.type in {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", None)}:
            (first, begin), (last, end) = token.start, token.end
            if token.start not in said:
                for number in range(first, last + 1):
                    line = lines[number - 1]
                    left = begin if number == first else 0
                    right = end if number == last else len(line)
                    lines[number - 1] = line[:left] + "·" * (right - left) + line[right:]
    return lines


def lines_of(file):
    """The lines that are looked through; a file's strings are left out where they are data."""
    data = file.suffix == ".py" and file.relative_to(ROOT).parts[0] in {"tests", "benchmarks"}
    text = file.read_text()
    return without_data(text) if data else text.splitlines()


def allowed(name, word):
    """Whether one of the exceptions is for this word in this file."""
    return any(
        re.fullmatch(path, name) and re.fullmatch(words, word, re.IGNORECASE)
        for path, words, _why in EXCEPTIONS
    )


@pytest.mark.parametrize("retired", RETIRED)
def test_what_we_no_longer_say_stands_nowhere(retired):
    pattern = re.compile(rf"(?<![A-Za-z])(?:{retired})(?![A-Za-z])")
    found = [
        f"{name}:{number}: {match[0]!r} (better: {RETIRED[retired]}): {line.strip()[:90]}"
        for file in files()
        for name in [str(file.relative_to(ROOT))]
        for number, line in enumerate(lines_of(file), start=1)
        for match in pattern.finditer(line)
        if not allowed(name, match[0])
    ]
    assert found == [], "\n" + "\n".join(found)


def test_of_a_test_all_is_looked_through_but_what_persons_type():
    source = '"""He."""\nhis = "mend"  # him\nmended("he", """\nhis""")\n'
    assert without_data(source) == [
        '"""He."""',
        "his = ······  # him",
        "mended(····, ···",
        "······)",
    ]
