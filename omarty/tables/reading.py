"""Reading a table, row by row, whatever its size: CSV of any spreadsheet, XLSX."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from openpyxl.utils import get_column_letter

from contacts.canonical import one_line
from contacts.text import may_be_spoilt, repaired
from omarty.tables.cells import plain
from omarty.tables.csv_reading import CsvLayout, CsvProblem, csv_layout, csv_rows, filled
from omarty.tables.kinds import other_kind
from omarty.tables.limits import (
    LONGEST_ROW,
    MOST_COLUMNS,
    OF_A_COMMAND,
    Budget,
    Deadline,
    LimitProblem,
    Limits,
)
from omarty.tables.template import is_filled_in, own_sheets
from omarty.tables.xlsx_parsing import Row, WorkbookProblem
from omarty.tables.xlsx_reading import SheetPart, Workbook
from omarty.tables.xlsx_sheet import SHEET_ROWS, SheetRows

_CHUNK = 1 << 20
# Cells that are no longer are remembered: a table says the same in many.
_REMEMBERED = 40

# Gets the first rows of each sheet that hold something; says from which row on each is read, the row
# by its number, or None for not at all.
Choose = Callable[[Sequence[Sequence[Row]]], Sequence[int | None]]


class TableProblem(Exception):
    """The file is no table; the text is for the operator."""


@dataclass
class _Sheet:
    """A sheet that is read, or the whole of a CSV: its rows, the first ones, how many were hidden.

    `hidden_columns` are the headings of those that are, where the table begins in this row.
    """

    rows: Callable[[], Iterator[Row]]
    head: Callable[[], Iterator[Row]]
    hidden: Callable[[], int] = lambda: 0
    hidden_columns: Callable[[int], list[str]] = lambda start: []


class TableFile:
    """A table file. `is_xlsx` says which kind it is, `size` how many bytes it has.

    From its making on the clock of its `deadline` runs. `notes` tell, once `rows()` is at its end, what
    was left out or is not as it came.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str = "",
        limits: Limits = OF_A_COMMAND,
        known: Callable[[str], bool] = lambda heading: False,
    ) -> None:
        """`name` is what messages call it, in place of its path; `known` tells a heading from others.

        Raises TableProblem for what is missing, no file, empty or of another kind.
        """
        self.path = path
        self.name = name or str(path)
        self.deadline = Deadline(limits.seconds)
        # What the visible sheets are called; a CSV has one without a name.
        self.sheets: list[str] = [""]
        self.notes: list[str] = []
        # What heads the columns that are not shown, and are not read.
        self.hidden_columns: list[str] = []
        self._limits = limits
        self._raw: BinaryIO | None = None
        self._repaired = 0
        self._first_repaired = (0, "")
        try:
            if path.exists() and not path.is_file():
                raise TableProblem(_("%s is not a file.") % self.name)
            self.size = path.stat().st_size
            with path.open("rb") as file:
                self._layout = self._recognised(file, known)
        except OSError as error:
            raise TableProblem(f"{self.name}: {error.strerror}.") from error

    @property
    def is_xlsx(self) -> bool:
        """Whether it is a workbook; else it is CSV."""
        return self._layout is None

    @property
    def position(self) -> int:
        """How many bytes have been read by `rows()`."""
        if self._raw is None:
            return 0
        return self.size if self._raw.closed else self._raw.tell()

    def where(self, row: int) -> tuple[str, int]:
        """The sheet that a row of this number stands in, and its number there.

        The sheet is empty if people see no other.
        """
        if not self.is_xlsx:
            return "", row
        sheet, number = divmod(row - 1, SHEET_ROWS)
        return self.sheets[sheet] if len(self.sheets) > 1 else "", number + 1

    def place(self, row: int) -> str:
        """Where the row of this number stands, as the spreadsheet shows it."""
        sheet, number = self.where(row)
        if not sheet:
            return _("row %(row)d") % {"row": number}
        return _("sheet %(sheet)s, row %(row)d") % {"sheet": sheet, "row": number}

    def tells_of(self, sheet: str) -> bool:
        """Whether it is worth telling that a visible sheet was not read: of our templates' it is not."""
        return sheet not in own_sheets()[0]

    def rows(self, choose: Choose | None = None) -> Generator[Row, None, None]:
        """Number and cells of every row that is shown and not blank; what `choose` sees has one line each.

        The numbers grow from sheet to sheet: `place()` says what people call them. `choose` says which
        rows are wanted. Raises TableProblem, also on the way.
        """
        self.notes = []
        self._repaired = read = 0
        hidden = 0
        columns: list[str] = []
        mistaken: list[str] = []
        with self.path.open("rb") as self._raw, self._in_words(), self._opened(self._raw) as sheets:
            starts: Sequence[int | None] = [0] * len(sheets)
            if choose is not None:
                heads = [
                    [(number, list(map(one_line, cells))) for number, cells in filled(head)]
                    for head in (self._tidied(sheet.head()) for sheet in sheets)
                ]
                starts = choose(heads)
                self._repaired = 0
                named = zip(self.sheets, heads, strict=True)
                mistaken = [name for name, head in named if is_filled_in(name, head)]
            for sheet, start in zip(sheets, starts, strict=True):
                if start is None:
                    continue
                for number, cells in self._tidied(sheet.rows()):
                    if number >= start:
                        read += 1
                        self._check_number(read)
                        yield number, cells
                hidden += sheet.hidden()
                columns += sheet.hidden_columns(start)
        self.hidden_columns = list(dict.fromkeys(map(one_line, columns)))
        self._note(hidden)
        if not read:
            self.notes += [
                _("Sheet %s explains the columns and was not read: fill in the other one.") % name
                for name in mistaken
            ]

    def _note(self, hidden: int) -> None:
        if self._layout is not None and self._layout.guessed:
            self.notes.append(
                _("The file does not say how its letters are stored; they were read as %s.")
                % self._layout.guessed
            )
        if hidden:
            self.notes.append(
                ngettext(
                    "%(count)d row that is hidden or filtered was not read.",
                    "%(count)d rows that are hidden or filtered were not read.",
                    hidden,
                )
                % {"count": hidden}
            )
        if self.hidden_columns:
            self.notes.append(
                ngettext(
                    "The column %(names)s is hidden and was not read.",
                    "The columns %(names)s are hidden and were not read.",
                    len(self.hidden_columns),
                )
                % {"names": _(", ").join(self.hidden_columns)}
            )
        if self._repaired:
            row, text = self._first_repaired
            first = {"count": self._repaired, "place": self.place(row), "text": text[:80]}
            self.notes.append(
                ngettext(
                    "%(count)d cell came spoilt and was repaired: %(place)s reads “%(text)s” now.",
                    "%(count)d cells came spoilt and were repaired: the first, %(place)s, reads"
                    " “%(text)s” now.",
                    self._repaired,
                )
                % first
            )

    def _tidied(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows that hold something, each cell as it was meant."""
        for number, cells in rows:
            self.deadline.check()
            if may_be_spoilt("\n".join(cells)):
                cells = [self._whole(number, cell) for cell in cells]
            tidy = [
                _remembered(cell) if len(cell) <= _REMEMBERED else _tidy(cell) for cell in cells
            ]
            while tidy and not tidy[-1]:
                tidy.pop()
            if tidy:
                self._check_row(number, cells, len(tidy))
                yield number, tidy

    def _whole(self, row: int, text: str) -> str:
        """The text, repaired where a program spoilt it."""
        whole = repaired(text)
        if whole != text:
            self._repaired += 1
            if self._repaired == 1:
                self._first_repaired = row, one_line(whole)
        return whole

    def _check_number(self, read: int) -> None:
        most = self._limits.rows
        if most is not None and read > most:
            raise TableProblem(
                _("%(file)s has more than %(most)d rows: bring it in in parts.")
                % {"file": self.name, "most": most}
            )

    def _check_row(self, number: int, cells: list[str], filled_cells: int) -> None:
        sentence = ""
        if filled_cells > MOST_COLUMNS:
            sentence = _(
                "%(file)s, %(place)s holds something to the right of column %(column)s, the last that is"
                " read: delete the columns behind it."
            )
        elif sum(map(len, cells)) > LONGEST_ROW:
            sentence = _("%(file)s, %(place)s is longer than %(most)d characters.")
        if sentence:
            facts = {"file": self.name, "place": self.place(number), "most": LONGEST_ROW}
            raise TableProblem(sentence % {**facts, "column": get_column_letter(MOST_COLUMNS)})

    def _recognised(self, file: BinaryIO, known: Callable[[str], bool]) -> CsvLayout | None:
        """How it is to be read; None if it is a workbook."""
        start = file.read(_CHUNK)
        if not start:
            raise TableProblem(_("%s is empty.") % self.name)
        if other := other_kind(file, start):
            raise TableProblem(f"{self.name} {other}")
        if start.startswith(b"PK\x03\x04"):
            return None
        try:
            return csv_layout(file, start, known)
        except CsvProblem as error:
            raise TableProblem(f"{self.name} {error}") from error

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except CsvProblem as error:
            raise TableProblem(f"{self.name}, {error}") from error
        except (LimitProblem, WorkbookProblem) as error:
            raise TableProblem(f"{self.name}: {error}") from error

    @contextmanager
    def _opened(self, raw: BinaryIO) -> Iterator[list[_Sheet]]:
        """The sheets that people see."""
        if self._layout is not None:
            layout = self._layout
            yield [_Sheet(lambda: csv_rows(raw, layout), lambda: csv_rows(raw, layout))]
            return
        budget = Budget(self._limits, self.deadline)
        with Workbook(raw, budget, most_columns=MOST_COLUMNS) as book:
            shown = [sheet for sheet in book.sheets if not sheet.hidden]
            self.sheets = [one_line(sheet.name) for sheet in shown]
            self.notes += [
                _("Sheet %s is hidden and was not read.") % one_line(sheet.name)
                for sheet in book.sheets
                if sheet.hidden and sheet.name not in own_sheets()[1]
            ]
            yield [
                _opened_sheet(book, sheet, index * SHEET_ROWS) for index, sheet in enumerate(shown)
            ]


def _tidy(cell: str) -> str:
    if "\n" not in cell:
        return plain(one_line(cell))
    # Lines may be people, and are kept apart.
    return plain("\n".join(filter(None, map(one_line, cell.split("\n")))))


_remembered = lru_cache(8192)(_tidy)


def _opened_sheet(book: Workbook, sheet: SheetPart, base: int) -> _Sheet:
    last: SheetRows

    def rows(*, head: bool) -> Iterator[Row]:
        nonlocal last
        last, found = book.sheet_rows(sheet, head=head)
        for number, cells in found:
            yield base + number, cells

    return _Sheet(
        lambda: rows(head=False),
        lambda: rows(head=True),
        lambda: last.hidden,
        lambda start: last.hidden_columns.headings(start - base),
    )
