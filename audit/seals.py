"""Sealing and archiving audit entries: what `audit_seal` and `audit_archive` write (docs/audit-proof.md)."""

from bisect import bisect
from pathlib import Path

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.ledger import kept, rows
from audit.models import Action, Entry, Seal
from audit.operations import LABEL_LENGTH, Origin, record
from audit.seal_file import append, last_line
from audit.sealing import Line, digest, sealed

SEAL_ENTRIES = 10_000
# A lock that NOWAIT did not get: MariaDB's and MySQL's number for it.
LOCKED = {1205, 3572}


class StillWriting(Exception):
    """A transaction that has not ended has written entries in the range."""


class SealsProblem(Exception):
    """Seal file, database and archives do not belong together; the text is for the operator."""


def newest_entry() -> int | None:
    """The highest id that has been committed."""
    return Entry.objects.order_by("-pk").values_list("pk", flat=True).first()


@transaction.atomic
def seal_next(*, origin: Origin, path: Path, through: int) -> Line | None:
    """Seal up to `SEAL_ENTRIES` entries after the last seal, none above `through`; None if there are none.

    The file has the seal before the database: `take_over_seal()` brings in what a kill left between.
    Raises StillWriting, LedgerProblem, OSError.
    """
    last = Seal.objects.select_for_update().order_by("-number").first()
    entries = Entry.objects.filter(pk__lte=through).order_by("pk")
    if last is not None:
        entries = entries.filter(pk__gt=last.last_id)
    digests = [(row["id"], digest(row)) for row in rows(_settled(entries))]
    if not digests:
        return None
    line = sealed(
        number=last.number + 1 if last else 1,
        at=timezone.now(),
        by=origin.actor_label[:LABEL_LENGTH],
        previous=last.digest if last else "",
        digests=digests,
    )
    append(path, line)
    _keep(line)
    return line


def _settled(entries: "QuerySet[Entry]") -> "QuerySet[Entry]":
    """The next entries to seal, up to the first that a transaction may still be writing; locked.

    A row that is written and not committed cannot be read, but its lock is met: behind it nothing is
    sealed, for it may still come. Raises StillWriting if nothing lies before it.
    """
    if not connection.features.has_select_for_update_nowait:
        return entries[:SEAL_ENTRIES]
    ids = list(entries.values_list("pk", flat=True)[:SEAL_ENTRIES])
    if ids and not _lock(entries, ids[-1]):
        ids = ids[: bisect(ids, False, key=lambda number: not _lock(entries, number))]
        if not ids:
            raise StillWriting
    # Read under the locks: what was committed since the ids were read belongs to it.
    settled = entries.filter(pk__lte=ids[-1]) if ids else entries.none()
    return settled.select_for_update(nowait=True)[:SEAL_ENTRIES]


def _lock(entries: "QuerySet[Entry]", through: int) -> bool:
    """Lock these up to an id without waiting; False if one of them is somebody else's."""
    try:
        locked = entries.filter(pk__lte=through).select_for_update(nowait=True)
        list(locked.values_list("pk", flat=True))
    except OperationalError as error:
        if error.args and error.args[0] in LOCKED:
            return False
        raise
    return True


def _keep(line: Line) -> None:
    Seal.objects.create(
        number=line.number,
        at=line.at,
        by=line.by,
        first_id=line.first_id,
        last_id=line.last_id,
        entries=line.entries,
        digest=line.digest,
    )


@transaction.atomic
def take_over_seal(*, path: Path) -> Line | None:
    """Bring in the one seal that a killed `audit_seal` wrote into the file and not into the database.

    None if there is none. Raises SealsProblem if file and database differ by anything else.
    """
    line = last_line(path)
    last = Seal.objects.order_by("-number").first()
    in_file = (line.number, line.digest) if line else (0, "")
    in_database = (last.number, last.digest) if last else (0, "")
    if in_file == in_database:
        return None
    if line is None or (line.number - 1, line.previous) != in_database:
        raise SealsProblem(
            f"{path} ends with seal {in_file[0]}, the database with seal {in_database[0]}, and they "
            "do not continue each other. Put the right file back; `audit_verify` tells more."
        )
    after = last.last_id if last else None
    found = [row for row in kept(after, line.last_id) if not isinstance(row, int)]
    if not line.covers(map(digest, found)):
        raise SealsProblem(
            f"Seal {line.number} of {path} is not in the database, and the entries are not those "
            "that it covers. `audit_verify` tells which."
        )
    _keep(line)
    return line


@transaction.atomic
def archive_seals(*, origin: Origin, seals: list[Seal], archive: str) -> None:
    """These seals' entries are in the archive file: take them out of the database.

    Raises SealsProblem if the database does not hold as many of them as were sealed.
    """
    entries = sum(seal.entries for seal in seals)
    first, last = seals[0], seals[-1]
    moved = Entry._base_manager.filter(pk__gte=first.first_id, pk__lte=last.last_id)
    gone, _ = moved.delete()
    if gone != entries:
        raise SealsProblem(f"{gone} entries in place of {entries} between {first} and {last}.")
    Seal.objects.filter(pk__gte=first.pk, pk__lte=last.pk).update(archive=archive)
    record(
        origin=origin,
        action=Action.ENTRIES_ARCHIVED,
        after={"file": archive, "seals": [first.pk, last.pk], "entries": entries},
    )
