"""Lines between the rows of a table, and cells that stand for those below: whose block or floor they say."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from buildings.unit_import.blocks import BlockFinder, BlockProblem
from buildings.unit_import.cells import CellProblem
from buildings.unit_import.floors import ROOF, read_floor

# Tables that people write have fewer units; of a program's, which say all in each row, no more is remembered.
_MOST_REMEMBERED = 20_000
# In place of the floor below which a unit came first, where its own row says one.
_WRITTEN = "written"
# A longer one is no line of a section; of one, so much is repeated.
_LONGEST_LINE, _LONGEST_QUOTE = 100, 40


class Sections:
    """Notices rows that stand below another block's line or cell, and units that stand below two floors.

    Such a table says the block or floor once for many rows. What it means by that is not guessed: the rows
    are refused, with the line that is to blame. Ask for each row, in the table's order.
    """

    def __init__(self, finder: BlockFinder, *, block: str, number: str, floor: str) -> None:
        """`block`, `number`, `floor` are what the table calls its columns of these; empty for none."""
        self._finder, self._block, self._number, self._floors_in = finder, block, number, floor
        # The last line that says neither a block nor a floor.
        self._line = ""
        # The line, or the block column's cell, that says that what follows is of another block.
        self._other_block = ""
        self._floor: int | None = None
        # Below which floor and line each unit came first.
        self._first: dict[tuple[Any, ...], tuple[int | str | None, str]] = {}

    def problems(
        self, cells: Sequence[str], found: dict[str, Any], block: int | BlockProblem | None
    ) -> Iterator[tuple[str, str]]:
        """The column and the sentence of each; `found` is what the row says, `block` which one it means."""
        filled = [cell for cell in cells if cell]
        if len(filled) == 1 and len(filled[0]) <= _LONGEST_LINE:
            self._read_line(filled[0])
            if isinstance(found.get("number"), str) and self._floors_in:
                sentence = _("stands alone in its row: write the unit's floor, or take the row out")
                yield self._number, sentence
            return
        if said := found.get("block") or found.get("block name"):
            self._other_block = said if isinstance(block, BlockProblem) else ""
        elif self._other_block and self._finder.chosen is not None:
            yield self._below_another_block()
        yield from self._below_another_line(found, block)

    def _read_line(self, line: str) -> None:
        if not self._block and (meant := self._finder.said_in(line)) is not None:
            self._other_block = "" if self._finder.chosen in meant else line
            return
        if any(map(str.isspace, line)):
            try:
                floor = read_floor(line)
            except CellProblem:
                self._line = line
                return
            self._floor = None if floor == ROOF else int(floor)

    def _below_another_block(self) -> tuple[str, str]:
        if self._block:
            sentence = _("is empty, below a row of another block: write the block into each row")
            return self._block, sentence
        sentence = _(
            "stands below “%(line)s”, another block than the one chosen: bring in the rows of each block by"
            " themselves, or add a column of blocks; if the line is only a note, delete it"
        )
        return self._number, sentence % {"line": self._other_block[:_LONGEST_QUOTE]}

    def _below_another_line(
        self, found: dict[str, Any], block: int | BlockProblem | None
    ) -> Iterator[tuple[str, str]]:
        """Whether the unit stands below another line or floor than before: it is two then, or no unit."""
        written = "floor" in found
        if written:
            self._floor = found["floor"] if isinstance(found["floor"], int) else None
        unit = (block, found.get("unit id"), found.get("number"))
        if unit[1:] == (None, None) or isinstance(block, BlockProblem):
            return
        here = (_WRITTEN if written else self._floor, self._line)
        if (first := self._first.get(unit)) is None:
            if len(self._first) < _MOST_REMEMBERED:
                self._first[unit] = here
            return
        floor, line = first
        if not written and floor not in {_WRITTEN, self._floor}:
            sentence = _(
                "has an earlier row, below another floor: write the floor into each row, and give two units a"
                " number each"
            )
            yield self._number, sentence
        if line != self._line:
            # A second list below the table has the numbers of units once more, of whatever it counts.
            sentence = _(
                "stands below “%(line)s”, and a row above that has the same unit: if another list begins"
                " there, take it out; if the line is only a note, delete it"
            )
            yield self._number, sentence % {"line": self._line[:_LONGEST_QUOTE]}
