"""What is no table, or means harm, gets a sentence."""

import os
import random
import tracemalloc
import zipfile

import pytest

from tests.test_import_units import refusal, workbook

HEADINGS = "<c t='str'><v>block</v></c><c t='str'><v>number</v></c>"


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


def descending(path):
    workbook(path, f'<row r="1">{HEADINGS}</row><row r="9"/><row r="3"/>')


def repeated(path):
    workbook(path, f'<row r="1">{HEADINGS}</row><row r="2"/><row r="2"/>')


def beyond_excel(path):
    workbook(path, f'<row r="1">{HEADINGS}</row><row r="{"9" * 20}"/>')


def huge_attribute(path):
    noise = "".join(random.Random(1).choices("abcdefgh", k=4_000_000))  # noqa: S311
    workbook(path, f'<row x="{noise}">{HEADINGS}</row>')


def many_styles(path):
    styles = f"<styleSheet><cellXfs>{'<xf/>' * 200_000}</cellXfs></styleSheet>"
    workbook(path, f"<row>{HEADINGS}</row>", **{"xl/styles.xml": styles})


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
    "wide-over-lines.csv": lambda path: path.write_text('block,number\n1,"' + '\nab","' * 500_000),
    "quote.csv": lambda path: path.write_text('block,number\n1,"2\n' + "x\n" * 100_000),
    "units.jsonl": lambda path: path.write_text('{"number": 1, "phone": "01000000001"}\n'),
    "old.xls": lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)),
    "utf32.csv": lambda path: path.write_text("block,number\n1,2\n", encoding="utf-32"),
    "half.csv": lambda path: path.write_bytes("number\nشقة\n".encode() + b"\xd8\n"),
    "cut.csv": lambda path: path.write_bytes(b"number,name\n1,\xd8\n2," + "شقة\n".encode()),
    "broken.xlsx": lambda path: path.write_bytes(b"PK\x03\x04" + os.urandom(5000)),
    "torn.xlsx": torn,
    "other.xlsx": other_zip,
    "bomb.xlsx": bomb,
    "forged.xlsx": forged,
    "descending.xlsx": descending,
    "repeated.xlsx": repeated,
    "beyond-excel.xlsx": beyond_excel,
    "huge-attribute.xlsx": huge_attribute,
    "many-styles.xlsx": many_styles,
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
