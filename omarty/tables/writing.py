"""Writing a table, row by row, whatever its size: CSV, XLSX, JSON lines."""

import csv
import io
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from audit.cells import safe

FORMATS = ("csv", "xlsx", "jsonl")
# Excel's own limits.
_SHEET_ROWS = 1_048_576
_CELL_LENGTH = 32_767
_TITLE_LENGTH = 31
_NOT_IN_TITLE = re.compile(r"[\\*?:/\[\]]")
_COLUMN_WIDTH = 18


class Writer(ABC):
    """A table that is being written."""

    @abstractmethod
    def write(self, cells: Sequence[Any]) -> None:
        """One row: a text, a number or None for each heading."""


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
        sheets = _Sheets(headings, title, right_to_left)
        yield sheets
        sheets.save(file)
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
    """As many sheets as the rows need, each under the headings. openpyxl keeps the rows on disk."""

    def __init__(self, headings: Sequence[str], title: str, right_to_left: bool) -> None:
        self._book = Workbook(write_only=True)
        self._headings = [_fitting(name) for name in headings]
        self._title = _NOT_IN_TITLE.sub(" ", title)[:_TITLE_LENGTH] or None
        self._right_to_left = right_to_left
        self._rows = _SHEET_ROWS

    def write(self, cells: Sequence[Any]) -> None:
        if self._rows == _SHEET_ROWS:
            self._sheet = self._next_sheet()
            self._rows = 1
        self._sheet.append([_fitting(cell) for cell in cells])
        self._rows += 1

    def save(self, file: BinaryIO) -> None:
        if not self._book.sheetnames:
            self._next_sheet()
        self._book.save(file)

    def _next_sheet(self) -> Any:
        sheet = self._book.create_sheet(self._title)
        sheet.sheet_view.rightToLeft = self._right_to_left
        sheet.freeze_panes = "A2"
        for column in range(1, len(self._headings) + 1):
            sheet.column_dimensions[get_column_letter(column)].width = _COLUMN_WIDTH
        sheet.append(self._headings)
        return sheet


def _fitting(cell: Any) -> Any:
    fit = safe(cell)
    return fit[:_CELL_LENGTH] if isinstance(fit, str) else fit
