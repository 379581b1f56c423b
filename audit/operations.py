"""Writing the audit log. Every operation calls `record()` or `save_change()` in its own transaction."""

import getpass
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, TypedDict, Unpack

from django.db import models

from audit.bulk import insert_like
from audit.models import Action, Channel, Entry
from audit.statements import insert

LABEL_LENGTH = 255
# Stands in an entry for a value that nobody may read.
SECRET = "•••"  # noqa: S105


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
    """Who acts, from where, and why. One origin stands for one request, or for one run of a command.

    `site` is the address that the request came to, where links in messages lead.
    """

    channel: Channel
    actor: Named | None = None
    actor_label: str = ""
    reason: str = ""
    ip: str | None = None
    longitude: Decimal | None = None
    latitude: Decimal | None = None
    site: str = ""
    request_id: uuid.UUID = field(default_factory=uuid.uuid4)

    @classmethod
    def of_command(cls, name: str, *, reason: str = "") -> "Origin":
        """The origin of a `manage.py` command: its name and the operating-system user."""
        label = f"{name} ({getpass.getuser()})"
        return cls(channel=Channel.COMMAND, actor_label=label, reason=reason)


class Where(TypedDict, total=False):
    """The block and the unit in which something was done; an entry has their ids and labels."""

    block: Named | None
    apartment: Named | None


class About(Where, total=False):
    """The block, the unit and the person concerned."""

    person: Named | None


class Facts(About, total=False):
    """What an entry says besides its origin and action.

    `refused` names the rule that refused the action; empty means that it was done. `before` and
    `after` are JSON objects.
    """

    target: Named | None
    refused: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def entry(*, origin: Origin, action: Action, **facts: Unpack[Facts]) -> Entry:
    """An unsaved entry: `record()` saves one, a bulk operation saves many at once."""
    target = facts.get("target")
    actor_id, actor_label = _name(origin.actor)
    person_id, person_label = _name(facts.get("person"))
    block_id, block_label = _name(facts.get("block"))
    apartment_id, apartment_label = _name(facts.get("apartment"))
    target_id, target_label = _name(target)
    return Entry(
        request_id=origin.request_id,
        channel=origin.channel,
        actor_id=actor_id,
        actor_label=actor_label or origin.actor_label[:LABEL_LENGTH],
        action=action,
        refused=facts.get("refused", ""),
        reason=origin.reason,
        target_type=type(target).__name__.lower() if target else "",
        target_id=target_id,
        target_label=target_label,
        person_id=person_id,
        person_label=person_label,
        block_id=block_id,
        block_label=block_label,
        apartment_id=apartment_id,
        apartment_label=apartment_label,
        before=facts.get("before"),
        after=facts.get("after"),
        longitude=origin.longitude,
        latitude=origin.latitude,
        ip=origin.ip,
    )


def record(*, origin: Origin, action: Action, **facts: Unpack[Facts]) -> Entry:
    """Write one entry. Call it inside the change's transaction."""
    written = entry(origin=origin, action=action, **facts)
    insert(written)
    return written


def save_change(
    row: models.Model,
    changes: Mapping[str, Any],
    *,
    origin: Origin,
    action: Action,
    secret: Collection[str] = (),
    **about: Unpack[About],
) -> bool:
    """Save those of `changes` that differ from the row, with an entry. Returns whether any differed.

    `changes` has new values by field name. Where none differs, nothing is written and there is no
    entry. For the fields in `secret`, the entry says that they changed and not their values. Call it
    inside a transaction, with the row locked. Raises IntegrityError.
    """
    changed = {name: value for name, value in changes.items() if getattr(row, name) != value}
    if not changed:
        return False
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=list(changed))
    record(
        origin=origin,
        action=action,
        target=row,
        before=as_json(before, secret),
        after=as_json(changed, secret),
        **about,
    )
    return True


def as_json(values: Mapping[str, Any], secret: Collection[str] = ()) -> dict[str, Any]:
    """Values by field name, as an entry's `before` and `after` have them."""
    return {name: SECRET if name in secret else _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def record_all(entries: Iterable[Entry]) -> None:
    """Write many entries made by `entry()`. Call it inside the transaction of their changes."""
    Entry.objects.bulk_create(entries)


def record_each(like: Entry, varying: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write one entry for each of `rows`, as `insert_like()` describes. Call it inside the transaction.

    `like` comes from `entry()`, so that all entries share its origin and its request id.
    """
    insert_like(like, varying, rows)


def _name(thing: Named | None) -> tuple[int | None, str]:
    return (None, "") if thing is None else (thing.pk, str(thing)[:LABEL_LENGTH])
