"""Every write to buildings, blocks and units: atomic, with its audit entry."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Action
from audit.operations import Named, Origin, as_json, entry, record, record_all, save_change
from audit.statements import insert
from buildings.models import Apartment, Block, Building


class ApartmentExists(Exception):
    """The block has a unit of that number already (answers.md, CreateApartment row 7)."""


@transaction.atomic
def register_building(*, origin: Origin, **fields: Any) -> Building:
    """A new building; `fields` are the model's. Raises ValidationError if it has no name."""
    _refuse_nameless(**fields)
    building = Building.objects.create(**fields)
    record(origin=origin, action=Action.BUILDING_REGISTERED, target=building, after=as_json(fields))
    return building


@transaction.atomic
def register_block(*, origin: Origin, building: Building, **fields: Any) -> Block:
    """A new block of the building; `fields` are the model's.

    Raises ValidationError if the building has a block of that number already.
    """
    lock_buildings([building.pk])
    refuse_taken_block_number(building, fields["number"])
    block = Block.objects.create(building=building, **fields)
    after = as_json({"building": building, **fields})
    record(origin=origin, action=Action.BLOCK_REGISTERED, target=block, block=block, after=after)
    return block


@transaction.atomic
def change_building(*, origin: Origin, building: Building, changes: dict[str, Any]) -> bool:
    """Correct a building; whether anything was new. Raises ValidationError if it would have no name."""
    building = Building.objects.select_for_update().get(pk=building.pk)
    names = {"name_ar": building.name_ar, "name_en": building.name_en} | changes
    changed = save_change(building, changes, origin=origin, action=Action.BUILDING_CHANGED)
    if changed:
        _refuse_nameless(**names)
    return changed


@transaction.atomic
def change_block(*, origin: Origin, block: Block, changes: dict[str, Any]) -> bool:
    """Correct a block; whether anything was new.

    Raises ValidationError if its building has another block of that number.
    """
    building: Building = changes.get("building", block.building)
    lock_buildings([building.pk])
    block = Block.objects.select_for_update().get(pk=block.pk)
    number: str = changes.get("number", block.number)
    if (building.pk, number) != (block.building_id, block.number):
        refuse_taken_block_number(building, number, but=block)
    return save_change(block, changes, origin=origin, action=Action.BLOCK_CHANGED, block=block)


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


@transaction.atomic
def register_apartment(
    *, origin: Origin, block: Named, number: int | None, floor: int | None, **fields: Any
) -> Apartment:
    """A new unit of the block; further `fields` are the model's.

    Never looks first: the database says whether the number is taken, whatever runs at once.
    Raises ApartmentExists.
    """
    unit = Apartment(block_id=block.pk, number=number, floor=floor, **fields)
    try:
        insert(unit)
    except IntegrityError as error:
        raise ApartmentExists from error
    record(
        origin=origin,
        action=Action.APARTMENT_REGISTERED,
        target=unit,
        block=block,
        apartment=unit,
        after=as_json({"number": number, "floor": floor, **fields}),
    )
    return unit


@transaction.atomic
def register_floors(
    *, origin: Origin, block: Block, units: Sequence[tuple[int, int]]
) -> list[Apartment]:
    """Many new units of the block at once, each given as (floor, number). Raises ApartmentExists."""
    rows = [Apartment(block=block, floor=floor, number=number) for floor, number in units]
    try:
        Apartment.objects.bulk_create(rows)
    except IntegrityError as error:
        raise ApartmentExists from error
    # MySQL, unlike MariaDB and SQLite, does not return the ids of many rows.
    registered = list(
        block.apartments.filter(number__in=[row.number for row in rows]).order_by("pk")
    )
    record_all(
        entry(
            origin=origin,
            action=Action.APARTMENT_REGISTERED,
            target=unit,
            block=block,
            apartment=unit,
            after={"number": unit.number, "floor": unit.floor},
        )
        for unit in registered
    )
    return registered


@transaction.atomic
def change_apartment(*, origin: Origin, apartment: Apartment, changes: dict[str, Any]) -> bool:
    """Give a unit another number, floor, name, occupancy or note; whether anything was new.

    Raises ApartmentExists, or ValidationError if the unit is retired.
    """
    unit = locked_apartment(apartment)
    return save_apartment(unit, changes, origin=origin, action=Action.APARTMENT_CHANGED)


@transaction.atomic
def retire_apartment(*, origin: Origin, apartment: Apartment) -> None:
    """Take the unit out of the register.

    Raises ValidationError if it is retired already, or people belong to it.
    """
    unit = locked_apartment(apartment)
    if unit.memberships.current().exists():
        raise ValidationError(_("People belong to this unit: move them out, or merge it."))
    retired = {"closed_at": timezone.now()}
    save_apartment(unit, retired, origin=origin, action=Action.APARTMENT_RETIRED)


@transaction.atomic
def reinstate_apartment(*, origin: Origin, apartment: Apartment) -> None:
    """Put a retired unit back into the register, by itself if it had been merged.

    Raises ValidationError if it is not retired.
    """
    unit = Apartment.objects.select_for_update().get(pk=apartment.pk)
    if unit.closed_at is None:
        raise ValidationError(_("This unit is in use already."))
    reinstated = {"closed_at": None, "merged_into_id": None}
    save_apartment(unit, reinstated, origin=origin, action=Action.APARTMENT_REINSTATED)


def lock_buildings(building_ids: Iterable[int]) -> None:
    """Until the transaction ends, nobody else adds or changes blocks of these buildings."""
    list(Building.objects.select_for_update().filter(pk__in=set(building_ids)).order_by("pk"))


def lock_blocks(block_ids: Iterable[int]) -> None:
    """Until the transaction ends, nobody else adds or changes units or memberships of these blocks."""
    list(Block.objects.select_for_update().filter(pk__in=set(block_ids)).order_by("pk"))


def locked_apartment(apartment: Apartment) -> Apartment:
    """The unit as it is now, locked. Raises ValidationError if it is retired."""
    unit = Apartment.objects.select_for_update().get(pk=apartment.pk)
    refuse([why_unit_refused(unit)])
    return unit


def save_apartment(
    unit: Apartment, changes: dict[str, Any], *, origin: Origin, action: Action
) -> bool:
    """`save_change()` of a locked unit. Raises ApartmentExists if its new number is taken."""
    try:
        return save_change(
            unit, changes, origin=origin, action=action, block=unit.block, apartment=unit
        )
    except IntegrityError as error:
        raise ApartmentExists from error


def why_unit_refused(unit: Apartment) -> str:
    """Why nothing but reinstating is done to a retired unit; empty for one in use."""
    return "" if unit.closed_at is None else _("Unit %(unit)s is retired.") % {"unit": unit}


def refuse(sentences: Iterable[str]) -> None:
    """Raise one ValidationError with all of these sentences, each once; nothing if all are empty."""
    reasons = list(dict.fromkeys(filter(None, sentences)))
    if reasons:
        raise ValidationError(reasons)
