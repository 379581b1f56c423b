"""Lines between the rows of a table, and cells that stand for those below: whose block or floor they say."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from buildings.unit_import.blocks import BlockFinder, BlockProblem
from buildings.unit_import.cells import CellProblem
from buildings.unit_import.floors import ROOF, read_floor

# A longer one is no line of a section; of one, so much is repeated.
_LONGEST_LINE, _LONGEST_QUOTE = 100, 40


class Sections:
    """Notices rows that stand below another block's line or cell, and units that stand below two floors.

    Such a table says the block or floor once for many rows. What it means by that is not guessed: the rows
    are refused, with the line that is to blame. Ask for each row, in the table's order.
    """

    def __init__(self, finder: BlockFinder, *, block: str, number: str) -> None:
        """`block` and `number` are what the table calls its columns of blocks and units; empty for none."""
        self._finder, self._block, self._number = finder, block, number
        # The line, or the block column's cell, that says that what follows is of another block.
        self._other_block = ""
        self._floor: int | None = None
        self._floors: dict[tuple[Any, ...], int | None] = {}

    def problems(
        self, cells: Sequence[str], found: dict[str, Any], block: int | BlockProblem | None
    ) -> Iterator[tuple[str, str]]:
        """The column and the sentence of each; `found` is what the row says, `block` which one it means."""
        filled = [cell for cell in cells if cell]
        if len(filled) == 1 and len(filled[0]) <= _LONGEST_LINE:
            self._read_line(filled[0])
            return
        if said := found.get("block") or found.get("block name"):
            self._other_block = said if isinstance(block, BlockProblem) else ""
        elif self._other_block and self._finder.chosen is not None:
            yield self._below_another_block()
        yield from self._below_another_floor(found, block)

    def _read_line(self, line: str) -> None:
        if not self._block and (meant := self._finder.said_in(line)) is not None:
            self._other_block = "" if self._finder.chosen in meant else line
        if any(map(str.isspace, line)):
            try:
                floor = read_floor(line)
            except CellProblem:
                return
            self._floor = None if floor == ROOF else int(floor)

    def _below_another_block(self) -> tuple[str, str]:
        if self._block:
            sentence = _("is empty, below a row of another block: write the block into each row")
            return self._block, sentence
        sentence = _(
            "stands below “%(line)s”, another block than the one chosen: bring in the rows of each block by"
            " themselves, or add a column of blocks"
        )
        return self._number, sentence % {"line": self._other_block[:_LONGEST_QUOTE]}

    def _below_another_floor(
        self, found: dict[str, Any], block: int | BlockProblem | None
    ) -> Iterator[tuple[str, str]]:
        if "floor" in found:
            self._floor = found["floor"] if isinstance(found["floor"], int) else None
            return
        number = found.get("number")
        if number is None or isinstance(block, BlockProblem):
            return
        first = self._floors.setdefault((block, number), self._floor)
        if first != self._floor:
            sentence = _(
                "has an earlier row, below another floor: write the floor into each row, and give two units a"
                " number each"
            )
            yield self._number, sentence
