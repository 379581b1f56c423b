"""Reading the rows of a table of units: what each reports, or everything that is wrong with it."""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from buildings.unit_import.columns import NO_CONTACT, CellProblem, read_id
from buildings.unit_import.headings import UNIT_KEYS, Headings, HeadingsProblem
from buildings.unit_import.rows import RowProblem, UnitRow, details_of


class UnitReader:
    """Reads the rows under one file's headings. `block_id` is the block of rows that name none.

    `columns` are the columns that are read, in the file's order, each with its index in a row.
    `left_out` are the headings of those that are not, such as the ones to `ignore`.
    """

    def __init__(
        self, headings: Sequence[str], *, block_id: int | None, ignore: Collection[str] = ()
    ) -> None:
        """Raises HeadingsProblem."""
        meant = Headings(headings, ignore)
        found, self.left_out = meant.columns, meant.left_out
        names = {column.name for _index, column in found}
        if not names & UNIT_KEYS:
            raise HeadingsProblem(_("There is no column of unit numbers."))
        if "block" not in names and block_id is None:
            raise HeadingsProblem(
                _("There is no column of block ids: add one, or choose the block.")
            )
        self.columns = [(index, column) for index, column in found if column.read is not None]
        self._headings = headings
        self._block_id = block_id
        read_block = lru_cache(4096)(self._read_block)
        self._readers = [
            (index, column.name, read_block if column.name == "block" else column.read)
            for index, column in self.columns
            if column.read is not None
        ]
        self._heading_of = {column.name: headings[index] for index, column in self.columns}
        self._nameless = [index for index, name in enumerate(headings) if not name]

    def heading(self, name: str) -> str:
        """What the file itself calls a column; empty if it has none of that name."""
        return self._heading_of.get(name, "")

    def read(self, row: int, cells: Sequence[str]) -> UnitRow | list[RowProblem]:
        """What the row reports of a unit, or everything that is wrong with it."""
        found: dict[str, Any] = {} if self._block_id is None else {"block": self._block_id}
        problems: list[RowProblem] = []
        for index, name, read in self._readers:
            text = cells[index] if index < len(cells) else ""
            if text:
                try:
                    found[name] = read(text)
                except CellProblem as error:
                    problems.append(RowProblem(row, self._headings[index], str(error)))
        if self._nameless or len(cells) > len(self._headings):
            problems += self._beyond(row, cells)
        if "block" not in found or "number" not in found:
            problems += self._lacking(row, found, problems)
        if problems:
            return problems
        phone: tuple[str, str] = found.get("phone", NO_CONTACT)
        email: tuple[str, str] = found.get("email", NO_CONTACT)
        return UnitRow(
            row,
            found["block"],
            found.get("unit"),
            found.get("number"),
            found.get("resident", ""),
            *phone,
            *email,
            details=details_of(found),
        )

    def _read_block(self, text: str) -> int:
        block_id = read_id(text)
        if self._block_id not in {None, block_id}:
            raise CellProblem(_("is another block than the one chosen"))
        return block_id

    def _lacking(
        self, row: int, found: dict[str, Any], problems: list[RowProblem]
    ) -> Iterator[RowProblem]:
        wrong = {problem.column for problem in problems}
        if "number" not in found and "unit" not in found and self.heading("number") not in wrong:
            yield RowProblem(row, self.heading("number"), _("is empty"))
        if "block" not in found and self.heading("block") not in wrong:
            yield RowProblem(row, self.heading("block"), _("is empty"))

    def _beyond(self, row: int, cells: Sequence[str]) -> Iterator[RowProblem]:
        nameless = [index for index in self._nameless if index < len(cells)]
        if any(cells[index] for index in nameless) or any(cells[len(self._headings) :]):
            yield RowProblem(row, "", _("a value stands in a column without a heading"))
