"""Writing the audit log. Every operation calls `record()` inside its own transaction."""

import getpass
import uuid
from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.bulk import insert_like
from audit.erasing import Found, Search, merged
from audit.ledger import kept, rows
from audit.models import Action, Channel, Entry, Seal
from audit.seal_file import append, last_line
from audit.sealing import Line, Part, Ranges, digest, sealed, to_ranges

LABEL_LENGTH = 255


class Named(Protocol):
    """Anything that an entry can name: a model instance, or an `Unknown`."""

    @property
    def pk(self) -> Any: ...


@dataclass(frozen=True)
class Unknown:
    """Something that was asked for by id and does not exist."""

    pk: int

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who acts, and from where. One origin stands for one request, or for one run of a command."""

    channel: Channel
    actor: Named | None = None
    actor_label: str = ""
    ip: str | None = None
    longitude: Decimal | None = None
    latitude: Decimal | None = None
    request_id: uuid.UUID = field(default_factory=uuid.uuid4)

    @classmethod
    def of_command(cls, name: str) -> "Origin":
        """The origin of a `manage.py` command: its name and the operating-system user."""
        return cls(channel=Channel.COMMAND, actor_label=f"{name} ({getpass.getuser()})")


def entry(
    *,
    origin: Origin,
    action: Action,
    target: Named | None = None,
    person: Named | None = None,
    block: Named | None = None,
    apartment: Named | None = None,
    refused: str = "",
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Entry:
    """An entry, not yet written: `record()` writes one, a bulk operation writes many at once.

    `refused` names the rule that refused; empty means done.
    """
    actor_id, actor_label = _name(origin.actor)
    person_id, person_label = _name(person)
    block_id, block_label = _name(block)
    apartment_id, apartment_label = _name(apartment)
    target_id, target_label = _name(target)
    return Entry(
        request_id=origin.request_id,
        channel=origin.channel,
        actor_id=actor_id,
        actor_label=actor_label or origin.actor_label[:LABEL_LENGTH],
        action=action,
        refused=refused,
        reason=reason,
        target_type=type(target).__name__.lower() if target else "",
        target_id=target_id,
        target_label=target_label,
        person_id=person_id,
        person_label=person_label,
        block_id=block_id,
        block_label=block_label,
        apartment_id=apartment_id,
        apartment_label=apartment_label,
        before=before,
        after=after,
        longitude=origin.longitude,
        latitude=origin.latitude,
        ip=origin.ip,
    )


def record(**what: Any) -> Entry:
    """Write one entry; takes what `entry()` takes. Call it inside the change's transaction."""
    line = entry(**what)
    line.save(force_insert=True)
    return line


def record_all(lines: Iterable[Entry]) -> None:
    """Write many entries made by `entry()`. Call it inside the transaction of their changes."""
    Entry.objects.bulk_create(lines)


def _name(thing: Named | None) -> tuple[int | None, str]:
    return (None, "") if thing is None else (thing.pk, str(thing)[:LABEL_LENGTH])


def record_each(like: Entry, varying: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write one entry for each of `rows`, made as `insert_like()` says. Call it inside the transaction.

    `like` comes from `entry()`, so that all share its origin, and with it one request id.
    """
    insert_like(like, varying, rows)


# --- Seals: docs/audit-proof.md -----------------------------------------------------------------

SEAL_ENTRIES = 10_000
# A lock that NOWAIT did not get: MariaDB's and MySQL's number for it.
LOCKED = {1205, 3572}


class StillWriting(Exception):
    """A transaction that has not ended has written entries in the range."""


class SealsDisagree(Exception):
    """Seal file, database and archives do not belong together; the text is for the operator."""


def newest_entry() -> int | None:
    """The highest id that has been committed."""
    return Entry.objects.order_by("-pk").values_list("pk", flat=True).first()


@transaction.atomic
def seal_next(*, origin: Origin, path: Path, through: int) -> Line | None:
    """Seal up to `SEAL_ENTRIES` entries after the last seal, none above `through`; None if there are none.

    The file has the seal before the database: `take_over_seal()` brings in what a kill left between.
    Raises StillWriting, Unreadable, OSError.
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

    None if there is none. Raises SealsDisagree if file and database differ by anything else.
    """
    line = last_line(path)
    last = Seal.objects.order_by("-number").first()
    in_file = (line.number, line.digest) if line else (0, "")
    in_database = (last.number, last.digest) if last else (0, "")
    if in_file == in_database:
        return None
    if line is None or (line.number - 1, line.previous) != in_database:
        raise SealsDisagree(
            f"{path} ends with seal {in_file[0]}, the database with seal {in_database[0]}, and they "
            "do not continue each other. Put the right file back; `audit_verify` tells more."
        )
    after = last.last_id if last else None
    found = [row for row in kept(after, line.last_id) if not isinstance(row, int)]
    if not line.covers(map(digest, found)):
        raise SealsDisagree(
            f"Seal {line.number} of {path} is not in the database, and the entries are not those "
            "that it covers. `audit_verify` tells which."
        )
    _keep(line)
    return line


@transaction.atomic
def archive_seals(*, origin: Origin, seals: list[Seal], archive: str) -> None:
    """These seals' entries are in the archive file: take them out of the database.

    Raises SealsDisagree if the database does not hold as many of them as were sealed.
    """
    entries = sum(seal.entries for seal in seals)
    first, last = seals[0], seals[-1]
    moved = Entry._base_manager.filter(pk__gte=first.first_id, pk__lte=last.last_id)
    gone, _ = moved.delete()
    if gone != entries:
        raise SealsDisagree(f"{gone} entries in place of {entries} between {first} and {last}.")
    Seal.objects.filter(pk__gte=first.pk, pk__lte=last.pk).update(archive=archive)
    record(
        origin=origin,
        action=Action.ENTRIES_ARCHIVED,
        after={"file": archive, "seals": [first.pk, last.pk], "entries": entries},
    )


# How many runs of ids one entry of an erasure names.
RANGES = 5_000


@transaction.atomic
def erase_person_from_entries(
    *, origin: Origin, person: Named, reason: str, search: Search, archived: Found
) -> Found:
    """Erase the parts that the search found, and what was written since; the one way round `Entry`.

    Salts and fields go, commitments stay, and entries record which (docs/audit-proof.md).
    `archived` is what the caller erases from archive files. Returns all that is recorded.
    """
    for row in kept(search.last_id):
        if not isinstance(row, int):
            search.look_at(row)
    for number in sorted(search.ids()):
        for row in rows(Entry.objects.filter(pk=number)):
            Entry._base_manager.filter(pk=number).update(**search.traces.erasure(row))
    found = merged([search.found, archived])
    ranges = [(part, each) for part in Part for each in to_ranges(found[part])]
    for start in range(0, len(ranges) or 1, RANGES):
        named: dict[str, Ranges] = {part: [] for part in Part}
        for part, each in ranges[start : start + RANGES]:
            named[part].append(each)
        record(
            origin=origin,
            action=Action.USER_ERASED,
            target=person,
            person=person,
            reason=reason,
            after=named,
        )
    return found
