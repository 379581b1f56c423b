"""The demo community of the README, with the same people, blocks and ids every time."""

from django.db import transaction

from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Block, Occupancy, Role
from buildings.operations import register_apartment, register_block, register_building
from contacts.contact_operations import add_contact
from contacts.models import Kind, Message, Purpose, Status, User
from contacts.operations import register_user

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


@transaction.atomic
def make_demo(origin: Origin) -> None:
    """Make the community of the README's table."""
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
    # Nobody is told of what is invented.
    Message.objects.filter(purpose=Purpose.REQUESTS).delete()
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
    occupied = {unit for _, _, unit, _, status in MEMBERSHIPS if status == Status.ACTIVE}
    blocks = {}
    for block_id, (number, status, units) in enumerate(BLOCKS, start=1):
        blocks[block_id] = block = register_block(
            origin=origin, building=building, id=block_id, number=number, status=status
        )
        for index, unit in enumerate(units):
            register_apartment(
                origin=origin,
                block=block,
                id=unit,
                number=unit,
                floor=index // UNITS_PER_FLOOR,
                occupancy=Occupancy.OCCUPIED if unit in occupied else Occupancy.VACANT,
            )
    return blocks
