"""Saving many units and their residents at once, a batch of some thousand rows of a table at a time.

The same rows and entries come of it as of the operations for one, at a fraction of the statements.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.bulk import insert_like
from audit.models import Action
from audit.operations import Origin, entry, record_each
from buildings.models import Apartment, Block, Membership, Occupancy, Role, unit_label
from contacts.bulk import Newcomer, newcomer, register_people
from contacts.models import Claim, Kind, Status, User

# A contact as typed and canonical.
NO_CONTACT = ("", "")


class UnitRow(NamedTuple):
    """What one row of a table says of a unit and one of its residents; empty is not told."""

    row: int
    block_id: int
    number: int | None
    # How a unit without a number is known.
    unit_id: int | None
    floor: int | None
    name: str
    occupancy: str
    resident: str
    phone: str
    phone_value: str
    email: str
    email_value: str

    @property
    def unit(self) -> "UnitKey":
        """Which unit is meant: rows of several residents mean the same one."""
        return UnitKey(self.block_id, self.number, self.unit_id if self.number is None else None)


class UnitKey(NamedTuple):
    """A unit by block and number, or by id where it has no number."""

    block_id: int
    number: int | None
    unit_id: int | None


class Problem(NamedTuple):
    """Why a row cannot be saved; `column` is a field of UnitRow, or a heading; or empty."""

    row: int
    column: str
    sentence: str


@dataclass
class Outcome:
    """What was done: numbers of units, people and memberships, and the rows that were left out."""

    created: int = 0
    updated: int = 0
    left: int = 0
    people: int = 0
    memberships: int = 0
    problems: list[Problem] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Count the other in; its problems are not taken over."""
        for name in ("created", "updated", "left", "people", "memberships"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class _Unit:
    """A unit that rows tell of: what they say together, and what stands in the database."""

    key: UnitKey
    rows: list[UnitRow]
    told: dict[str, Any]
    pk: int | None = None
    stands: dict[str, Any] = field(default_factory=dict)
    closed: bool = False

    @property
    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self.told.items() if self.stands[name] != value}

    @property
    def label(self) -> str:
        name = self.told.get("name") or self.stands.get("name", "")
        return unit_label(self.pk, self.key.number, name)


@transaction.atomic
def save_units(*, origin: Origin, rows: Iterable[UnitRow]) -> Outcome:
    """Create, change or leave the units that the rows tell of, and move their residents in.

    Rows of one unit must come in one call. What a row does not tell stays as it is; a person who is
    registered stays as he is. A row with a problem is left out whole, the others are saved.
    """
    outcome = Outcome()
    blocks, units = _units(rows, outcome.problems)
    people = _Residents(units, outcome.problems)
    created = [unit for unit in units if unit.rows and unit.pk is None]
    changed = [unit for unit in units if unit.rows and unit.pk is not None and unit.changes]
    _create(origin, blocks, created)
    outcome.updated = _change(origin, blocks, changed)
    register_people(origin=origin, people=people.newcomers)
    outcome.memberships = _move_in(origin, blocks, people.arrivals())
    outcome.created, outcome.people = len(created), len(people.newcomers)
    outcome.left = sum(bool(unit.rows) for unit in units) - outcome.created - outcome.updated
    return outcome


def _units(
    rows: Iterable[UnitRow], problems: list[Problem]
) -> tuple[dict[int, Block], list[_Unit]]:
    """The blocks and units of the rows; rows that cannot be meant are moved to `problems`."""
    grouped: dict[UnitKey, list[UnitRow]] = defaultdict(list)
    for row in rows:
        grouped[row.unit].append(row)
    blocks = Block.objects.in_bulk({key.block_id for key in grouped})
    units = []
    for key, group in grouped.items():
        if key.block_id in blocks:
            units.append(_together(key, group, problems))
        else:
            problems += [Problem(row.row, "block", _("is not a registered block")) for row in group]
    _look_up(units)
    for unit in units:
        problems += _objections(unit)
    return blocks, units


def _together(key: UnitKey, rows: list[UnitRow], problems: list[Problem]) -> _Unit:
    """One unit of all its rows; a row that contradicts an earlier one is a problem."""
    told: dict[str, Any] = {}
    agreeing = []
    for row in rows:
        says = {"floor": row.floor, "name": row.name, "occupancy": row.occupancy}
        says = {name: value for name, value in says.items() if value not in (None, "")}
        against = [name for name, value in says.items() if told.get(name, value) != value]
        if against:
            sentence = _("says otherwise of this unit than an earlier row")
            problems += [Problem(row.row, name, sentence) for name in against]
        else:
            told |= says
            agreeing.append(row)
    return _Unit(key, agreeing, told)


def _look_up(units: Sequence[_Unit]) -> None:
    """Give each unit that the database holds its id and what it stands with."""
    by_key = {unit.key: unit for unit in units}
    wanted: dict[int, list[int]] = defaultdict(list)
    for key in by_key:
        if key.number is not None:
            wanted[key.block_id].append(key.number)
    condition = Q(pk__in=[key.unit_id for key in by_key if key.unit_id is not None])
    for block_id, numbers in wanted.items():
        condition |= Q(block_id=block_id, number__in=numbers)
    found = Apartment.objects.filter(condition).values_list(
        "pk", "block_id", "number", "floor", "name", "occupancy", "closed_at"
    )
    for pk, block_id, number, floor, name, occupancy, closed_at in found:
        for key in (UnitKey(block_id, number, None), UnitKey(block_id, None, pk)):
            if unit := by_key.get(key):
                unit.pk, unit.closed = pk, closed_at is not None
                unit.stands = {"floor": floor, "name": name, "occupancy": occupancy}


def _objections(unit: _Unit) -> list[Problem]:
    """Why none of the unit's rows can be saved; empties them then."""
    if unit.closed:
        column, sentence = "number", _("is a closed unit; reopen it first")
    elif unit.pk is None and unit.key.number is None:
        column, sentence = "unit", _("is no unit of this block")
    else:
        return []
    rows, unit.rows = unit.rows, []
    return [Problem(row.row, column, sentence) for row in rows]


class _Residents:
    """Who the rows' residents are: people of the database, or newcomers."""

    def __init__(self, units: Sequence[_Unit], problems: list[Problem]) -> None:
        self.newcomers: list[Newcomer] = []
        self._wanted: list[tuple[User, _Unit]] = []
        told = [row for unit in units for row in unit.rows if _tells_resident(row)]
        if not told:
            return
        self._holders = _holders(told)
        self._members = _members(units)
        for unit in units:
            unit.rows = [row for row in unit.rows if self._settle(unit, row, problems)]

    def arrivals(self) -> Iterator[tuple[User, _Unit]]:
        """Who moves into which unit; ask once the newcomers and the units are saved."""
        there: set[tuple[int, int | None]] = set()
        for user, unit in self._wanted:
            if (user.pk, unit.pk) not in there:
                there.add((user.pk, unit.pk))
                yield user, unit

    def _settle(self, unit: _Unit, row: UnitRow, problems: list[Problem]) -> bool:
        """Find or plan the row's resident. False if there is a problem with him."""
        contacts = _contacts(row)
        here = self._members.get(unit.pk, []) if unit.pk is not None else []
        if not contacts:
            known = not row.resident or any(_same_name(row, user) for user in here)
            if not known:
                problems.append(Problem(row.row, "resident", _("needs a phone or an e-mail")))
            return known
        holders = [self._holders.get(contact) for contact in contacts.items()]
        if not any(holders):
            self._wanted.append((self._welcome(row, contacts), unit))
            return True
        objections = list(_unlike(row, contacts, holders))
        problems += objections
        user = next(each for each in holders if each is not None)
        if not objections and user not in here:
            self._wanted.append((user, unit))
        return not objections

    def _welcome(self, row: UnitRow, contacts: dict[Kind, str]) -> User:
        new = newcomer(
            name=row.resident,
            phone=(row.phone, row.phone_value) if row.phone else None,
            email=(row.email, row.email_value) if row.email else None,
        )
        self.newcomers.append(new)
        self._holders |= dict.fromkeys(contacts.items(), new.user)
        return new.user


def _tells_resident(row: UnitRow) -> bool:
    return bool(row.resident or row.phone or row.email)


def _contacts(row: UnitRow) -> dict[Kind, str]:
    values = {Kind.PHONE: row.phone_value, Kind.EMAIL: row.email_value}
    return {kind: value for kind, value in values.items() if value}


def _holders(rows: Iterable[UnitRow]) -> dict[tuple[str, str], User]:
    values = [contact for row in rows for contact in _contacts(row).items()]
    condition = Q(pk__in=[])
    for kind in Kind:
        condition |= Q(kind=kind, value__in=[value for each, value in values if each == kind])
    claims = Claim.objects.filter(condition).select_related("user")
    return {(claim.kind, claim.value): claim.user for claim in claims}


def _members(units: Iterable[_Unit]) -> dict[int | None, list[User]]:
    """Who belongs to each unit that stands, in whatever role and standing."""
    members: dict[int | None, list[User]] = defaultdict(list)
    ids = [unit.pk for unit in units if unit.pk is not None]
    for each in Membership.objects.current().filter(apartment__in=ids).select_related("user"):
        members[each.apartment_id].append(each.user)
    return members


def _same_name(row: UnitRow, user: User) -> bool:
    names = (" ".join(name.split()).casefold() for name in (user.name, user.user_name))
    return " ".join(row.resident.split()).casefold() in names


def _unlike(
    row: UnitRow, contacts: dict[Kind, str], holders: Sequence[User | None]
) -> Iterator[Problem]:
    """What keeps the row from meaning one registered person."""
    kinds = list(contacts)
    if len(holders) == 2 and holders[0] is not holders[1] and holders[0] != holders[1]:
        if None in holders:
            unknown = kinds[holders.index(None)]
            yield Problem(row.row, unknown, _("is not known of the person who holds the other"))
        else:
            yield Problem(row.row, Kind.EMAIL, _("is held by another person than the phone"))
    elif row.resident and not any(_same_name(row, user) for user in holders if user is not None):
        sentence = _("is not the name that the holder of this phone or e-mail is registered under")
        yield Problem(row.row, "resident", sentence)


def _create(origin: Origin, blocks: dict[int, Block], units: Sequence[_Unit]) -> None:
    """Register the units; each has its id then. Raises IntegrityError if a number is taken meanwhile."""
    if not units:
        return
    for unit in units:
        lived_in = any(_tells_resident(row) for row in unit.rows)
        fallback = Occupancy.LIVED_IN if lived_in else Occupancy.VACANT
        unit.told = {"floor": None, "name": "", "occupancy": fallback.value} | unit.told
    ids = insert_like(
        Apartment(),
        ("block_id", "number", "floor", "name", "occupancy"),
        [(unit.key.block_id, unit.key.number, *unit.told.values()) for unit in units],
    )
    for unit, pk in zip(units, ids, strict=False):
        unit.pk = pk
    if not ids:
        _look_up(units)
    facts = ((unit, {"after": {"number": unit.key.number} | unit.told}) for unit in units)
    _record_units(origin, blocks, Action.APARTMENT_REGISTERED, facts)


def _change(origin: Origin, blocks: dict[int, Block], units: Sequence[_Unit]) -> int:
    """Give the units what the rows tell; returns how many still differed."""
    if not units:
        return 0
    # What stands is read again under lock: somebody may have mended it meanwhile.
    locked = Apartment.objects.select_for_update().in_bulk([unit.pk for unit in units])
    changed = []
    for unit in units:
        row = locked[unit.pk]
        unit.stands = {name: getattr(row, name) for name in unit.stands}
        if changes := unit.changes:
            before = {name: unit.stands[name] for name in changes}
            changed.append((unit, {"before": before, "after": changes}))
            for name, value in changes.items():
                setattr(row, name, value)
    Apartment.objects.bulk_update(
        [locked[unit.pk] for unit, _facts in changed],
        ["floor", "name", "occupancy"],
        batch_size=500,
    )
    _record_units(origin, blocks, Action.APARTMENT_CHANGED, changed)
    return len(changed)


def _record_units(
    origin: Origin,
    blocks: dict[int, Block],
    action: Action,
    lines: Iterable[tuple[_Unit, dict[str, Any]]],
) -> None:
    """An entry for each unit, with the facts given: `after`, or `before` and `after`."""
    labels = {pk: str(block) for pk, block in blocks.items()}
    columns = ["target_id", "target_label", "apartment_id", "apartment_label"]
    columns += ["block_id", "block_label"]
    rows = []
    told: list[str] = []
    for unit, facts in lines:
        told, label, block = list(facts), unit.label, unit.key.block_id
        rows.append((unit.pk, label, unit.pk, label, block, labels[block], *facts.values()))
    columns += told
    record_each(entry(origin=origin, action=action, target=Apartment()), columns, rows)


def _move_in(
    origin: Origin, blocks: dict[int, Block], arrivals: Iterable[tuple[User, _Unit]]
) -> int:
    """Start a resident's membership for each arrival; returns how many."""
    coming = {(user.pk, unit.pk): (user, unit) for user, unit in arrivals}
    if not coming:
        return 0
    like = Membership(role=Role.RESIDENT, status=Status.ACTIVE, started_at=timezone.now())
    insert_like(
        like,
        ("user_id", "block_id", "apartment_id"),
        [(user.pk, unit.key.block_id, unit.pk) for user, unit in coming.values()],
    )
    started = Membership.objects.current().filter(
        user__in={user_id for user_id, _unit_id in coming},
        apartment__in={unit_id for _user_id, unit_id in coming},
    )
    ids = {(each.user_id, each.apartment_id): each.pk for each in started}
    after = {"role": Role.RESIDENT, "status": Status.ACTIVE}
    columns = ["target_id", "target_label", "person_id", "person_label", "block_id", "block_label"]
    columns += ["apartment_id", "apartment_label", "after"]
    rows = []
    for key, (user, unit) in coming.items():
        like.user = user
        block = blocks[unit.key.block_id]
        rows.append(
            (ids[key], str(like), user.pk, str(user), block.pk, str(block))
            + (unit.pk, unit.label, after)
        )
    record_each(entry(origin=origin, action=Action.MEMBERSHIP_STARTED, target=like), columns, rows)
    return len(coming)
