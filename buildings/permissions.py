"""Who may do what in a block. Each function fetches and checks in one: it returns the record, or raises.

The order of the checks is that of contract/answers.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from django.db import models
from django.utils.translation import gettext_noop

from audit.operations import Named, Unknown
from audit.statements import Select
from buildings.models import Apartment, Block, Membership, Role, block_label, unit_label
from contacts.invitations import has_signed_in
from contacts.masking import visible
from contacts.models import AppSession, Claim, Invitation, Status, User
from contacts.models.people import person_label

M = TypeVar("M", bound=models.Model)


class WhyAccessRefused(Enum):
    """Why access is refused; the value is stored in the audit log."""

    NOT_MANAGER = gettext_noop("not an active manager of the block")
    BLOCK_PENDING = gettext_noop("block pending")
    BLOCK_BANNED = gettext_noop("block banned")
    BLOCK_UNKNOWN = gettext_noop("block unknown")
    NOT_IN_BLOCK = gettext_noop("no membership in the block")
    APARTMENT_UNKNOWN = gettext_noop("unit not in the block")
    NOT_IN_APARTMENT = gettext_noop("no membership in the unit")
    MEMBERSHIP_PENDING = gettext_noop("membership pending")
    MEMBERSHIP_BANNED = gettext_noop("membership banned")


class WhyNotInvited(Enum):
    """Why somebody may not make a person a link to set a password by."""

    SUPERUSER = "superuser"
    NOT_ACTIVE = "not active"
    SIGNED_IN = "signed in"
    NO_MEMBER = "no member"
    ELSEWHERE = "elsewhere"


class AccessRefused(Exception):
    """The caller lacks the right. `block` and `apartment` are what they asked for."""

    def __init__(
        self, why: WhyAccessRefused, *, block: Named | None, apartment: Named | None
    ) -> None:
        super().__init__(why.value)
        self.why = why
        self.block = block
        self.apartment = apartment


class SeveralBlocks(Exception):
    """The caller named no block and manages more than one."""


class PersonRow(NamedTuple):
    """Who asks, as far as the calls look at them."""

    pk: int
    name: str
    user_name: str
    status: str
    session_stamp: str

    @property
    def is_authenticated(self) -> bool:
        """DRF asks whether somebody is there."""
        return True

    def __str__(self) -> str:
        return person_label(self.pk, self.name, self.user_name)


class BlockRow(NamedTuple):
    """A block of theirs."""

    pk: int
    status: str
    number: str
    name: str

    def __str__(self) -> str:
        return block_label(self.number, self.name)


class ApartmentRow(NamedTuple):
    """A unit of theirs."""

    pk: int
    number: int | None
    name: str

    def __str__(self) -> str:
        return unit_label(self.pk, self.number, self.name)


class MembershipRow(NamedTuple):
    """What they are there; some belong to a block and to no unit of it."""

    role: str
    status: str
    block: BlockRow
    unit: ApartmentRow | None


class Caller(NamedTuple):
    """A person with their current memberships, each with its block and unit.

    `session_id` is the session in the app by which they ask; None if it has ended.
    """

    user: PersonRow
    memberships: list[MembershipRow]
    session_id: int | None


def caller(user_id: int, *, session_id: int) -> Caller | None:
    """The person with this id and their current memberships, in one statement; None if there is none."""
    rows = _of_caller(user_id, session_id) or _without_membership(user_id, session_id)
    if not rows:
        return None
    session, person = rows[0][0], PersonRow(*rows[0][1:6])
    memberships = [_membership(*row[6:]) for row in rows if len(row) > 6]
    return Caller(person, memberships, session)


def _membership(role: str, status: str, *place: Any) -> MembershipRow:
    block, unit = BlockRow(*place[:4]), place[4:]
    return MembershipRow(role, status, block, ApartmentRow(*unit) if unit[0] is not None else None)


def _session(user_id: int, session_id: int) -> models.Subquery:
    return models.Subquery(AppSession.objects.filter(pk=session_id, user_id=user_id).values("pk"))


_PERSON = ("pk", "name", "user_name", "status", "session_stamp")
_of_caller: Select[tuple[Any, ...]] = Select(
    tuple,
    lambda user_id, session_id: (
        Membership.objects.current()
        .filter(user_id=user_id)
        .values_list(
            _session(user_id, session_id),
            *(f"user__{each}" for each in _PERSON),
            *("role", "status"),
            *(f"block__{each}" for each in ("pk", "status", "number", "name")),
            *(f"apartment__{each}" for each in ("pk", "number", "name")),
        )
    ),
)
_without_membership: Select[tuple[Any, ...]] = Select(
    tuple,
    lambda user_id, session_id: User.objects.filter(pk=user_id).values_list(
        _session(user_id, session_id), *_PERSON
    ),
)


def managed_block(who: Caller, *, block_id: int | None, apartment_id: int | None) -> BlockRow:
    """The block in which `who` may register a unit (answers.md, CreateApartment rows 4 to 6).

    `block_id` None means the one block that they manage; `apartment_id`, if given, must be their own.
    Raises SeveralBlocks, or AccessRefused.
    """
    active = [each for each in who.memberships if each.status == Status.ACTIVE]
    managed = {each.block.pk: each.block for each in active if each.role == Role.MANAGER}
    if block_id is None and len(managed) > 1:
        raise SeveralBlocks
    block = next(iter(managed.values()), None) if block_id is None else managed.get(block_id)
    asked = block or (None if block_id is None else _block_or_unknown(block_id))
    own = {
        each.unit.pk: each.unit
        for each in active
        if each.unit is not None and each.block.pk == _pk(block)
    }
    if block is None or (apartment_id is not None and apartment_id not in own):
        unit = None if apartment_id is None else _apartment_or_unknown(apartment_id, asked)
        raise AccessRefused(WhyAccessRefused.NOT_MANAGER, block=asked, apartment=unit)
    _require_open(block, own[apartment_id] if apartment_id is not None else None)
    return block


def own_membership(who: Caller, *, block_id: int, apartment_id: int) -> MembershipRow:
    """The caller's active membership in this unit of this block (answers.md, AddContact rows 3 to 8).

    Raises AccessRefused.
    """
    in_block = [each for each in who.memberships if each.block.pk == block_id]
    if not in_block:
        block = _block_or_unknown(block_id)
        why = (
            WhyAccessRefused.BLOCK_UNKNOWN
            if isinstance(block, Unknown)
            else WhyAccessRefused.NOT_IN_BLOCK
        )
        raise AccessRefused(why, block=block, apartment=_apartment_or_unknown(apartment_id, block))
    own = in_block[0].block
    in_unit = [each for each in in_block if each.unit is not None and each.unit.pk == apartment_id]
    unit = in_unit[0].unit if in_unit else _apartment_or_unknown(apartment_id, own)
    _require_open(own, unit)
    if not in_unit:
        unknown = isinstance(unit, Unknown)
        why = WhyAccessRefused.APARTMENT_UNKNOWN if unknown else WhyAccessRefused.NOT_IN_APARTMENT
        raise AccessRefused(why, block=own, apartment=unit)
    # A person may have several roles in one unit: the best status counts.
    by_status = {each.status: each for each in in_unit}
    if active := by_status.get(Status.ACTIVE):
        return active
    pending = Status.PENDING in by_status
    why = WhyAccessRefused.MEMBERSHIP_PENDING if pending else WhyAccessRefused.MEMBERSHIP_BANNED
    raise AccessRefused(why, block=own, apartment=unit)


def _require_open(block: BlockRow, unit: Named | None) -> None:
    if block.status == Status.PENDING:
        raise AccessRefused(WhyAccessRefused.BLOCK_PENDING, block=block, apartment=unit)
    if block.status == Status.BANNED:
        raise AccessRefused(WhyAccessRefused.BLOCK_BANNED, block=block, apartment=unit)


def _block_or_unknown(block_id: int) -> Block | Unknown:
    return Block.objects.filter(pk=block_id).first() or Unknown(block_id)


def _apartment_or_unknown(apartment_id: int, block: Named | None) -> Apartment | Unknown:
    if block is None or isinstance(block, Unknown):
        return Unknown(apartment_id)
    found = Apartment.objects.filter(block_id=block.pk, pk=apartment_id).first()
    return found or Unknown(apartment_id)


def _pk(thing: Named | None) -> int | None:
    return None if thing is None else thing.pk


@dataclass(frozen=True)
class Blocks:
    """A set of blocks by their ids; `ids` None means every block."""

    ids: frozenset[int] | None

    def __bool__(self) -> bool:
        return self.ids is None or bool(self.ids)

    def __contains__(self, block_id: object) -> bool:
        return self.ids is None or block_id in self.ids

    def meet(self, block_ids: Iterable[int]) -> bool:
        """Whether one of these blocks is in the set; in that of every block is also what has none."""
        return self.ids is None or any(block_id in self for block_id in block_ids)

    def only(self, rows: models.QuerySet[M], path: str) -> models.QuerySet[M]:
        """The rows whose `path`, a lookup that ends at a block's id, is in the set."""
        return rows if self.ids is None else rows.filter(**{f"{path}__in": self.ids})


@dataclass(frozen=True)
class Reach:
    """Which blocks a person sees in the back-office, and which of them they may change."""

    sees: Blocks
    changes: Blocks


def members_within(blocks: Blocks) -> models.QuerySet[Membership]:
    """The current memberships in these blocks, requests excepted.

    Their people are those whom a manager of the blocks may change, choose and match with a phone or
    e-mail (docs/back-office.md): not who merely asks to belong, nor who has left.
    """
    members = Membership.objects.current().exclude(status=Status.PENDING)
    return blocks.only(members, "block_id")


def changeable_people(blocks: Blocks) -> models.QuerySet[User]:
    """The people whose names and contacts whoever changes these blocks may change.

    Superusers are changed by superusers alone, and who was anonymised by nobody.
    """
    people = User.objects.filter(erased_at=None)
    if blocks.ids is None:
        return people
    members = members_within(blocks).values("user_id")
    return people.filter(is_superuser=False, pk__in=members)


def known_contacts(
    claims: models.QuerySet[Claim], *, asking: Named | None, within: Blocks
) -> models.QuerySet[Claim]:
    """Those of the claims that `asking`, who changes these blocks, may know of.

    They are the contacts that members of the blocks do not hide, and all of their own. Any other is to them
    a stranger's, whoever holds it: refused in the same words, recorded and counted.
    """
    if within.ids is None:
        return claims
    members = members_within(within).values("user_id")
    own = models.Q(user=asking.pk if asking is not None else None)
    return claims.filter(models.Q(visible(), user__in=members) | own)


def why_not_invited(person: User, *, within: Blocks) -> WhyNotInvited | None:
    """Why whoever changes these blocks may not make the person a link; None if they may.

    A link is as good as the account. So a manager's is for people of their blocks alone who never signed in:
    whoever did recovers by their own contacts, or by a superuser's link.
    """
    if person.is_superuser:
        return WhyNotInvited.SUPERUSER
    if person.status != Status.ACTIVE or person.erased_at is not None:
        return WhyNotInvited.NOT_ACTIVE
    if within.ids is None:
        return None
    if has_signed_in(person):
        return WhyNotInvited.SIGNED_IN
    # Who merely asks elsewhere may be approved there tomorrow, with whatever office.
    current = list(
        Membership.objects.current().filter(user=person).values_list("block_id", "status")
    )
    if not any(block in within and status == Status.ACTIVE for block, status in current):
        return WhyNotInvited.NO_MEMBER
    return None if all(block in within for block, _ in current) else WhyNotInvited.ELSEWHERE


def may_hand_over(office: Membership, *, asking: Named | None, within: Blocks) -> bool:
    """Whether `asking`, who changes these blocks, may give this manager's office to another member.

    Their own; a superuser anybody's.
    """
    return within.ids is None or (asking is not None and office.user_id == asking.pk)


def invitation_serves(invitation: Invitation) -> bool:
    """Whether whoever made it may invite the person today; what a command made always does."""
    maker = invitation.made_by
    return maker is None or why_not_invited(invitation.user, within=reach(maker).changes) is None


NOTHING = Reach(Blocks(frozenset()), Blocks(frozenset()))
EVERYTHING = Reach(Blocks(None), Blocks(None))


def reach(user: Any) -> Reach:
    """How far a signed-in user's rights go in the back-office; at most one statement.

    They follow the memberships: an active manager of an active block changes it, a board member
    reads it, and both end with the membership. A superuser reaches every block.
    """
    if not user.is_active:
        return NOTHING
    if user.is_superuser:
        return EVERYTHING
    offices = (
        Membership.objects.active()
        .filter(
            user_id=user.pk,
            role__in=(Role.MANAGER, Role.BOARD),
            block__status=Status.ACTIVE,
        )
        .values_list("block_id", "role")
    )
    roles = list(offices)
    managed = frozenset(block_id for block_id, role in roles if role == Role.MANAGER)
    return Reach(Blocks(frozenset(block_id for block_id, _ in roles)), Blocks(managed))
