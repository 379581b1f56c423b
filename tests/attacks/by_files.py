"""Files that want to exhaust the server, or to run on the reader's desk."""

import csv
import io
import time
import zipfile
from collections.abc import Iterator
from itertools import product

import requests

from tests.attacks.tools import Browser, attack
from tests.server import Served

SLOWEST_SECONDS = 20
FORMULA = tuple("=+-@\t\r＝＋－＠")
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
ROW = '<row><c t="inlineStr"><is><t>number</t></is></c></row>'


def workbook(sheet: str, *, strings: str = "", sheets: int = 1, copies: int = 1) -> bytes:
    """A workbook whose sheet is this XML; `sheets` names one part so often, `copies` stores it."""
    target = io.BytesIO()
    named = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r1"/>' for n in range(1, sheets + 1))
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r0" '
        f'Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{LINKS}"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}">'
        f'<Relationship Id="r1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
        + f'<Relationship Id="r2" Type="{LINKS}/sharedStrings" Target="sharedStrings.xml"/>'
        * copies
        + "</Relationships>",
        "xl/sharedStrings.xml": strings or f"<sst {MAIN}/>",
        "xl/worksheets/sheet1.xml": sheet,
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return target.getvalue()


def sheet_of(rows: str, before: str = "") -> str:
    """A sheet's XML."""
    return f"{before}<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>"


def hostile_files() -> Iterator[tuple[str, bytes]]:
    """Small files that unfold, repeat themselves or lie, each with its name."""
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {new} "{f"&{old};" * 20}">'
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    cell = '<c t="inlineStr"><is><t>&i;</t></is></c>'
    yield "entities", workbook(sheet_of(f"<row>{cell}</row>", laughs + "]>"))
    outside = '<!DOCTYPE x [<!ENTITY i SYSTEM "file:///etc/passwd">]>'
    yield "outer entity", workbook(sheet_of(f"<row>{cell}</row>", outside))
    yield "zeros", workbook(sheet_of(ROW + " " * 60_000_000))
    text = f"<sst {MAIN}><si><t>{'x' * 30_000_000}</t></si></sst>"
    yield "strings", workbook(sheet_of(ROW), strings=text)
    many = f"<sst {MAIN}>{'<si><t/></si>' * 1_000_000}</sst>"
    yield "a thousand times", workbook(sheet_of(ROW), strings=many, copies=1000)
    yield "thousand sheets", workbook(sheet_of(ROW * 20_000), sheets=1000)
    yield "rows", workbook(sheet_of(ROW + "<row/>" * 3_000_000))
    yield "far cell", workbook(sheet_of(ROW + '<row r="1048576"><c r="XFD1048576"/></row>'))
    yield "deep", workbook(sheet_of("<row>" * 200_000))
    yield "cut off", workbook(sheet_of(ROW))[:300]
    yield "no parts", b"PK\x05\x06" + b"\0" * 18
    yield "quotation", b'number\n"' + b"x" * 400_000
    yield "commas", b"number\n" + b"," * 400_000
    yield "NUL", b"number\n\0\0\0"


@attack
def hostile_workbooks(server: Served) -> str:
    """Each is answered within seconds, and the server goes on answering others."""
    manager, slowest = Browser(server, "manager"), (0.0, "")
    files = list(hostile_files())
    for name, content in files:
        start = time.monotonic()
        answer = manager.bring_in(content, "units.xlsx" if content[:2] == b"PK" else "units.csv")
        slowest = max(slowest, (time.monotonic() - start, name))
        assert answer.status_code in {200, 400, 413}, f"{name}: {answer.status_code}"
        assert "root:" not in answer.text, f"{name} showed a file of the server"
    assert requests.get(f"{server.url}/readyz", timeout=10).ok, "the server is gone"
    assert slowest[0] < SLOWEST_SECONDS, f"{slowest[1]} took {slowest[0]:.1f} s"
    return f"{len(files)} files, slowest {slowest[0]:.1f} s ({slowest[1]})"


@attack
def quadratic_cells(server: Served) -> str:
    """A cell or heading of four times the length takes four times as long, and a bit, whatever it says."""
    manager, slowest = Browser(server, "manager"), (0.0, "")
    texts = ("?", "a", "1-", "a@", "ØÙ", "&a", "ـ", "ا ", "٣", "،")

    def seconds(unit: str, length: int, where: str) -> float:
        # A search that runs to the end of it, and fails there, begins again at the next character.
        text = (unit * length)[:length] + "x"
        table = f"number,name,{text}\n" if where == "heading" else "number,name,resident,phone\n"
        table += {"heading": "1,x,x\n", "name": f"1,{text}\n"}.get(where, f"1,x,Ali,{text}\n")
        start = time.monotonic()
        manager.bring_in(table.encode())
        return time.monotonic() - start

    for unit, where in product(texts, ("heading", "name", "phone")):
        short, long = (seconds(unit, length, where) for length in (22_000, 88_000))
        slowest = max(slowest, (long, f"{unit!r} as {where}"))
        assert long < 1 or long < 8 * short, (
            f"{unit!r} as {where}: {short:.2f} s, then {long:.2f} s"
        )
    return f"{3 * len(texts)} texts of 22 and 88 kB, slowest {slowest[0]:.2f} s ({slowest[1]})"


@attack
def formulas_behind_separators(server: Served) -> str:
    """A name with a formula behind any separator is none in the exported file, read in any country."""
    hostile = [f"x{parts}{sign}cmd|' /C calc'!A0" for parts in ";,|" for sign in "=+-@"]
    hostile += [f"{quote}{sign}1+1" for quote in ("", "'", '"') for sign in "=+-@＝"]
    hostile += [f"x{end}{sign}1+1" for end in ("\n", "\r\n") for sign in "=+-@"]
    hostile += [f'x;"{sign}1+1' for sign in "=+-@"] + [f"x;'{sign}1+1" for sign in "=+-@"]
    manager = Browser(server, "manager")
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["number", "name"])
    rows.writerows([7000 + index, name] for index, name in enumerate(hostile))
    answer = manager.bring_in(table.getvalue().encode())
    assert "/import/" not in answer.url, "the names could not be brought in"
    text = manager.submit("/admin/buildings/apartment/export/", format="csv").content.decode(
        "utf-8-sig"
    )
    read = 0
    for separator in ";,|\t":
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            for cell in row:
                read += 1
                assert not cell.startswith(FORMULA) or _number(cell), f"{separator!r}: {cell!r}"
    return f"{len(hostile)} names, {read} cells, four separators"


def _number(cell: str) -> bool:
    return cell.lstrip("-").isdigit()
