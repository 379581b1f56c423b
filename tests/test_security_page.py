"""docs/security.md answers every requirement of ASVS 5.0, levels 1 and 2, once; what it names is there."""

import ast
import re
from collections import Counter

import pytest

from tests.house import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
ANSWERS = {"holds", "operator", "not yet", "does not apply"}
# How many requirements of levels 1 and 2 each section has: they come first, those of level 3 after them.
SECTIONS = {
    1: "2 9 11 3 2",
    2: "3 3 4 1",
    3: "0 2 4 6 5 0 2",
    4: "3 1 2 4",
    5: "1 3 2 3",
    6: "3 12 4 4 5 3 0 4",
    7: "3 4 2 5 2 2",
    8: "2 3 1 1",
    9: "3 4",
    10: "2 2 4 11 5 2 3",
    11: "2 3 3 4 1 1",
    12: "3 2 4",
    13: "1 5 2 5",
    14: "2 4 3",
    15: "3 3 7",
    16: "1 5 4 3 3",
    17: "1 4 2",
}
STANDARD = {
    f"{chapter}.{section}.{number}"
    for chapter, counts in SECTIONS.items()
    for section, count in enumerate(counts.split(), start=1)
    for number in range(1, int(count) + 1)
}


def rows():
    """Number, requirement, answer and evidence of each row."""
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines()]
    found = [row for row in cells if row and re.match(r"\d+\.\d+\.\d+", row[0])]
    assert all(len(row) == 4 for row in found)
    return found


def test_the_standard_has_as_many():
    """70 of level 1 and 183 of level 2."""
    assert len(STANDARD) == 253


def test_every_requirement_stands_there_once():
    named = Counter(number for row in rows() for number in row[0].split(", "))
    assert {number for number, count in named.items() if count > 1} == set()
    assert set(named) == STANDARD


def test_every_row_has_an_answer_and_says_by_what():
    assert {row[2] for row in rows()} == ANSWERS
    assert [row[0] for row in rows() if not row[1] or not row[3]] == []


def test_several_share_a_row_only_where_nothing_applies():
    assert {row[2] for row in rows() if "," in row[0]} == {"does not apply"}


@pytest.mark.parametrize("test", sorted(set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", PAGE))))
def test_a_test_that_is_named_is_there(test):
    file, _, name = test.partition("::")
    tree = ast.parse((ROOT / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_file_setting_and_warning_that_is_named_is_there():
    files = set(re.findall(r"`((?:[\w.]+/)+[\w.]*)", PAGE))
    assert len(files) > 40
    assert {name for name in files if not (ROOT / name).exists()} == set()
    code = "".join(file.read_text() for file in (ROOT / "omarty" / "deployment").glob("*.py"))
    assert {each for each in re.findall(r"omarty\.W\d+", PAGE) if each not in code} == set()
    settings = (ROOT / "omarty" / "settings.py").read_text()
    assert {
        each for each in re.findall(r"`([A-Z][A-Z_]{3,})`", PAGE) if each not in settings
    } == set()
