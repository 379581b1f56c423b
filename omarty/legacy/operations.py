"""Operations that import buildings, units and memberships, and those of the quarantine."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Action
from audit.operations import Origin, entry, record, record_all, save_change
from buildings.models import Apartment, Block, Building, Membership
from contacts.models import SECONDARY, Kind, User
from omarty.legacy.models import LegacyRow, QuarantinedRow
from omarty.legacy.source import EMAILS, FURTHER_PHONES, PHONES, USERS

CONTACT_TABLES = {Kind.EMAIL: EMAILS, Kind.PHONE: PHONES}


@transaction.atomic
def adopt_building(*, origin: Origin, **fields: Any) -> Building:
    """Import a building; unlike here, the legacy server does not require a name."""
    building = Building.objects.create(**fields)
    record(origin=origin, action=Action.BUILDING_REGISTERED, target=building)
    return building


@transaction.atomic
def adopt_blocks(*, origin: Origin, blocks: Sequence[Block]) -> None:
    """Import blocks under the ids that they have."""
    Block.objects.bulk_create(blocks)
    record_all(
        entry(origin=origin, action=Action.BLOCK_REGISTERED, target=block, block=block)
        for block in blocks
    )


@transaction.atomic
def adopt_apartments(*, origin: Origin, units: Sequence[Apartment]) -> set[int]:
    """Import units under the ids that they have; their blocks are loaded.

    A unit whose number is taken in its block is imported without a number, which goes into its note.
    Returns the ids of such units.
    """
    taken = _taken_numbers(units)
    without_number = set()
    for unit in units:
        numbered = (unit.block_id, unit.number)
        if unit.number is not None and numbered in taken:
            unit.note = _("Legacy number %d, which another unit has.") % unit.number
            unit.number = None
            without_number.add(unit.pk)
        taken.add(numbered)
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
    return without_number


def _taken_numbers(units: Sequence[Apartment]) -> set[tuple[int, int | None]]:
    blocks = {unit.block_id for unit in units}
    numbers = {unit.number for unit in units if unit.number is not None}
    present = Apartment.objects.filter(block_id__in=blocks, number__in=numbers)
    return set(present.values_list("block_id", "number"))


@transaction.atomic
def adopt_memberships(*, origin: Origin, memberships: Sequence[Membership]) -> dict[int, bool]:
    """Import memberships under the ids that they have; their people, blocks and units are loaded.

    A person has a role in a unit once: a membership is left out if they have or had that role there.
    Returns the ids of those that were left out, and whether the one that is here has ended.
    """
    people = {each.user_id for each in memberships}
    present = Membership.objects.filter(user__in=people)
    taken: dict[tuple[Any, ...], bool] = {}
    for *belongs, ended_at in present.values_list(
        "user_id", "block_id", "apartment_id", "role", "ended_at"
    ):
        taken[tuple(belongs)] = taken.get(tuple(belongs), True) and ended_at is not None
    left_out = {}
    for each in memberships:
        belonging = (each.user_id, each.block_id, each.apartment_id, str(each.role))
        if belonging in taken:
            left_out[each.pk] = taken[belonging]
        taken.setdefault(belonging, False)
    new = [each for each in memberships if each.pk not in left_out]
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
    return left_out


@transaction.atomic
def change_adopted(
    *, origin: Origin, changed: Building | Block | Apartment | Membership, changes: dict[str, Any]
) -> None:
    """Save changes to an imported record; a unit's new number must be free."""
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
    """Store which legacy rows were imported, and as what. Only for later imports: it has no entry."""
    LegacyRow.objects.bulk_create(new)
    LegacyRow.objects.bulk_update(changed, ["imported"])


@transaction.atomic
def quarantine(
    *, origin: Origin, new: Sequence[QuarantinedRow], released: Sequence[QuarantinedRow]
) -> None:
    """Put `new` rows into quarantine, and take `released` ones out of it."""
    QuarantinedRow.objects.filter(pk__in=[row.pk for row in released]).delete()
    QuarantinedRow.objects.bulk_create(new)
    people = _people_of(new)
    record_all(
        entry(
            origin=origin,
            action=Action.LEGACY_QUARANTINED,
            target=row,
            # So that an erasure of the person finds the entry, which has the row's values.
            person=people.get(_person_key(row)),
            after={"row": row.source},
        )
        for row in new
    )


@transaction.atomic
def mark_gone(*, rows: Sequence[QuarantinedRow]) -> None:
    """Note that the source has these rows no more. Their entries say all else, so it has none."""
    QuarantinedRow.objects.filter(pk__in=[row.pk for row in rows]).update(gone_at=timezone.now())


@transaction.atomic
def set_done(*, origin: Origin, rows: Sequence[QuarantinedRow], done: bool) -> int:
    """Say that these rows were dealt with, or take that back; returns how many were not so yet."""
    locked = QuarantinedRow.objects.select_for_update().filter(pk__in=[row.pk for row in rows])
    changing = list(locked.filter(done_at__isnull=done).order_by("pk"))
    people = _people_of(changing)
    at, by = (timezone.now(), origin.actor) if done else (None, None)
    QuarantinedRow.objects.filter(pk__in=[row.pk for row in changing]).update(
        done_at=at, done_by=by
    )
    record_all(
        entry(
            origin=origin,
            action=Action.LEGACY_DONE if done else Action.LEGACY_REOPENED,
            target=row,
            person=people.get(_person_key(row)),
        )
        for row in changing
    )
    return len(changing)


def _person_key(row: QuarantinedRow) -> str:
    """The legacy id of the person that the row belongs to or concerns; "" for nobody."""
    named = row.source.get("UserID") or row.source.get("ResidentID") or ""
    return row.key if row.table == USERS else named


def _people_of(rows: Sequence[QuarantinedRow]) -> dict[str, User]:
    """The imported people by legacy id; a person here with that id may be somebody else."""
    imported = LegacyRow.objects.filter(table=USERS, key__in=set(map(_person_key, rows)))
    ids = dict(imported.values_list("key", "record_id"))
    people = User.objects.in_bulk(ids.values())
    return {key: people[pk] for key, pk in ids.items() if pk in people}


@transaction.atomic
def forget_person(*, user: User) -> None:
    """Delete what the import stored about a person who is being erased; later imports then skip them.

    Part of the erasure, which writes the entry. Does nothing for a person who was not imported.
    """
    if not LegacyRow.objects.filter(table=USERS, record_id=user.pk).exists():
        return
    key = str(user.pk)
    concerned = Q(table=USERS, key=key) | Q(source__UserID=key) | Q(source__ResidentID=key)
    concerned |= Q(source__UpdatedBy=key)
    quarantined = list(QuarantinedRow.objects.filter(concerned))
    known = Q(table=USERS, key=key)
    for kind, table in CONTACT_TABLES.items():
        ids = SECONDARY[kind]._default_manager.filter(user=user).values_list("pk", flat=True)
        known |= Q(table=table, record_id__in=list(ids))
    LegacyRow.objects.filter(known).update(imported={})
    # Their keys have digests, from which a number could be guessed.
    LegacyRow.objects.filter(table=FURTHER_PHONES, record_id=user.pk).delete()
    QuarantinedRow.objects.filter(pk__in=[row.pk for row in quarantined]).delete()
    LegacyRow.objects.bulk_create(
        LegacyRow(table=row.table, key=row.key, imported={})
        for row in quarantined
        if not row.column
    )
