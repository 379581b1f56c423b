import io
import json
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from audit.models import Entry
from buildings.models import Apartment, Block, Building, Membership, Role
from contacts.models import Claim, Status, User
from tests.program import ended


def demo(**options):
    """Run the command; its report."""
    out = io.StringIO()
    with override_settings(DEBUG=True):
        call_command("demo", stdout=out, stderr=io.StringIO(), json=True, **options)
    return json.loads(out.getvalue())


def test_the_demo_community_is_that_of_the_readme():
    people = User.objects.order_by("pk").values_list("pk", "email", "phone", "is_superuser")
    assert list(people)[:3] == [
        (1, "admin@example.org", None, True),
        (2, "manager@example.org", "01000000001", False),
        (3, "resident@example.org", "01000000002", False),
    ]
    assert all(user.check_password("omarty-demo") for user in User.objects.filter(pk__in=[1, 8]))
    assert list(Apartment.objects.filter(block=1).order_by("pk").values_list("pk", "number")) == [
        (number, number) for number in range(1, 11)
    ]
    standing = Block.objects.order_by("pk").values_list("status", flat=True)
    assert list(standing) == [Status.ACTIVE, Status.ACTIVE, Status.PENDING, Status.BANNED]
    where = ["user__email", "block", "apartment", "role", "status"]
    assert list(Membership.objects.order_by("pk").values_list(*where))[3:5] == [
        ("pending@example.org", 1, 3, Role.RESIDENT, Status.PENDING),
        ("banned@example.org", 1, 3, Role.RESIDENT, Status.BANNED),
    ]


def test_it_is_made_once(new_entries):
    assert demo() == {"made": False, "large_made": False}
    assert not new_entries()


def test_it_is_refused_unless_debug(new_entries):
    with pytest.raises(CommandError, match="only where DEBUG is true") as refused:
        call_command("demo", units=5, stdout=io.StringIO(), stderr=io.StringIO())
    assert refused.value.returncode == 1 and not new_entries()


def test_it_is_refused_where_another_community_lives(new_entries):
    User.objects.filter(pk=1).update(email="somebody@example.org")
    with pytest.raises(CommandError, match="holds a community already"):
        demo(units=5)
    assert not new_entries()


def test_a_large_community_beside_it(new_entries):
    assert demo(units=250, people=300, entries=120)["large_made"] is True
    building = Building.objects.get(name_en="City of a Million Units")
    blocks = building.blocks.order_by("pk")
    assert [block.apartments.count() for block in blocks] == [100, 100, 50]
    people = User.objects.filter(pk__gt=8)
    assert people.count() == 300 and not any(user.has_usable_password() for user in people[:9])
    assert Claim.objects.filter(user__in=people).count() == 300 + 150
    residents = Membership.objects.filter(block__in=blocks, role=Role.RESIDENT)
    assert residents.count() == 300 and residents.filter(apartment=None).count() == 0
    managers = Membership.objects.filter(block__in=blocks, role=Role.MANAGER)
    assert sorted(managers.values_list("block", flat=True)) == [block.pk for block in blocks]
    names = set(people.values_list("name", flat=True))
    assert any(name.isascii() for name in names) and any("ا" in name for name in names)
    # Each unit, person, membership and block, and the building, has an entry, besides the history.
    assert len(new_entries()) == 250 + 300 + 303 + 3 + 1 + 120
    history = Entry.objects.filter(channel="api", action__startswith="user.", at__year__lt=2026)
    assert history.count() == 120
    assert demo(units=250) == {"made": False, "large_made": False}


def test_people_without_units(new_entries):
    demo(people=10, entries=3)
    assert User.objects.count() == 18 and len(new_entries()) == 1 + 10 + 3


def test_a_dry_run_writes_nothing(new_entries):
    assert demo(units=10, people=10, entries=10, dry_run=True)["large_made"] is True
    assert not new_entries() and Building.objects.count() == 1


def test_the_same_every_time_in_an_empty_database(tmp_path):
    dumps = []
    for name in ("one", "other"):
        environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/{name}.sqlite3"}
        for arguments in (
            ["migrate", "-v0"],
            ["demo", "--units", "120", "--people", "90", "--entries", "30"],
            ["export_units", str(tmp_path / f"{name}.csv"), "--full"],
        ):
            command = [sys.executable, "manage.py", *arguments]
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
        dumps.append((tmp_path / f"{name}.csv").read_text())
    assert dumps[0] == dumps[1] and dumps[0].count("\n") > 140


@pytest.mark.parametrize("number", ["-1", "many", "1e6"])
def test_a_number_that_is_none(number):
    with pytest.raises(CommandError, match="is not a whole number"):
        call_command("demo", f"--units={number}")


@pytest.mark.parametrize("numbers", [(), ("--units", "300", "--people", "200", "--entries", "500")])
def test_of_two_at_once_one_makes_it_and_the_other_says_so(program, numbers):
    both = [program.start_piped("demo", "--json", *numbers) for _ in range(2)]
    done = [ended(process) for process in both]
    reports = [json.loads(each.stdout) for each in done]
    assert [each.returncode for each in done] == [0, 0]
    assert sorted(report["made"] for report in reports) == [False, True]
    assert sum(report["large_made"] for report in reports) == bool(numbers)


@pytest.mark.parametrize("migrated", [(), ("contacts",), ("audit", "0001"), ("buildings", "0001")])
def test_where_migrations_are_missing_it_says_so(unmigrated, migrated):
    if migrated:
        unmigrated.succeed("migrate", "-v0", *migrated)
    for numbers in ((), ("--units", "5")):
        done = unmigrated.run("demo", *numbers)
        assert done.returncode == 1 and not done.stdout
        assert "migrations are missing: run `manage.py migrate` first." in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("export_units", "{}/units.csv"),
        ("export_people", "{}/people.csv"),
        ("export_audit", "{}/audit.csv"),
        ("import_units", "{}/units.csv"),
        ("grant", "1", "manager", "--block", "1"),
        ("revoke", "1", "manager", "--block", "1"),
        ("person_export", "1", "--to", "{}"),
        ("person_erase", "1", "--reason", "asked"),
        ("createsuperuser", "--noinput", "--login", "boss@example.org"),
        ("check_data",),
        ("audit_seal",),
        ("audit_verify",),
        ("audit_archive", "--before", "2020-01-01"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_so_does_every_other_command(unmigrated, tmp_path, arguments):
    unmigrated.environment["DJANGO_SUPERUSER_PASSWORD"] = "palm-gardens-9"
    (tmp_path / "units.csv").write_text("block,number\n1,1\n")
    done = unmigrated.run(*(each.format(tmp_path) for each in arguments))
    assert done.returncode == 1
    assert "migrations are missing: run `manage.py migrate` first." in done.stderr
