"""`manage.py demo`, as design.md lists it."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.models import Channel, Entry
from buildings.models import Apartment, Block, Building, Membership
from contacts.models import SecondaryEmail, SecondaryPhone, User

PEOPLE = [
    ("admin@example.org", None),
    ("manager@example.org", "01000000001"),
    ("resident@example.org", "01000000002"),
    ("partner@example.org", "01000000003"),
    ("pending@example.org", "01000000004"),
    ("banned@example.org", "01000000005"),
    ("outsider@example.org", "01000000006"),
    ("neighbour@example.org", "01000000007"),
]


def demo():
    out = io.StringIO()
    call_command("demo", stdout=out)
    return out.getvalue()


def test_the_people_are_there_and_sign_in():
    found = list(User.objects.order_by("pk").values_list("pk", "email", "phone"))
    assert found == [(pk, *each) for pk, each in enumerate(PEOPLE, start=1)]
    for user in User.objects.all():
        assert user.check_password("omarty-demo")
        assert user.status == "active"
    assert list(User.objects.filter(is_superuser=True).values_list("pk", flat=True)) == [1]


def test_the_blocks_and_units_are_there():
    [building] = Building.objects.all()
    assert building.name_ar
    assert building.name_en
    found = list(Block.objects.order_by("pk").values_list("pk", "number", "status"))
    assert found == [
        (1, "1", "active"),
        (2, "2", "active"),
        (3, "3", "pending"),
        (4, "4", "banned"),
    ]
    units = list(Apartment.objects.order_by("pk").values_list("pk", "number", "block_id"))
    blocks = [1] * 10 + [2] * 10 + [3, 4]
    assert units == [(pk, pk, block) for pk, block in enumerate(blocks, start=1)]


def test_the_memberships_are_there():
    fields = ("user__email", "block_id", "apartment_id", "role", "status")
    assert set(Membership.objects.current().values_list(*fields)) == {
        ("manager@example.org", 1, 1, "manager", "active"),
        ("resident@example.org", 1, 2, "resident", "active"),
        ("partner@example.org", 1, 2, "resident", "active"),
        ("pending@example.org", 1, 3, "resident", "pending"),
        ("banned@example.org", 1, 3, "resident", "banned"),
        ("neighbour@example.org", 2, 11, "manager", "active"),
        ("manager@example.org", 3, 21, "manager", "active"),
        ("manager@example.org", 4, 22, "manager", "active"),
    }


def test_only_the_neighbour_holds_secondary_contacts():
    for model in (SecondaryEmail, SecondaryPhone):
        assert set(model.objects.values_list("user__email", flat=True)) == {"neighbour@example.org"}


def test_every_write_of_the_demo_is_audited():
    made = 8 + 1 + 4 + 22 + 8 + 4
    entries = Entry.objects.filter(channel=Channel.COMMAND)
    assert entries.count() == made
    assert entries.values("request_id").distinct().count() == 1
    assert entries.earliest("pk").actor_label.startswith("demo (")


def test_a_second_run_changes_nothing(settings, nothing_changed, new_entries):
    settings.DEBUG = True
    assert "nothing was changed" in demo()
    assert nothing_changed()
    assert new_entries() == []


def test_it_is_refused_where_debug_is_off(settings, nothing_changed):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="only where DEBUG is true"):
        demo()
    assert nothing_changed()


def test_it_is_refused_in_a_database_that_somebody_uses(settings, nothing_changed):
    settings.DEBUG = True
    with connection.cursor() as cursor:
        cursor.execute("UPDATE contacts_user SET email = 'someone@example.org' WHERE id = 1")
    with pytest.raises(CommandError, match="needs an empty one"):
        demo()
