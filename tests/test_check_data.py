import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit.models import Action, Entry, Seal
from audit.operations import Origin, record
from buildings.models import Apartment, Block, Membership
from contacts.models import Claim, SecondaryEmail, SecondaryPhone
from tests.conftest import person
from tests.proof import Log, sql


@pytest.fixture(autouse=True)
def log(tmp_path, settings):
    """The demo's log, sealed."""
    log = Log(tmp_path)
    settings.AUDIT_SEAL_FILE = log.file
    log.seal()
    return log


def check() -> dict[str, Any]:
    """The command's JSON report, with its exit code as `exit`."""
    out, code = io.StringIO(), 0
    try:
        call_command("check_data", "--json", stdout=out, stderr=io.StringIO())
    except CommandError as error:
        code = error.returncode
    return {**json.loads(out.getvalue()), "exit": code}


def warned(rule: str) -> list[tuple[str, str]]:
    """(what, page) of each warning by this rule, where nothing is broken."""
    report = check()
    assert (report["exit"], report["broken"]) == (0, [])
    return [(each["what"], each["page"]) for each in report["warnings"] if each["rule"] == rule]


def broken() -> list[tuple[str, str, str]]:
    """(rule, what, page) of each broken row; the exit code agrees."""
    report = check()
    assert report["exit"] == bool(report["broken"])
    return [(each["rule"], each["what"], each["page"]) for each in report["broken"]]


def test_the_demo_obeys_every_rule():
    report = check()
    assert (report["exit"], report["broken"]) == (0, [])
    assert {each["rule"] for each in report["warnings"]} <= {"time zones"}


def test_it_writes_nothing(new_entries):
    check()
    assert new_entries() == []


# --- Contacts ------------------------------------------------------------------------------------


def test_a_primary_without_its_claim(log):
    resident = person("resident")
    Claim.objects.filter(user=resident, kind="phone").delete()
    page = f"/admin/contacts/user/{resident.pk}/change/"
    assert broken() == [
        ("contacts", f"Person {resident.pk}: the phone has no claim of its own.", page)
    ]


def test_a_primary_that_another_person_holds():
    resident, outsider = person("resident"), person("outsider")
    Claim.objects.filter(user=resident, kind="email").update(user=outsider)
    assert [what for _, what, _ in broken()] == [
        f"Person {resident.pk}: the email has no claim of its own.",
        f"Person {outsider.pk}: a claim on an e-mail stands for no contact.",
    ]


def test_a_primary_that_is_only_a_secondary():
    neighbour = person("neighbour")
    second = SecondaryEmail.objects.filter(user=neighbour).earliest("pk")
    sql("UPDATE contacts_user SET email = %s WHERE id = %s", second.typed, neighbour.pk)
    assert [what for _, what, _ in broken()] == [
        f"Person {neighbour.pk}: the email has no claim of its own.",
        f"Person {neighbour.pk}: a claim on an e-mail stands for no contact.",
    ]


def test_a_primary_that_is_none():
    resident = person("resident")
    sql("UPDATE contacts_user SET phone = 'call me' WHERE id = %s", resident.pk)
    assert [what for _, what, _ in broken()] == [
        f"Person {resident.pk}: the phone is not one.",
        f"Person {resident.pk}: a claim on a phone stands for no contact.",
    ]


def test_a_secondary_that_says_something_else_than_its_claim():
    phone = SecondaryPhone.objects.earliest("pk")
    SecondaryPhone.objects.filter(pk=phone.pk).update(typed="01155555555")
    assert [what for _, what, _ in broken()] == [
        f"Person {phone.user_id}: secondary phone {phone.pk} has a claim on another phone than it says."
    ]


def test_a_secondary_of_another_kind_than_its_claim():
    email = SecondaryEmail.objects.earliest("pk")
    Claim.objects.filter(pk=email.claim_id).update(kind="phone")
    assert [what for _, what, _ in broken()] == [
        f"Person {email.user_id}: secondary email {email.pk} has a claim on a phone."
    ]


def test_a_claim_without_a_contact():
    resident = person("resident")
    Claim.objects.create(user=resident, kind="email", value="nobody@example.org")
    assert [what for _, what, _ in broken()] == [
        f"Person {resident.pk}: a claim on an e-mail stands for no contact."
    ]


# --- Buildings -----------------------------------------------------------------------------------


@contextmanager
def unchecked(undo: str, *values: Any) -> Iterator[None]:
    """Break a rule that the database itself enforces; `undo` repairs it."""
    if connection.vendor == "mysql":
        sql("SET foreign_key_checks = 0")
    yield
    sql(undo, *values)
    if connection.vendor == "mysql":
        sql("SET foreign_key_checks = 1")


def test_a_membership_whose_unit_is_elsewhere():
    row = Membership.objects.get(user=person("resident"))
    with unchecked("UPDATE buildings_membership SET apartment_id = 2 WHERE id = %s", row.pk):
        sql("UPDATE buildings_membership SET apartment_id = 12 WHERE id = %s", row.pk)
        assert broken() == [
            (
                "units in their blocks",
                f"Membership {row.pk} is in block 1, its unit 12 is not.",
                f"/admin/buildings/membership/{row.pk}/change/",
            )
        ]


@pytest.mark.parametrize("how", ["ended", "pending", "cashier", "banned"])
def test_a_block_without_an_active_manager(how):
    rows = Membership.objects.filter(user=person("neighbour"))
    match how:
        case "ended":
            rows.update(ended_at=timezone.now())
        case "pending":
            rows.update(status="pending")
        case "cashier":
            rows.update(role="cashier")
        case "banned":
            sql("UPDATE contacts_user SET status = 'banned' WHERE id = %s", person("neighbour").pk)
    page = "/admin/buildings/block/2/change/"
    assert ("Block 2 (2) has no active manager.", page) in warned("managers")


def test_a_banned_block_needs_no_manager():
    Membership.objects.filter(block_id=4).delete()
    assert warned("managers") == []


def test_an_occupied_unit_without_members():
    Apartment.objects.filter(pk=5).update(occupancy="lived_in")
    page = "/admin/buildings/apartment/5/change/"
    what = "Unit 5 (5) of block 1 is occupied, and nobody belongs to it."
    assert warned("occupancy") == [(what, page)]
    Apartment.objects.filter(pk=5).update(closed_at=timezone.now())
    assert warned("occupancy") == []


def test_a_row_that_names_what_does_not_exist():
    with unchecked("UPDATE buildings_block SET building_id = 1 WHERE id = 2"):
        sql("UPDATE buildings_block SET building_id = 99 WHERE id = 2")
        what = "Block 2 names building 99, which does not exist."
        assert broken() == [("references", what, "/admin/buildings/block/2/change/")]


def test_entries_may_name_what_does_not_exist(log):
    log.write(3)
    sql("UPDATE audit_entry SET person_id = 4711, block_id = 4711")
    assert broken() == []


def test_every_broken_row_is_reported_however_many(monkeypatch):
    monkeypatch.setattr("omarty.integrity.BATCH", 3)
    Apartment.objects.filter(block_id=2).exclude(pk=11).update(occupancy="lived_in")
    Claim.objects.exclude(pk__in=SecondaryEmail.objects.values("claim")).filter(
        secondaryphone__isnull=True
    ).delete()
    report = check()
    assert len([each for each in report["warnings"] if each["rule"] == "occupancy"]) == 9
    assert len([each for each in report["broken"] if each["rule"] == "contacts"]) == 15


# --- The audit log, the server, the shell ---------------------------------------------------------


def test_a_seal_file_that_is_another_one(log):
    log.file.write_text("")
    assert broken()[0][0] == "seals"
    log.file.write_text("nonsense\n")
    assert broken()[0][0] == "seals"


def test_a_database_put_back_by_one_seal(log):
    record(origin=Origin.of_command("work"), action=Action.EXPORTED)
    log.seal()
    last = Seal.objects.order_by("-number")[0]
    sql("DELETE FROM audit_seal WHERE number = %s", last.number)
    assert check()["exit"] == 0
    sql("DELETE FROM audit_entry WHERE id >= %s", last.first_id)
    rule, what, _ = broken()[0]
    assert rule == "seals" and f"the database with seal {last.number - 1}" in what


def test_a_log_that_is_not_sealed_is_warned_of(log):
    sql("DELETE FROM audit_seal")
    log.file.unlink()
    assert Entry.objects.exists()
    assert "seals" in [each["rule"] for each in check()["warnings"]]


@pytest.mark.skipif(connection.vendor != "mysql", reason="of MariaDB and MySQL")
def test_a_table_that_cannot_hold_every_text(commits):
    sql("ALTER TABLE buildings_block MODIFY name varchar(128) CHARACTER SET latin1 NOT NULL")
    try:
        assert "character sets" in [each["rule"] for each in check()["warnings"]]
    finally:
        sql("ALTER TABLE buildings_block MODIFY name varchar(128) CHARACTER SET utf8mb4 NOT NULL")


@pytest.mark.skipif(connection.vendor != "mysql", reason="of MariaDB and MySQL")
def test_time_zones_that_are_not_loaded_are_warned_of():
    warned_of = "time zones" in [each["rule"] for each in check()["warnings"]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM mysql.time_zone_name WHERE name = 'Africa/Cairo'")
        assert warned_of == (cursor.fetchone()[0] == 0)


def test_it_reports_in_words_too(capsys):
    Block.objects.filter(pk=1).update(name="برج")
    Membership.objects.filter(block_id=1, role="manager").update(status="pending")
    Claim.objects.filter(user=person("resident"), kind="phone").delete()
    with pytest.raises(CommandError) as refused:
        call_command("check_data", "--no-progress")
    shown = capsys.readouterr()
    assert "Warning (managers): Block 1 (1 برج) has no active manager. /admin/" in shown.out
    assert "Broken (contacts): Person 3: the phone has no claim of its own. /admin/" in shown.out
    assert refused.value.returncode == 1
    assert re.fullmatch(r"1 problem, \d warnings, 8 rules\.", str(refused.value))
    assert "8 rules" not in shown.out
    assert "Checked: 16 of 16" in shown.err


def test_nothing_broken_is_reported_once(capsys):
    call_command("check_data", "--no-progress")
    shown = capsys.readouterr()
    assert shown.out.count("Nothing is broken, ") == 1 and "rules" not in shown.err
