import gzip
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.core.management import CommandError, call_command

from audit import seals
from audit.models import Action, Channel, Entry
from audit.operations import Origin, record
from buildings.membership_operations import start_membership
from buildings.models import Apartment, Block, Membership, Role
from contacts.contact_operations import Contact, add_contact, change_contact
from contacts.models import Claim, Kind, SecondaryEmail, SecondaryPhone, Status, User
from contacts.operations import PersonErased, change_status, correct_name
from tests.backoffice import Desk
from tests.conftest import person
from tests.proof import Log, sql

REASON = "asked for it"


class Erasing(Log):
    def erase(self, who: Any, *arguments: Any, reason: str = REASON) -> dict[str, Any]:
        return self.run("person_erase", who, f"--reason={reason}", *arguments)


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(seals, "SEAL_ENTRIES", 10)
    return Erasing(tmp_path)


@pytest.fixture
def resident_known(app, client):
    """The resident, with traces of every kind."""
    resident = person("resident")
    rami = app("resident")
    rami.add(blockId=1, apartmentId=2, email="Rami.Second@example.org")
    rami.add(blockId=1, apartmentId=2, phoneNumber="0100 000 0099")
    client.post("/omartyapis/Auth/Login/", {"email": "01000000002", "password": "wrong"})
    client.post("/omartyapis/Auth/Login/", {"email": "01000000002", "password": "omarty-demo"})
    record(
        origin=Origin(
            channel=Channel.BACK_OFFICE,
            actor=person("manager"),
            ip="192.0.2.7",
            reason="Rami Resident did not pay",
        ),
        action=Action.STATUS_CHANGED,
        target=resident,
        person=resident,
        before={"status": "active"},
    )
    LogEntry.objects.create(
        user=person("admin"),
        content_type=ContentType.objects.get_for_model(resident),
        object_id=str(resident.pk),
        object_repr=str(resident),
        action_flag=CHANGE,
        change_message="Changed phone 01000000002",
    )
    return resident


WORDS = ("rami", "resident@", "1000000002", "1000000099")


def everything() -> str:
    """All data in the database, as text."""
    rows = [row for model in apps.get_models() for row in model._default_manager.all()]
    return str(serializers.serialize("json", rows, ensure_ascii=False)).casefold()


def test_nothing_of_the_person_remains_and_the_proof_holds(log, resident_known):
    log.seal()
    assert any(word in everything() for word in WORDS)
    report = log.erase("resident@example.org")
    assert (report["exit"], report["erased"], report["contacts"]) == (0, True, 4)
    assert report["memberships"] == 1
    remaining = everything()
    assert [word for word in WORDS if word in remaining] == []
    verdict = log.verify()
    assert (verdict["whole"], verdict["faults"]) == (True, [])
    assert verdict["erased_parts"] > report["entries"] / 2
    log.seal()
    assert log.verify()["whole"]


def test_a_former_name_is_erased_too(log):
    correct_name(
        origin=Origin(channel=Channel.BACK_OFFICE, actor=person("manager")),
        user=person("partner"),
        name="Rosa Partner",
    )
    log.seal()
    former = Entry.objects.get(action=Action.NAME_CORRECTED)
    assert former.before == {"name": "Parisa Partner"}
    assert log.erase("partner@example.org")["exit"] == 0
    former.refresh_from_db()
    assert (former.before, former.after) == (None, None)
    assert [word for word in ("parisa", "rosa") if word in everything()] == []
    assert log.verify()["whole"]
    log.seal()
    assert log.verify()["whole"]


def test_the_row_stays_as_a_number(log, resident_known):
    log.erase("resident@example.org")
    resident_known.refresh_from_db()
    assert str(resident_known) == f"#{resident_known.pk}"
    assert (resident_known.email, resident_known.phone) == (None, None)
    assert resident_known.status == Status.BANNED
    assert not resident_known.has_usable_password()
    assert not Claim.objects.filter(user=resident_known).exists()
    assert not SecondaryEmail.objects.filter(user=resident_known).exists()
    assert not SecondaryPhone.objects.filter(user=resident_known).exists()
    membership = Membership.objects.get(user=resident_known)
    assert membership.ended_at is not None


def test_an_erased_person_cannot_sign_in_any_more(log, app, client):
    rami = app("resident")
    log.erase("01000000002")
    for name in ("resident@example.org", "01000000002"):
        answer = client.post(
            "/omartyapis/Auth/Login/", {"email": name, "password": "omarty-demo"}
        ).json()
        assert answer == {"status": 401, "message": "Wrong email or password."}
    assert rami.add(blockId=1, apartmentId=2, email="new@example.org")["status"] in (401, 403)


def test_the_erasure_leaves_its_entry(log, resident_known, new_entries):
    log.erase(resident_known.pk)
    *_, entry = new_entries()
    assert (entry.action, entry.person_id) == (Action.USER_ERASED, resident_known.pk)
    assert (entry.person_label, entry.reason) == (f"#{resident_known.pk}", REASON)
    assert entry.actor_label.startswith("person_erase (")
    named = {
        number
        for ranges in entry.after.values()
        for first, last in ranges
        for number in range(first, last + 1)
    }
    emptied = Entry.objects.filter(person_id=resident_known.pk).exclude(pk=entry.pk)
    assert named >= set(emptied.values_list("pk", flat=True))
    assert set(emptied.values_list("person_label", flat=True)) == {f"#{resident_known.pk}"}


def test_what_does_not_concern_the_person_stays(log, resident_known):
    erased_id = resident_known.pk
    others = [
        entry for entry in Entry.objects.all() if erased_id not in (entry.actor_id, entry.person_id)
    ]
    log.erase(resident_known.pk)
    after = {entry.pk: vars(entry) for entry in Entry.objects.all()}
    known_by_name = [entry for entry in others if entry.actor_label != "+201000000002"]
    assert len(others) - len(known_by_name) == 1
    for entry in known_by_name:
        assert {**after[entry.pk], "_state": None} == {**vars(entry), "_state": None}
    about_person = Entry.objects.get(action=Action.STATUS_CHANGED)
    assert (about_person.actor_label, about_person.ip) == ("Mona Manager", "192.0.2.7")
    assert (about_person.reason, about_person.before) == ("", None)
    assert person("partner").name == "Parisa Partner"


def test_what_a_manager_did_stays_readable(log, manager):
    """The manager's name goes; the unit that they registered, and its values, stay."""
    start_membership(
        origin=Origin(channel=Channel.COMMAND),
        user=person("partner"),
        block=Apartment.objects.get(pk=1).block,
        role=Role.MANAGER,
    )
    Membership.objects.filter(user=manager.person, block__in=(3, 4)).delete()
    manager.create(floorNum=1, aptNum=101, blockId=1, longitude="31.1", latitude="30.1")
    log.seal()
    assert log.erase("manager@example.org")["exit"] == 0
    entry = Entry.objects.filter(action=Action.APARTMENT_REGISTERED).latest("pk")
    assert (entry.actor_label, entry.actor_id) == (f"#{manager.person.pk}", manager.person.pk)
    assert (entry.ip, entry.longitude, entry.latitude) == (None, None, None)
    assert (entry.target_label, entry.after) == ("101", {"number": 101, "floor": 1})
    assert log.verify()["whole"]


def test_a_second_run_changes_nothing(log, resident_known):
    log.erase(resident_known.pk)
    before = everything()
    report = log.erase(resident_known.pk)
    assert (report["exit"], report["erased"]) == (0, False)
    assert everything() == before


def test_a_dry_run_reports_the_same_and_changes_nothing(log, resident_known):
    log.seal()
    archive(log)
    before, files = everything(), contents(log)
    newest = Entry.objects.latest("pk").pk
    dry = log.erase(resident_known.pk, "--dry-run")
    assert (everything(), contents(log)) == (before, files)
    real = log.erase(resident_known.pk)
    # MariaDB does not assign an id again that was rolled back.
    expected, found = (
        [ids for ids in report.pop("entry_ids") if ids[0] <= newest] for report in (dry, real)
    )
    assert expected == found != []
    assert dry | {"erased": True} == real | {"dry_run": True}


def contents(log: Log) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in log.archives.iterdir()}


# --- Refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["nobody@example.org", "01055555555", "99", "-1", "", "9" * 5000])
def test_an_unknown_person_is_refused(log, who, new_entries):
    report = log.erase(who)
    assert (report["exit"], new_entries()) == (1, [])
    assert report["error"].startswith("Nobody has the e-mail, phone or id")


@pytest.mark.parametrize("number", [0, -1, 1, 10**6, 10**30])
def test_an_entry_that_does_not_hold_the_name_is_refused(log, number, new_entries):
    before = everything()
    report = log.erase("resident@example.org", f"--entry={number}")
    assert report["exit"] == 2
    assert report["error"].startswith(
        f"--entry {number}: no entry that holds their name or contact"
    )
    assert everything() == before


def test_the_last_manager_of_a_block_stays(log):
    before = everything()
    report = log.erase("manager@example.org")
    assert report["exit"] == 1
    sentence = "Block {} would be left without a manager: appoint another one first."
    assert report["error"] == " ".join(map(sentence.format, (1, 3, 4)))
    assert everything() == before
    assert log.erase("manager@example.org", "--dry-run")["exit"] == 1


def test_the_last_superuser_stays(log):
    before = everything()
    report = log.erase("admin@example.org")
    assert report["exit"] == 1
    assert report["error"] == "This is the last superuser: make another one first."
    assert everything() == before
    assert log.erase("admin@example.org", "--dry-run")["exit"] == 1


def test_a_suspended_superuser_does_not_count(log):
    User.objects.create_user(email="second@example.org", is_superuser=True, status=Status.BANNED)
    assert log.erase("admin@example.org")["exit"] == 1
    # They themselves may be erased: the other one remains.
    assert log.erase("second@example.org")["exit"] == 0


def test_a_superuser_is_erased_where_there_is_another(log):
    User.objects.create_user(email="second@example.org", is_superuser=True)
    assert log.erase("admin@example.org")["exit"] == 0
    assert list(User.objects.filter(is_superuser=True).values_list("email", flat=True)) == [
        "second@example.org"
    ]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_reason_is_required(log, reason, new_entries):
    assert log.erase("resident@example.org", reason=reason)["exit"] == 2
    assert new_entries() == []


# --- What only names and texts show --------------------------------------------------------------------


def test_a_namesake_is_reported_and_not_erased(log, resident_known):
    entry = record(
        origin=Origin(
            channel=Channel.COMMAND, actor_label="test", reason="Rami Resident wanted it"
        ),
        action=Action.BLOCK_REGISTERED,
    )
    report = log.erase(resident_known.pk, "--dry-run")
    assert report["namesakes"] == [entry.pk]
    log.erase(resident_known.pk, f"--entry={entry.pk}")
    entry.refresh_from_db()
    assert entry.reason == ""
    log.seal()
    assert log.verify()["whole"]


def test_of_a_named_entry_the_parts_with_the_name_are_erased(log, resident_known):
    manager = person("manager")
    entry = record(
        origin=Origin(
            channel=Channel.BACK_OFFICE,
            actor=manager,
            ip="192.0.2.7",
            reason="Rami Resident wanted it",
        ),
        action=Action.BLOCK_REGISTERED,
    )
    report = log.erase(resident_known.pk, f"--entry={entry.pk}")
    assert report["namesakes"] == []
    assert any(first <= entry.pk <= last for first, last in report["entry_ids"])
    entry.refresh_from_db()
    assert (entry.reason, entry.ip, entry.actor_label) == ("", "192.0.2.7", "Mona Manager")


def test_after_the_erasure_the_name_must_be_given(log, resident_known):
    entry = record(
        origin=Origin(
            channel=Channel.COMMAND, actor_label="test", reason="Rami Resident wanted it"
        ),
        action=Action.BLOCK_REGISTERED,
    )
    log.seal()
    archive(log)
    assert log.erase(resident_known.pk)["namesakes"] == [entry.pk]
    assert log.erase(resident_known.pk, f"--entry={entry.pk}")["exit"] == 2
    assert log.erase(resident_known.pk, "--name=Rami Resident")["namesakes"] == [entry.pk]
    assert "rami" in archived_text(log)
    report = log.erase(resident_known.pk, "--name=Rami Resident", f"--entry={entry.pk}")
    assert (report["exit"], report["entry_ids"]) == (0, [[entry.pk, entry.pk]])
    assert "rami" not in archived_text(log)
    log.seal()
    assert log.verify()["whole"]


def test_a_longer_address_is_another_persons(log, resident_known):
    origin = Origin(channel=Channel.COMMAND, actor_label="test")
    add_contact(
        origin=origin,
        user=person("partner"),
        kind=Kind.EMAIL,
        typed="the.resident@example.org",
    )
    log.erase(resident_known.pk)
    entry = Entry.objects.filter(action=Action.CONTACT_ADDED, person_id=person("partner").pk).get()
    assert entry.after == {"email": "the.resident@example.org"}


def test_a_note_that_mentions_the_person_is_reported_with_its_page(log, resident_known):
    Apartment.objects.filter(pk=5).update(note="call Resident@Example.org")
    report = log.erase(resident_known.pk)
    assert report["mentions"] == [
        {"what": "unit 5", "page": "/admin/buildings/apartment/5/change/"}
    ]


# --- Tampering under cover of an erasure ---------------------------------------------------------


@pytest.fixture
def erased_log(log, resident_known):
    log.seal()
    log.erase(resident_known.pk)
    log.seal()
    assert log.verify()["whole"]
    return log


def erased_entry() -> int:
    return Entry.objects.filter(person_label="#3", actor_label="#3").earliest("pk").pk


@pytest.mark.parametrize("column", ["actor_label", "person_label", "reason", "ip", "longitude"])
def test_what_is_written_into_an_erased_part_is_found(erased_log, column):
    target = erased_entry()
    sql(f"UPDATE audit_entry SET {column} = '1' WHERE id = %s", target)  # noqa: S608
    verdict = erased_log.verify()
    assert (verdict["first"], verdict["exit"]) == (target, 1)
    assert verdict["faults"][0]["what"] == "written into after it was erased"


def test_an_erasure_whose_record_is_gone_is_found(erased_log):
    record = Entry.objects.get(action=Action.USER_ERASED)
    sql("DELETE FROM audit_entry WHERE id = %s", record.pk)
    whats = {fault["what"] for fault in erased_log.verify()["faults"]}
    assert whats == {"missing", "erased, and no entry records it"}


def test_another_commitment_is_found(erased_log):
    target = erased_entry()
    sql("UPDATE audit_entry SET subject_proof = %s WHERE id = %s", "0" * 64, target)
    assert erased_log.verify()["first"] == target


# --- Archives, and a kill between database and archives ------------------------------------------


def archive(log: Log) -> None:
    assert log.run("audit_archive", "--before=2999-01-01")["exit"] == 0


def archived_text(log: Log) -> str:
    paths = sorted(log.archives.iterdir())
    return "".join(gzip.open(path, "rt").read() for path in paths).casefold()


def test_archives_are_erased_too(log, resident_known):
    log.seal()
    archive(log)
    assert "rami" in archived_text(log)
    report = log.erase(resident_known.pk)
    assert report["archives"] == [path.name for path in sorted(log.archives.iterdir())]
    assert [word for word in WORDS if word in archived_text(log)] == []
    assert log.verify()["whole"]
    log.seal()
    archive(log)
    assert log.verify()["whole"]
    before = contents(log)
    assert log.erase(resident_known.pk)["erased"] is False
    assert contents(log) == before


@pytest.mark.parametrize("next_command", ["audit_seal", "person_erase"])
def test_killed_before_the_archives_were_exchanged(log, resident_known, next_command):
    log.seal()
    archive(log)
    (path,) = log.archives.iterdir()
    old = path.read_bytes()
    log.erase(resident_known.pk)
    request = Entry.objects.get(action=Action.USER_ERASED).request_id
    # The state between the end of the transaction and the exchange.
    path.rename(path.with_name(f"{path.name}.{request}.erasing"))
    path.write_bytes(old)
    if next_command == "audit_seal":
        log.seal()
    else:
        log.erase(resident_known.pk)
    assert list(log.archives.iterdir()) == [path]
    assert "rami" not in archived_text(log)
    assert log.verify()["whole"]


def test_an_erasure_that_was_rolled_back_leaves_the_archives(log, resident_known):
    log.seal()
    archive(log)
    (path,) = log.archives.iterdir()
    prepared = path.with_name(f"{path.name}.{Origin(channel=Channel.COMMAND).request_id}.erasing")
    prepared.write_bytes(b"whatever")
    path.with_name(prepared.name + ".part").write_bytes(b"half of it")
    log.seal()
    assert list(log.archives.iterdir()) == [path]
    assert log.verify()["whole"]


# --- Afterwards ----------------------------------------------------------------------------------


@pytest.fixture
def erased(log):
    """The former resident."""
    user = person("resident")
    log.erase(user.pk)
    user.refresh_from_db()
    assert user.erased_at is not None
    return user


def test_nobody_finds_an_erased_person_to_move_them_in(erased):
    for name in ("manager", "admin"):
        desk = Desk(name)
        field = {"app_label": "buildings", "model_name": "membership", "field_name": "user"}
        found = desk.page("autocomplete/", **field, term="").json()["results"]
        assert str(erased.pk) not in [each["id"] for each in found]
        assert erased.pk not in desk.rows("contacts/user/")
        sent = {"person": erased.pk, "role": "manager"}
        form = desk.send("buildings/apartment/2/move-in/", **sent).context["form"]
        assert "person" in form.errors
    assert not Membership.objects.current().filter(user=erased).exists()


def test_an_erased_person_gets_no_contact(erased):
    desk = Desk("admin")
    typed = {"kind": "email", "typed": "new@example.org", "reason": ""}
    assert desk.page(f"contacts/user/{erased.pk}/add-contact/").status_code == 403
    assert desk.post(f"/admin/contacts/user/{erased.pk}/add-contact/", typed).status_code == 403
    page = desk.text(f"contacts/user/{erased.pk}/change/")
    assert "add-contact" not in page
    origin = Origin.of_command("test")
    with pytest.raises(PersonErased, match=r"This person was anonymised\."):
        add_contact(origin=origin, user=erased, kind=Kind.EMAIL, typed="new@example.org")
    with pytest.raises(PersonErased):
        primary = Contact(erased, Kind.EMAIL)
        change_contact(origin=origin, contact=primary, typed="new@example.org")
    assert not Claim.objects.filter(user=erased).exists()


def test_an_erased_person_gets_no_role_and_no_status(erased):
    with pytest.raises(CommandError, match="was anonymised"):
        call_command("grant", str(erased.pk), "resident", "--block=1")
    origin = Origin.of_command("test")
    with pytest.raises(PersonErased):
        start_membership(origin=origin, user=erased, block=Block.objects.get(pk=1))
    with pytest.raises(PersonErased):
        change_status(origin=origin, user=erased, status=Status.ACTIVE)
