"""Loading a table of units: every row is checked by itself, then all are saved in batches."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice

from django.utils.translation import gettext as _

from audit.bulk import Advance
from audit.operations import Origin
from buildings.permissions import Blocks
from buildings.unit_import.columns import HeadingsProblem, UnitReader
from buildings.unit_import.rows import UnitRow
from buildings.unit_import.save import Outcome, save_units
from buildings.unit_import.staging import ROWS, Staging
from omarty.tables.reading import TableFile, TableProblem


def stage(
    table: TableFile, staging: Staging, *, block_id: int | None, advance: Advance
) -> UnitReader:
    """Read the table: keep what each row says, or what is wrong with it. `advance` gets bytes.

    Returns the reader of its headings. Raises TableProblem.
    """
    with closing(table.rows()) as rows:
        row, headings = next(rows, (1, []))
        try:
            reader = UnitReader(headings, block_id=block_id)
        except HeadingsProblem as error:
            raise TableProblem(
                _("%(file)s, row %(row)d: %(why)s") % {"file": table.name, "row": row, "why": error}
            ) from error
        position = 0
        while batch := list(islice(rows, ROWS)):
            read = [reader.read(row, cells) for row, cells in batch]
            staging.add(each for each in read if isinstance(each, UnitRow))
            staging.object_to(
                problem for each in read if isinstance(each, list) for problem in each
            )
            advance(table.position - position)
            position = table.position
    return reader


def save(
    staging: Staging, reader: UnitReader, *, origin: Origin, within: Blocks, advance: Advance
) -> Iterator[Outcome]:
    """Save what can be saved, batch by batch, and keep what is wrong with the others: some of it shows
    only here, beside other rows and what the database holds. `advance` gets rows.

    Call it in a transaction: whoever wants all or nothing looks at `staging.problems()` at the end.
    """
    for batch in staging.batches():
        done = save_units(origin=origin, rows=batch, within=within)
        staging.object_to(
            problem._replace(column=reader.heading(problem.column)) for problem in done.problems
        )
        advance(len(batch))
        yield done
