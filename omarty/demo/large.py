"""A large invented community to try and measure Omarty with; the same every time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.bulk import Advance
from audit.models import Action, Channel
from audit.operations import Origin, entry, record_each
from buildings.membership_operations import start_membership
from buildings.models import Block, Building, Membership, Occupancy, Role
from buildings.operations import register_block, register_building
from buildings.unit_import.columns import NO_CONTACT
from buildings.unit_import.rows import UnitRow, details_of
from buildings.unit_import.save import save_units
from contacts.bulk import newcomer, register_people
from contacts.models import User

# The name by which an existing community is recognised.
NAME_AR, NAME_EN = "مدينة المليون وحدة", "City of a Million Units"
UNITS_PER_FLOOR, UNITS_PER_BLOCK = 4, 100
# Units written at a time: whole blocks.
ROWS = 20 * UNITS_PER_BLOCK
# The invented history covers these two years.
FIRST_DAY, DAYS = datetime(2024, 1, 1, tzinfo=UTC), 730
# How many people appear in it.
CAST = 1000

FIRST_NAMES: tuple[str, ...] = (
    "أحمد",
    "Mona",
    "فاطمة",
    "Karim",
    "سارة",
    "Youssef",
    "محمود",
    "Nadia",
    "هدى",
)
FIRST_NAMES += ("Tarek", "عمر", "Salma", "ليلى", "Hassan", "منى", "Dina", "خالد", "Laila")
LAST_NAMES = {
    True: ("السيد", "عبد الرحمن", "حسن", "المصري", "الشربيني", "إبراهيم", "فؤاد", "النجار"),
    False: ("Hassan", "El-Sayed", "Mansour", "Farouk", "Naguib", "Ibrahim", "Shenouda", "Fahmy"),
}


def large_community_exists() -> bool:
    """Whether the large community has been made."""
    return Building.objects.filter(name_en=NAME_EN).exists()


def make_large_community(
    *, origin: Origin, units: int, people: int, entries: int, advance: Advance
) -> None:
    """Make this many units, people who live in them (one manager per block), and history entries.

    Without units, the people have no memberships. Each unit, person and membership has an entry too.
    """
    building = register_building(
        origin=origin, name_ar=NAME_AR, name_en=NAME_EN, country="Egypt", city="Cairo"
    )
    for first in range(0, units, ROWS):
        _populate(origin, building, range(first, min(first + ROWS, units)), units, people)
        advance(min(ROWS, units - first) + len(range(first, people, units)))
    for first in range(0, 0 if units else people, ROWS):
        _register(origin, range(first, min(first + ROWS, people)))
        advance(min(ROWS, people - first))
    _invent_history(entries, advance)


def _populate(origin: Origin, building: Building, places: range, units: int, people: int) -> None:
    """Register units, numbered from 0 over all blocks, with their blocks and the people in them."""
    blocks = {
        first: register_block(
            origin=origin,
            building=building,
            number=str(first // UNITS_PER_BLOCK + 1),
            name=f"برج {first // UNITS_PER_BLOCK + 1}",
            floors=UNITS_PER_BLOCK // UNITS_PER_FLOOR,
            units_planned=UNITS_PER_BLOCK,
        )
        for first in places[::UNITS_PER_BLOCK]
    }
    rows: list[UnitRow] = []
    for place in places:
        block = blocks[place - place % UNITS_PER_BLOCK]
        rows += _rows(block, place, range(place, people, units))
    save_units(origin=origin, rows=rows)
    _appoint(origin, list(blocks.values()))


def _rows(block: Block, place: int, residents: range) -> Iterator[UnitRow]:
    number = place % UNITS_PER_BLOCK + 1
    kinds = (Occupancy.VACANT, Occupancy.UNOCCUPIED, Occupancy.BEING_FINISHED)
    occupancy = Occupancy.OCCUPIED if residents else kinds[place % len(kinds)]
    name = ("", f"شقة {number}", f"Flat {number}")[place % 3]
    floor = (number - 1) // UNITS_PER_FLOOR
    details = details_of({"floor": floor, "name": name, "occupancy": occupancy.value})
    for person in residents or [None]:
        yield UnitRow(place, block.pk, None, number, *_person(person), details=details)


def _person(number: int | None) -> tuple[str, str, str, str, str]:
    """Name, phone and e-mail (as typed and canonical) of the person of this number."""
    if number is None:
        return ("", *NO_CONTACT, *NO_CONTACT)
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    middle, last = number // len(FIRST_NAMES), number // (8 * len(FIRST_NAMES))
    family = LAST_NAMES[first > "z"]
    name = f"{first} {family[middle % 8]} {family[last % 8]}"
    email = f"person{number}@example.org" if number % 2 else ""
    return name, f"015{number:08d}", f"+2015{number:08d}", email, email


def _register(origin: Origin, numbers: range) -> None:
    people = []
    for number in numbers:
        name, *contacts = _person(number)
        email = (contacts[2], contacts[3]) if contacts[2] else None
        people.append(newcomer(name=name, phone=(contacts[0], contacts[1]), email=email))
    register_people(origin=origin, people=people)


def _appoint(origin: Origin, blocks: Sequence[Block]) -> None:
    """Make the first resident of each block's unit 1 its manager."""
    residents = Membership.objects.filter(block__in=blocks, apartment__number=1)
    first: dict[int, Membership] = {}
    for each in residents.select_related("user", "block", "apartment").order_by("pk"):
        first.setdefault(each.block_id, each)
    for each in first.values():
        start_membership(
            origin=origin,
            user=each.user,
            block=each.block,
            apartment=each.apartment,
            role=Role.MANAGER,
        )


def _invent_history(entries: int, advance: Advance) -> None:
    """Write entries for sign-ins and sign-outs of some of the people, spread over two years."""
    cast = list(Membership.objects.order_by("-pk").select_related("user", "block")[:CAST])
    origin = Origin(channel=Channel.API, ip="192.0.2.1")
    like = entry(origin=origin, action=Action.SIGNED_IN, target=User(pk=0))
    columns = ["at", "action", "actor_id", "actor_label", "target_id", "target_label"]
    columns += ["person_id", "person_label", "block_id", "block_label"]
    record_each(like, columns, _entry_values(entries, cast, advance))


def _entry_values(
    entries: int, cast: Sequence[Membership], advance: Advance
) -> Iterator[tuple[Any, ...]]:
    actions = (Action.SIGNED_IN.value, Action.SESSION_RENEWED.value, Action.SIGNED_OUT.value)
    who_and_where = [_who_and_where(membership) for membership in cast] or [(None, "") * 4]
    for number in range(entries):
        at = FIRST_DAY + timedelta(days=DAYS) * (number / entries)
        yield (at, actions[number % 3], *who_and_where[number * 7 % len(who_and_where)])
        if (number + 1) % ROWS == 0 or number + 1 == entries:
            advance(number % ROWS + 1)


def _who_and_where(membership: Membership) -> tuple[Any, ...]:
    """Ids and labels of actor, target and person, who are the same, and of their block."""
    who = (membership.user_id, str(membership.user))
    return (*who, *who, *who, membership.block_id, str(membership.block))
