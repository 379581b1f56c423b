"""Writing a table, row by row, whatever its size: CSV, XLSX, JSON lines."""

import csv
import io
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import IO, Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

from omarty.tables.cells import escaped, safe
from omarty.tables.xlsx_sheet import SHEET_ROWS

FORMATS = ("csv", "xlsx", "jsonl")
# Excel's own limits.
_CELL_LENGTH = 32_767
_TITLE_LENGTH = 31
_NOT_IN_TITLE = re.compile(r"[\\*?:/\[\]]")
_COLUMN_WIDTH = 18
_SHEET = "worksheets/sheet%d.xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
# Numbers as they are, days, and times.
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
    '<numFmt numFmtId="164" formatCode="yyyy-mm-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy-mm-dd h:mm:ss"/></numFmts>'
    '<fonts count="1"><font/></fonts><fills count="1"><fill><patternFill/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf/><xf numFmtId="164" applyNumberFormat="1"/>'
    '<xf numFmtId="165" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class Writer(ABC):
    """A table that is being written."""

    @abstractmethod
    def write(self, cells: Sequence[Any]) -> None:
        """One row: a text, a number, a day or None for each heading."""


@contextmanager
def writer(
    kind: str,
    file: BinaryIO,
    headings: Sequence[str],
    *,
    title: str = "",
    right_to_left: bool = False,
) -> Iterator[Writer]:
    """A writer of one of FORMATS; on leaving it without an error the table in `file` is whole.

    `title` and `right_to_left` are for the sheets of a workbook.
    """
    if kind == "xlsx":
        with ZipFile(file, "w") as archive:
            sheets = _Sheets(archive, headings, title, right_to_left)
            try:
                yield sheets
            finally:
                sheets.finish()
        return
    # With a byte order mark Excel reads Arabic as what it is; JSON lines want none.
    encoding = "utf-8-sig" if kind == "csv" else "utf-8"
    text = io.TextIOWrapper(file, encoding, newline="")
    yield _Csv(text, headings) if kind == "csv" else _JsonLines(text, headings)
    text.flush()
    text.detach()


class _Csv(Writer):
    def __init__(self, text: io.TextIOWrapper, headings: Sequence[str]) -> None:
        self._writer = csv.writer(text)
        self.write(headings)

    def write(self, cells: Sequence[Any]) -> None:
        self._writer.writerow([safe(cell) for cell in cells])


class _JsonLines(Writer):
    def __init__(self, text: io.TextIOWrapper, headings: Sequence[str]) -> None:
        self._text = text
        self._headings = headings

    def write(self, cells: Sequence[Any]) -> None:
        row = dict(zip(self._headings, cells, strict=True))
        self._text.write(json.dumps(row, ensure_ascii=False) + "\n")


class _Sheets(Writer):
    """As many sheets as the rows need, each under the headings, written into the file as they come.

    Not by openpyxl: that writes the rows to temporary files, which stay if it is killed, and puts
    the time into the file, so that the same rows make another one.
    """

    def __init__(
        self, archive: ZipFile, headings: Sequence[str], title: str, right_to_left: bool
    ) -> None:
        self._archive = archive
        self._headings = headings
        self._title = _NOT_IN_TITLE.sub(" ", title) or "Sheet"
        self._right_to_left = right_to_left
        self._letters: list[str] = []
        self._sheets = 0
        self._begin_sheet()

    def write(self, cells: Sequence[Any]) -> None:
        if self._rows == SHEET_ROWS:
            self._end_sheet()
            self._begin_sheet()
        self._write(cells)

    def finish(self) -> None:
        """End the last sheet, and say what sheets there are."""
        self._end_sheet()
        numbers = range(1, self._sheets + 1)
        sheets = "".join(
            f'<sheet name="{self._name(number)}" sheetId="{number}" r:id="rId{number}"/>'
            for number in numbers
        )
        links = "".join(_link(number, "worksheet", _SHEET % number) for number in numbers)
        types = "".join(_type(f"xl/{_SHEET % number}", "worksheet") for number in numbers)
        for name, text in {
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}">'
            f"<bookViews><workbookView/></bookViews><sheets>{sheets}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}'
            f"{_link(0, 'styles', 'styles.xml')}</Relationships>",
            "xl/styles.xml": _STYLES,
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
            f"{_link(1, 'officeDocument', 'xl/workbook.xml')}</Relationships>",
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f"{_type('xl/workbook.xml', 'sheet.main')}"
            f"{_type('xl/styles.xml', 'styles')}{types}</Types>",
        }.items():
            with self._open(name) as part:
                part.write(text.encode())

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._rows = 0
        self._part = self._open(f"xl/{_SHEET % self._sheets}")
        direction = f' rightToLeft="{self._right_to_left:d}"'
        self._part.write(
            f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"{direction}>'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
            f'</sheetViews><cols><col min="1" max="{len(self._headings)}" width="{_COLUMN_WIDTH}"'
            ' customWidth="1"/></cols><sheetData>'.encode()
        )
        self._write(self._headings)

    def _end_sheet(self) -> None:
        with self._part as part:
            part.write(b"</sheetData></worksheet>")

    def _write(self, cells: Sequence[Any]) -> None:
        self._rows += 1
        # A row that came in bad may be longer than the headings.
        for column in range(len(self._letters) + 1, len(cells) + 1):
            self._letters.append(get_column_letter(column))
        row = "".join(
            _cell(f"{letter}{self._rows}", cell)
            for letter, cell in zip(self._letters, cells, strict=False)
        )
        self._part.write(f'<row r="{self._rows}">{row}</row>'.encode())

    def _name(self, number: int) -> str:
        suffix = "" if number == 1 else str(number)
        return escape(self._title[: _TITLE_LENGTH - len(suffix)] + suffix)

    def _open(self, name: str) -> IO[bytes]:
        part = ZipInfo(name)
        part.compress_type = ZIP_DEFLATED
        return self._archive.open(part, "w", force_zip64=True)


def _cell(reference: str, value: Any) -> str:
    """The cell; none for nothing. A text is written as one, whatever it looks like."""
    if value is None or value == "":
        return ""
    if isinstance(value, date):
        style = 2 if isinstance(value, datetime) else 1
        return f'<c r="{reference}" s="{style}"><v>{to_excel(value)}</v></c>'
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return f'<c r="{reference}"><v>{value}</v></c>'
    text = escape(escaped(safe(str(value))[:_CELL_LENGTH]), quote=False).replace("\r", "&#13;")
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _link(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_LINKS}/{kind}" Target="{target}"/>'


def _type(name: str, kind: str) -> str:
    return (
        f'<Override PartName="/{name}" ContentType='
        f'"application/vnd.openxmlformats-officedocument.spreadsheetml.{kind}+xml"/>'
    )
