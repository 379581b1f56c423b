"""What the tests of the audit proof share: a sealed log, and an attacker with the database."""

import io
import json
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command
from django.db import connection

from audit.ledger import rows
from audit.models import Action, Channel, Entry, Seal
from audit.operations import Origin, record
from audit.sealing import Row, SealLine, digest, sealed


class Log:
    """The audit log of the demo community with its seal file and archives."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "seals.jsonl"
        self.archives = directory / "audit-archive"

    def run(self, command: str, *arguments: Any) -> dict[str, Any]:
        """The command's JSON report, with its exit code as `exit` and its sentence as `error`."""
        out, outcome = io.StringIO(), {"exit": 0, "error": ""}
        try:
            call_command(
                command,
                *map(str, arguments),
                f"--file={self.file}",
                "--json",
                stdout=out,
                stderr=io.StringIO(),
            )
        except CommandError as error:
            outcome = {"exit": error.returncode, "error": str(error)}
        report: dict[str, Any] = json.loads(out.getvalue())
        return report | outcome

    def seal(self) -> dict[str, Any]:
        return self.run("audit_seal", "--grace=0")

    def verify(self) -> dict[str, Any]:
        return self.run("audit_verify")

    def write(self, count: int = 1) -> list[Entry]:
        """Further entries, each about another unit."""
        origin = Origin(channel=Channel.COMMAND, actor_label="test")
        return [
            record(origin=origin, action=Action.APARTMENT_REGISTERED, after={"number": number})
            for number in range(count)
        ]

    def lines(self) -> list[SealLine]:
        return [SealLine.from_json(text) for text in self.file.read_text().splitlines()]


def sql(statement: str, *values: Any) -> int:
    """What an attacker with the database does; returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


COLUMNS = ", ".join(
    connection.ops.quote_name(field.column)
    for field in Entry._meta.concrete_fields
    if not field.primary_key
)


def copy_entry(source: int, number: int) -> None:
    """Insert a copy of the entry with another id."""
    if connection.vendor == "mysql":
        sql("SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')")
    sql(
        f"INSERT INTO audit_entry (id, {COLUMNS}) SELECT %s, {COLUMNS} FROM audit_entry "  # noqa: S608
        "WHERE id = %s",
        number,
        source,
    )


def row_of(number: int) -> Row:
    """The entry of this id."""
    (row,) = rows(Entry.objects.filter(pk=number))
    return row


def forge_chain() -> None:
    """Recompute the database's seals from the present entries, except those of archived entries."""
    newest = Seal.objects.exclude(archive="").order_by("number").last()
    previous = newest.digest if newest else ""
    for seal in list(Seal.objects.filter(archive="").order_by("number")):
        covered = rows(
            Entry.objects.filter(pk__gte=seal.first_id, pk__lte=seal.last_id).order_by("pk")
        )
        line = sealed(
            number=seal.number,
            at=seal.at,
            by=seal.by,
            previous=previous,
            digests=[(row["id"], digest(row)) for row in covered],
        )
        previous = line.digest
        Seal.objects.filter(pk=seal.pk).update(
            digest=line.digest,
            first_id=line.first_id,
            last_id=line.last_id,
            entries=line.entries,
        )
