"""`manage.py import_legacy`: import the legacy server's database."""

from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandParser

from audit.operations import Origin
from buildings.models import Block
from contacts.models import User
from omarty.legacy.buildings import ApartmentTable, BlockTable, MembershipTable, PlaceTable
from omarty.legacy.importer import Batch, LegacyTable, Tally
from omarty.legacy.logs import LogTable
from omarty.legacy.models import LegacyRow, QuarantinedRow
from omarty.legacy.people import EmailTable, PhoneTable, UserTable
from omarty.legacy.source import Source, SourceProblem, SourceSettingsProblem, opened
from omarty.management.base import CommandRefused, DataCommand, UsageProblem, counted

# In this order, each table refers only to earlier ones, and primary contacts are claimed first.
TABLES: tuple[type[LegacyTable], ...] = (
    UserTable,
    PlaceTable,
    BlockTable,
    ApartmentTable,
    MembershipTable,
    PhoneTable,
    EmailTable,
    LogTable,
)


class Command(DataCommand):
    help = (
        "Import the legacy server's database, with its ids and passwords. What the register cannot\n"
        "store goes to quarantine, with the reason. Run again, it imports what is new or changed\n"
        "since; what was changed here meanwhile is not overwritten but reported."
    )
    in_steps = True
    reads = (
        "a live MySQL or MariaDB with the legacy schema: users, places, blocks, units, relations,\n"
        "  further phones and e-mails, logs; all at one moment, in a read-only transaction"
    )
    writes = (
        "people, buildings, blocks, units, memberships, contacts, audit entries and the quarantine;\n"
        "  each batch of rows in one transaction. After a kill, run it again to continue"
    )
    exit_codes = (
        "0 done and every row accounted for, 1 refused because of the input or rows\n"
        "  not accounted for, 2 usage"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("database_url", help="mysql://user:password@host:3306/name")
        super().add_arguments(parser)
        parser.add_argument(
            "--into-existing",
            action="store_true",
            help="Import although there are people or blocks here already: legacy rows with the same "
            "ids, and what refers to them, go to quarantine.",
        )

    def run(self, **options: Any) -> None:
        origin = Origin.of_command("import_legacy")
        config = _config(options["database_url"])
        if not options["into_existing"]:
            _require_empty()
        try:
            with opened(config) as source, self.rolled_back_if_dry():
                left_behind = source.left_behind()
                tallies = {table.name: self._move(table(), source, origin) for table in TABLES}
                missing = _not_accounted_for(tallies)
        except SourceSettingsProblem as error:
            raise UsageProblem(str(error)) from error
        except SourceProblem as error:
            raise CommandRefused(str(error)) from error
        self.report(
            {
                "dry_run": self.dry_run,
                "tables": {name: tally.facts() for name, (_, tally) in tallies.items()},
                "left_behind": left_behind,
                "not_accounted_for": missing,
            },
            _text(self.dry_run, tallies, left_behind),
        )
        if missing:
            raise CommandRefused("Not every row is accounted for: " + "; ".join(missing))

    def _move(self, table: LegacyTable, source: Source, origin: Origin) -> tuple[int, Tally]:
        total, tally = source.value(table.count), Tally()
        with self.progress(table.name, total) as advance:
            for rows in source.batches(table.select):
                batch = Batch(table, origin, [table.read(row) for row in rows], tally, self.tell)
                batch.move()
                advance(len(rows))
        return total, tally


def _config(url: str) -> dict[str, Any]:
    problem = UsageProblem("The argument must look like mysql://user:password@host:3306/name.")
    try:
        if urlsplit(url).scheme != "mysql":
            raise problem
        config: dict[str, Any] = environ.Env.db_url_config(url)
    except (ValueError, KeyError, ImproperlyConfigured) as error:
        raise problem from error
    if not config.get("NAME"):
        raise problem
    return config


def _require_empty() -> None:
    """Raises CommandRefused if there are people or blocks before the first run: ids could clash."""
    if LegacyRow.objects.exists() or QuarantinedRow.objects.exists():
        return
    people, blocks = User.objects.count(), Block.objects.count()
    if people or blocks:
        raise CommandRefused(
            f"No legacy database was imported yet, but {counted(people, 'person', 'people')} and "
            f"{counted(blocks, 'block')} exist: legacy rows with their ids could not be imported. Use "
            "an empty database, or --into-existing."
        )


def _not_accounted_for(tallies: dict[str, tuple[int, Tally]]) -> list[str]:
    """The tables for which the source's count, the rows read and the rows stored here do not add up."""
    problems = []
    for name, (total, tally) in tallies.items():
        here = LegacyRow.objects.filter(table=name).count()
        here += QuarantinedRow.objects.filter(table=name, column="").count()
        # More rows may be here than in the source, which may have deleted some since; never fewer.
        if not tally.adds_up or tally.read != total or here < total:
            problems.append(
                f"{name}: {total} in the source, {tally.read} read, {tally.new} new, "
                f"{tally.changed} changed, {tally.unchanged} unchanged, "
                f"{tally.quarantined} quarantined, {tally.erased} erased, {here} here"
            )
    return problems


def _text(dry_run: bool, tallies: dict[str, tuple[int, Tally]], left_behind: dict[str, int]) -> str:
    head = ("table", "read", "new", "changed", "unchanged", "quarantined", "erased", "values")
    rows = [head, *((name, *tally.facts().values()) for name, (_, tally) in tallies.items())]
    lines = [f"{row[0]:22}" + "".join(f"{each!s:>12}" for each in row[1:]) for row in rows]
    lines.append(
        "read = new + changed + unchanged + quarantined + erased. erased: rows of people who were "
        "erased here; they are not imported. values: single columns left out."
    )
    if left_behind:
        counts = ", ".join(f"{name} ({count})" for name, count in left_behind.items())
        lines.append(f"Not imported, since the register has no table for it: {counts}.")
    if dry_run:
        lines.append("Dry run: nothing was written.")
    return "\n".join(lines)
