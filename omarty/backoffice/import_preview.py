"""What the rows of a file of units would do, row by row; confirmed, they do it.

It reads and saves what `import_units` reads and saves: one table, one set of rules.
"""

import hashlib
import io
import json
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, NamedTuple

from django.core.signing import BadSignature, TimestampSigner
from django.db import connection, transaction
from django.utils.translation import gettext as _

from audit.operations import Origin
from buildings.operations import lock_blocks
from buildings.permissions import Blocks
from buildings.unit_import.bad_rows import BadRows
from buildings.unit_import.heading_problems import Ways
from buildings.unit_import.headings import UNIT_KEYS
from buildings.unit_import.rows import RowProblem
from buildings.unit_import.save import Outcome
from buildings.unit_import.staging import Staging
from buildings.unit_import.steps import SAYS_BLOCK, floorless_note, save_staged, stage_table
from buildings.unit_import.unit_table import UnitTable
from contacts.counting import count_up
from omarty.backoffice.import_lines import Lines
from omarty.tables.limits import Deadline, TimeProblem
from omarty.tables.reading import TableFile, TableProblem
from omarty.tables.writing import writer

# What somebody who has seen the preview asks for: what is right of it, or what is wrong as a file.
GOOD, WRONG = "good", "wrong"
# So long the proof of a preview serves, and so long it is known that it has served.
A_DAY = timedelta(days=1)
_PROOFS = TimestampSigner(salt="backoffice.import")


class HowToRead(NamedTuple):
    """How whoever imports wants the file to be read: see `stage_table()`."""

    block_id: int | None
    names: bool = False
    ignore: Collection[str] = ()


class Confirmation(NamedTuple):
    """The proof of the preview that somebody has seen, and what of it they want: all, GOOD or WRONG."""

    proof: str
    wanted: str = ""

    def is_of(self, preview: "Preview") -> bool:
        """Whether what they have seen is what the file does now."""
        try:
            seen = _PROOFS.unsign(self.proof, max_age=A_DAY)
        except BadSignature:
            return False
        return seen.partition(" ")[0] == preview.digest


@dataclass
class Preview:
    """What a file's rows do, one line for each; `outcome` is set once they have done it.

    `columns` are the file's own headings of the columns that are read; a line has a cell for each.
    """

    columns: list[str]
    lines: list[dict[str, Any]]
    right: bool
    # Whether a row has a contact, and how many of them rows were refused for: see `known_contacts()`.
    asks_for_contacts: bool = False
    refused_contacts: int = 0
    # The digest of the file's bytes.
    file: str = ""
    outcome: Outcome | None = None
    # Whether it is what was seen before, and confirmed now.
    confirmed: bool = False
    # The table of what is wrong, once somebody who has seen this asks for it.
    wrong: bytes | None = None
    # What to tell of what was read and what was not.
    notes: list[str] = field(default_factory=list)
    # The headings of columns with wrong cells that a table can do without.
    offered: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many rows there are of each kind."""
        return Counter(line["kind"] for line in self.lines)

    @property
    def good(self) -> int:
        """How many rows are right."""
        return len(self.lines) - self.bad

    @property
    def bad(self) -> int:
        """How many rows are wrong."""
        return self.counts()["problem"]

    @property
    def unnumbered(self) -> int:
        """How many rows register a unit without a number."""
        return sum(line["unnumbered"] for line in self.lines)

    @property
    def has_people(self) -> bool:
        """Whether a row names a resident."""
        return any(line["people"] for line in self.lines)

    @property
    def digest(self) -> str:
        """Tells whether the same file still does the same."""
        return hashlib.sha256(json.dumps([self.file, self.lines]).encode()).hexdigest()

    @cached_property
    def proof(self) -> str:
        """What a confirmation of it carries. It serves once: to be done again, the file is shown, and counted
        for the contacts in it, again.
        """
        return _PROOFS.sign(f"{self.digest} {secrets.token_hex(8)}")


def preview_or_save(
    file: TableFile,
    reading: HowToRead,
    confirmed: Confirmation,
    *,
    within: Blocks,
    origin: Origin,
    before_contacts: Callable[[], None],
) -> Preview:
    """Do with the table's rows what was confirmed, if what they do is what was seen then; else nothing.

    `before_contacts` is called before any contact is looked for, if a row has one; what it raises ends all.
    Nothing either if the table's deadline passes before all is done: no statement is begun after it.
    Raises TableProblem, HeadingsProblem; TimeProblem if the deadline passes after contacts were looked for;
    IntegrityError if somebody takes a number or contact meanwhile.
    """
    looked = False
    try:
        with Staging() as staging:
            table = stage_table(
                file,
                staging,
                **reading._asdict(),
                within=within,
                ways=_on_the_page(within),
                advance=_unwatched,
            )
            if staging.has_contacts():
                before_contacts()
                looked = True
            with transaction.atomic(), connection.execute_wrapper(_before(file.deadline)):
                lock_blocks(pk for pk in staging.blocks() if pk in within)
                done = list(
                    save_staged(staging, table, origin=origin, within=within, advance=_unwatched)
                )
                preview = _preview(file, table, staging, Lines(table, done, within))
                if confirmed.is_of(preview):
                    _do(preview, confirmed, done, BadRows(table, staging), file)
                if preview.outcome is None:
                    transaction.set_rollback(True)
                file.deadline.check()
    except TimeProblem as error:
        # Where contacts were looked for, how long it took may tell of them.
        raise (TimeProblem if looked else TableProblem)(f"{file.name}: {error}") from error
    return preview


def _on_the_page(within: Blocks) -> Ways:
    """How the page is told what the command is told by options."""
    chooser = "" if within.ids is None else _("“Block” below")
    return Ways(names=_("with a tick below"), ignore=_("with a tick below"), block=chooser)


def _do(
    preview: Preview, sent: Confirmation, done: Sequence[Outcome], bad: BadRows, file: TableFile
) -> None:
    """Set what comes of the confirmation of a preview that was seen."""
    if sent.wanted == WRONG:
        preview.confirmed = True
        preview.wrong = _table(bad, "xlsx" if file.is_xlsx else "csv")
        return
    preview.confirmed = count_up("import confirmed", sent.proof, within=A_DAY) == 1
    if preview.confirmed and (preview.right or (sent.wanted == GOOD and preview.good)):
        preview.outcome = Outcome()
        for each in done:
            preview.outcome.add(each)


def _table(rows: BadRows, kind: str) -> bytes:
    content = io.BytesIO()
    with writer(kind, content, rows.headings, right_to_left=rows.right_to_left) as out:
        for cells in rows:
            out.write(cells)
    return content.getvalue()


def _before(deadline: Deadline) -> Callable[..., Any]:
    """Lets a statement of the database begin only before the deadline."""

    def execute(does: Callable[..., Any], *statement: Any) -> Any:
        deadline.check()
        return does(*statement)

    return execute


def _preview(file: TableFile, table: UnitTable, staging: Staging, lines: Lines) -> Preview:
    done, problems = lines.done, list(staging.problems())
    total = Outcome()
    for each in done:
        total.add(each)
    listed = list(lines.of(problems))
    # What needs correction comes first: the rest may be hundreds of rows.
    listed.sort(key=lambda line: line["kind"] != "problem")
    return Preview(
        [table.headings[index] for index, _column in table.reader.columns],
        listed,
        right=not problems,
        asks_for_contacts=staging.has_contacts(),
        refused_contacts=sum(each.refused_contacts for each in done),
        file=hashlib.sha256(file.path.read_bytes()).hexdigest(),
        notes=table.notes + floorless_note(table, total),
        offered=_dispensable(table, problems),
    )


def _dispensable(table: UnitTable, problems: Sequence[RowProblem]) -> list[str]:
    """The headings of the columns that are to blame, but for those that name the unit or its block."""
    needed = {table.reader.heading(name) for name in (*UNIT_KEYS, *SAYS_BLOCK)} | {""}
    return [name for name in dict.fromkeys(each.column for each in problems) if name not in needed]


def _unwatched(done: int) -> None:
    """Nobody waits for so few rows."""
