"""Operations that take buildings, units and memberships over from the legacy server, and the quarantine."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.models import Action
from audit.operations import Origin, entry, record, record_all, save_change
from buildings.models import Apartment, Block, Building, Membership
from contacts.models import SECONDARY, Kind, User
from omarty.legacy.models import LegacyRow, QuarantinedRow

# Where the legacy server keeps people, and their further contacts.
PEOPLE_TABLE = "Resident_User"
CONTACT_TABLES = {Kind.EMAIL: "Emails", Kind.PHONE: "PhoneNums"}


@transaction.atomic
def adopt_building(*, origin: Origin, **fields: Any) -> Building:
    """A new building, with a name or without: the legacy server asks for none."""
    building = Building.objects.create(**fields)
    record(origin=origin, action=Action.BUILDING_REGISTERED, target=building)
    return building


@transaction.atomic
def adopt_blocks(*, origin: Origin, blocks: Sequence[Block]) -> None:
    """New blocks with ids as given."""
    Block.objects.bulk_create(blocks)
    record_all(
        entry(origin=origin, action=Action.BLOCK_REGISTERED, target=block, block=block)
        for block in blocks
    )


@transaction.atomic
def adopt_apartments(*, origin: Origin, units: Sequence[Apartment]) -> set[int]:
    """New units with ids as given, their blocks loaded.

    A unit whose number the block has already comes in without it, the number in its note; returned
    are the ids of those.
    """
    taken = _taken_numbers(units)
    doubled = set()
    for unit in units:
        place = (unit.block_id, unit.number)
        if unit.number is not None and place in taken:
            unit.note = _("Legacy number %d, which another unit has.") % unit.number
            unit.number = None
            doubled.add(unit.pk)
        taken.add(place)
    Apartment.objects.bulk_create(units)
    record_all(
        entry(
            origin=origin,
            action=Action.APARTMENT_REGISTERED,
            target=unit,
            block=unit.block,
            apartment=unit,
            after={"number": unit.number, "floor": unit.floor, "note": unit.note},
        )
        for unit in units
    )
    return doubled


def _taken_numbers(units: Sequence[Apartment]) -> set[tuple[int, int | None]]:
    blocks = {unit.block_id for unit in units}
    numbers = {unit.number for unit in units if unit.number is not None}
    held = Apartment.objects.filter(block_id__in=blocks, number__in=numbers)
    return set(held.values_list("block_id", "number"))


@transaction.atomic
def adopt_memberships(*, origin: Origin, memberships: Sequence[Membership]) -> set[int]:
    """New memberships with ids as given, their people, blocks and units loaded.

    A person is in a role in a unit once: who has it already, or had it, does not get it again.
    Returned are the ids of those that were left out.
    """
    people = {each.user_id for each in memberships}
    held = Membership.objects.filter(user__in=people)
    taken: set[tuple[Any, ...]] = set(
        held.values_list("user_id", "block_id", "apartment_id", "role")
    )
    doubled = set()
    for each in memberships:
        place = (each.user_id, each.block_id, each.apartment_id, str(each.role))
        if place in taken:
            doubled.add(each.pk)
        taken.add(place)
    new = [each for each in memberships if each.pk not in doubled]
    Membership.objects.bulk_create(new)
    record_all(
        entry(
            origin=origin,
            action=Action.MEMBERSHIP_STARTED,
            target=each,
            person=each.user,
            block=each.block,
            apartment=each.apartment,
            after={"role": each.role, "status": each.status},
        )
        for each in new
    )
    return doubled


@transaction.atomic
def change_adopted(
    *, origin: Origin, changed: Building | Block | Apartment | Membership, changes: dict[str, Any]
) -> None:
    """Bring one record up to date; a unit's new number must be free."""
    save_change(
        changed,
        changes,
        origin=origin,
        action=Action.LEGACY_CHANGED,
        person=getattr(changed, "user", None),
        block=changed if isinstance(changed, Block) else getattr(changed, "block", None),
        apartment=changed
        if isinstance(changed, Apartment)
        else getattr(changed, "apartment", None),
    )


@transaction.atomic
def remember(*, new: Sequence[LegacyRow], changed: Sequence[LegacyRow]) -> None:
    """Note which legacy rows came in, and how. Bookkeeping of the import: no entry of its own."""
    LegacyRow.objects.bulk_create(new)
    LegacyRow.objects.bulk_update(changed, ["imported"])


@transaction.atomic
def quarantine(
    *, origin: Origin, new: Sequence[QuarantinedRow], released: Sequence[QuarantinedRow]
) -> None:
    """Keep what could not come in; let go what has come in since, or what `new` says anew."""
    QuarantinedRow.objects.filter(pk__in=[row.pk for row in released]).delete()
    QuarantinedRow.objects.bulk_create(new)
    people = _people_of(new)
    record_all(
        entry(
            origin=origin,
            action=Action.LEGACY_QUARANTINED,
            target=row,
            # By him an erasure finds the row, with all that it says of him.
            person=people.get(_person_key(row)),
            after={"row": row.source},
        )
        for row in new
    )


def _person_key(row: QuarantinedRow) -> str:
    """The legacy id of the person whose row it is, or whom it concerns; "" for nobody."""
    named = row.source.get("UserID") or row.source.get("ResidentID") or ""
    return row.key if row.table == PEOPLE_TABLE else named


def _people_of(rows: Sequence[QuarantinedRow]) -> dict[str, User]:
    """Those who came in, by legacy id; one of ours who only has that id is somebody else."""
    came = LegacyRow.objects.filter(table=PEOPLE_TABLE, key__in=set(map(_person_key, rows)))
    ids = dict(came.values_list("key", "record_id"))
    people = User.objects.in_bulk(ids.values())
    return {key: people[pk] for key, pk in ids.items() if pk in people}


@transaction.atomic
def forget_person(*, user: User) -> None:
    """Drop what the import noted of a person who is erased; later runs then leave him alone.

    Part of his erasure, which writes the entry. Does nothing for who did not come from there.
    """
    if not LegacyRow.objects.filter(table=PEOPLE_TABLE, record_id=user.pk).exists():
        return
    key = str(user.pk)
    his = Q(table=PEOPLE_TABLE, key=key) | Q(source__UserID=key) | Q(source__ResidentID=key)
    held = list(QuarantinedRow.objects.filter(his))
    known = Q(table=PEOPLE_TABLE, key=key)
    for kind, table in CONTACT_TABLES.items():
        ids = SECONDARY[kind]._default_manager.filter(user=user).values_list("pk", flat=True)
        known |= Q(table=table, record_id__in=list(ids))
    LegacyRow.objects.filter(known).update(imported={})
    QuarantinedRow.objects.filter(pk__in=[row.pk for row in held]).delete()
    LegacyRow.objects.bulk_create(
        LegacyRow(table=row.table, key=row.key, imported={}) for row in held if not row.column
    )
