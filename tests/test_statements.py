"""How many SQL statements a call makes, beside the transaction's own (design.md, Bars)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from buildings.models import Apartment, Membership, Role
from contacts.models import Claim, Kind, SecondaryPhone, Status

TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET ")


@pytest.fixture
def statements():
    """Called with a function, it gives the statements that the function's call made."""

    def statements(call):
        with CaptureQueriesContext(connection) as captured:
            answer = call()
        assert "data" in answer, answer
        sql = [query["sql"] for query in captured]
        return [each for each in sql if not each.upper().startswith(TRANSACTION)]

    return statements


@pytest.fixture
def crowded():
    """Block 1 with a thousand more units, a person with many memberships and contacts beside."""
    Apartment.objects.bulk_create(
        [Apartment(block_id=1, number=number, floor=1) for number in range(1000, 2000)]
    )


def crowd_of(person):
    """This person in ten more units of block 1, with ten contacts more."""
    for unit in range(1, 11):
        Membership.objects.create(
            user=person, block_id=1, apartment_id=unit, role=Role.VENDOR, status=Status.ACTIVE
        )
    for number in range(10):
        claim = Claim.objects.create(user=person, kind=Kind.PHONE, value=f"+20112233440{number}")
        SecondaryPhone.objects.create(user=person, claim=claim, typed=claim.value)


def test_create_apartment_makes_3(manager, statements):
    made = statements(lambda: manager.create(floorNum=1, aptNum=101, blockId=1, apartmentId=1))
    assert len(made) <= 3, made


def test_create_apartment_makes_3_in_a_crowd(manager, statements, crowded):
    crowd_of(manager.person)
    made = statements(lambda: manager.create(floorNum=1, aptNum=101, blockId=1, apartmentId=1))
    assert len(made) <= 3, made


@pytest.mark.parametrize("contact", [{"email": "a@example.org"}, {"phoneNumber": "01122334455"}])
def test_add_contact_makes_5(resident, statements, contact):
    made = statements(lambda: resident.add(blockId=1, apartmentId=2, **contact))
    assert len(made) <= 5, made


@pytest.mark.parametrize("contact", [{"email": "a@example.org"}, {"phoneNumber": "01122334455"}])
def test_add_contact_makes_5_in_a_crowd(resident, statements, crowded, contact):
    crowd_of(resident.person)
    made = statements(lambda: resident.add(blockId=1, apartmentId=2, **contact))
    assert len(made) <= 5, made
