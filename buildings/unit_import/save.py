"""Saving many units and their residents at once, a batch of some thousand rows of a table at a time.

The same rows and entries come of it as of the operations for one, at a fraction of the statements.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.bulk import insert_like
from audit.models import Action
from audit.operations import Named, Origin, entry, record_each
from buildings.models import Apartment, Block, Membership, Occupancy, Role
from buildings.permissions import EVERYTHING, Blocks
from buildings.unit_changes import write_units
from buildings.unit_import.columns import COLUMNS, DETAILS, FIELDS, as_line
from buildings.unit_import.names import unit_key
from buildings.unit_import.numbers import changes_number, without_number
from buildings.unit_import.residents import Residents
from buildings.unit_import.rows import Effect, RowProblem, Unit, UnitKey, UnitRow
from contacts.bulk import add_contacts, register_people
from contacts.models import Status, User

# Of so many numbers in a row, at least one is asked for.
DENSE = 4
# Of units that something is told of, so many rows are named.
MOST_ROWS_TOLD = 10
# The details that the entry of a new unit mentions only where there is a value.
_RARE = {column.field for column in COLUMNS if column.rare}


@dataclass
class Outcome:
    """What was done: numbers of units, people and memberships; the units that rows reported, each with
    its effect; and the rows that were left out.
    """

    created: int = 0
    updated: int = 0
    left: int = 0
    people: int = 0
    memberships: int = 0
    # Further contacts of newcomers and of registered people.
    contacts: int = 0
    # Units that were registered without a number, and need one.
    unnumbered: int = 0
    # The same of units without a floor, and the first rows of the first of them.
    floorless: int = 0
    floorless_rows: list[int] = field(default_factory=list)
    # Contacts that rows were refused for, because whoever imports may not know of them.
    refused_contacts: int = 0
    # The ids of the people who were registered.
    newcomers: set[int] = field(default_factory=set)
    units: list[Unit] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        names = ("created", "updated", "left", "people", "memberships", "contacts", "unnumbered")
        return {name: getattr(self, name) for name in names}

    def add(self, other: "Outcome") -> None:
        """Count the other in; its units and problems are not taken over."""
        for name, count in other.counts.items():
            setattr(self, name, getattr(self, name) + count)
        self.floorless += other.floorless
        self.floorless_rows = (self.floorless_rows + other.floorless_rows)[:MOST_ROWS_TOLD]


@transaction.atomic
def save_units(
    *,
    origin: Origin,
    rows: Iterable[UnitRow],
    within: Blocks = EVERYTHING.changes,
    registers: bool = True,
) -> Outcome:
    """Create, change or leave the units that the rows report, and move their residents in.

    Rows of one unit must come in one call; a block that is not `within` counts as none at all. Without
    `registers` a unit that its block does not have is a problem, too. What a row does not report stays
    as it is; registered people get further contacts, and stay as they are otherwise. A row with a
    problem is left out whole, the others are saved. Raises IntegrityError if somebody else takes a
    number or a contact meanwhile.
    """
    outcome = Outcome()
    blocks, units = _units(rows, within, outcome.problems)
    if not registers:
        outcome.problems += _unknown_units(units)
    people = _residents(units, outcome, asking=origin.actor, within=within)
    outcome.units = [unit for unit in units if unit.rows]
    created = [unit for unit in outcome.units if unit.pk is None]
    changed = [unit for unit in outcome.units if unit.pk is not None and unit.changes]
    _create(origin, blocks, created)
    outcome.updated = _change(origin, blocks, changed)
    register_people(origin=origin, people=people.newcomers)
    additions = people.additions(blocks)
    add_contacts(origin=origin, additions=additions)
    outcome.memberships = _move_in(origin, blocks, people.arrivals())
    outcome.contacts = len(additions)
    outcome.unnumbered = sum(unit.key.number is None for unit in created)
    floorless = [unit.rows[0].row for unit in created if unit.reported["floor"] is None]
    outcome.floorless, outcome.floorless_rows = len(floorless), floorless[:MOST_ROWS_TOLD]
    outcome.created, outcome.people = len(created), len(people.newcomers)
    outcome.newcomers = {each.user.pk for each in people.newcomers}
    outcome.left = len(outcome.units) - outcome.created - outcome.updated
    return outcome


def _units(
    rows: Iterable[UnitRow], within: Blocks, problems: list[RowProblem]
) -> tuple[dict[int, Block], list[Unit]]:
    """The blocks and units of the rows; rows without a block are moved to `problems`."""
    grouped: dict[UnitKey, list[UnitRow]] = defaultdict(list)
    for row in rows:
        grouped[row.unit].append(row)
    named = {key.block_id for key in grouped}
    blocks = within.only(Block.objects.all(), "pk").in_bulk(named)
    units = []
    for key, group in grouped.items():
        if key.block_id in blocks:
            units.append(_merged(key, group, problems))
        else:
            problems += [
                RowProblem(row.row, "block id", _("is not a registered block")) for row in group
            ]
    _look_up(units)
    problems += _look_up_by_name([unit for unit in units if unit.key.name])
    seen: set[int] = set()
    for unit in units:
        problems += _identity_problems(unit, seen)
    return blocks, units


def _residents(
    units: Sequence[Unit], outcome: Outcome, *, asking: Named | None, within: Blocks
) -> Residents:
    """Who lives in the units whose rows can be saved; the others are left without rows.

    A row that its resident lets fall changes no number, so numbers are looked at after the residents. Nobody
    comes with a unit that does not get its number: the residents are found once more then, and where others
    fall for that, no unit of the table gets another number. Rows with a contact of which nothing may be told
    stay refused for that, whatever becomes of the others.
    """
    whole = [unit.rows for unit in units]
    problems: list[RowProblem] = []
    people = Residents(units, problems, asking=asking, within=within)
    outcome.refused_contacts = people.refused_contacts
    strangers = people.refused
    for all_of_them in (False, True):
        _report_the_rest(units, whole)
        taken = set(map(id, without_number(units)))
        if not taken:
            break
        if not all_of_them:
            outcome.problems += strangers.values()
        for index, unit in enumerate(units):
            unit.rows = [row for row in whole[index] if row.row not in strangers]
            _report(unit)
            if id(unit) in taken or (all_of_them and changes_number(unit)):
                outcome.problems += _leave_out(unit, "number", _why_not_moved(id(unit) in taken))
        whole, problems = [unit.rows for unit in units], []
        people = Residents(units, problems, asking=asking, within=within)
    _report_the_rest(units, whole)
    outcome.problems += problems
    return people


def _why_not_moved(taken: bool) -> str:
    if taken:
        return _("is the number of another unit of the block")
    return _("changes its number together with rows that are wrong: correct them first")


def _report_the_rest(units: Sequence[Unit], whole: Sequence[list[UnitRow]]) -> None:
    """Let the units of which rows fell report what the others say."""
    for unit, rows in zip(units, whole, strict=True):
        if len(unit.rows) < len(rows):
            _report(unit)


def _report(unit: Unit) -> None:
    """Let the unit's remaining rows, if there are any, alone say what is reported of it."""
    if not unit.rows:
        return
    called = {}
    if unit.key.name:
        # A registered unit keeps the spelling of its name, a new one has that of its first row.
        called["name"] = unit.reported["name"] if unit.pk else unit.rows[0].fields["name"]
    unit.reported = {}
    for row in unit.rows:
        unit.reported |= row.fields
    unit.reported |= called


def _merged(key: UnitKey, rows: list[UnitRow], problems: list[RowProblem]) -> Unit:
    """One unit of all its rows; a row that contradicts an earlier one is a problem."""
    reported: dict[str, Any] = {}
    agreeing = []
    for row in rows:
        fields = row.fields
        if key.name:
            # Another spelling of the name that the unit is called by is no contradiction.
            fields["name"] = reported.get("name", fields["name"])
        against = [name for name, value in fields.items() if reported.get(name, value) != value]
        if against:
            sentence = _("says otherwise of this unit than an earlier row")
            problems += [RowProblem(row.row, name, sentence) for name in against]
        else:
            reported |= fields
            agreeing.append(row)
    return Unit(key, agreeing, reported)


def _look_up(units: Sequence[Unit]) -> None:
    """Give each registered unit its id and what the database has stored of it."""
    by_key = {unit.key: unit for unit in units}
    wanted: dict[int, list[int]] = defaultdict(list)
    for key in by_key:
        if key.number is not None:
            wanted[key.block_id].append(key.number)
    condition = Q(pk__in=[key.unit_id for key in by_key if key.unit_id is not None])
    for block_id, numbers in wanted.items():
        condition |= Q(block_id=block_id, **_among(numbers))
    found = Apartment.objects.filter(condition).values_list("pk", "block_id", "closed_at", *FIELDS)
    for pk, block_id, closed_at, *values in found:
        stored = dict(zip(FIELDS, values, strict=True))
        for key in (UnitKey(block_id, stored["number"], None), UnitKey(block_id, None, pk)):
            if unit := by_key.get(key):
                unit.pk, unit.retired, unit.stored = pk, closed_at is not None, stored


def _look_up_by_name(units: Sequence[Unit]) -> list[RowProblem]:
    """As `_look_up()`, for units that are called by a name; the problems of names that several have.

    One that was given a number since is still known by its name, and a retired one where no other has it.
    """
    if not units:
        return []
    blocks = {unit.key.block_id for unit in units}
    named = Apartment.objects.filter(block__in=blocks).exclude(name="")
    found: dict[UnitKey, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    retired: dict[UnitKey, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for pk, block_id, closed_at, *values in named.values_list(
        "pk", "block_id", "closed_at", *FIELDS
    ):
        stored = dict(zip(FIELDS, values, strict=True))
        key = UnitKey(block_id, None, None, unit_key(stored["name"]))
        (found if closed_at is None else retired)[key].append((pk, stored))
    problems = []
    for unit in units:
        those = found[unit.key]
        if len(those) > 1:
            sentence = _("is the name of several units of the block: write their numbers or ids")
            problems += _leave_out(unit, "number", sentence)
        unit.retired = not those and unit.key in retired
        for pk, stored in those[:1]:
            unit.pk, unit.stored = pk, stored
            # Another spelling of the name is no other name.
            unit.reported["name"] = as_line(stored["name"])
    return problems


def _unknown_units(units: Iterable[Unit]) -> list[RowProblem]:
    """Leaves out the units that would be new, of a table that registers none."""
    problems = []
    for unit in units:
        if unit.rows and unit.pk is None:
            sentence = _(
                "%(unit)s is no unit of this block: to register new units, add a column of floors"
            ) % {"unit": unit.called}
            problems += _leave_out(unit, "number", sentence)
    return problems


def _among(numbers: list[int]) -> dict[str, Any]:
    """The condition for these numbers: as a range, which is read faster, where it holds few others."""
    lowest, highest = min(numbers), max(numbers)
    if highest - lowest < DENSE * len(numbers):
        return {"number__range": (lowest, highest)}
    return {"number__in": numbers}


def _identity_problems(unit: Unit, seen: set[int]) -> list[RowProblem]:
    """Why none of the unit's rows can be saved; empties them then. `seen` are the ids met so far."""
    column = "number" if unit.key.unit_id is None else "unit id"
    if unit.retired:
        return _leave_out(unit, column, _("is a retired unit; reinstate it first"))
    if unit.pk is None:
        gone = unit.key.unit_id is not None
        return _leave_out(unit, column, _("is no unit of this block")) if gone else []
    if unit.pk in seen:
        return _leave_out(unit, column, _("is named twice, by its id and by its number"))
    seen.add(unit.pk)
    return []


def _leave_out(unit: Unit, column: str, sentence: str) -> list[RowProblem]:
    rows, unit.rows = unit.rows, []
    return [RowProblem(row.row, column, sentence) for row in rows]


def _create(origin: Origin, blocks: dict[int, Block], units: Sequence[Unit]) -> None:
    """Register the units; each has its id then. Raises IntegrityError if a number is taken meanwhile."""
    if not units:
        return
    like = Apartment()
    blank = {name: getattr(like, name) for name in DETAILS}
    for unit in units:
        occupied = any(row.has_resident for row in unit.rows)
        fallback = Occupancy.OCCUPIED if occupied else Occupancy.VACANT
        unit.reported = blank | {"occupancy": fallback.value} | unit.reported
        unit.effect = Effect.NEW
    ids = insert_like(
        like,
        ("block_id", "number", *DETAILS),
        [(unit.key.block_id, unit.key.number, *unit.reported.values()) for unit in units],
    )
    for unit, pk in zip(units, ids, strict=False):
        unit.pk = pk
    if not ids:
        _look_up(units)
        _look_up_by_name([unit for unit in units if unit.key.name])
    facts = (
        (unit, {"after": {"number": unit.key.number} | _mentioned(unit.reported)}) for unit in units
    )
    _record_units(origin, blocks, Action.APARTMENT_REGISTERED, facts)


def _mentioned(details: dict[str, Any]) -> dict[str, Any]:
    """What the entry of a new unit says of its details."""
    return {name: value for name, value in details.items() if value or name not in _RARE}


def _change(origin: Origin, blocks: dict[int, Block], units: Sequence[Unit]) -> int:
    """Give the units what the rows report; returns how many still differed."""
    if not units:
        return 0
    # What is stored is read again under lock: somebody may have changed it meanwhile.
    locked = Apartment.objects.select_for_update().in_bulk([unit.pk for unit in units])
    changed = []
    for unit in units:
        row = locked[unit.pk]
        unit.stored = {name: getattr(row, name) for name in unit.stored}
        if changes := unit.changes:
            unit.effect = Effect.CHANGED
            before = {name: unit.stored[name] for name in changes}
            changed.append((unit, {"before": before, "after": changes}))
            for name, value in changes.items():
                setattr(row, name, value)
    moving = [locked[unit.pk].pk for unit, facts in changed if "number" in facts["after"]]
    rows = [locked[unit.pk] for unit, _facts in changed]
    write_units(rows, FIELDS if moving else DETAILS, moving=moving)
    _record_units(origin, blocks, Action.APARTMENT_CHANGED, changed)
    return len(changed)


def _record_units(
    origin: Origin,
    blocks: dict[int, Block],
    action: Action,
    changed: Iterable[tuple[Unit, dict[str, Any]]],
) -> None:
    """An entry for each unit, with the facts given: `after`, or `before` and `after`."""
    labels = {pk: str(block) for pk, block in blocks.items()}
    columns = ["target_id", "target_label", "apartment_id", "apartment_label"]
    columns += ["block_id", "block_label"]
    rows = []
    facts: dict[str, Any] = {}
    for unit, facts in changed:
        label, block = unit.label, unit.key.block_id
        rows.append((unit.pk, label, unit.pk, label, block, labels[block], *facts.values()))
    # All have the same ones.
    columns += facts
    record_each(entry(origin=origin, action=action, target=Apartment()), columns, rows)


def _move_in(
    origin: Origin, blocks: dict[int, Block], arrivals: Iterable[tuple[User, Unit]]
) -> int:
    """Start a resident's membership for each arrival; returns how many."""
    coming = {(user.pk, unit.pk): (user, unit) for user, unit in arrivals}
    if not coming:
        return 0
    like = Membership(
        user=User(pk=0), role=Role.RESIDENT, status=Status.ACTIVE, started_at=timezone.now()
    )
    ids = insert_like(
        like,
        ("user_id", "block_id", "apartment_id"),
        [(user_id, unit.key.block_id, unit_id) for (user_id, unit_id), (_, unit) in coming.items()],
    )
    labels = {pk: str(block) for pk, block in blocks.items()}
    rows = []
    for pk, (user, unit) in zip(ids or _started(coming), coming.values(), strict=True):
        name, block = str(user), unit.key.block_id
        who, where = (user.pk, name), (unit.pk, unit.label)
        # Labelled as `start_membership()` labels it: by the person's name, in no language.
        rows.append((pk, name, *who, block, labels[block], *where))
    columns = ["target_id", "target_label", "person_id", "person_label", "block_id", "block_label"]
    columns += ["apartment_id", "apartment_label"]
    after = {"role": Role.RESIDENT, "status": Status.ACTIVE}
    started = entry(origin=origin, action=Action.MEMBERSHIP_STARTED, target=like, after=after)
    record_each(started, columns, rows)
    return len(coming)


def _started(coming: Collection[tuple[int, int | None]]) -> list[int]:
    """The ids of the memberships of these people in these units, in the same order."""
    started = Membership.objects.current().filter(
        user__in={user_id for user_id, _unit_id in coming},
        apartment__in={unit_id for _user_id, unit_id in coming},
    )
    ids = {(each.user_id, each.apartment_id): each.pk for each in started}
    return [ids[key] for key in coming]
