"""`manage.py demo`: an invented community for trying Omarty out, and a large one for measuring."""

from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import IntegrityError, transaction

from audit.operations import Origin
from buildings.models import Block, Building, Occupancy, Role
from buildings.operations import (
    register_apartment,
    register_block,
    register_building,
    start_membership,
)
from contacts.models import Kind, Status, User
from contacts.operations import add_contact, register_user
from omarty.commands import DataCommand, Refused
from omarty.invented import is_there, make_community

PASSWORD = "omarty-demo"  # noqa: S105

# Sign-in name before the @, phone, name. Ids are 1, 2, … in this order.
PEOPLE = (
    ("admin", None, "Adel Administrator"),
    ("manager", "01000000001", "Mona Manager"),
    ("resident", "01000000002", "Rami Resident"),
    ("partner", "01000000003", "Parisa Partner"),
    ("pending", "01000000004", "Pakinam Pending"),
    ("banned", "01000000005", "Bassem Banned"),
    ("outsider", "01000000006", "Osman Outsider"),
    ("neighbour", "01000000007", "نادية جارة"),
)

# Number, status, ids of the units; ids are 1, 2, … in this order.
BLOCKS = (
    ("1", Status.ACTIVE, range(1, 11)),
    ("2", Status.ACTIVE, range(11, 21)),
    ("3", Status.PENDING, range(21, 22)),
    ("4", Status.BANNED, range(22, 23)),
)
UNITS_PER_FLOOR = 4

# Who, block, unit, role, status.
MEMBERSHIPS = (
    ("manager", 1, 1, Role.MANAGER, Status.ACTIVE),
    ("resident", 1, 2, Role.RESIDENT, Status.ACTIVE),
    ("partner", 1, 2, Role.RESIDENT, Status.ACTIVE),
    ("pending", 1, 3, Role.RESIDENT, Status.PENDING),
    ("banned", 1, 3, Role.RESIDENT, Status.BANNED),
    ("neighbour", 2, 11, Role.MANAGER, Status.ACTIVE),
    ("manager", 3, 21, Role.MANAGER, Status.ACTIVE),
    ("manager", 4, 22, Role.MANAGER, Status.ACTIVE),
)

NEIGHBOURS_CONTACTS = (
    (Kind.EMAIL, "neighbour.second@example.org"),
    (Kind.EMAIL, "Neighbour.Work@example.org"),
    (Kind.PHONE, "01100000007"),
    (Kind.PHONE, "+20 120 000 0007"),
)


# What there can be many of, each up to so many.
LARGE = ("units", "people", "entries")
MOST = 50_000_000

TOLD_STANDS = "The demo community is there already; nothing was changed."


class Command(DataCommand):
    help = (
        "Make the demo community: 8 people (password of all: omarty-demo), one building, 4 blocks,\n"
        "22 units; and with the numbers below, beside it, a large invented one with Arabic and\n"
        "English names, whose people have no password. Both are the same every time and are made\n"
        "once: where they stand, nothing is changed. Refused unless DEBUG is true."
    )
    reads = "whether there is a community already: the demo wants a database of its own"
    writes = "both communities and their audit entries, in one transaction"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for what in LARGE:
            parser.add_argument(
                f"--{what}", type=_number, default=0, metavar="N", help=f"So many {what}."
            )

    def run(self, **options: Any) -> None:
        if not settings.DEBUG:
            raise Refused(
                "The demo's password is known to all: it is made only where DEBUG is true."
            )
        sizes = {what: options[what] for what in LARGE}
        origin = Origin.of_command("demo")
        try:
            small, large = self._make(origin, sizes)
        except IntegrityError:
            # Another run was quicker. The database had us wait for its end: now it is there.
            small, large = self._make(origin, sizes)
        told = "The demo community was made." if small else TOLD_STANDS
        if any(sizes.values()):
            told += " The large one was made." if large else " So is the large one."
        told += " (Dry run: nothing was written.)" if self.dry_run else ""
        self.report({"made": small, "large_made": large}, told)

    def _make(self, origin: Origin, sizes: dict[str, int]) -> tuple[bool, bool]:
        """Make what is not there; whether the small and the large community were made."""
        with self.kept(), transaction.atomic():
            small = self._make_small(origin)
            return small, any(sizes.values()) and self._make_large(origin, sizes)

    def _make_small(self, origin: Origin) -> bool:
        # Locked, so that of two runs at once the second one sees what the first has made.
        if User.objects.select_for_update().filter(pk=1, email="admin@example.org").first():
            return False
        if User.objects.exists() or Building.objects.exists():
            raise Refused("This database holds a community already; the demo wants an empty one.")
        make_demo(origin)
        return True

    def _make_large(self, origin: Origin, sizes: dict[str, int]) -> bool:
        if is_there():
            return False
        with self.progress("Inventing a large community", sum(sizes.values())) as advance:
            make_community(origin=origin, advance=advance, **sizes)
        return True


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 0 to {MOST}")
    return int(text)


@transaction.atomic
def make_demo(origin: Origin) -> None:
    """The community of the README's table, with the same ids every time."""
    people = _people(origin)
    blocks = _blocks(origin)
    for who, block_id, unit_id, role, status in MEMBERSHIPS:
        block = blocks[block_id]
        start_membership(
            origin=origin,
            user=people[who],
            block=block,
            apartment=block.apartments.get(pk=unit_id),
            role=role,
            status=status,
        )
    for kind, typed in NEIGHBOURS_CONTACTS:
        add_contact(origin=origin, user=people["neighbour"], kind=kind, typed=typed)


def _people(origin: Origin) -> dict[str, User]:
    return {
        name: register_user(
            origin=origin,
            id=number,
            email=f"{name}@example.org",
            phone=phone,
            name=full_name,
            password=PASSWORD,
            is_superuser=name == "admin",
        )
        for number, (name, phone, full_name) in enumerate(PEOPLE, start=1)
    }


def _blocks(origin: Origin) -> dict[int, Block]:
    building = register_building(
        origin=origin,
        id=1,
        name_ar="حدائق النخيل",
        name_en="Palm Gardens",
        country="Egypt",
        governorate="Cairo",
        city="Cairo",
        region="Maadi",
        street="Street 9",
    )
    lived_in = {unit for _, _, unit, _, status in MEMBERSHIPS if status == Status.ACTIVE}
    blocks = {}
    for block_id, (number, status, units) in enumerate(BLOCKS, start=1):
        blocks[block_id] = block = register_block(
            origin=origin, building=building, id=block_id, number=number, status=status
        )
        for place, unit in enumerate(units):
            register_apartment(
                origin=origin,
                block=block,
                id=unit,
                number=unit,
                floor=place // UNITS_PER_FLOOR,
                occupancy=Occupancy.LIVED_IN if unit in lived_in else Occupancy.VACANT,
            )
    return blocks
