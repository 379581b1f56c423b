"""Every write to buildings, blocks, units and memberships: atomic, with its audit entry."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Action, Entry
from audit.operations import Origin, entry, record
from buildings.models import Apartment, Block, Building, Membership, Role
from contacts.models import Status, User
from contacts.operations import lock_person


class ApartmentExists(Exception):
    """The block has a unit of that number already (answers.md, CreateApartment row 7)."""


@transaction.atomic
def register_building(*, origin: Origin, **fields: Any) -> Building:
    """A new building; `fields` are the model's. Raises ValidationError if it has no name."""
    _refuse_nameless(**fields)
    building = Building.objects.create(**fields)
    record(origin=origin, action=Action.BUILDING_REGISTERED, target=building)
    return building


@transaction.atomic
def register_block(*, origin: Origin, building: Building, **fields: Any) -> Block:
    """A new block of the building; `fields` are the model's.

    Raises ValidationError if the building has a block of that number already.
    """
    lock_buildings([building.pk])
    refuse_taken_block_number(building, fields["number"])
    block = Block.objects.create(building=building, **fields)
    record(origin=origin, action=Action.BLOCK_REGISTERED, target=block, block=block)
    return block


@transaction.atomic
def change_building(
    *, origin: Origin, building: Building, changes: dict[str, Any], reason: str = ""
) -> bool:
    """Mend a building. False, and nothing is written, if it is so already.

    Raises ValidationError if it would have no name.
    """
    building = Building.objects.select_for_update().get(pk=building.pk)
    changed = _changed(building, changes)
    if not changed:
        return False
    before = _values(building, changed)
    for name, value in changed.items():
        setattr(building, name, value)
    _refuse_nameless(name_ar=building.name_ar, name_en=building.name_en)
    building.save(update_fields=list(changed))
    record(
        origin=origin,
        action=Action.BUILDING_CHANGED,
        target=building,
        reason=reason,
        before=before,
        after=_values(building, changed),
    )
    return True


@transaction.atomic
def change_block(
    *, origin: Origin, block: Block, changes: dict[str, Any], reason: str = ""
) -> bool:
    """Mend a block. False, and nothing is written, if it is so already.

    Raises ValidationError if its building has another block of that number.
    """
    building: Building = changes.get("building", block.building)
    lock_buildings([building.pk])
    block = Block.objects.select_for_update().get(pk=block.pk)
    changed = _changed(block, changes)
    if not changed:
        return False
    if {"building", "number"} & set(changed):
        refuse_taken_block_number(building, changes.get("number", block.number), but=block)
    before = _values(block, changed)
    for name, value in changed.items():
        setattr(block, name, value)
    block.save(update_fields=list(changed))
    record(
        origin=origin,
        action=Action.BLOCK_CHANGED,
        target=block,
        block=block,
        reason=reason,
        before=before,
        after=_values(block, changed),
    )
    return True


def refuse_taken_block_number(building: Building, number: str, *, but: Block | None = None) -> None:
    """Raise ValidationError if another block of the building has this number.

    No constraint keeps it, for legacy data may hold doubles: call it under `lock_buildings()`.
    """
    others = building.blocks.filter(number__iexact=number)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.exists():
        raise ValidationError({"number": _("The building has a block of that number already.")})


def _refuse_nameless(*, name_ar: str = "", name_en: str = "", **_others: Any) -> None:
    if not (name_ar.strip() or name_en.strip()):
        raise ValidationError({"name_ar": _("A building needs a name, in either language.")})


def _changed(row: Building | Block, changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if getattr(row, name) != value}


def _values(row: Building | Block, names: Iterable[str]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


@transaction.atomic
def register_apartment(
    *,
    origin: Origin,
    block: Block,
    number: int | None,
    floor: int | None,
    reason: str = "",
    **fields: Any,
) -> Apartment:
    """A new unit of the block; further `fields` are the model's.

    Never looks first: the database says whether the number is taken, whatever runs at once.
    Raises ApartmentExists.
    """
    try:
        unit = Apartment.objects.create(block=block, number=number, floor=floor, **fields)
    except IntegrityError as error:
        raise ApartmentExists from error
    record(
        origin=origin,
        action=Action.APARTMENT_REGISTERED,
        target=unit,
        block=block,
        apartment=unit,
        reason=reason,
        after={"number": number, "floor": floor},
    )
    return unit


@transaction.atomic
def register_staircase(
    *, origin: Origin, block: Block, units: Sequence[tuple[int, int]], reason: str = ""
) -> list[Apartment]:
    """Many new units of the block at once, each given as (floor, number). Raises ApartmentExists."""
    rows = [Apartment(block=block, floor=floor, number=number) for floor, number in units]
    try:
        Apartment.objects.bulk_create(rows)
    except IntegrityError as error:
        raise ApartmentExists from error
    # MySQL, unlike MariaDB and SQLite, does not tell the ids of many rows.
    made = list(block.apartments.filter(number__in=[row.number for row in rows]).order_by("pk"))
    Entry.objects.bulk_create(
        entry(
            origin=origin,
            action=Action.APARTMENT_REGISTERED,
            target=unit,
            block=block,
            apartment=unit,
            reason=reason,
            after={"number": unit.number, "floor": unit.floor},
        )
        for unit in made
    )
    return made


@transaction.atomic
def change_apartment(
    *, origin: Origin, apartment: Apartment, changes: dict[str, Any], reason: str = ""
) -> None:
    """Give a unit another number, floor, name, occupancy or note.

    What is so already is left alone, and where nothing is new there is no entry. Raises
    ApartmentExists, or ValidationError if the unit is closed.
    """
    unit = _locked_apartment(apartment)
    after = {name: value for name, value in changes.items() if getattr(unit, name) != value}
    if after:
        _write_apartment(origin, Action.APARTMENT_CHANGED, unit, after, reason)


@transaction.atomic
def close_apartment(*, origin: Origin, apartment: Apartment, reason: str = "") -> None:
    """The unit is no longer in use. Raises ValidationError if it is closed or people belong to it."""
    unit = _locked_apartment(apartment)
    if unit.memberships.current().exists():
        raise ValidationError(_("People belong to this unit: move them out, or merge it."))
    _write_apartment(origin, Action.APARTMENT_CLOSED, unit, {"closed_at": timezone.now()}, reason)


@transaction.atomic
def reopen_apartment(*, origin: Origin, apartment: Apartment, reason: str = "") -> None:
    """A closed unit is in use again, by itself if it had been merged. Raises ValidationError."""
    unit = Apartment.objects.select_for_update().get(pk=apartment.pk)
    if unit.closed_at is None:
        raise ValidationError(_("This unit is in use already."))
    opened = {"closed_at": None, "merged_into_id": None}
    _write_apartment(origin, Action.APARTMENT_REOPENED, unit, opened, reason)


@transaction.atomic
def merge_apartment(
    *, origin: Origin, doubled: Apartment, into: Apartment, reason: str = ""
) -> None:
    """A unit that was registered twice: its memberships, past ones too, move over and it closes.

    Who holds the same role in both keeps it once, in the better standing. Raises ValidationError.
    """
    if doubled.pk == into.pk or doubled.block_id != into.block_id:
        raise ValidationError(_("Choose another unit of the same block."))
    lock_blocks([doubled.block_id])
    doubled, into = _locked_apartment(doubled), _locked_apartment(into)
    moving = list(doubled.memberships.select_related("user", "block"))
    _end_doubles(origin, moving, into, reason)
    doubled.memberships.update(apartment=into)
    Entry.objects.bulk_create(
        _membership_entry(
            origin,
            Action.MEMBERSHIP_MOVED,
            each,
            into,
            reason,
            {"apartment": doubled.pk},
            {"apartment": into.pk},
        )
        for each in moving
    )
    closed = {"closed_at": timezone.now(), "merged_into_id": into.pk}
    _write_apartment(origin, Action.APARTMENT_MERGED, doubled, closed, reason)


@transaction.atomic
def start_membership(
    *,
    origin: Origin,
    user: User,
    block: Block,
    apartment: Apartment | None = None,
    role: Role = Role.RESIDENT,
    status: Status = Status.ACTIVE,
    started_at: datetime | None = None,
    reason: str = "",
) -> Membership:
    """The user belongs to the block, and to the unit if one is named, since then or from now on.

    Raises ValidationError if the unit is closed, or the person was erased.
    """
    if apartment is not None:
        _locked_apartment(apartment)
    lock_person(user)
    membership = Membership.objects.create(
        user=user,
        block=block,
        apartment=apartment,
        role=role,
        status=status,
        started_at=started_at or timezone.now(),
    )
    record(
        origin=origin,
        action=Action.MEMBERSHIP_STARTED,
        target=membership,
        person=user,
        block=block,
        apartment=apartment,
        reason=reason,
        after={"role": role, "status": status},
    )
    return membership


@transaction.atomic
def approve_memberships(
    *, origin: Origin, memberships: Iterable[Membership], reason: str = ""
) -> None:
    """Those who asked to belong do so. Raises ValidationError, as all below, and changes nothing then."""
    rows = _locked_memberships(memberships, Status.PENDING)
    _change_memberships(origin, Action.MEMBERSHIP_APPROVED, rows, {"status": Status.ACTIVE}, reason)


@transaction.atomic
def refuse_memberships(*, origin: Origin, memberships: Iterable[Membership], reason: str) -> None:
    """Those who asked to belong do not; their requests end and are kept."""
    rows = _locked_memberships(memberships, Status.PENDING)
    _change_memberships(
        origin, Action.MEMBERSHIP_REFUSED, rows, {"ended_at": timezone.now()}, reason
    )


@transaction.atomic
def ban_memberships(*, origin: Origin, memberships: Iterable[Membership], reason: str) -> None:
    """They may use nothing of the block until they are readmitted."""
    rows = _locked_memberships(memberships, Status.ACTIVE)
    _change_memberships(origin, Action.MEMBERSHIP_BANNED, rows, {"status": Status.BANNED}, reason)


@transaction.atomic
def readmit_memberships(
    *, origin: Origin, memberships: Iterable[Membership], reason: str = ""
) -> None:
    """Those who were banned are active again."""
    rows = _locked_memberships(memberships, Status.BANNED)
    _change_memberships(
        origin, Action.MEMBERSHIP_READMITTED, rows, {"status": Status.ACTIVE}, reason
    )


@transaction.atomic
def change_role(
    *, origin: Origin, memberships: Iterable[Membership], role: Role, reason: str = ""
) -> None:
    """They are something else in the block from now on; nothing is written of who is so already.

    Who is banned keeps his role until the ban ends.
    """
    asked = _locked_memberships(memberships)
    _refuse(map(role_hindrance, asked))
    rows = [row for row in asked if row.role != role]
    _change_memberships(origin, Action.MEMBERSHIP_ROLE_CHANGED, rows, {"role": role}, reason)


@transaction.atomic
def end_memberships(
    *,
    origin: Origin,
    memberships: Iterable[Membership],
    ended_at: datetime | None = None,
    reason: str = "",
) -> None:
    """They moved out, then or now; the memberships are kept as past ones."""
    rows = _locked_memberships(memberships)
    ended_at = ended_at or timezone.now()
    _refuse(
        _("%(who)s cannot have left before coming.") % {"who": row.user}
        for row in rows
        if row.started_at is not None and ended_at < row.started_at
    )
    _change_memberships(origin, Action.MEMBERSHIP_ENDED, rows, {"ended_at": ended_at}, reason)


def lock_buildings(building_ids: Iterable[int]) -> None:
    """Until the transaction ends, nobody else adds or changes blocks of these buildings."""
    list(Building.objects.select_for_update().filter(pk__in=set(building_ids)).order_by("pk"))


def lock_blocks(block_ids: Iterable[int]) -> None:
    """Until the transaction ends, nobody else adds or changes units or memberships of these blocks."""
    list(Block.objects.select_for_update().filter(pk__in=set(block_ids)).order_by("pk"))


def _locked_apartment(apartment: Apartment) -> Apartment:
    """The unit as it is now, locked; it must be in use."""
    unit = Apartment.objects.select_for_update().get(pk=apartment.pk)
    _refuse([closed(unit)])
    return unit


def closed(unit: Apartment) -> str:
    """Why nothing but reopening is done to a closed unit; empty for one in use."""
    return "" if unit.closed_at is None else _("Unit %(unit)s is closed.") % {"unit": unit}


def _write_apartment(
    origin: Origin, action: Action, unit: Apartment, changes: dict[str, Any], reason: str
) -> None:
    before = {name: _plain(getattr(unit, name)) for name in changes}
    for name, value in changes.items():
        setattr(unit, name, value)
    try:
        unit.save(update_fields=list(changes))
    except IntegrityError as error:
        raise ApartmentExists from error
    record(
        origin=origin,
        action=action,
        target=unit,
        block=unit.block,
        apartment=unit,
        reason=reason,
        before=before,
        after={name: _plain(value) for name, value in changes.items()},
    )


def _locked_memberships(
    memberships: Iterable[Membership], status: Status | None = None
) -> list[Membership]:
    """The same memberships as they are now, locked together with their blocks.

    They must not have ended and, if a status is named, be of that status.
    """
    asked = list(memberships)
    lock_blocks(each.block_id for each in asked)
    locked = Membership.objects.select_for_update().filter(pk__in=[each.pk for each in asked])
    rows = list(locked.prefetch_related("user", "block", "apartment").order_by("pk"))
    _refuse(hindrance(row, status) for row in rows)
    return rows


def hindrance(membership: Membership, status: Status | None = None) -> str:
    """Why nothing is done to one that has ended or, if a status is named, is of another; else empty."""
    said = {"who": membership.user, "is": Status(membership.status).label}
    if membership.ended_at is not None:
        return _("%(who)s has left already.") % said
    if status is not None and membership.status != status:
        return _("%(who)s is “%(is)s”, not “%(status)s”.") % (said | {"status": status.label})
    return ""


def role_hindrance(membership: Membership) -> str:
    """Why nobody changes this one's role; empty if it can be changed."""
    if membership.ended_at is None and membership.status == Status.BANNED:
        return _("%(who)s is banned: end the ban first.") % {"who": membership.user}
    return hindrance(membership)


def _refuse(sentences: Iterable[str]) -> None:
    """Raise one ValidationError with all that stands in the way, each once; nothing if it is empty."""
    told = list(dict.fromkeys(filter(None, sentences)))
    if told:
        raise ValidationError(told)


def _change_memberships(
    origin: Origin, action: Action, rows: list[Membership], changes: dict[str, Any], reason: str
) -> None:
    """Write the changes to all rows, an entry for each; a block that had a manager keeps one."""
    after = {name: _plain(value) for name, value in changes.items()}
    Entry.objects.bulk_create(
        _membership_entry(
            origin,
            action,
            row,
            row.apartment,
            reason,
            {name: _plain(getattr(row, name)) for name in changes},
            after,
        )
        for row in rows
    )
    Membership.objects.filter(pk__in=[row.pk for row in rows]).update(**changes)
    _keep_a_manager({row.block for row in rows if _manages(row)})


def _manages(row: Membership) -> bool:
    return row.role == Role.MANAGER and row.status == Status.ACTIVE


def _keep_a_manager(blocks: Iterable[Block]) -> None:
    left = Membership.objects.current().filter(
        role=Role.MANAGER, status=Status.ACTIVE, user__status=Status.ACTIVE
    )
    _refuse(
        _("Block %(block)s would be left without a manager: appoint another one first.")
        % {"block": block}
        for block in sorted(blocks, key=lambda block: block.pk)
        if not left.filter(block=block).exists()
    )


def _end_doubles(origin: Origin, moving: list[Membership], into: Apartment, reason: str) -> None:
    """Of two current memberships of one person with one role, end the one of lesser standing."""
    there = {(each.user_id, each.role): each for each in into.memberships.current()}
    ending = []
    for each in moving:
        other = there.get((each.user_id, each.role))
        if other is not None and each.ended_at is None:
            ending.append(other if _standing(each) > _standing(other) else each)
    _change_memberships(
        origin, Action.MEMBERSHIP_ENDED, ending, {"ended_at": timezone.now()}, reason
    )


def _standing(membership: Membership) -> int:
    return [Status.BANNED, Status.PENDING, Status.ACTIVE].index(Status(membership.status))


def _membership_entry(
    origin: Origin,
    action: Action,
    row: Membership,
    apartment: Apartment | None,
    reason: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> Entry:
    return entry(
        origin=origin,
        action=action,
        target=row,
        person=row.user,
        block=row.block,
        apartment=apartment,
        reason=reason,
        before=before,
        after=after,
    )


def _plain(value: Any) -> Any:
    """The value as JSON holds it."""
    if isinstance(value, Building):
        return value.pk
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value
