"""`manage.py import_legacy`: move the legacy server's database in."""

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
from omarty.legacy.source import Source, opened
from omarty.management.base import CommandRefused, DataCommand, UsageProblem, counted

# In this order: each names only what stands before it. A primary contact goes before a further one.
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
    """Moves a legacy database in; run again, it brings in what is new or changed since."""

    help = (
        "Move the legacy server's database in. Ids and passwords are kept. What the register cannot\n"
        "hold goes into quarantine, with its reason. Run again, it brings in what is new or changed\n"
        "since; what was changed here meanwhile is not overwritten but told."
    )
    in_steps = True
    reads = (
        "a live MySQL or MariaDB with the legacy schema: users, places, blocks, units, relations,\n"
        "  further phones and e-mails, logs; as they are at one moment, in a read-only transaction."
    )
    writes = (
        "people, buildings, blocks, units, memberships, contacts, audit entries and the quarantine;\n"
        "  each batch of rows wholly or not at all. Killed, it is run again and goes on."
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
            help="Begin though there are people or blocks here already: legacy rows with their ids, "
            "and what refers to these, go into quarantine.",
        )

    def run(self, **options: Any) -> None:
        origin = Origin.of_command("import_legacy")
        config = _config(options["database_url"])
        if not options["into_existing"]:
            _require_empty()
        with opened(config) as source, self.rolled_back_if_dry():
            behind = source.left_behind()
            tallies = {table.name: self._move(table(), source, origin) for table in TABLES}
            missing = _not_accounted_for(tallies)
        self.report(
            {
                "dry_run": self.dry_run,
                "tables": {name: tally.facts() for name, (_, tally) in tallies.items()},
                "left_behind": behind,
                "not_accounted_for": missing,
            },
            _text(self.dry_run, tallies, behind),
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
    wrong = UsageProblem("The argument must look like mysql://user:password@host:3306/name.")
    try:
        if urlsplit(url).scheme != "mysql":
            raise wrong
        config: dict[str, Any] = environ.Env.db_url_config(url)
    except (ValueError, KeyError, ImproperlyConfigured) as error:
        raise wrong from error
    if not config.get("NAME"):
        raise wrong
    return config


def _require_empty() -> None:
    """Raises CommandRefused before a first run if there is somebody or something whose id a row may have."""
    if LegacyRow.objects.exists() or QuarantinedRow.objects.exists():
        return
    people, blocks = User.objects.count(), Block.objects.count()
    if people or blocks:
        raise CommandRefused(
            f"Nothing of a legacy database is here yet, but {counted(people, 'person', 'people')} and "
            f"{counted(blocks, 'block')} are: legacy rows with their ids could not come in. Move into "
            "an empty database, or say --into-existing."
        )


def _not_accounted_for(tallies: dict[str, tuple[int, Tally]]) -> list[str]:
    """What does not add up: the source's own count, what was read, and what lies in our tables."""
    wrong = []
    for name, (total, tally) in tallies.items():
        here = LegacyRow.objects.filter(table=name).count()
        here += QuarantinedRow.objects.filter(table=name, column="").count()
        # Rows that the source has deleted since came in earlier: there may be more, never fewer.
        if not tally.adds_up or tally.read != total or here < total:
            wrong.append(
                f"{name}: {total} in the source, {tally.read} read, {tally.new} new, "
                f"{tally.changed} changed, {tally.unchanged} unchanged, "
                f"{tally.quarantined} quarantined, {tally.erased} erased, {here} here"
            )
    return wrong


def _text(dry_run: bool, tallies: dict[str, tuple[int, Tally]], behind: dict[str, int]) -> str:
    head = ("table", "read", "new", "changed", "unchanged", "quarantined", "erased", "values")
    lines = [head, *((name, *tally.facts().values()) for name, (_, tally) in tallies.items())]
    text = [f"{line[0]:22}" + "".join(f"{each!s:>12}" for each in line[1:]) for line in lines]
    text.append(
        "read = new + changed + unchanged + quarantined + erased. erased: of people who were erased "
        "here, nothing of it comes in. values: single columns left out."
    )
    if behind:
        told = ", ".join(f"{name} ({count})" for name, count in behind.items())
        text.append(f"Left in the legacy database, for no table here takes it: {told}.")
    if dry_run:
        text.append("Dry run: nothing was written.")
    return "\n".join(text)
