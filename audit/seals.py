"""Operations that seal and archive audit entries (docs/audit-proof.md)."""

from bisect import bisect
from pathlib import Path

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.ledger import rows, stored_entries
from audit.models import Action, Entry, Seal
from audit.operations import LABEL_LENGTH, Origin, record
from audit.seal_file import append, last_seal_line
from audit.sealing import SealLine, digest, sealed

SEAL_ENTRIES = 10_000
# Error numbers of MariaDB and MySQL where NOWAIT found a row locked.
LOCKED = {1205, 3572}


class StillWriting(Exception):
    """An open transaction has written entries in the range."""


class SealsProblem(Exception):
    """Seal file, database and archives do not match; the text is for the operator."""


def newest_entry() -> int | None:
    """The highest committed id; None for an empty log."""
    return Entry.objects.order_by("-pk").values_list("pk", flat=True).first()


def is_one_ahead(line: SealLine | None, last: Seal | None) -> bool:
    """Whether the file ends with the seal after the database's last, of the entries that the database has:
    `take_over_seal()` completes it. A database that was put back by one seal has others, or none.
    """
    return line is not None and _continues(line, last) and _covers(line, last)


def _continues(line: SealLine, last: Seal | None) -> bool:
    return (line.number - 1, line.previous) == ((last.number, last.digest) if last else (0, ""))


def _covers(line: SealLine, last: Seal | None) -> bool:
    after = last.last_id if last else None
    found = (row for row in stored_entries(after, line.last_id) if not isinstance(row, int))
    return line.covers(map(digest, found))


@transaction.atomic
def seal_next(*, origin: Origin, path: Path, through: int) -> SealLine | None:
    """Seal up to `SEAL_ENTRIES` entries after the last seal, with ids up to `through`; None if none is left.

    The seal is written to the file first, then to the database; after a kill between the two,
    `take_over_seal()` completes it. Raises StillWriting, LedgerProblem, OSError.
    """
    last = Seal.objects.select_for_update().order_by("-number").first()
    entries = Entry.objects.filter(pk__lte=through).order_by("pk")
    if last is not None:
        entries = entries.filter(pk__gt=last.last_id)
    digests = [(row["id"], digest(row)) for row in rows(_committed(entries))]
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
    _store(line)
    return line


def _committed(entries: "QuerySet[Entry]") -> "QuerySet[Entry]":
    """The next entries to seal, locked; they end before the first that an open transaction has written.

    An uncommitted row cannot be read, but its lock can be found. Nothing after it is sealed, since it
    may still be committed. Raises StillWriting if there is no entry before it.
    """
    if not connection.features.has_select_for_update_nowait:
        return entries[:SEAL_ENTRIES]
    ids = list(entries.values_list("pk", flat=True)[:SEAL_ENTRIES])
    if ids and not _lock(entries, ids[-1]):
        ids = ids[: bisect(ids, False, key=lambda last_id: not _lock(entries, last_id))]
        if not ids:
            raise StillWriting
    # Read under the locks, so that entries committed since the ids were read are included.
    committed = entries.filter(pk__lte=ids[-1]) if ids else entries.none()
    return committed.select_for_update(nowait=True)[:SEAL_ENTRIES]


def _lock(entries: "QuerySet[Entry]", through: int) -> bool:
    """Lock the entries up to this id without waiting; False if another transaction has locked one."""
    try:
        locked = entries.filter(pk__lte=through).select_for_update(nowait=True)
        list(locked.values_list("pk", flat=True))
    except OperationalError as error:
        if error.args and error.args[0] in LOCKED:
            return False
        raise
    return True


def _store(line: SealLine) -> None:
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
def take_over_seal(*, path: Path) -> SealLine | None:
    """Store the seal that a killed `audit_seal` wrote to the file and not to the database.

    None if there is none. Raises SealsProblem if file and database differ in anything else.
    """
    line = last_seal_line(path)
    last = Seal.objects.order_by("-number").first()
    in_file = (line.number, line.digest) if line else (0, "")
    in_database = (last.number, last.digest) if last else (0, "")
    if in_file == in_database:
        return None
    if line is None or not _continues(line, last):
        raise SealsProblem(
            f"{path} ends with seal {in_file[0]}, the database with seal {in_database[0]}, and the "
            "one does not continue the other. Restore the right file; `audit_verify` shows more."
        )
    if not _covers(line, last):
        raise SealsProblem(
            f"Seal {line.number} of {path} is not in the database, which ends with seal {in_database[0]}, "
            "and the entries are not those that it covers. `audit_verify` shows which differ; if a backup "
            "was restored, README, Saving and restoring, says how sealing goes on."
        )
    _store(line)
    return line


@transaction.atomic
def archive_seals(*, origin: Origin, seals: list[Seal], archive: str) -> None:
    """Delete the entries of these seals, which are in the archive file now, from the database.

    Raises SealsProblem if the database has more or fewer of them than were sealed.
    """
    entries = sum(seal.entries for seal in seals)
    first, last = seals[0], seals[-1]
    moved = Entry._base_manager.filter(pk__gte=first.first_id, pk__lte=last.last_id)
    gone, _ = moved.delete()
    if gone != entries:
        raise SealsProblem(
            f"Entries {first.first_id} to {last.last_id}: {gone} in the database, {entries} were sealed."
        )
    Seal.objects.filter(pk__gte=first.pk, pk__lte=last.pk).update(archive=archive)
    record(
        origin=origin,
        action=Action.ENTRIES_ARCHIVED,
        after={"file": archive, "seals": [first.pk, last.pk], "entries": entries},
    )
