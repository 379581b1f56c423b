"""A list asks the database a fixed number of times, whatever its tables hold."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Action
from audit.operations import Origin, entry, record_all
from buildings.models import Apartment, Block, Building, Membership
from contacts.models import Claim, Kind, Message, User
from omarty.legacy.models import QuarantinedRow, QuarantineReason
from tests.backoffice import Desk, fields_of

MOST = 12
OF_MANAGERS = (
    "buildings/apartment/",
    "buildings/membership/",
    "contacts/user/",
    "buildings/block/",
    "audit/entry/",
)
FIRST = 5_000


def fill(count: int, start: int) -> None:
    """So many more people of block 1, each with a unit and a phone, and as many blocks."""
    numbers = range(start, start + count)
    people = User.objects.bulk_create(
        User(id=FIRST + n, name=f"Person {n}", phone=f"0101{n:07}", phone_hidden=n % 2 == 0)
        for n in numbers
    )
    Claim.objects.bulk_create(
        Claim(user=person, kind=Kind.PHONE, value=f"+2{person.phone}") for person in people
    )
    units = Apartment.objects.bulk_create(
        Apartment(id=FIRST + n, block_id=1, number=FIRST + n, floor=n % 20) for n in numbers
    )
    Membership.objects.bulk_create(
        Membership(
            user=person, block_id=1, apartment=unit, status="pending" if unit.pk % 3 else "active"
        )
        for person, unit in zip(people, units, strict=True)
    )
    record_all(
        entry(
            origin=Origin.of_command("test"),
            action=Action.APARTMENT_REGISTERED,
            target=unit,
            block=unit.block,
        )
        for unit in units
    )
    QuarantinedRow.objects.bulk_create(
        QuarantinedRow(table="Apartment", key=str(n), reason=QuarantineReason.ID_TAKEN, source={})
        for n in numbers
    )
    buildings = Building.objects.bulk_create(
        Building(id=FIRST + n, name_en=f"Building {n}") for n in numbers
    )
    Block.objects.bulk_create(
        Block(id=FIRST + n, building=building, number=f"B{n}")
        for n, building in zip(numbers, buildings, strict=True)
    )


def statements(desk: Desk, path: str, **query: str) -> tuple[int, int]:
    """How many statements the list makes, and how many rows it shows."""
    with CaptureQueriesContext(
        connection,
    ) as asked:
        response = desk.page(path, **query)
    return len(asked), len(response.context["cl"].result_list)


def lists(name: str) -> tuple[str, ...]:
    """The address of each list that this person sees."""
    if name == "manager":
        return OF_MANAGERS
    models = (model._meta for model in admin.site._registry if model is not Message)
    return tuple(f"{each.app_label}/{each.model_name}/" for each in models)


@pytest.mark.parametrize("name", ["admin", "manager"])
def test_lists_with_100_rows_and_with_ten_times_the_rows(name):
    desk = Desk(name)
    fill(150, 0)
    small = {path: statements(desk, path) for path in lists(name)}
    fill(1_350, 150)
    large = {path: statements(desk, path) for path in lists(name)}
    assert set(OF_MANAGERS) <= set(large)
    assert small == large
    for path, (asked, shown) in large.items():
        assert asked <= MOST, path
        assert shown == (1 if name == "manager" and "block/" in path else 100), path


def test_a_full_page_of_units_is_saved_at_once():
    desk = Desk("manager")
    fill(150, 0)
    typed = fields_of(desk.page("buildings/apartment/", edit="1"))
    changed = {f"form-{row}-floor": "20" for row in range(100)}
    response = desk.post("/admin/buildings/apartment/", typed | changed | {"_save": "Save"})
    assert response.status_code == 302
    assert Apartment.objects.filter(floor=20).count() == 100


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("buildings/apartment/", {"q": "Person"}),
        ("buildings/apartment/", {"q": "01010000001"}),
        ("buildings/apartment/", {"correction": "yes"}),
        ("buildings/apartment/", {"_facets": "True"}),
        ("buildings/apartment/", {"block": "1", "floor__range__gte": "1", "occupancy__exact": "vacant"}),
        ("buildings/membership/", {"q": "Person", "status__exact": "pending", "block": "1"}),
        ("contacts/user/", {"q": "0101", "block": "1"}),
    ],
)  # fmt: skip
def test_searches_and_filters(path, query):
    desk = Desk("manager")
    fill(150, 0)
    assert statements(desk, path, **query)[0] <= MOST
