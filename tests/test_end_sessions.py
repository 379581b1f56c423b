"""`end_sessions`, `revoke_superuser`, `changepassword`: what an operator does about a leaked password."""

import json
import re

import pytest

from audit.models import Entry
from contacts.models import User
from omarty.demo.small import PASSWORD, PEOPLE
from tests.conftest import person
from tests.test_grant import refusal, run


def stamps():
    return dict(User.objects.values_list("email", "session_stamp"))


def test_one_persons_sessions_end_and_nobody_elses(app, new_entries):
    manager, resident = app("manager"), app("resident")
    before = stamps()
    assert run("end_sessions", "01000000001", "--reason", " Lost phone ") == {"people": 1}
    assert [name for name, stamp in stamps().items() if before[name] != stamp] == [
        "manager@example.org"
    ]
    assert manager.create()["message"] == "Session has ended, please sign in again"
    assert resident.create()["status"] == 200
    (entry,) = new_entries()
    assert (entry.action, entry.person_id, entry.reason) == (
        "user.sessions_ended",
        person("manager").pk,
        "Lost phone",
    )


def test_everybodys_sessions_end_with_an_entry_each(new_entries):
    person("banned")
    erased = User.objects.create(erased_at=person("manager").created_at, status="banned")
    before = stamps()
    assert run("end_sessions", "--all") == {"people": len(PEOPLE)}
    now = stamps()
    assert len(set(now.values())) == len(PEOPLE) + 1
    assert [name for name in now if now[name] == before[name]] == [erased.email]
    assert {entry.person_id for entry in new_entries()} == {
        user.pk for user in User.objects.exclude(pk=erased.pk)
    }
    assert len({entry.request_id for entry in new_entries()}) == 1


def test_a_dry_run_ends_nothing(new_entries):
    before = stamps()
    assert run("end_sessions", "--all", "--dry-run")["people"] == len(PEOPLE)
    assert stamps() == before and not new_entries()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "Name either a USER or --all."),
        (("1", "--all"), 2, "Name either a USER or --all."),
        (("nobody@example.org",), 1, "Nobody has"),
        (("1", "--reason", "x" * 201), 2, "--reason must have 1 to 200 characters."),
    ],
)
def test_what_cannot_be_meant(arguments, code, says):
    found, sentence = refusal("end_sessions", *arguments)
    assert found == code and says in sentence


@pytest.mark.parametrize("command", ["end_sessions", "revoke_superuser", "person_erase"])
@pytest.mark.parametrize("reason", ["", " \t ", "x" * 201])
def test_a_reason_that_is_given_says_something(command, reason, new_entries):
    code, sentence = refusal(command, "manager@example.org", "--reason", reason)
    assert (code, sentence) == (2, "--reason must have 1 to 200 characters.")
    assert not new_entries()


def test_the_superusers_right_is_taken_away_once(app, new_entries):
    User.objects.create_user(email="second@example.org", is_superuser=True)
    admin = app("admin")
    assert run("revoke_superuser", "admin@example.org", "--dry-run")["changed"] is True
    assert person("admin").is_superuser and not new_entries()
    assert run("revoke_superuser", "admin@example.org", "--reason", "Left") == {
        "person": person("admin").pk,
        "changed": True,
    }
    assert not person("admin").is_superuser
    assert admin.create()["message"] == "Session has ended, please sign in again"
    (entry,) = new_entries()
    assert (entry.action, entry.reason) == ("user.superuser_revoked", "Left")
    assert run("revoke_superuser", "admin@example.org")["changed"] is False
    assert len(new_entries()) == 1


def test_the_last_superuser_stays(new_entries):
    User.objects.create_user(email="second@example.org", is_superuser=True, status="banned")
    code, sentence = refusal("revoke_superuser", "admin@example.org")
    assert code == 1 and "last superuser" in sentence
    assert person("admin").is_superuser and not new_entries()


def test_a_random_password_is_told_once_and_stored_nowhere(app, new_entries, commits):
    manager = app("manager")
    first = run("changepassword", "manager@example.org", "--random")
    second = run("changepassword", "manager@example.org", "--random")
    assert first["password"] != second["password"]
    assert re.fullmatch(r"[\w-]{22}", second["password"])
    assert person("manager").check_password(second["password"])
    assert not person("manager").check_password(first["password"])
    assert manager.create()["message"] == "Session has ended, please sign in again"
    entries = new_entries()
    assert [entry.action for entry in entries] == ["user.password_changed"] * 2
    assert all(entry.actor_label.startswith("changepassword (") for entry in entries)
    assert second["password"] not in json.dumps(list(Entry.objects.values()), default=str)


def test_a_dry_run_changes_no_password(new_entries):
    report = run("changepassword", "manager@example.org", "--random", "--dry-run")
    assert "password" not in report and not new_entries()
    assert person("manager").check_password(PASSWORD)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["12345678", "12345678"], "too common"),
        (["manager@example.org"] * 2, "too similar"),
        (["one-long-word", "another-long-word", "good-and-long-1", "good-and-long-1"], ""),
    ],
)
def test_a_typed_password_is_typed_twice_and_a_good_one(monkeypatch, typed, says):
    answers = iter(typed)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    if says:
        code, sentence = refusal("changepassword", "manager@example.org")
        assert code == 1 and says in sentence
    run("changepassword", "manager@example.org") if not says else None
    assert person("manager").check_password(PASSWORD if says else typed[-1])


def test_who_was_anonymised_gets_no_password():
    gone = User.objects.create(erased_at=person("manager").created_at, status="banned")
    code, sentence = refusal("changepassword", str(gone.pk), "--random")
    assert code == 1 and "anonymised" in sentence
