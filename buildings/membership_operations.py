"""Every write to memberships: atomic, with its audit entry; merging a unit, which moves them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Action, Entry
from audit.operations import Origin, as_json, entry, record, record_all
from buildings.models import (
    STATUS_LABELS,
    Apartment,
    Block,
    Membership,
    Occupancy,
    Role,
    occupied_by_nobody,
    vacant_with_people,
)
from buildings.operations import (
    change_apartment,
    lock_blocks,
    locked_apartment,
    refuse,
    save_apartment,
    why_unit_refused,
)
from buildings.request_notices import tell_managers
from contacts.models import Status, User
from contacts.open_invitations import end_open_invitations
from contacts.operations import lock_people, lock_person


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
    units_follow: bool = False,
) -> Membership:
    """The user belongs to the block, and to the unit if one is named, since then or from now on.

    Who is pending asks for it, and the block's managers are told. `units_follow` as in `follow_members()`.
    Raises ValidationError if the unit is retired, or the person was anonymised.
    """
    if apartment is not None:
        locked_apartment(apartment)
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
        after={"role": role, "status": status},
    )
    if status == Status.PENDING:
        tell_managers(origin=origin, request=membership)
    if units_follow:
        follow_members(origin=origin, memberships=[membership])
    return membership


@transaction.atomic
def approve_memberships(
    *, origin: Origin, memberships: Iterable[Membership], units_follow: bool = False
) -> None:
    """Those who asked to belong do so; `units_follow` as in `follow_members()`.

    Raises ValidationError, as all below, and changes nothing then.
    """
    rows = _locked(memberships, Status.PENDING)
    _change(origin, Action.MEMBERSHIP_APPROVED, rows, {"status": Status.ACTIVE})
    if units_follow:
        follow_members(origin=origin, memberships=rows)


@transaction.atomic
def reopen_requests(*, origin: Origin, memberships: Iterable[Membership]) -> None:
    """Those who were approved wait for it again, as before."""
    rows = _locked(memberships, Status.ACTIVE)
    _change(origin, Action.MEMBERSHIP_REOPENED, rows, {"status": Status.PENDING})
    end_open_invitations(*[row.user for row in rows])


@transaction.atomic
def refuse_memberships(*, origin: Origin, memberships: Iterable[Membership]) -> None:
    """Those who asked to belong do not; their requests end and are stored."""
    rows = _locked(memberships, Status.PENDING)
    _change(origin, Action.MEMBERSHIP_REFUSED, rows, {"ended_at": timezone.now()})


@transaction.atomic
def ban_memberships(*, origin: Origin, memberships: Iterable[Membership]) -> None:
    """They may use nothing of the block until they are readmitted."""
    rows = _locked(memberships, Status.ACTIVE)
    _change(origin, Action.MEMBERSHIP_BANNED, rows, {"status": Status.BANNED})
    end_open_invitations(*[row.user for row in rows])


@transaction.atomic
def readmit_memberships(*, origin: Origin, memberships: Iterable[Membership]) -> None:
    """Those who were banned are active again."""
    rows = _locked(memberships, Status.BANNED)
    _change(origin, Action.MEMBERSHIP_READMITTED, rows, {"status": Status.ACTIVE})


@transaction.atomic
def change_role(*, origin: Origin, memberships: Iterable[Membership], role: Role) -> None:
    """They have another role in the block from now on; there is no entry for who has it already.

    Whoever is banned keeps their role until they are readmitted.
    """
    asked = _locked(memberships)
    refuse(map(why_role_refused, asked))
    rows = [row for row in asked if row.role != role]
    _change(origin, Action.MEMBERSHIP_ROLE_CHANGED, rows, {"role": role})


@transaction.atomic
def end_memberships(
    *,
    origin: Origin,
    memberships: Iterable[Membership],
    ended_at: datetime | None = None,
    units_follow: bool = False,
) -> None:
    """They moved out, then or now; the memberships are stored as former ones.

    `units_follow` as in `follow_members()`.
    """
    rows = _locked(memberships)
    ended_at = ended_at or timezone.now()
    refuse(
        _("%(who)s cannot have left before coming.") % {"who": row.user}
        for row in rows
        if row.started_at is not None and ended_at < row.started_at
    )
    _change(origin, Action.MEMBERSHIP_ENDED, rows, {"ended_at": ended_at})
    # Their manager made them a link as a member.
    end_open_invitations(*[row.user for row in rows])
    if units_follow:
        follow_members(origin=origin, memberships=rows)


@transaction.atomic
def follow_members(*, origin: Origin, memberships: Iterable[Membership]) -> None:
    """Of these memberships' units, vacant ones with an active member become occupied, occupied ones without
    one vacant, each with its entry; what else is known of them (being finished, retired) stays.
    """
    ids = {each.apartment_id for each in memberships} - {None}
    units = Apartment.objects.filter(pk__in=ids, closed_at=None)
    for follows, occupancy in (
        (vacant_with_people(), Occupancy.OCCUPIED),
        (occupied_by_nobody(), Occupancy.VACANT),
    ):
        for unit in units.filter(follows).order_by("pk"):
            change_apartment(origin=origin, apartment=unit, changes={"occupancy": occupancy})


@transaction.atomic
def restart_memberships(*, origin: Origin, memberships: Iterable[Membership]) -> None:
    """Of former memberships new ones of the same kind begin where they ended, which stay as they are.

    Raises ValidationError as `start_membership()` does, and for who belongs there in that role by now.
    """
    former = list({_place(each): each for each in memberships}.values())
    lock_blocks(each.block_id for each in former)
    units = Apartment.objects.select_for_update().filter(
        pk__in={each.apartment_id for each in former}
    )
    refuse(map(why_unit_refused, units.order_by("pk")))
    people = lock_people(each.user_id for each in former)
    there = set(map(_place, Membership.objects.current().filter(user__in=people)))
    refuse(
        _("%(who)s has that role in the unit already.") % {"who": each.user}
        for each in former
        if _place(each) in there
    )
    Membership.objects.bulk_create(
        Membership(
            user=each.user,
            block=each.block,
            apartment=each.apartment,
            role=each.role,
            status=each.status,
            started_at=each.ended_at,
        )
        for each in former
    )
    # MySQL does not return the ids of many rows.
    current = Membership.objects.current().filter(user__in=people)
    begun = {_place(each): each for each in current.prefetch_related("user", "block", "apartment")}
    rows = [begun[_place(each)] for each in former]
    record_all(
        _entry(
            origin,
            Action.MEMBERSHIP_STARTED,
            row,
            row.apartment,
            None,
            {"role": row.role, "status": row.status},
        )
        for row in rows
    )


@transaction.atomic
def move_memberships(*, origin: Origin, memberships: Iterable[Membership], into: Apartment) -> None:
    """Memberships, former ones too, are of another unit of their block from now on."""
    asked = list(memberships)
    lock_blocks([into.block_id])
    into = locked_apartment(into)
    locked = Membership.objects.select_for_update().filter(pk__in=[each.pk for each in asked])
    rows = list(locked.prefetch_related("user", "block", "apartment").order_by("pk"))
    refuse(
        _("Choose another unit of the same block.")
        for row in rows
        if row.block_id != into.block_id or row.apartment_id == into.pk
    )
    after = {"apartment": into.pk}
    record_all(
        _entry(origin, Action.MEMBERSHIP_MOVED, row, into, {"apartment": row.apartment_id}, after)
        for row in rows
    )
    locked.update(apartment=into)


def _place(membership: Membership) -> tuple[int, int, int | None, str]:
    """Who belongs where as what: nobody does so twice at a time."""
    return (membership.user_id, membership.block_id, membership.apartment_id, membership.role)


@transaction.atomic
def merge_apartment(*, origin: Origin, doubled: Apartment, into: Apartment) -> None:
    """A unit that was registered twice: its memberships, former ones too, move over and it retires.

    Who has the same role in both keeps it once, in the better status. Raises ValidationError.
    """
    if doubled.pk == into.pk or doubled.block_id != into.block_id:
        raise ValidationError(_("Choose another unit of the same block."))
    lock_blocks([doubled.block_id])
    doubled, into = locked_apartment(doubled), locked_apartment(into)
    moving = list(doubled.memberships.select_related("user", "block"))
    _end_doubles(origin, moving, into)
    doubled.memberships.update(apartment=into)
    before, after = {"apartment": doubled.pk}, {"apartment": into.pk}
    record_all(
        _entry(origin, Action.MEMBERSHIP_MOVED, each, into, before, after) for each in moving
    )
    merged = {"closed_at": timezone.now(), "merged_into_id": into.pk}
    save_apartment(doubled, merged, origin=origin, action=Action.APARTMENT_MERGED)


def why_membership_refused(membership: Membership, status: Status | None = None) -> str:
    """Why nothing is done to one that has ended or, if a status is named, has another; else empty."""
    words = {"who": membership.user, "is": membership.get_status_display()}
    if membership.ended_at is not None:
        return _("%(who)s has left already.") % words
    if status is not None and membership.status != status:
        return _("%(who)s is “%(is)s”, not “%(status)s”.") % (
            words | {"status": STATUS_LABELS[status]}
        )
    return ""


def why_role_refused(membership: Membership) -> str:
    """Why nobody changes the role of this one; empty if it can be changed."""
    if membership.ended_at is None and membership.status == Status.BANNED:
        return _("%(who)s is banned: readmit them first.") % {"who": membership.user}
    return why_membership_refused(membership)


def _locked(memberships: Iterable[Membership], status: Status | None = None) -> list[Membership]:
    """The same memberships as they are now, locked together with their blocks.

    They must not have ended and, if a status is named, have that status.
    """
    asked = list(memberships)
    lock_blocks(each.block_id for each in asked)
    locked = Membership.objects.select_for_update().filter(pk__in=[each.pk for each in asked])
    rows = list(locked.prefetch_related("user", "block", "apartment").order_by("pk"))
    refuse(why_membership_refused(row, status) for row in rows)
    return rows


def _change(
    origin: Origin, action: Action, rows: list[Membership], changes: dict[str, Any]
) -> None:
    """Write the changes to all rows, an entry for each; a block that had a manager keeps one."""
    after = as_json(changes)
    record_all(
        _entry(
            origin,
            action,
            row,
            row.apartment,
            as_json({name: getattr(row, name) for name in changes}),
            after,
        )
        for row in rows
    )
    Membership.objects.filter(pk__in=[row.pk for row in rows]).update(**changes)
    _keep_a_manager({row.block for row in rows if _manages(row)})


def _manages(row: Membership) -> bool:
    return row.role == Role.MANAGER and row.status == Status.ACTIVE


def _keep_a_manager(blocks: Iterable[Block]) -> None:
    left = Membership.objects.managing()
    refuse(
        _("Block %(block)s would be left without a manager: appoint another one first.")
        % {"block": block}
        for block in sorted(blocks, key=lambda block: block.pk)
        if not left.filter(block=block).exists()
    )


def _end_doubles(origin: Origin, moving: list[Membership], into: Apartment) -> None:
    """Of two current memberships of one person with one role, end the one in the worse status."""
    there = {(each.user_id, each.role): each for each in into.memberships.current()}
    ending = []
    for each in moving:
        other = there.get((each.user_id, each.role))
        if other is not None and each.ended_at is None:
            ending.append(other if _rank(each) > _rank(other) else each)
    _change(origin, Action.MEMBERSHIP_ENDED, ending, {"ended_at": timezone.now()})


def _rank(membership: Membership) -> int:
    return [Status.BANNED, Status.PENDING, Status.ACTIVE].index(Status(membership.status))


def _entry(
    origin: Origin,
    action: Action,
    row: Membership,
    apartment: Apartment | None,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> Entry:
    return entry(
        origin=origin,
        action=action,
        target=row,
        person=row.user,
        block=row.block,
        apartment=apartment,
        before=before,
        after=after,
    )
