"""Taking a change back: which operation undoes each action, and what stands against it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import Action, Channel, Entry
from audit.operations import Origin, as_json
from buildings import undo_steps as does
from buildings.operations import ApartmentExists, lock_blocks
from buildings.permissions import Blocks
from buildings.undo_steps import Step
from contacts.contact_operations import Contact

# Entries that are taken back at once: all of them are held in memory.
MOST_ENTRIES = 10_000

# The rows of entries by the entries' ids: those that may be changed within these blocks, locked.
Rows = Callable[[Sequence[Entry], Blocks], Mapping[int, Any]]
# Sentences against steps, by the ids of their entries; it may ask what else the change did.
Reasons = Callable[[Sequence[Step], Sequence[Entry]], Mapping[int, str]]


@dataclass(frozen=True)
class Inverse:
    """How an action is taken back: `act` does it to many at once, `says` what is done.

    The row must still be as the entry's `after` has it, and as `besides` says. With `restores` the
    entry must know what was before.
    """

    says: Any
    rows: Rows
    act: Callable[[Origin, Sequence[Step]], object]
    besides: Callable[[Entry], Mapping[str, Any]] = lambda entry: {}
    against: Reasons = lambda steps, change: {}
    restores: bool = True


@dataclass
class UndoOutcome:
    """What was taken back of a change, and what was not: each with a sentence that says why."""

    done: list[Entry] = field(default_factory=list)
    refused: list[tuple[Entry, str]] = field(default_factory=list)


def entries_of(request_id: UUID, within: Blocks) -> list[Entry]:
    """What a change did in these blocks, the newest first; one more than `MOST_ENTRIES` at most."""
    done = Entry.objects.filter(request_id=request_id, refused="").exclude(channel=Channel.LEGACY)
    return list(within.only(done, "block_id").order_by("-pk")[: MOST_ENTRIES + 1])


def lock_change(request_id: UUID) -> None:
    """Until the transaction ends, nobody else changes units or memberships of the change's blocks."""
    found = Entry.objects.filter(request_id=request_id).order_by()
    blocks = found.values_list("block_id", flat=True).distinct()
    lock_blocks(block for block in blocks if block is not None)


def can_be_undone(action: str) -> bool:
    """Whether there is an operation that takes such an action back."""
    return action in INVERSES


@transaction.atomic
def preview(*, origin: Origin, entries: Sequence[Entry], within: Blocks) -> UndoOutcome:
    """What `undo()` would do: it is done and rolled back."""
    outcome = undo(origin=origin, entries=entries, within=within)
    transaction.set_rollback(True)
    return outcome


@transaction.atomic
def undo(*, origin: Origin, entries: Sequence[Entry], within: Blocks) -> UndoOutcome:
    """Take back what can be of one change's entries, each whole or not at all.

    Only rows within these blocks are changed, each by the operation that everybody else changes them by.
    """
    outcome = UndoOutcome()
    why: dict[int, str] = {}
    for action, inverse in INVERSES.items():
        these = [each for each in entries if each.action == action]
        if not these:
            continue
        rows = inverse.rows(these, within)
        steps = [Step(each, rows[each.pk]) for each in these if each.pk in rows]
        gone = _("It is gone, or you may not change it.")
        against = {each.pk: gone for each in these if each.pk not in rows}
        against |= {each.entry.pk: _changed_since(each, inverse) for each in steps}
        against |= {pk: text for pk, text in inverse.against(steps, entries).items() if text}
        ready = [each for each in steps if not against[each.entry.pk]]
        why |= against | _carried_out(partial(inverse.act, origin), ready)
    for each in entries:
        sentence = why.get(each.pk, _("This kind of change cannot be taken back."))
        if sentence:
            outcome.refused.append((each, sentence))
        else:
            outcome.done.append(each)
    return outcome


def _carried_out(act: Callable[[Sequence[Step]], object], steps: Sequence[Step]) -> dict[int, str]:
    """Do it to as many at once as can be; why not, for those that are refused."""
    if not steps:
        return {}
    try:
        with transaction.atomic():
            act(steps)
    except (ValidationError, ApartmentExists) as refused:
        if len(steps) > 1:
            middle = len(steps) // 2
            return _carried_out(act, steps[:middle]) | _carried_out(act, steps[middle:])
        return {steps[0].entry.pk: _sentence(refused)}
    return {}


def _sentence(refused: ValidationError | ApartmentExists) -> str:
    if isinstance(refused, ApartmentExists):
        return _("The block has a unit of that number already.")
    return " ".join(refused.messages)


def _changed_since(step: Step, inverse: Inverse) -> str:
    """Why the row is not as the change left it; empty if it is."""
    if inverse.restores and not step.entry.before:
        return _("The entry does not say what was before.")
    expected = {**inverse.besides(step.entry), **(step.entry.after or {})}
    other = [
        _field_label(step.row, name)
        for name, value in expected.items()
        if not _same(_present(step.row, name), value)
    ]
    if not other:
        return ""
    return _("Changed since: %(fields)s.") % {"fields": _(", ").join(dict.fromkeys(other))}


def _present(row: Any, name: str) -> Any:
    # Entries of former versions may name what no longer is.
    return row.hidden if isinstance(row, Contact) else getattr(row, name, None)


def _field_label(row: Any, name: str) -> str:
    if isinstance(row, Contact):
        return str(row.kind.label)
    fields = row._meta.concrete_fields
    return next(
        (str(each.verbose_name) for each in fields if name in (each.name, each.attname)), name
    )


def _same(present: Any, stored: Any) -> bool:
    if isinstance(present, datetime) and isinstance(stored, str):
        return parse_datetime(stored) == present
    return bool(as_json({"": present})[""] == stored)


# How each action is taken back, in the order in which that can be done: people can be brought back only
# into a unit that is in use, and a unit retires only when nobody belongs to it any more.
INVERSES: dict[str, Inverse] = {
    Action.NAME_CORRECTED: Inverse(
        gettext_lazy("the former name again"), does.people_concerned, does.give_former_name
    ),
    Action.CONTACT_HIDDEN: Inverse(
        gettext_lazy("hidden or shown as before"), does.contacts_concerned, does.hide_or_show
    ),
    Action.APARTMENT_MERGED: Inverse(gettext_lazy("reinstated"), does.units, does.reinstate),
    Action.APARTMENT_RETIRED: Inverse(gettext_lazy("reinstated"), does.units, does.reinstate),
    Action.MEMBERSHIP_MOVED: Inverse(gettext_lazy("moved back"), does.memberships, does.move_back),
    Action.MEMBERSHIP_ENDED: Inverse(
        gettext_lazy("the membership starts again"),
        does.memberships,
        does.restart,
        against=does.came_again,
    ),
    Action.MEMBERSHIP_REFUSED: Inverse(
        gettext_lazy("the request waits again"),
        does.memberships,
        does.restart,
        against=does.came_again,
    ),
    Action.MEMBERSHIP_ROLE_CHANGED: Inverse(
        gettext_lazy("the former role again"),
        does.memberships,
        does.give_former_role,
        besides=does.current,
    ),
    Action.MEMBERSHIP_APPROVED: Inverse(
        gettext_lazy("the request waits again"), does.memberships, does.reopen, besides=does.current
    ),
    Action.MEMBERSHIP_REOPENED: Inverse(
        gettext_lazy("approved again"), does.memberships, does.approve, besides=does.current
    ),
    Action.MEMBERSHIP_BANNED: Inverse(
        gettext_lazy("readmitted"), does.memberships, does.readmit, besides=does.current
    ),
    Action.MEMBERSHIP_READMITTED: Inverse(
        gettext_lazy("banned again"), does.memberships, does.ban, besides=does.current
    ),
    Action.MEMBERSHIP_STARTED: Inverse(
        gettext_lazy("the membership ends"),
        does.memberships,
        does.end,
        besides=does.in_its_unit,
        restores=False,
    ),
    Action.APARTMENT_CHANGED: Inverse(
        gettext_lazy("as it was before"), does.units, does.change_back, besides=does.in_use
    ),
    Action.APARTMENT_REGISTERED: Inverse(
        gettext_lazy("retired, and its number is free"),
        does.units,
        does.withdraw,
        besides=does.as_registered,
        against=does.used_since,
        restores=False,
    ),
    Action.APARTMENT_REINSTATED: Inverse(
        gettext_lazy("retired again"), does.units, does.retire, against=does.was_merged
    ),
}
