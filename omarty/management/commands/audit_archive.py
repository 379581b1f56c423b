"""`manage.py audit_archive`: move old sealed entries out of the database into compressed files."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Max
from django.utils.dateparse import parse_date

from audit.archives import name_for
from audit.bulk import Advance
from audit.ledger import stored_entries, write_archive
from audit.models import Entry, Seal
from audit.operations import Origin
from audit.seal_file import seal_lines
from audit.sealing import Row, SealLine, digest
from audit.seals import SealsProblem, archive_seals, take_over_seal
from omarty.days import midnight
from omarty.management.base import UsageProblem, counted
from omarty.management.seals import ProofCommand

# The most entries of an archive; it holds complete seals.
ARCHIVE_ENTRIES = 100_000


class Command(ProofCommand):
    help = (
        "Move sealed entries from before a date into compressed files: oldest seals first, and a seal\n"
        "only if all of its entries are older. audit_verify reads them there; the back-office does\n"
        "not show them any more. Entries that are not what was sealed stay in the database."
    )
    in_steps = True
    reads = "audit entries, seals, the seal file"
    writes = (
        "archives of up to 100,000 entries, and an audit entry for each; deletes the archived entries "
        "from the database"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--before",
            required=True,
            metavar="DATE",
            help="Such as 2026-01-31; entries of that day stay.",
        )

    def run(self, **options: Any) -> None:
        before = midnight(_day(options["before"]))
        with self.exclusive():
            if not self.dry_run:
                take_over_seal(path=self.seal_file)
            seals = list(_old(before))
            entries = sum(seal.entries for seal in seals)
            names = []
            with self.progress("Archived", entries) as advance:
                for batch in _batches(seals):
                    names.append(self._archive(batch, advance))
        facts = {"entries": entries, "seals": len(seals), "files": names, "dry_run": self.dry_run}
        moved = "To be moved" if self.dry_run else "Moved"
        where = ", ".join(str(self.archives / name) for name in names)
        text = (
            f"{moved}: {counted(entries, 'entry', 'entries')} of {counted(len(seals), 'seal')}"
            + (f" to {where}." if where else ".")
        )
        self.report(facts, text)

    def _archive(self, seals: list[Seal], advance: Advance) -> str:
        name = name_for(seals[0])
        rows = _checked(self._lines_of(seals), advance)
        if self.dry_run:
            for _ in rows:
                pass
            return name
        write_archive(self.archives / name, rows)
        archive_seals(origin=Origin.of_command("audit_archive"), seals=seals, archive=name)
        return name

    def _lines_of(self, seals: list[Seal]) -> Iterator[SealLine]:
        first, last = seals[0].number, seals[-1].number
        return (line for line in seal_lines(self.seal_file) if first <= line.number <= last)


def _day(text: str) -> date:
    try:
        day: date | None = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise UsageProblem(f"--before must be a date like 2026-01-31, not {text!r}.")
    return day


def _old(before: datetime) -> Iterator[Seal]:
    """The oldest seals that are not archived, up to the first that has an entry from `before` or later."""
    for seal in Seal.objects.filter(archive="").order_by("number"):
        entries = Entry.objects.filter(pk__gte=seal.first_id, pk__lte=seal.last_id)
        newest = entries.aggregate(at=Max("at"))["at"]
        if newest is None or newest >= before:
            return
        yield seal


def _batches(seals: list[Seal]) -> Iterator[list[Seal]]:
    batch: list[Seal] = []
    for seal in seals:
        if batch and sum(each.entries for each in batch) + seal.entries > ARCHIVE_ENTRIES:
            yield batch
            batch = []
        batch.append(seal)
    if batch:
        yield batch


def _checked(lines: Iterator[SealLine], advance: Advance) -> Iterator[Row]:
    """The entries of these seals. Raises SealsProblem at the first seal whose entries were changed."""
    for line in lines:
        found = list(stored_entries(line.first_id - 1, line.last_id))
        rows = [row for row in found if not isinstance(row, int)]
        if len(rows) < len(found) or not line.covers(map(digest, rows)):
            raise SealsProblem(
                f"The entries are not what seal {line.number} covers: nothing more was moved. "
                "audit_verify shows which."
            )
        yield from rows
        advance(len(rows))
