"""An import's two steps: `stage_table()` checks each row by itself, `save_staged()` saves them in batches."""

from collections.abc import Collection, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.bulk import Advance
from audit.operations import Origin
from buildings.permissions import Blocks
from buildings.unit_import.heading_problems import OF_THE_COMMAND, Ways
from buildings.unit_import.reader import UnitReader
from buildings.unit_import.rows import RowProblem, UnitRow
from buildings.unit_import.save import Outcome, save_units
from buildings.unit_import.staging import ROWS, Staging
from buildings.unit_import.unit_table import SourceTable, UnitTable
from contacts.text import is_lost

# A unit of two sheets is one unit only where each row says of which block it is.
SAYS_BLOCK = ("block", "block name", "block id")


def stage_table(
    source: SourceTable,
    staging: Staging,
    *,
    block_id: int | None,
    within: Blocks,
    names: bool = False,
    ignore: Collection[str] = (),
    ways: Ways = OF_THE_COMMAND,
    advance: Advance,
) -> UnitTable:
    """Read the source: store what each row reports, or what is wrong with it. `advance` gets bytes.

    Blocks are looked for `within` these; with `names` a unit may be known by a name in place of a
    number; `ignore` are headings of columns that are not read; `ways` are how one says so.
    Returns the table that was found in it. Raises HeadingsProblem, with a sentence that names the file,
    and whatever the source raises.
    """
    options: Any = {"block_id": block_id, "within": within, "names": names, "ignore": ignore}
    options |= {"ways": ways}
    table = UnitTable(source, lambda headings: UnitReader(headings, **options))
    with closing(table.rows()) as rows:
        position = 0
        while batch := list(islice(rows, ROWS)):
            read = [_read(table, row, cells) for row, cells in batch]
            staging.add_rows(each for each in read if isinstance(each, UnitRow))
            staging.add_problems(
                problem for each in read if isinstance(each, list) for problem in each
            )
            advance(source.position - position)
            position = source.position
    if table.apart > 1 and not any(map(table.reader.heading, SAYS_BLOCK)):
        staging.add_problems(_in_two_sheets(table, staging))
    return table


def _read(table: UnitTable, row: int, cells: list[str]) -> UnitRow | list[RowProblem]:
    """What the row reports, unless letters of it were lost before it came."""
    text = "\n".join(cells)
    if ("??" in text or not text.isascii()) and is_lost(text):
        sentence = _("lost its letters when the file was saved: save it again as XLSX or CSV UTF-8")
        lost = [
            RowProblem(row, table.headings[index], sentence)
            for index, _column in table.reader.columns
            if index < len(cells) and is_lost(cells[index])
        ]
        if lost:
            return lost
    return table.reader.read(row, cells)


def _in_two_sheets(table: UnitTable, staging: Staging) -> list[RowProblem]:
    """Takes the units of a sheet that an earlier sheet has as well out of `staging`."""
    first: dict[tuple[int, int], str] = {}
    problems = []
    for row, block_id, number in staging.numbers():
        sheet, _number = table.where(row)
        if (earlier := first.setdefault((block_id, number), sheet)) != sheet:
            sentence = _(
                "is in sheet %s as well: add a column of the block, or bring the sheets in one by one"
            )
            problems.append(RowProblem(row, table.reader.heading("number"), sentence % earlier))
    staging.remove(problem.row for problem in problems)
    return problems


def save_staged(
    staging: Staging, table: UnitTable, *, origin: Origin, within: Blocks, advance: Advance
) -> Iterator[Outcome]:
    """Save the staged rows, batch by batch, but for those with a problem, which `staging` stores too.

    Some problems show only here: a row may contradict another row, or the database. `advance` gets
    the number of rows. Call it in a transaction: to have all rows or none, roll it back if there are
    any `staging.problems()` at the end.
    """
    for batch in staging.batches():
        done = save_units(
            origin=origin, rows=batch, within=within, registers=table.reader.registers
        )
        staging.add_problems(_as_the_file_has_it(table, problem) for problem in done.problems)
        advance(len(batch))
        yield done


def _as_the_file_has_it(table: UnitTable, problem: RowProblem) -> RowProblem:
    """The problem under the file's own heading, with the place of the row that it speaks of."""
    sentence = problem.sentence
    if problem.earlier:
        sentence %= {"place": table.place(problem.earlier)}
    return RowProblem(problem.row, table.reader.heading(problem.column), sentence)


def floorless_note(table: UnitTable, total: Outcome) -> list[str]:
    """What is told of new units for which a table with a column of floors has none."""
    if not total.floorless or not table.reader.heading("floor"):
        return []
    rows = [table.place(row) for row in sorted(total.floorless_rows)]
    rows += ["…"] * (total.floorless > len(rows))
    return [
        ngettext(
            "%(count)d new unit has no floor: %(rows)s.",
            "%(count)d new units have no floor: %(rows)s.",
            total.floorless,
        )
        % {"count": total.floorless, "rows": _(", ").join(rows)}
    ]
