"""Writing the audit log. Every operation calls `record()` inside its own transaction."""

import getpass
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from audit.bulk import insert_like
from audit.models import Action, Channel, Entry

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
