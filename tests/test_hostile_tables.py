"""A file can be made to cost far more than its bytes: every reading of it stays within its limits."""

import io
import time
import tracemalloc
import warnings
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from buildings.models import Apartment
from omarty.backoffice import apartment_import, import_form
from omarty.tables.limits import OF_A_PAGE, Limits
from tests.backoffice import Desk
from tests.conftest import ONCE
from tests.test_backoffice_import import confirm, preview, table

IMPORT = "/admin/buildings/apartment/import/"
SHEET = "xl/worksheets/sheet1.xml"
HEADINGS = '<row r="1"><c t="str"><v>number</v></c></row>'
UNIT = '<row r="2"><c><v>70</v></c></row>'
# Seconds of this process, and bytes beyond what it had.
MOST_SECONDS = 12
MOST_MEMORY = 150 << 20


def package(sheet=HEADINGS + UNIT, *, sheets=1, method=zipfile.ZIP_DEFLATED, **parts):
    """A workbook by hand, its names `sheets` times in the list of sheets."""
    listed = "".join(f'<sheet name="{n}" id="r{n}"/>' for n in range(sheets))
    linked = "".join(
        f'<Relationship Id="r{n}" Target="{"./" * (n % 20)}worksheets/sheet1.xml"/>'
        for n in range(sheets)
    )
    files = {
        "[Content_Types].xml": "<Types>" + '<Override PartName="/' + SHEET + '"/>' * sheets,
        "xl/workbook.xml": f"<workbook><sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships>{linked}</Relationships>",
        SHEET: f"<worksheet><sheetData>{sheet}</sheetData></worksheet>",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for name, text in {**files, **parts}.items():
            archive.writestr(name, text)
    return content.getvalue()


def many_parts():
    """A thousand sheets, each small."""
    links = "".join(f'<Relationship Id="r{n}" Target="worksheets/{n}.xml"/>' for n in range(1000))
    blank = f"<worksheet><sheetData>{' ' * 40_000}</sheetData></worksheet>"
    sheets = {f"xl/worksheets/{n}.xml": blank for n in range(1000)}
    return package(sheets=1000, **{"xl/_rels/workbook.xml.rels": f"<R>{links}</R>"}, **sheets)


def repeated_entry():
    """One part a thousand times in the archive's directory, all its entries on the same bytes."""
    content = package(HEADINGS + UNIT + "<row/>" * 100_000)
    start = content.rindex(b"PK\x01\x02")
    end = content.rindex(b"PK\x05\x06")
    entry, tail = content[start:end], bytearray(content[end:])
    count = int.from_bytes(tail[8:10], "little") + 999
    tail[8:10] = tail[10:12] = count.to_bytes(2, "little")
    size = int.from_bytes(tail[12:16], "little") + 999 * len(entry)
    tail[12:16] = size.to_bytes(4, "little")
    return content[:start] + entry * 1000 + bytes(tail)


def lying_size(unpacked, packed):
    """The last part's sizes as its headers give them are these; its true ones are 40 MB from 40 kB."""
    content = bytearray(package(HEADINGS + UNIT + " " * 40_000_000))
    for signature, at in ((b"PK\x01\x02", 20), (b"PK\x03\x04", 18)):
        start = content.rindex(signature) + at
        sizes = packed.to_bytes(4, "little") + unpacked.to_bytes(4, "little")
        content[start : start + 8] = sizes
    return bytes(content)


def shared(strings, sheet):
    return package(sheet, **{"xl/sharedStrings.xml": f"<sst>{strings}</sst>"})


def styles(text):
    content = f"<styleSheet><numFmts>{text}</numFmts></styleSheet>"
    return package(**{"xl/styles.xml": content})


def rows_of(cells, count):
    return "".join(f'<row r="{n}">{cells}</row>' for n in range(2, count + 2))


MARKS = "\u0323\u0301" * 49_000
NAMED = '<c t="s"><v>0</v></c>'
# For each file: how it is made, and what the page says of it; where it says nothing, the unit is shown.
HOSTILE = {
    "one sheet a thousand times": (
        lambda: package(HEADINGS + UNIT + "<row/>" * 100_000, sheets=1000),
        "",
    ),
    "a thousand sheets": (many_parts, "unpacks to more than"),
    "an entry a thousand times": (repeated_entry, ""),
    "sizes too small": (lambda: lying_size(100, 50), "not a readable"),
    "sizes too large": (lambda: lying_size(41_000_000, 1 << 30), "not a readable"),
    "a method that unpacks at once": (
        lambda: package("<row/>" * 300_000, method=zipfile.ZIP_BZIP2),
        "unpacks to more than",
    ),
    "another such": (
        lambda: package("<row/>" * 100_000, method=zipfile.ZIP_LZMA),
        "unpacks to more than",
    ),
    "texts without end": (lambda: shared("<si/>" * 600_000, HEADINGS), "more than 500000 cells"),
    "a long text in every cell": (
        lambda: shared(f"<si><t>{'x' * 99_000}</t></si>", HEADINGS + rows_of(NAMED, 1900)),
        "unpacks to more than 32 MB",
    ),
    "a long text all along a row": (
        lambda: shared(f"<si><t>{'x' * 99_000}</t></si>", HEADINGS + rows_of(NAMED * 99, 1)),
        "is longer than 100000 characters",
    ),
    "deep tags": (lambda: package(HEADINGS + "<a>" * 300_000), "lie deeper"),
    "no two names the same": (
        lambda: package("".join(f"<a{n:x}/>" for n in range(150_000))),
        "more kinds of tags",
    ),
    "no two attributes the same": (
        lambda: package("".join(f'<c a{n:x}=""/>' for n in range(100_000))),
        "more kinds of tags",
    ),
    # What holds nothing counts for a part.
    "empty rows": (lambda: package(HEADINGS + UNIT + "<row/>" * 600_000), ""),
    "empty cells": (
        lambda: package(HEADINGS + UNIT + "<row>" + "<c/>" * 1_100_000 + "</row>"),
        "more than 500000 cells",
    ),
    "rows of one far cell": (
        lambda: package(HEADINGS + '<row><c r="CV1"><v>1</v></c></row>' * 50_000),
        "more than 500000 cells",
    ),
    "cells merged down to the last row": (
        lambda: package(
            HEADINGS
            + "<row>"
            + "<c><v>7</v></c>" * 100
            + "</row>"
            + "<row><c><v>7</v></c></row>" * 6_000
            + "</sheetData><mergeCells>"
            + "".join(
                f'<mergeCell ref="{column}2:{column}1048576"/>'
                for column in map(get_column_letter, range(1, 101))
            )
            + "</mergeCells><sheetData>"
        ),
        "more than 2000 rows",
    ),
    "merged cells without end": (
        lambda: package(
            HEADINGS
            + "</sheetData><mergeCells>"
            + "".join(f'<mergeCell ref="A{n}:A{n + 1}"/>' for n in range(1, 100_003))
            + "</mergeCells><sheetData>"
        ),
        "more merged cells",
    ),
    "a dimension and merged cells that lie": (
        lambda: package(
            f'{HEADINGS}{UNIT}</sheetData><dimension ref="A1:XFD1048576"/><mergeCells>'
            + '<mergeCell ref="A1:XFD1048576"/>' * 100_000
            + "</mergeCells><sheetData>"
        ),
        "",
    ),
    "a format of brackets": (
        lambda: styles(f'<numFmt numFmtId="200" formatCode="{"[" * 900_000}"/>'),
        "",
    ),
    "many formats of brackets": (
        lambda: styles(f'<numFmt numFmtId="200" formatCode="{"[" * 255}"/>' * 30_000),
        "more styles than any",
    ),
    "long tags": (
        lambda: package(HEADINGS + UNIT + f'<row x="{"x" * 1_000_000}"/>' * 9),
        "",
    ),
    "an unknown encoding": (
        lambda: package(**{SHEET: '<?xml version="1.0" encoding="none"?><worksheet/>'}),
        "not a readable",
    ),
    "gzip": (lambda: b"\x1f\x8b\x08\x00" + bytes(1000), "is an archive"),
    "NUL": (lambda: b"\x01\x00" * 1000, "neither CSV"),
    "a line without end": (lambda: b"number\n" + b"7" * 500_000, "is longer than"),
    "blank lines": (lambda: b"\n" * 500_000, "The file is empty"),
    # Put in order, they take time that grows with the square of their number.
    "a heading of marks": (lambda: f"number,{MARKS}\n70,1\n".encode(), "Unknown headings"),
    "a heading of marks, XLSX": (
        lambda: package(
            f'<row r="1"><c t="str"><v>number</v></c><c t="str"><v>a{MARKS}</v></c></row>{UNIT}'
        ),
        "Unknown headings",
    ),
    "cells of marks": (
        lambda: f"number,name,note\n70,{MARKS[:45_000]},{MARKS[:45_000]}\n".encode(),
        "",
    ),
    "question marks": (lambda: f"number,name\n70,a{'?' * 90_000} b\n".encode(), ""),
    "controls": (lambda: f"number,name\n70,{chr(0x80) * 45_000}\n".encode(), ""),
    "merged cells in a remark": (
        lambda: package(f"<!--{'<mergeCell ' * 60_000}-->" + HEADINGS + UNIT),
        "",
    ),
    "a heading of articles": (lambda: ("number," + "ال" * 49_000).encode() + b"\n", "Unknown"),
}


@contextmanager
def bounded():
    """What is done so takes neither long nor much memory, the XML parser's own included."""
    Path("/proc/self/clear_refs").write_text("5")
    before, start = resident("VmRSS"), time.process_time()
    yield
    assert time.process_time() - start < MOST_SECONDS
    assert resident("VmHWM") - before < MOST_MEMORY


def resident(what):
    """This process's memory now (VmRSS), or the most since it was last reset (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) << 10


@pytest.fixture
def desk():
    return Desk("manager")


def sent(desk, content):
    """What the page says of the file, and the rows that it shows."""
    answer = desk.post(IMPORT, {"import_file": SimpleUploadedFile("units.xlsx", content)})
    assert answer.status_code == 200
    loaded = answer.context["preview"]
    return str(answer.context["form"].errors), loaded.lines if loaded else []


@ONCE
@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_costs_the_page_no_more_than_its_limits(desk, name, nothing_changed):
    make, says = HOSTILE[name]
    content = make()
    assert len(content) <= import_form.MOST_BYTES
    with bounded():
        errors, lines = sent(desk, content)
    assert says in errors if says else not errors, errors
    assert [line["cells"][0]["now"] for line in lines] == ([] if says else ["70"])
    assert nothing_changed()


@ONCE
@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_costs_the_command_no_more_than_its_limits(name, tmp_path, nothing_changed):
    path = tmp_path / "units.xlsx"
    path.write_bytes(HOSTILE[name][0]())
    with bounded():
        ended_with_a_sentence(path)
    assert nothing_changed()


def ended_with_a_sentence(path):
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_units", str(path), block=1, dry_run=True, stdout=out, stderr=err)
    except CommandError as error:
        assert error.returncode == 1 and str(path) in str(error), error


@ONCE
def test_a_long_list_of_parts_is_not_read(tmp_path):
    path = tmp_path / "units.xlsx"
    path.write_bytes(package(**{f"xl/worksheets/{'x' * 40}{n}.xml": "" for n in range(20_000)}))
    tracemalloc.start()
    with pytest.raises(CommandError, match="lists more parts than any workbook needs"):
        call_command("import_units", str(path), block=1, stderr=io.StringIO())
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


TAGS = st.sampled_from(
    [
        "row",
        "c",
        "v",
        "t",
        "si",
        "is",
        "rPh",
        "x:row",
        "sheet",
        "worksheet",
        "xf",
        "cellXfs",
        "numFmt",
        "a",
    ]
)
VALUES = st.sampled_from(
    ["", "0", "1", "-1", "9" * 30, "A1", "CV3", "ZZZZ1", "s", "str", "b", "d", "e", "nan", "1e400"]
) | st.text(max_size=4)
NAMES = st.sampled_from(["r", "t", "s", "id", "Id", "Target", "numFmtId", "formatCode", "date1904"])


@st.composite
def elements(draw):
    """XML, mostly well-formed, of what the reader looks at and of what it does not."""
    pieces = []
    for _ in range(draw(st.integers(0, 12))):
        tag, value = draw(TAGS), draw(VALUES).replace("<", "").replace('"', "")
        opened = f'<{tag} {draw(NAMES)}="{value}">{draw(VALUES)}'
        closed = f"</{tag if draw(st.integers(0, 30)) else 'other'}>"
        pieces.append(opened + draw(st.sampled_from(["", NAMED, HEADINGS, UNIT])) + closed)
    return "".join(pieces) * draw(st.sampled_from([1, 1, 2, 1000]))


@st.composite
def mutated(draw):
    """A workbook some of whose parts are others, named otherwise, or of which bytes are others."""
    names = ["xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml", SHEET]
    parts = {name: f"<x>{draw(elements())}</x>" for name in names if not draw(st.integers(0, 2))}
    method = draw(st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_LZMA]))
    content = bytearray(
        package(HEADINGS + draw(elements()) + UNIT, sheets=draw(st.integers(0, 3)), **parts)
        if draw(st.booleans())
        else package(HEADINGS + UNIT, method=method, **parts)
    )
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(4, len(content) - 1))
        kind = draw(st.sampled_from(["set", "cut", "double", "none", "none"]))
        if kind == "set":
            content[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del content[at : at + draw(st.integers(1, 40))]
        elif kind == "double":
            content[at:at] = content[max(at - 200, 4) : at]
        if len(content) < 10:
            break
    return bytes(content)


@ONCE
@given(mutated())
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck), derandomize=True)
def test_whatever_a_workbook_is_made_of_the_page_answers(desk, content):
    with bounded():
        errors, lines = sent(desk, content)
    assert errors or lines


# --- the clock ----------------------------------------------------------------------------------

ARABIC = "ولم يُكتب شيء. قسّم الملف"
SLOW = {
    "sqlite": "CREATE TRIGGER slow AFTER INSERT ON buildings_apartment BEGIN SELECT ("
    "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 8000000)"
    " SELECT count(*) FROM up); END",
    "mysql": "CREATE TRIGGER slow AFTER INSERT ON buildings_apartment FOR EACH ROW"
    " SET @slept = SLEEP(1)",
}


@pytest.fixture
def slow_database(commits):
    """Registering a unit takes seconds."""
    with connection.cursor() as cursor:
        cursor.execute(SLOW[connection.vendor])
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER slow")


def with_seconds(monkeypatch, seconds):
    limits = Limits(OF_A_PAGE.size, OF_A_PAGE.cells, seconds, OF_A_PAGE.rows)
    monkeypatch.setattr(apartment_import, "OF_A_PAGE", limits)


@pytest.mark.parametrize(
    # The English sentence has a test of its own below.
    ("language", "says"),
    [("ar", ARABIC)],
)
def test_a_confirmed_import_writes_nothing_after_its_time(
    slow_database, monkeypatch, new_entries, language, says
):
    desk = Desk("manager", language)
    with_seconds(monkeypatch, 60)
    seen = preview(desk, table("block id,number,floor", "1,70,7"))
    with_seconds(monkeypatch, 0.5)
    ended = confirm(desk, seen)
    assert ended.status_code == 200 and says in str(ended.context["form"].errors)
    assert new_entries() == [] and not Apartment.objects.filter(number=70).exists()
    # The worker is free, and the same file goes in where there is time.
    with_seconds(monkeypatch, 60)
    assert confirm(desk, seen).status_code == 302
    assert Apartment.objects.filter(block_id=1, number=70).count() == 1


def test_reading_ends_when_its_time_is_up(desk, monkeypatch, nothing_changed):
    with_seconds(monkeypatch, 0)
    for content in (b"number\n70\n", package()):
        errors, _lines = sent(desk, content)
        assert "took longer than 0 seconds" in errors
    assert nothing_changed()
