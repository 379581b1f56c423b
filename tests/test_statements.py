"""How many SQL statements a call makes, beside the transaction's own (design.md, Bars)."""

from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import Action, Channel, Entry
from audit.operations import Origin, entry
from audit.statements import Select, insert
from buildings.models import Apartment, Membership, Role
from contacts.models import Claim, Kind, SecondaryPhone, Status, User

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


# --- SQL that is made once (audit/statements.py) ---------------------------------------------------


def test_each_statement_is_that_of_its_query_set(manager):
    """With numbers given, SQL and parameters are what Django makes of the same query set."""
    assert manager.create(floorNum=1, aptNum=101, blockId=1)["status"] == 200
    assert len(Select.every) >= 4
    with transaction.atomic():
        for select in Select.every:
            given = tuple(range(2, 2 + select.rows.__code__.co_argcount))
            rows = select.rows(*given)
            with CaptureQueriesContext(connection) as captured:
                found = list(rows)
                made = select(*given)
            assert captured[0]["sql"] == captured[1]["sql"]
            assert len(made) == len(found)


def test_a_column_that_django_converts_is_refused():
    with pytest.raises(TypeError, match="conversion"):
        Select(tuple, lambda pk: Entry.objects.filter(pk=pk).values_list("request_id", "at"))(1)
    Select.every.pop()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Apartment(block_id=1, number=701, floor=-1, name="B’s “Ünit”"),
        lambda: Claim(user_id=3, kind=Kind.PHONE, value="+201122334455"),
        lambda: entry(
            origin=Origin(
                channel=Channel.API,
                actor=User.objects.get(pk=3),
                ip="2001:db8::1",
                longitude=Decimal("31.2357116"),
                latitude=Decimal("-30"),
            ),
            action=Action.APARTMENT_REGISTERED,
            target=Apartment.objects.get(pk=2),
            after={"number": 1, "ملاحظة": None},
        ),
    ],
)
def test_a_row_is_inserted_as_django_saves_it(make):
    ours, theirs = make(), make()
    for field in theirs._meta.concrete_fields:
        setattr(theirs, field.attname, getattr(ours, field.attname))
    with transaction.atomic():
        insert(ours)
        rows = type(ours)._default_manager.filter(pk=ours.pk)
        first = rows.values().get()
        transaction.set_rollback(True)
    with transaction.atomic():
        theirs.save(force_insert=True)
        second = type(ours)._default_manager.filter(pk=theirs.pk).values().get()
        transaction.set_rollback(True)
    pk = ours._meta.pk.attname
    assert {**first, pk: 0} == {**second, pk: 0}
    assert ours.pk and not ours._state.adding
