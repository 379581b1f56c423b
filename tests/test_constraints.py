"""What the database itself refuses, whoever writes: on SQLite and MariaDB alike."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from audit.models import Action, Channel, Entry
from audit.operations import Origin, record
from buildings.models import Apartment, Block, Membership
from contacts.models import Claim, Kind, SecondaryPhone, User
from tests.conftest import person


@pytest.fixture
def database_refuses():
    """Runs a write that must fail in the database, at the latest when it is committed."""

    def database_refuses(write):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()
            connection.check_constraints()

    return database_refuses


def test_a_phone_has_one_holder(database_refuses):
    database_refuses(
        lambda: Claim.objects.create(user=person("partner"), kind=Kind.PHONE, value="+201000000002")
    )


def test_a_secondary_contact_has_a_claim_of_its_holder(database_refuses):
    claim = Claim.objects.create(user=person("partner"), kind=Kind.PHONE, value="+201122334455")
    database_refuses(
        lambda: SecondaryPhone.objects.create(user=person("resident"), claim=claim, typed="x")
    )


def test_a_units_number_is_unique_in_its_block(database_refuses):
    database_refuses(lambda: Apartment.objects.create(block_id=1, number=1))


def test_units_without_a_number_may_be_many():
    Apartment.objects.create(block_id=1)
    Apartment.objects.create(block_id=1)
    assert Apartment.objects.filter(block_id=1, number=None).count() == 2


def test_a_memberships_unit_lies_in_its_block(database_refuses):
    user = person("outsider")
    database_refuses(lambda: Membership.objects.create(user=user, block_id=2, apartment_id=1))
    database_refuses(lambda: Membership.objects.filter(apartment_id=2).update(apartment_id=11))
    database_refuses(lambda: Membership.objects.filter(apartment_id=2).update(block_id=2))
    database_refuses(lambda: Apartment.objects.filter(pk=2).update(block_id=2))


def test_a_form_shows_a_sentence():
    with pytest.raises(ValidationError, match="The unit is not in this block."):
        Membership(user=person("outsider"), block_id=2, apartment_id=1).full_clean()
    Membership(user=person("outsider"), block_id=1, apartment_id=1).full_clean()
    Membership(user=person("outsider"), block_id=1).full_clean()


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (User, {"status": "odd"}),
        (Block, {"status": "odd"}),
        (Membership, {"status": "odd"}),
        (Membership, {"role": "odd"}),
        (Membership, {"ended_at": timezone.now() - timedelta(days=9)}),
        (Claim, {"kind": "odd"}),
        (Apartment, {"occupancy": "odd"}),
        (Apartment, {"floor": 201}),
        (Apartment, {"floor": -21}),
    ],
)
def test_odd_values_are_refused(database_refuses, model, change):
    database_refuses(lambda: model.objects.filter(pk=1).update(**change))


@pytest.mark.parametrize("number", [0, -1, 1_000_000])
def test_odd_numbers_are_refused(database_refuses, number):
    database_refuses(lambda: Apartment.objects.filter(pk=1).update(number=number))


def test_what_has_a_history_cannot_be_deleted(nothing_changed):
    for thing in (Apartment.objects.get(pk=1), Block.objects.get(pk=1), person("resident")):
        with pytest.raises(ProtectedError):
            thing.delete()
    assert nothing_changed()


def test_entries_are_never_changed_or_deleted():
    entry = record(origin=Origin.of_command("test"), action=Action.SIGNED_IN)
    entry.reason = "another"
    for change in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.update(reason="another"),
    ):
        with pytest.raises(TypeError, match="Audit entries are never"):
            change()
    assert Entry.objects.get(pk=entry.pk).reason == ""
    assert entry.channel == Channel.COMMAND


def test_arabic_and_emoji_are_stored():
    unit = Apartment.objects.create(block_id=1, name="شقة 🏠")
    assert Apartment.objects.get(pk=unit.pk).name == "شقة 🏠"


def test_every_table_takes_every_script():
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
                " AND table_collation NOT LIKE 'utf8mb4%%'"
                # Django creates it before the first migration; it holds no text of ours.
                " AND table_name <> 'django_migrations'"
            )
            assert cursor.fetchall() == ()
