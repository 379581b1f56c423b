"""A file as a table of units: which of its sheets are read, from which row, under which headings."""

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from buildings.unit_import.cells import sums_up, whole_number
from buildings.unit_import.heading_problems import (
    HeadingsProblem,
    known_titles,
    sheet_of_another_block,
    title_of_another_block,
)
from buildings.unit_import.heading_rows import Found, Row, find
from buildings.unit_import.heading_words import plain
from buildings.unit_import.headings import UNIT_KEYS, is_counter, is_known, meaning
from buildings.unit_import.reader import UnitReader

Choose = Callable[[Sequence[Sequence[Row]]], Sequence[int | None]]
# How much a message repeats of a row that holds no headings.
_LONGEST_QUOTE = 80
# A longer line above the headings is none.
_LONGEST_TITLE = 200
# What parts columns in files of programs that know no CSV.
_OTHER_SEPARATOR = re.compile(r"[|،]|\s[–—-]\s")
# So many rows that sum up are told one by one.
_MOST_SUMS = 20
# The columns that say what the others are about.
_WHOSE = UNIT_KEYS | {"block", "block name", "block id", "resident", "last name", "name"}


class SourceTable(Protocol):
    """A table that is read row by row, such as a file."""

    # What messages call it.
    name: str
    # What its sheets are called.
    sheets: list[str]
    # What to tell of what was read.
    notes: list[str]
    # What heads the columns that are not shown, and were not read.
    hidden_columns: list[str]

    @property
    def position(self) -> int:
        """How many bytes have been read."""

    def rows(self, choose: Choose | None = None) -> Generator[Row, None, None]:
        """The number of each row and its cells; `choose` says which. May raise its own exceptions."""

    def tells_of(self, sheet: str) -> bool:
        """Whether it is worth telling that a sheet was not read."""

    def where(self, row: int) -> tuple[str, int]:
        """The sheet and the number by which people know a row."""

    def place(self, row: int) -> str:
        """Both, in words."""


class UnitTable:
    """The rows of a table of units, below its headings. `reader` reads them, once `rows()` has begun.

    `notes` tell, once it is at its end, what was not read. `apart` tells how many sheets were read.
    """

    reader: UnitReader

    def __init__(self, source: SourceTable, reader: Callable[[Sequence[str]], UnitReader]) -> None:
        """`reader` makes the reader of the rows under these headings, or raises HeadingsProblem."""
        self.source = source
        self.headings: list[str] = []
        self.apart = 0
        self._make_reader = reader
        self._notes: list[str] = []
        self._starts: list[int | None] | None = None
        # The columns that are not read, and the rows that sum up.
        self._left_out: list[int] = []
        self._sums: list[int] = []
        # The columns by which units may have become one, each with its first row; the reader finds them.
        self._doubtful: dict[str, int] = {}

    @property
    def notes(self) -> list[str]:
        """What to tell of what was read and what was not."""
        sums = [
            _("%(place)s sums up and was not read.") % {"place": self.place(row).capitalize()}
            for row in self._sums[:_MOST_SUMS]
        ]
        more = len(self._sums) - len(sums)
        if more:
            sums.append(
                ngettext(
                    "%(count)d more row that sums up was not read.",
                    "%(count)d more rows that sum up were not read.",
                    more,
                )
                % {"count": more}
            )
        return self._notes + sums + self._doubts() + self.source.notes

    def _doubts(self) -> list[str]:
        """What to look at, where units may have become one by what was left out."""
        sentence = _(
            "%(place)s has the unit of an earlier row, and other words in the column %(name)s, which is left"
            " out. If these are two units, give each a number of its own."
        )
        return [
            sentence % {"place": self.place(row).capitalize(), "name": name}
            for name, row in list(self._doubtful.items())[:_MOST_SUMS]
        ]

    def rows(self) -> Generator[Row, None, None]:
        """The number of each row and its cells. Raises HeadingsProblem, with a sentence that names the
        file, and whatever the source raises.
        """
        self._sums = []
        rows = self.source.rows(self._choose if self._starts is None else self._chosen)
        with closing(rows):
            for number, cells in rows:
                if self._left_out and self._sums_up(cells):
                    self._sums.append(number)
                elif not self._left_out or self._has_ours(cells):
                    yield number, cells
        self._check_hidden()

    def _check_hidden(self) -> None:
        """A hidden column may be left alone where without it the others mean the same."""
        hidden = {name: meaning(name) for name in self.source.hidden_columns}
        hidden = {name: found for name, found in hidden.items() if not is_counter(name)}
        for sentence, names in (
            (
                _(
                    "%(file)s: Unknown headings, of hidden columns: %(names)s. Delete these columns, or show"
                    " them and leave them out."
                ),
                [name for name, found in hidden.items() if found is None],
            ),
            (
                _(
                    "%(file)s: These columns are hidden, and say which unit or person the others are of:"
                    " %(names)s. Show them, or delete them."
                ),
                [name for name, found in hidden.items() if found and found.column.key in _WHOSE],
            ),
        ):
            if names:
                facts = {"file": self.source.name, "names": _(", ").join(names)}
                raise HeadingsProblem(sentence % facts)

    def _has_ours(self, cells: Sequence[str]) -> bool:
        """Whether there is anything beside what is left out: a tick of the owner's makes no row."""
        return any(cell for index, cell in enumerate(cells) if index not in self._left_out)

    def _sums_up(self, cells: Sequence[str]) -> bool:
        return any(index < len(cells) and sums_up(cells[index]) for index in self._left_out)

    def where(self, row: int) -> tuple[str, int]:
        """The sheet, where there are several, and the number by which people know a row."""
        return self.source.where(row)

    def place(self, row: int) -> str:
        """Both, in words."""
        return self.source.place(row)

    def _choose(self, heads: Sequence[Sequence[Row]]) -> list[int | None]:
        found = [find(rows) for rows in heads]
        best = max(found, key=lambda each: each.sure if each else 0, default=None)
        if best is None:
            raise self._no_headings(heads)
        self._check_above(best)
        self.headings = _with_counters(best, heads[found.index(best)])
        try:
            self.reader = self._make_reader(self.headings)
        except HeadingsProblem as error:
            raise self._problem(best.row, str(error), error.offered) from error
        self._doubtful = self.reader.doubtful
        read = [self.source.sheets[at] for at, each in enumerate(found) if _same(best, each)]
        if others := self.reader.other_blocks(list(filter(None, read))):
            raise self._problem(best.row, str(sheet_of_another_block(others)))
        above = [" ".join(filter(None, cells)) for _row, cells in best.above]
        titles = [text for text in above if len(text) <= _LONGEST_TITLE]
        if title := self.reader.title_of_another_block(titles):
            raise self._problem(best.row, str(title_of_another_block(title[:_LONGEST_QUOTE])))
        self._left_out = [
            index for index, text in enumerate(self.headings) if text in self.reader.left_out
        ]
        self._notes = list(self._told(best))
        same = [_same(best, each) for each in found]
        self.apart = sum(same)
        if self.apart > 1:
            self._notes.append(_("These sheets were read: %s.") % _(", ").join(read))
        for index, rows in enumerate(heads):
            name = self.source.sheets[index]
            if rows and not same[index] and self.source.tells_of(name):
                self._notes.append(self._other_sheet(name, found[index]))
        self._starts = [
            each.last + 1 if each is not None and wanted else None
            for each, wanted in zip(found, same, strict=True)
        ]
        return self._starts

    def _chosen(self, heads: Sequence[Sequence[Row]]) -> Sequence[int | None]:
        return self._starts or []

    def _told(self, found: Found) -> Generator[str, None, None]:
        if found.above:
            yield _(
                "The headings were found in %(place)s; what stands above them was not read."
            ) % {"place": self.place(found.row)}
        if found.last != found.row:
            yield _("The second line of headings, %(place)s, was taken as such.") % {
                "place": self.place(found.last)
            }
        if left_out := self.reader.left_out:
            yield ngettext(
                "The column %(names)s was not read.",
                "The columns %(names)s were not read.",
                len(left_out),
            ) % {"names": _(", ").join(left_out)}

    def _other_sheet(self, name: str, found: Found | None) -> str:
        if found is None or found.sure < 2:  # noqa: PLR2004
            return _("Sheet %s does not have the headings and was not read.") % name
        return (
            _(
                "Sheet %s has other headings than the first sheet with units and was not read: bring it"
                " in by itself."
            )
            % name
        )

    def _check_above(self, found: Found) -> None:
        if doubtful := found.doubtful:
            places = _(", ").join(str(self.where(row)[1]) for row in doubtful[:5])
            raise self._problem(
                found.row,
                _(
                    "the headings stand here, below rows that look like rows of the table: %s. Put the"
                    " headings above them, or delete these rows."
                )
                % places,
            )

    def _no_headings(self, heads: Sequence[Sequence[Row]]) -> HeadingsProblem:
        first = next((rows[0] for rows in heads if rows), None)
        known = known_titles()
        if first is None:
            return self._problem(1, _("The file is empty. Its headings can be: %s.") % known)
        for number, cells in (row for rows in heads for row in rows):
            if len(cells) < len(_OTHER_SEPARATOR.split(cells[0])) and any(
                map(is_known, _OTHER_SEPARATOR.split(cells[0]))
            ):
                why = _(
                    "The columns of “%(quoted)s” are not parted: save the file as XLSX, or as CSV with a"
                    " comma, a semicolon or a tab between them."
                )
                return self._problem(number, why % {"quoted": cells[0][:_LONGEST_QUOTE]})
        number, cells = first
        quoted = _(", ").join(filter(None, cells))[:_LONGEST_QUOTE]
        return self._problem(
            number,
            _(
                "There are no headings: this row says “%(quoted)s”. The first row has to name the columns."
                " Known headings are: %(known)s."
            )
            % {"quoted": quoted, "known": known},
        )

    def _problem(self, row: int, why: str, offered: Sequence[str] = ()) -> HeadingsProblem:
        at = {"file": self.source.name, "place": self.place(row), "why": why}
        return HeadingsProblem(_("%(file)s, %(place)s: %(why)s") % at, offered)


def _with_counters(found: Found, rows: Sequence[Row]) -> list[str]:
    """The headings, with a sign above columns without one that count the rows: 1, 2, 3."""
    below = [cells for number, cells in rows if number > found.last]
    return [
        text or ("#" if _counts([cells[index] for cells in below if index < len(cells)]) else "")
        for index, text in enumerate(found.texts)
    ]


def _counts(cells: Sequence[str]) -> bool:
    numbers = [whole_number(cell) for cell in cells if cell]
    return len(numbers) > 1 and numbers == [*range(1, len(numbers) + 1)]


def _same(one: Found, other: Found | None) -> bool:
    if other is None:
        return False
    return [*map(plain, one.texts)] == [*map(plain, other.texts)]
