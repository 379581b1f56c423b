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
from buildings.models import Apartment, Block, Building


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
    return {name: plain(getattr(row, name)) for name in names}


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
def register_floors(
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
    unit = locked_apartment(apartment)
    after = {name: value for name, value in changes.items() if getattr(unit, name) != value}
    if after:
        write_apartment(origin, Action.APARTMENT_CHANGED, unit, after, reason)


@transaction.atomic
def retire_apartment(*, origin: Origin, apartment: Apartment, reason: str = "") -> None:
    """The unit is no longer in use. Raises ValidationError if it is closed or people belong to it."""
    unit = locked_apartment(apartment)
    if unit.memberships.current().exists():
        raise ValidationError(_("People belong to this unit: move them out, or merge it."))
    write_apartment(origin, Action.APARTMENT_RETIRED, unit, {"closed_at": timezone.now()}, reason)


@transaction.atomic
def reinstate_apartment(*, origin: Origin, apartment: Apartment, reason: str = "") -> None:
    """A closed unit is in use again, by itself if it had been merged. Raises ValidationError."""
    unit = Apartment.objects.select_for_update().get(pk=apartment.pk)
    if unit.closed_at is None:
        raise ValidationError(_("This unit is in use already."))
    opened = {"closed_at": None, "merged_into_id": None}
    write_apartment(origin, Action.APARTMENT_REINSTATED, unit, opened, reason)


def lock_buildings(building_ids: Iterable[int]) -> None:
    """Until the transaction ends, nobody else adds or changes blocks of these buildings."""
    list(Building.objects.select_for_update().filter(pk__in=set(building_ids)).order_by("pk"))


def lock_blocks(block_ids: Iterable[int]) -> None:
    """Until the transaction ends, nobody else adds or changes units or memberships of these blocks."""
    list(Block.objects.select_for_update().filter(pk__in=set(block_ids)).order_by("pk"))


def locked_apartment(apartment: Apartment) -> Apartment:
    """The unit as it is now, locked; it must be in use."""
    unit = Apartment.objects.select_for_update().get(pk=apartment.pk)
    refuse([why_unit_refused(unit)])
    return unit


def why_unit_refused(unit: Apartment) -> str:
    """Why nothing but reopening is done to a closed unit; empty for one in use."""
    return "" if unit.closed_at is None else _("Unit %(unit)s is closed.") % {"unit": unit}


def write_apartment(
    origin: Origin, action: Action, unit: Apartment, changes: dict[str, Any], reason: str
) -> None:
    before = {name: plain(getattr(unit, name)) for name in changes}
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
        after={name: plain(value) for name, value in changes.items()},
    )


def plain(value: Any) -> Any:
    """The value as JSON holds it."""
    if isinstance(value, Building):
        return value.pk
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def refuse(sentences: Iterable[str]) -> None:
    """Raise one ValidationError with all that stands in the way, each once; nothing if it is empty."""
    told = list(dict.fromkeys(filter(None, sentences)))
    if told:
        raise ValidationError(told)
