"""Every write to buildings, blocks, units and memberships: atomic, with its audit entry."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.models import Action
from audit.operations import Origin, record
from buildings.models import Apartment, Block, Building, Membership, Role
from contacts.models import Status, User


class ApartmentExists(Exception):
    """The block has a unit of that number already (answers.md, CreateApartment row 7)."""


@transaction.atomic
def register_building(*, origin: Origin, **fields: Any) -> Building:
    """A new building; `fields` are the model's."""
    building = Building.objects.create(**fields)
    record(origin=origin, action=Action.BUILDING_REGISTERED, target=building)
    return building


@transaction.atomic
def register_block(*, origin: Origin, building: Building, **fields: Any) -> Block:
    """A new block of the building; `fields` are the model's."""
    block = Block.objects.create(building=building, **fields)
    record(origin=origin, action=Action.BLOCK_REGISTERED, target=block, block=block)
    return block


@transaction.atomic
def register_apartment(
    *, origin: Origin, block: Block, number: int | None, floor: int | None, **fields: Any
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
        after={"number": number, "floor": floor},
    )
    return unit


@transaction.atomic
def start_membership(
    *,
    origin: Origin,
    user: User,
    block: Block,
    apartment: Apartment | None = None,
    role: Role = Role.RESIDENT,
    status: Status = Status.ACTIVE,
) -> Membership:
    """The user belongs to the block, and to the unit if one is named, from now on."""
    membership = Membership.objects.create(
        user=user,
        block=block,
        apartment=apartment,
        role=role,
        status=status,
        started_at=timezone.now(),
    )
    record(
        origin=origin,
        action=Action.MEMBERSHIP_STARTED,
        target=membership,
        person=user,
        block=block,
        apartment=apartment,
        after={"role": role, "status": status},
    )
    return membership
