"""The rows of one sheet of a workbook."""

import re
from collections import defaultdict
from collections.abc import Iterator

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from omarty.tables.cells import unescaped
from omarty.tables.xlsx_parsing import Row, Texts, WorkbookProblem
from omarty.tables.xlsx_values import SharedStrings, Styles

# Excel's own limit.
SHEET_ROWS = 1_048_576
_MOST_MERGED = 100_000
# Headings stand in these rows, and are no longer as they are told.
_HEAD, _LONGEST_HEADING = 500, 80
_TRUE = {"1", "true"}
# What a spreadsheet shows of a formula that it has not worked out yet.
_NOT_WORKED_OUT = "#CALC!"
_MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^<>]*?\bref\s{0,9}=\s{0,9}[\"']"
    rb"\$?([A-Z]{1,3})\$?(\d{1,7}):\$?[A-Z]{1,3}\$?(\d{1,7})[\"']"
)
# Longer than the tag of a merged cell.
_OVERLAP = 200

# By the row at their top: the column of each range of merged cells that goes down, and its last row.
Merged = dict[int, list[tuple[int, int]]]


class MergedCells:
    """Finds the ranges of merged cells in a sheet's bytes: they come behind the rows that need them."""

    def __init__(self, most_columns: int) -> None:
        self._most = most_columns
        self._tail = b""
        self._bottoms: dict[tuple[int, int], int] = {}

    def feed(self, chunk: bytes) -> None:
        """The next bytes."""
        text = self._tail + chunk
        for letters, top, bottom in _MERGED.findall(text):
            column = column_number(letters.decode())
            if int(top) < int(bottom) and column <= self._most:
                self._bottoms[int(top), column] = int(bottom)
        if len(self._bottoms) > _MOST_MERGED:
            raise WorkbookProblem(
                _("it holds more merged cells than any table needs: unmerge them.")
            )
        self._tail = text[-_OVERLAP:]

    def found(self) -> Merged:
        """All of them."""
        merged: Merged = defaultdict(list)
        for (top, column), bottom in self._bottoms.items():
            merged[top].append((column, bottom))
        return dict(merged)


class HiddenColumns:
    """The columns of one sheet that are not shown, `numbers` of them, and what stands in them."""

    def __init__(self, most_columns: int) -> None:
        self._most = most_columns
        self.numbers: set[int] = set()
        # By column: its first cells, each with its row, and the last row that holds something.
        self._first: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self._last: dict[int, int] = {}

    def add(self, attributes: dict[str, str]) -> None:
        """Take in a `col`, which speaks of a range of columns."""
        if attributes.get("hidden") in _TRUE or _is_zero(attributes.get("width")):
            first, last = int(attributes.get("min", 1)), int(attributes.get("max", 1))
            self.numbers |= set(range(max(first, 1), min(last, self._most) + 1))

    def note(self, row: int, column: int, text: str) -> None:
        """A cell of one of them holds something."""
        self._last[column] = row
        if row <= _HEAD:
            self._first[column].append((row, text[:_LONGEST_HEADING]))

    def headings(self, start: int) -> list[str]:
        """What heads those that hold something from this row on: what stands last above it, or the letter."""
        return [
            next(
                (text for row, text in reversed(self._first[column]) if row < start),
                get_column_letter(column),
            )
            for column, last in sorted(self._last.items())
            if last >= start
        ]


class SheetRows(Texts):
    """The rows of one sheet that are shown and hold something.

    A merged cell says the same in each of its rows. Cells beyond `most_columns` are not read, but a row
    that holds such is one cell longer. `hidden` counts the rows that are left out, and in
    `hidden_columns` no cell is read.
    """

    def __init__(
        self, strings: SharedStrings, styles: Styles, merged: Merged, most_columns: int
    ) -> None:
        super().__init__()
        self._strings = strings
        self._styles = styles
        self._merged = merged
        self._most = most_columns
        self.hidden = 0
        self.hidden_columns = HiddenColumns(most_columns)
        self._unread = self.hidden_columns.numbers
        self._done: list[Row] = []
        self.row = 0
        self._is_hidden = False
        self._cells: list[str] = []
        self._column = 0
        self._type = "n"
        self._style = "0"
        self._is_formula = False
        # By their columns: the last row of merged cells that have begun, and what they say.
        self._carried: dict[int, tuple[int, str]] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            reference = attributes.get("r")
            self._column = column_number(reference) if reference else self._column + 1
            self._type = attributes.get("t", "n")
            self._style = attributes.get("s", "0")
            self._is_formula = False
            self.take()
        elif tag == "f":
            self._is_formula = True
            super().start(tag, attributes)
        elif tag == "row":
            self.row = self._next_row(attributes.get("r"))
            self._is_hidden = attributes.get("hidden") in _TRUE or _is_zero(attributes.get("ht"))
            self._cells, self._column = [], 0
        elif tag == "col":
            self.hidden_columns.add(attributes)
            self.blanks += 1
        else:
            super().start(tag, attributes)

    def end(self, tag: str) -> None:
        if tag == "c":
            # Most cells of a coloured row hold nothing.
            if self._unread and self._column in self._unread:
                self._leave_out()
            elif self.parts and (value := self._value(self.take())):
                self._put(self._column, value)
            elif self._is_formula and self._type != "str":
                # A program that does not calculate wrote it: nothing is stored of what it comes to.
                self._put(self._column, _NOT_WORKED_OUT)
            else:
                self.blanks += 1
        elif tag != "row":
            super().end(tag)
        elif any(map(str.strip, self._cells)):
            if self._merged or self._carried:
                self._carry()
            if self._is_hidden:
                self.hidden += 1
            else:
                self._done.append((self.row, self._cells))
            self.cells += 1
        else:
            self.blanks += 1

    def finished(self) -> Iterator[Row]:
        done, self._done = self._done, []
        return iter(done)

    def _leave_out(self) -> None:
        text = self._value(self.take())
        if text.strip() and not self._is_hidden:
            self.hidden_columns.note(self.row, self._column, text)
        self.cells += 1

    def _put(self, column: int, value: str) -> None:
        # The one cell too many shows the caller that there are more.
        at = min(column, self._most + 1)
        gap = at - len(self._cells)
        self._cells.extend([""] * gap)
        self.cells += max(gap, 1)
        self._cells[at - 1] = value

    def _carry(self) -> None:
        """Repeat in this row what merged cells say that began above it."""
        begun = [
            (column, bottom, self._cells[column - 1])
            for column, bottom in self._merged.get(self.row, ())
            if column <= len(self._cells)
        ]
        for column, (bottom, value) in list(self._carried.items()):
            if bottom < self.row:
                del self._carried[column]
            elif column > len(self._cells) or not self._cells[column - 1]:
                self._put(column, value)
                self.shared += len(value)
        self._carried |= {column: (bottom, value) for column, bottom, value in begun if value}

    def _next_row(self, number: str | None) -> int:
        # Messages name a row by its number, and what is stored of it is found again by it.
        row = int(number) if number else self.row + 1
        if not self.row < row <= SHEET_ROWS:
            raise WorkbookProblem(
                _("it does not count its rows upwards from 1, as every workbook does.")
            )
        return row

    def _value(self, text: str) -> str:
        if not text:
            return ""
        if self._type == "s":
            shared = self._strings.get(int(text))
            self.shared += len(shared)
            return shared
        if self._type == "b":
            return "TRUE" if text == "1" else "FALSE"
        if self._type != "n":
            return unescaped(text)
        if self._style != "0" and (shown := self._styles.shown(self._style, float(text))):
            return shown
        # Excel stores every number as a floating one: 12 may be written 12.0 or 1.2E1.
        if not text.isdigit():
            number = float(text)
            return str(int(number)) if number.is_integer() else text
        return text


def _is_zero(size: str | None) -> bool:
    """Whether a width or height is nought."""
    return size is not None and not size.strip("0.")


def column_number(reference: str) -> int:
    """The column that a cell's reference (like AB12) names, from 1."""
    number = 0
    for letter in reference[:4]:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - 64
    if not number:
        raise WorkbookProblem(_("it is not a readable XLSX workbook."))
    return number
