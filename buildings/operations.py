"""Every write to buildings, blocks, units and memberships: atomic, with its audit entry."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Action, Entry
from audit.operations import Origin, entry, record
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


@transaction.atomic
def end_memberships(
    *,
    origin: Origin,
    memberships: Iterable[Membership],
    ended_at: datetime | None = None,
    reason: str = "",
) -> None:
    """They moved out, then or now; the memberships are kept as past ones.

    Raises ValidationError, and changes nothing then: one has ended already or would end before it
    began, or a block would be left without a manager.
    """
    rows = _locked_memberships(memberships)
    ended_at = ended_at or timezone.now()
    for row in rows:
        if row.started_at is not None and ended_at < row.started_at:
            raise ValidationError(
                _("%(who)s cannot have left before coming."), params={"who": row.user}
            )
    Entry.objects.bulk_create(
        entry(
            origin=origin,
            action=Action.MEMBERSHIP_ENDED,
            target=row,
            person=row.user,
            block=row.block,
            apartment=row.apartment,
            reason=reason,
            before={"ended_at": None},
            after={"ended_at": ended_at.isoformat()},
        )
        for row in rows
    )
    Membership.objects.filter(pk__in=[row.pk for row in rows]).update(ended_at=ended_at)
    _keep_a_manager({row.block for row in rows if _manages(row)})


def _locked_memberships(memberships: Iterable[Membership]) -> list[Membership]:
    """The same memberships as they are now, locked together with their blocks; none has ended."""
    asked = list(memberships)
    blocks = {each.block_id for each in asked}
    list(Block.objects.select_for_update().filter(pk__in=blocks).order_by("pk"))
    locked = Membership.objects.select_for_update().filter(pk__in=[each.pk for each in asked])
    rows = list(locked.prefetch_related("user", "block", "apartment").order_by("pk"))
    for row in rows:
        if row.ended_at is not None:
            raise ValidationError(_("%(who)s has left already."), params={"who": row.user})
    return rows


def _manages(row: Membership) -> bool:
    return row.role == Role.MANAGER and row.status == Status.ACTIVE


def _keep_a_manager(blocks: Iterable[Block]) -> None:
    left = Membership.objects.current().filter(
        role=Role.MANAGER, status=Status.ACTIVE, user__status=Status.ACTIVE
    )
    for block in blocks:
        if not left.filter(block=block).exists():
            raise ValidationError(
                _("Block %(block)s would be left without a manager: appoint another one first."),
                params={"block": block},
            )
