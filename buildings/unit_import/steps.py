"""An import's two steps: `stage_table()` checks each row by itself, `save_staged()` saves them in batches."""

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import Protocol

from django.utils.translation import gettext as _

from audit.bulk import Advance
from audit.operations import Origin
from buildings.permissions import Blocks
from buildings.unit_import.reader import HeadingsProblem, UnitReader
from buildings.unit_import.rows import UnitRow
from buildings.unit_import.save import Outcome, save_units
from buildings.unit_import.staging import ROWS, Staging


class SourceTable(Protocol):
    """A table that is read row by row, such as a file."""

    # What messages call it.
    name: str

    @property
    def position(self) -> int:
        """How many bytes have been read."""

    def rows(self) -> Generator[tuple[int, list[str]], None, None]:
        """The number of each row and its cells, the headings first. May raise its own exceptions."""


def stage_table(
    table: SourceTable,
    staging: Staging,
    *,
    block_id: int | None,
    within: Blocks,
    names: bool = False,
    advance: Advance,
) -> UnitReader:
    """Read the table: store what each row reports, or what is wrong with it. `advance` gets bytes.

    Blocks are looked for `within` these; with `names` a unit may be known by a name in place of a number.

    Returns the reader of its headings. Raises HeadingsProblem, with a sentence that names the file,
    and whatever the table raises.
    """
    with closing(table.rows()) as rows:
        row, headings = next(rows, (1, []))
        try:
            reader = UnitReader(headings, block_id=block_id, within=within, names=names)
        except HeadingsProblem as error:
            raise HeadingsProblem(
                _("%(file)s, row %(row)d: %(why)s") % {"file": table.name, "row": row, "why": error}
            ) from error
        position = 0
        while batch := list(islice(rows, ROWS)):
            read = [reader.read(row, cells) for row, cells in batch]
            staging.add_rows(each for each in read if isinstance(each, UnitRow))
            staging.add_problems(
                problem for each in read if isinstance(each, list) for problem in each
            )
            advance(table.position - position)
            position = table.position
    return reader


def save_staged(
    staging: Staging, reader: UnitReader, *, origin: Origin, within: Blocks, advance: Advance
) -> Iterator[Outcome]:
    """Save the staged rows, batch by batch, but for those with a problem, which `staging` stores too.

    Some problems show only here: a row may contradict another row, or the database. `advance` gets
    the number of rows. Call it in a transaction: to have all rows or none, roll it back if there are
    any `staging.problems()` at the end.
    """
    for batch in staging.batches():
        done = save_units(origin=origin, rows=batch, within=within, registers=reader.registers)
        staging.add_problems(
            problem._replace(column=reader.heading(problem.column)) for problem in done.problems
        )
        advance(len(batch))
        yield done
