"""`manage.py import_legacy`: import the legacy server's database."""

from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandParser

from audit.operations import Origin
from buildings.models import Block
from contacts.models import User
from omarty.legacy import own_ids
from omarty.legacy.buildings import ApartmentTable, BlockTable, MembershipTable, PlaceTable
from omarty.legacy.deleted import deleted_rows, end_deleted, is_complete, mark_gone_rows
from omarty.legacy.further_phones import add_further_phones
from omarty.legacy.importer import Batch, LegacyTable, Tally
from omarty.legacy.logs import LogTable
from omarty.legacy.models import LegacyRow, QuarantinedRow
from omarty.legacy.parsing import Remark
from omarty.legacy.people import EmailTable, PhoneTable, UserTable
from omarty.legacy.source import (
    FURTHER_PHONES,
    LOGS,
    Source,
    SourceProblem,
    SourceSettingsProblem,
    opened,
)
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


_REMARKS = {
    Remark.REPAIRED: "texts in a wrong encoding or with HTML entities, repaired:",
    Remark.COORDINATES_UNKNOWN: "coordinates that are none, imported as unknown:",
    Remark.FURTHER_PHONE: "second phones of one column, imported as secondary ones:",
}
_SENTENCES = {
    "deleted_there": "Deleted at the source since, and still here",
    "quarantine_gone": "In quarantine, and deleted at the source since",
    "left_behind": "Not imported, since the register has no table for it",
    "columns_left_behind": "Not imported, since the register has no such column",
}


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
        parser.add_argument(
            "--own-ids-from",
            type=int,
            metavar="N",
            help=f"Number people, units and all else that is made here from N on (default "
            f"{own_ids.DEFAULT}), above what the legacy server still gives out; 0 to leave it.",
        )
        parser.add_argument(
            "--end-deleted",
            action="store_true",
            help="End memberships here whose relation was deleted at the source since.",
        )

    def run(self, **options: Any) -> None:
        origin = Origin.of_command("import_legacy")
        config = _config(options["database_url"])
        first = _first_own_id(options["own_ids_from"])
        if not options["into_existing"]:
            _require_empty()
        try:
            with opened(config) as source:
                _rehearse(source, first)
                if first and not self.dry_run:
                    # Outside of any transaction: MariaDB ends it here.
                    first = own_ids.number_own_ids_from(first)
                with self.rolled_back_if_dry():
                    facts = self._import(source, origin, end=options["end_deleted"])
        except SourceSettingsProblem as error:
            raise UsageProblem(str(error)) from error
        except SourceProblem as error:
            raise CommandRefused(str(error)) from error
        facts = {"dry_run": self.dry_run, **facts, "own_ids_from": first or None}
        self.report(facts, _text(facts))
        if missing := facts["not_accounted_for"]:
            raise CommandRefused("Not every row is accounted for: " + "; ".join(missing))

    def _import(self, source: Source, origin: Origin, *, end: bool) -> dict[str, Any]:
        """Import all tables; the facts of the report."""
        left_behind = source.left_behind()
        tables = [table() for table in TABLES]
        tallies = {table.name: self._move(table, source, origin) for table in tables}
        missing = _not_accounted_for(tallies)
        further = add_further_phones(source, origin, self.tell)
        remarks = {name: dict(tally.remarks) for name, (_, tally) in tallies.items()}
        if further:
            remarks[FURTHER_PHONES] = {Remark.FURTHER_PHONE: further}
        return {
            "tables": {name: tally.facts() for name, (_, tally) in tallies.items()},
            "remarks": {name: counts for name, counts in remarks.items() if counts},
            **self._deleted(tables, tallies, source, origin, end=end),
            "left_behind": left_behind,
            "columns_left_behind": source.columns_left_behind(),
            "not_accounted_for": missing,
        }

    def _deleted(
        self,
        tables: list[LegacyTable],
        tallies: dict[str, tuple[int, Tally]],
        source: Source,
        origin: Origin,
        *,
        end: bool,
    ) -> dict[str, Any]:
        """What of the tables was deleted at the source since, and what was done about it."""
        facts: dict[str, Any] = {"deleted_there": {}, "quarantine_gone": {}, "deleted_rows": []}
        ended = 0
        for table in tables:
            if is_complete(table, tallies[table.name][0]):
                continue
            for rows in deleted_rows(table, source):
                counts = facts["deleted_there"]
                counts[table.name] = counts.get(table.name, 0) + len(rows)
                if table.name == LOGS:
                    continue
                for row in rows:
                    if not end or row.membership is None:
                        self.tell(str(row))
                done = end_deleted(origin=origin, deleted=rows, tell=self.tell) if end else []
                ended += len(done)
                facts["deleted_rows"] += [row.facts() | {"ended": row in done} for row in rows]
            if gone := mark_gone_rows(table, source, self.tell):
                facts["quarantine_gone"][table.name] = gone
        return facts | {"memberships_ended": ended}

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


def _first_own_id(asked: int | None) -> int:
    """From where own records are to be numbered; 0 to leave it."""
    if asked is None:
        return own_ids.own_ids_from() or own_ids.DEFAULT
    if not 0 <= asked <= own_ids.HIGHEST:
        raise UsageProblem(f"--own-ids-from takes a number from 0 to {own_ids.HIGHEST}.")
    return asked


def _rehearse(source: Source, first: int) -> None:
    """Raises SourceProblem, before anything is written, for a table that cannot be read as it must be."""
    for table in TABLES:
        source.rehearse(table.select)
        if first and table.model is not None and (highest := source.highest(table.name)) >= first:
            raise CommandRefused(
                f"{table.name} has ids up to {highest}: choose a higher --own-ids-from than {first}."
            )


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


def _text(facts: dict[str, Any]) -> str:
    head = ("table", "read", "new", "changed", "unchanged", "quarantined", "erased", "values")
    rows = [head, *((name, *counts.values()) for name, counts in facts["tables"].items())]
    lines = [f"{row[0]:22}" + "".join(f"{each!s:>12}" for each in row[1:]) for row in rows]
    lines.append(
        "read = new + changed + unchanged + quarantined + erased. erased: rows of people who were "
        "erased here; they are not imported. values: single columns left out."
    )
    for name, counts in facts["remarks"].items():
        lines += [f"{name}: {_REMARKS[remark]} {count}." for remark, count in counts.items()]
    for what, sentence in _SENTENCES.items():
        if facts[what]:
            counts = ", ".join(f"{name} ({count})" for name, count in facts[what].items())
            lines.append(f"{sentence}: {counts}.")
    if facts["memberships_ended"]:
        lines.append(f"Memberships ended for that: {facts['memberships_ended']}.")
    if facts["own_ids_from"]:
        lines.append(f"What is made here gets ids from {facts['own_ids_from']} on.")
    if facts["dry_run"]:
        lines.append("Dry run: nothing was written.")
    return "\n".join(lines)
