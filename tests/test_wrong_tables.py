"""What is no table, or means harm, gets a sentence."""

import os
import tracemalloc
import zipfile

import pytest

from tests.test_import_units import refusal, workbook


def bomb(path):
    workbook(path, "<row><c><v>" + "0" * 50_000_000 + "</v></c></row>")


def forged(path):
    workbook(path, '<row r="999999999"><c r="ZZZ1"><v>1</v></c></row>')


def torn(path):
    workbook(path, "<row/>" * 1000)
    path.write_bytes(path.read_bytes()[:-200])


def entities(path):
    bad = '<!DOCTYPE x [<!ENTITY a "aaaa">]><x:worksheet xmlns:x="m">&a;</x:worksheet>'
    workbook(path, "", **{"xl/worksheets/sheet1.xml": bad})


def other_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")


WRONG = {
    "missing.csv": lambda path: None,
    "directory.csv": lambda path: path.mkdir(),
    "empty.csv": lambda path: path.write_bytes(b""),
    "blank.csv": lambda path: path.write_bytes(b"\n\n \n"),
    "picture.csv": lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00" + bytes(100)),
    "text.csv": lambda path: path.write_text("Dear neighbours,\nthe lift is out of order.\n"),
    "wide.csv": lambda path: path.write_text("number," * 1_000_000 + "\n"),
    "wider-below.csv": lambda path: path.write_text("block,number\n" + "1," * 1_000_000),
    "many.csv": lambda path: path.write_text("block,number\n" + "1," * 1000),
    "quote.csv": lambda path: path.write_text('block,number\n1,"2\n' + "x\n" * 100_000),
    "old.xls": lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)),
    "utf16.csv": lambda path: path.write_text("block,number\n1,2\n", encoding="utf-16"),
    "half.csv": lambda path: path.write_bytes("number\nشقة\n".encode() + b"\xd8\n"),
    "broken.xlsx": lambda path: path.write_bytes(b"PK\x03\x04" + os.urandom(5000)),
    "torn.xlsx": torn,
    "other.xlsx": other_zip,
    "bomb.xlsx": bomb,
    "forged.xlsx": forged,
    "entities.xlsx": entities,
    "bad-number.xlsx": lambda path: workbook(path, "<row><c t='s'><v>x</v></c></row>"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_table_gets_a_sentence(tmp_path, new_entries, name):
    path = tmp_path / name
    WRONG[name](path)
    tracemalloc.start()
    code, report, told = refusal(path)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert code == 1 and str(path) in report["error"] and str(path) in told
    assert peak < 20_000_000 and not new_entries()


def test_a_zip_bomb_is_not_opened(tmp_path):
    path = tmp_path / "units.xlsx"
    workbook(path, "<x:row/>" * 3_000_000)
    code, _report, told = refusal(path)
    assert code == 1 and "unpacks to more than any workbook needs" in told
