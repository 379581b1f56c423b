"""The steps of taking a change back: whose rows, what is done to them, what stands against it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from audit.models import Action, Entry
from audit.operations import Origin, Where, as_json
from buildings.many_units import reinstate_apartments, retire_apartments
from buildings.membership_operations import (
    approve_memberships,
    ban_memberships,
    change_role,
    end_memberships,
    move_memberships,
    readmit_memberships,
    reopen_requests,
    restart_memberships,
)
from buildings.models import Apartment, Membership, Role
from buildings.permissions import Blocks, changeable_people
from buildings.unit_changes import change_apartments
from contacts.contact_operations import Contact, hide_contact
from contacts.models import SECONDARY, Kind, User
from contacts.operations import correct_name

# What of a unit is compared with what it was registered with.
DETAILS = ("number", "floor", "name", "occupancy", "note")


@dataclass(frozen=True)
class Step:
    """An entry that is to be taken back, and the record that it names, as it is now."""

    entry: Entry
    row: Any


# --- the rows ------------------------------------------------------------------------------------------


def units(entries: Sequence[Entry], within: Blocks) -> dict[int, Any]:
    """The units that the entries name."""
    return _in_blocks(Apartment.objects.prefetch_related("block"), entries, within)


def memberships(entries: Sequence[Entry], within: Blocks) -> dict[int, Any]:
    """The memberships that the entries name."""
    rows = Membership.objects.prefetch_related("user", "block", "apartment")
    return _in_blocks(rows, entries, within)


def _in_blocks(
    rows: "models.QuerySet[Any]", entries: Sequence[Entry], within: Blocks
) -> dict[int, Any]:
    own = within.only(rows, "block_id").select_for_update().order_by("pk")
    found = {row.pk: row for row in own.filter(pk__in=_targets(entries))}
    return {each.pk: found[each.target_id] for each in entries if each.target_id in found}


def people_concerned(entries: Sequence[Entry], within: Blocks) -> dict[int, Any]:
    """The people whom the entries concern."""
    own = changeable_people(within).filter(pk__in={each.person_id for each in entries})
    found = {person.pk: person for person in own}
    return {each.pk: found[each.person_id] for each in entries if each.person_id in found}


def contacts_concerned(entries: Sequence[Entry], within: Blocks) -> dict[int, Any]:
    """The contacts that the entries name."""
    people = people_concerned(entries, within)
    further = {
        (model.__name__.lower(), row.pk): row
        for model in SECONDARY.values()
        for row in model._default_manager.filter(pk__in=_targets(entries))
    }
    found = {}
    for each in entries:
        contact = further.get((each.target_type, each.target_id or 0))
        if each.pk not in people:
            continue
        if contact is not None:
            found[each.pk] = Contact(people[each.pk], contact.kind, contact)
        elif each.target_type == User.__name__.lower():
            # A primary one is named by its field: "phone_hidden".
            kind = next(iter(each.after or {}), "").partition("_")[0]
            if kind in set(Kind):
                found[each.pk] = Contact(people[each.pk], Kind(kind))
    return found


def _targets(entries: Sequence[Entry]) -> set[int]:
    return {each.target_id for each in entries if each.target_id is not None}


# --- what is done to them ------------------------------------------------------------------------------


def _rows_of(steps: Sequence[Step]) -> list[Any]:
    return [each.row for each in steps]


def _before(steps: Sequence[Step], name: str) -> dict[Any, list[Any]]:
    """The rows by what the field was before."""
    grouped = defaultdict(list)
    for each in steps:
        grouped[(each.entry.before or {})[name]].append(each.row)
    return grouped


def end(origin: Origin, steps: Sequence[Step]) -> None:
    """Memberships that were started end."""
    end_memberships(origin=origin, memberships=_rows_of(steps))


def restart(origin: Origin, steps: Sequence[Step]) -> None:
    """Memberships that were ended start again, and requests that were refused wait again."""
    restart_memberships(origin=origin, memberships=_rows_of(steps))


def approve(origin: Origin, steps: Sequence[Step]) -> None:
    """Requests that were reopened are approved."""
    approve_memberships(origin=origin, memberships=_rows_of(steps))


def reopen(origin: Origin, steps: Sequence[Step]) -> None:
    """Requests that were approved wait again."""
    reopen_requests(origin=origin, memberships=_rows_of(steps))


def ban(origin: Origin, steps: Sequence[Step]) -> None:
    """Who was readmitted is banned."""
    ban_memberships(origin=origin, memberships=_rows_of(steps))


def readmit(origin: Origin, steps: Sequence[Step]) -> None:
    """Who was banned is readmitted."""
    readmit_memberships(origin=origin, memberships=_rows_of(steps))


def give_former_role(origin: Origin, steps: Sequence[Step]) -> None:
    """Roles are as before."""
    for role, rows in _before(steps, "role").items():
        change_role(origin=origin, memberships=rows, role=Role(role))


def move_back(origin: Origin, steps: Sequence[Step]) -> None:
    """Memberships are of the unit of before."""
    groups = _before(steps, "apartment")
    units = Apartment.objects.select_related("block").in_bulk(groups)
    for unit_id, rows in groups.items():
        if unit_id not in units:
            raise ValidationError(_("The unit of before is not known."))
        move_memberships(origin=origin, memberships=rows, into=units[unit_id])


def change_back(origin: Origin, steps: Sequence[Step]) -> None:
    """Units are as before."""
    changes: dict[int, dict[str, Any]] = defaultdict(dict)
    for each in steps:
        changes[each.row.pk] |= each.entry.before or {}
    change_apartments(origin=origin, changes=changes)


def retire(origin: Origin, steps: Sequence[Step]) -> None:
    """Units that were reinstated retire."""
    retire_apartments(origin=origin, apartments=_rows_of(steps))


def withdraw(origin: Origin, steps: Sequence[Step]) -> None:
    """Retire units that were registered by mistake; the right ones may have their numbers and names."""
    units = _rows_of(steps)
    freed = {"number": None, "name": ""}
    change_apartments(origin=origin, changes={unit.pk: freed for unit in units})
    retire_apartments(origin=origin, apartments=units)


def reinstate(origin: Origin, steps: Sequence[Step]) -> None:
    """Units that were retired or merged are reinstated."""
    reinstate_apartments(origin=origin, apartments=_rows_of(steps))


def give_former_name(origin: Origin, steps: Sequence[Step]) -> None:
    """Names are as before."""
    for each in steps:
        name = (each.entry.before or {})["name"]
        correct_name(origin=origin, user=each.row, name=name, **_where(each.entry))


def hide_or_show(origin: Origin, steps: Sequence[Step]) -> None:
    """Contacts are hidden or shown as before."""
    for each in steps:
        (hidden,) = (each.entry.before or {}).values()
        hide_contact(origin=origin, contact=each.row, hidden=hidden, **_where(each.entry))


@dataclass(frozen=True)
class _Labelled:
    pk: int
    label: str

    def __str__(self) -> str:
        return self.label


def _where(entry: Entry) -> Where:
    """The block and unit that the entry names: so does the one that takes it back."""
    block, unit = entry.block_id, entry.apartment_id
    return {
        "block": None if block is None else _Labelled(block, entry.block_label),
        "apartment": None if unit is None else _Labelled(unit, entry.apartment_label),
    }


# --- what stands against it ----------------------------------------------------------------------------


def as_registered(_entry: Entry) -> dict[str, Any]:
    """A unit of which nothing was changed since it was registered."""
    new = Apartment()
    return as_json({name: getattr(new, name) for name in (*DETAILS, "closed_at")})


def in_use(_entry: Entry) -> dict[str, Any]:
    """A unit that is not retired."""
    return {"closed_at": None}


def current(_entry: Entry) -> dict[str, Any]:
    """A membership that has not ended."""
    return {"ended_at": None}


def in_its_unit(entry: Entry) -> dict[str, Any]:
    """A membership that is of the unit in which it was started."""
    return {"apartment": entry.apartment_id, "ended_at": None}


def used_since(steps: Sequence[Step], change: Sequence[Entry]) -> dict[int, str]:
    """Units that had people whom this change did not bring, or took over another unit."""
    units = {each.row.pk for each in steps}
    started = {each.target_id for each in change if each.action == Action.MEMBERSHIP_STARTED}
    members = Membership.objects.filter(apartment__in=units).values_list("apartment_id", "pk")
    used = {unit for unit, pk in members if pk not in started}
    merged = Apartment.objects.filter(merged_into__in=units)
    used |= {each.merged_into_id for each in merged if each.merged_into_id is not None}
    sentence = _("The unit was used since.")
    return {each.entry.pk: sentence for each in steps if each.row.pk in used}


def came_again(steps: Sequence[Step], change: Sequence[Entry]) -> dict[int, str]:
    """Former memberships after which the person belonged there again."""
    people = {each.row.user_id for each in steps}
    later: dict[tuple[Any, ...], int] = {}
    rows = Membership.objects.filter(user__in=people).order_by("pk")
    for pk, *place in rows.values_list("pk", "user_id", "apartment_id", "block_id", "role"):
        later[tuple(place)] = pk
    sentence = _("They came or left again since.")
    return {
        each.entry.pk: sentence
        for each in steps
        for row in [each.row]
        if later[row.user_id, row.apartment_id, row.block_id, row.role] > row.pk
    }


def was_merged(steps: Sequence[Step], change: Sequence[Entry]) -> dict[int, str]:
    """Units that were reinstated out of a merge."""
    sentence = _("It had been merged into another unit: merge it again.")
    return {
        each.entry.pk: sentence for each in steps if "merged_into_id" in (each.entry.before or {})
    }
