"""Reading an XLSX workbook in flat memory, row by row.

openpyxl keeps an empty cell list of every row that it has read, and believes what a forged file says
of its own size: an import of a million rows from any source needs a reader of its own.
"""

import posixpath
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from django.utils.translation import gettext as _

from omarty.tables.limits import BLANKS_OF_A_CELL, Budget
from omarty.tables.xlsx_parsing import (
    Attributes,
    Parser,
    Reader,
    Row,
    ShortReads,
    WorkbookProblem,
    workbook_problems,
)
from omarty.tables.xlsx_sheet import Merged, MergedCells, SheetRows
from omarty.tables.xlsx_values import SharedStrings, Styles

# Any true workbook stays under these: a million units unpack to some 300 MB, at 20 to 1.
LARGEST_UNPACKED = 2 << 30
MOST_SQUEEZED = 200
_SMALL = 10 << 20
_CHUNK = 1 << 16
# Headings are not looked for below this row.
_HEAD = 500
# To look for merged cells takes a small part of the time that reading takes.
_CHEAPER = 8

_WORKBOOK, _LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_STRINGS, _STYLES = "xl/sharedStrings.xml", "xl/styles.xml"
_READ = {_WORKBOOK, _LINKS, _STRINGS, _STYLES}
_SHEETS = "/worksheets/"


def is_read(part: str) -> bool:
    """Whether anything is ever read of this part of a workbook; pictures are not."""
    return part in _READ or _SHEETS in part


@dataclass(frozen=True)
class SheetPart:
    """A sheet: what people call it, the part that holds it, whether people see it."""

    name: str
    part: str
    hidden: bool


class Workbook:
    """An open XLSX file: a context manager. Raises WorkbookProblem and LimitProblem, also on the way.

    All that is read of it, in whatever part, is spent from the one `budget`. `sheets` are all that
    hold cells, in the workbook's order, no part twice.
    """

    def __init__(self, file: BinaryIO, budget: Budget, *, most_columns: int) -> None:
        with workbook_problems():
            self._zip = ZipFile(ShortReads(file))
        self._check_sizes()
        self._budget = budget
        self._most_columns = most_columns
        self._names = set(self._zip.namelist())
        self._strings = SharedStrings()
        self._styles = Styles()
        self._merged: dict[str, Merged] = {}
        self.sheets: list[SheetPart] = []

    def __enter__(self) -> Self:
        try:
            with workbook_problems():
                self.sheets = self._sheets()
                self._read_if_there(_STRINGS, self._strings)
                self._read_if_there(_STYLES, self._styles)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._strings.close()
        self._zip.close()

    def sheet_rows(
        self, sheet: SheetPart, *, head: bool = False
    ) -> tuple[SheetRows, Iterator[Row]]:
        """The sheet's reader, which counts what it leaves out, and the rows; of the `head` the first ones."""
        with workbook_problems():
            if sheet.part not in self._merged:
                self._merged[sheet.part] = self._merged_cells(sheet.part)
        merged = self._merged[sheet.part]
        reader = SheetRows(self._strings, self._styles, merged, self._most_columns)
        return reader, self._rows(sheet.part, reader, head=head)

    def _rows(self, part: str, reader: SheetRows, *, head: bool) -> Iterator[Row]:
        with workbook_problems():
            yield from self._parsed(part, reader, head=head)

    def _check_sizes(self) -> None:
        parts = [part for part in self._zip.infolist() if is_read(part.filename)]
        unpacked = sum(part.file_size for part in parts)
        squeezed = any(
            part.file_size > max(_SMALL, MOST_SQUEEZED * part.compress_size) for part in parts
        )
        # The other methods of compression unpack any amount in one step.
        strange = any(part.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for part in parts)
        if unpacked > LARGEST_UNPACKED or squeezed or strange:
            raise WorkbookProblem(
                _("it unpacks to more than any workbook needs; it was not opened.")
            )

    def _sheets(self) -> list[SheetPart]:
        book = Attributes("sheet", "id", "name", "state")
        links = Attributes("Relationship", "Id", "Target")
        self._parse(_WORKBOOK, book)
        self._parse(_WORKBOOK, self._styles)
        self._parse(_LINKS, links)
        targets = {link.get("Id"): link.get("Target", "") for link in links.found}
        found: dict[str, SheetPart] = {}
        for sheet in book.found:
            target = targets.get(sheet.get("id"), "")
            part = posixpath.normpath(posixpath.join("/xl", target))[1:]
            if target and _SHEETS in part:
                hidden = sheet.get("state", "visible") != "visible"
                found.setdefault(part, SheetPart(sheet.get("name", ""), part, hidden))
        return list(found.values())

    def _merged_cells(self, part: str) -> Merged:
        merged = MergedCells(self._most_columns)
        with self._zip.open(part) as file:
            while chunk := file.read(_CHUNK):
                merged.feed(chunk)
                self._budget.spend(size=len(chunk) // _CHEAPER)
        return merged.found()

    def _read_if_there(self, name: str, reader: Reader) -> None:
        if name in self._names:
            self._parse(name, reader)

    def _parse(self, name: str, reader: Reader) -> None:
        deque(self._parsed(name, reader), maxlen=0)

    def _parsed(self, name: str, reader: Reader, *, head: bool = False) -> Iterator[Row]:
        """Feed a part, or the head of it, to its reader; yields the rows that it has finished."""
        parser = Parser(reader)
        with self._zip.open(name) as part:
            while chunk := part.read(_CHUNK):
                parser.feed(chunk)
                cells = reader.cells + reader.blanks // BLANKS_OF_A_CELL
                self._budget.spend(size=len(chunk) + reader.shared, cells=cells)
                reader.shared = reader.cells = reader.blanks = 0
                yield from reader.finished()
                if head and reader.row > _HEAD:
                    return
            parser.finish()
        yield from reader.finished()
