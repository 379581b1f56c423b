import io
import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from django.core.management import CommandError, call_command

from buildings.models import Block, Membership, Role
from contacts.models import Status, User
from tests.conftest import person


def run(command, *arguments, **options):
    """Run the command; its report."""
    out = io.StringIO()
    call_command(command, *arguments, stdout=out, stderr=io.StringIO(), json=True, **options)
    return json.loads(out.getvalue())


def refusal(command, *arguments, **options):
    """Exit code and sentence of a command that refuses."""
    with pytest.raises(CommandError) as refused:
        call_command(command, *arguments, stdout=io.StringIO(), stderr=io.StringIO(), **options)
    return refused.value.returncode, str(refused.value)


def test_grant_makes_the_first_manager_of_a_block(app, new_entries):
    block = Block.objects.create(building_id=1, number="9")
    report = run("grant", "outsider@example.org", "manager", "--block", str(block.pk))
    assert report == {"person": 7, "block": block.pk, "role": "manager", "changed": True}
    membership = Membership.objects.get(block=block)
    assert (membership.user, membership.role) == (person("outsider"), Role.MANAGER)
    assert (membership.status, membership.ended_at) == (Status.ACTIVE, None)
    (entry,) = new_entries()
    assert (entry.action, entry.person_id, entry.block_id) == ("membership.started", 7, block.pk)
    assert entry.actor_label.startswith("grant (")
    answer = app("outsider").create(floorNum=1, aptNum=1, blockId=block.pk)
    assert answer["data"] == "Apartment registered."


@pytest.mark.parametrize("who", ["01000000002", "+20 100 000 0002", "3", "RESIDENT@example.org"])
def test_the_person_is_named_by_any_contact_or_id(who):
    run("grant", who, "cashier", "--block", "1")
    roles = person("resident").memberships.values_list("role", flat=True)
    assert set(roles) == {Role.RESIDENT, Role.CASHIER}


def test_a_role_that_they_have_is_not_given_again(new_entries):
    report = run("grant", "manager@example.org", "manager", "--block", "1")
    assert report["changed"] is False and not new_entries()
    assert run("revoke", "outsider@example.org", "board", "--block", "1")["changed"] is False
    assert not new_entries()


def test_revoke_ends_and_keeps(app, new_entries):
    run("grant", "resident@example.org", "manager", "--block", "1")
    assert run("revoke", "manager@example.org", "manager", "--block", "1")["changed"] is True
    past = person("manager").memberships.get(block=1)
    assert past.ended_at is not None and past.role == Role.MANAGER
    entry = new_entries()[-1]
    assert (entry.action, entry.target_id) == ("membership.ended", past.pk)
    assert entry.before == {"ended_at": None} and entry.after["ended_at"]
    answer = app("manager").create(floorNum=1, aptNum=101, blockId=1)
    assert answer["message"] == "User does not have permissions in this block."


def test_a_block_keeps_a_manager(new_entries):
    code, message = refusal("revoke", "manager@example.org", "manager", "--block", "1")
    assert code == 1 and "would be left without a manager" in message
    assert person("manager").memberships.get(block=1).ended_at is None and not new_entries()


def test_a_dry_run_changes_nothing(new_entries):
    for command, who in [("grant", "outsider@example.org"), ("revoke", "resident@example.org")]:
        report = run(command, who, "resident", "--block", "1", dry_run=True)
        assert report["changed"] is True
    assert not new_entries() and not person("outsider").memberships.exists()
    assert refusal("revoke", "manager@example.org", "manager", "--block", "1", dry_run=True)[0] == 1


def test_what_may_be_a_phone_or_an_id_is_not_guessed(new_entries):
    boss = User.objects.create(pk=1_000_000_002, name="Boss")
    User.objects.create(pk=1_000_000_077, name="Nour")
    for text, told in (
        ("1000000002", "write #1000000002 for the id, or +201000000002"),
        ("1000000077", "Nobody has the phone 1000000077"),
    ):
        code, sentence = refusal("grant", text, "cashier", "--block", "1")
        assert code == 1 and told in sentence
    assert not new_entries()
    for text, who in (("#1000000002", boss.pk), ("+201000000002", 3), ("01000000002", 3)):
        assert run("grant", text, "cashier", "--block", "1", dry_run=True)["person"] == who
    assert run("grant", "3", "cashier", "--block", "1", dry_run=True)["person"] == 3


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["nobody@example.org", "manager", "--block", "1"], 1, "Nobody has"),
        (["outsider@example.org", "manager", "--block", "99"], 2, "no block 99"),
        (["banned@example.org", "manager", "--block", "1"], 1, "banned"),
    ],
)
def test_what_cannot_be_granted(new_entries, arguments, code, why):
    found, message = refusal("grant", *arguments)
    assert found == code and why in message and not new_entries()


def test_a_role_that_is_none():
    with pytest.raises(CommandError, match="invalid choice: 'king'"):
        call_command("grant", "outsider@example.org", "king", "--block", "1")


@pytest.mark.parametrize("login", ["boss@example.org", "٠١٠٥٥٥٥٥٥٥٥"])
def test_createsuperuser_by_email_or_phone(client, monkeypatch, new_entries, login):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "palm-gardens-9")
    report = run("createsuperuser", login=login, interactive=False, name="Boss")
    boss = User.objects.get(pk=report["person"])
    assert boss.is_superuser and boss.name == "Boss"
    entered = {"email": login, "password": "palm-gardens-9"}
    assert client.post("/omartyapis/Auth/Login/", entered).json()["status"] == 200
    assert [entry.action for entry in new_entries()][:1] == ["user.registered"]


@pytest.mark.parametrize(
    ("login", "password", "code", "why"),
    [
        ("nobody", "palm-gardens-9", 2, "neither an e-mail"),
        ("boss@example.org", "short", 1, "too short"),
        ("boss@example.org", "", 2, "DJANGO_SUPERUSER_PASSWORD is required"),
        (None, "palm-gardens-9", 2, "--login is required"),
        ("01000000001", "palm-gardens-9", 1, "has 01000000001 already"),
        ("neighbour.second@example.org", "palm-gardens-9", 1, "already"),
    ],
)
def test_createsuperuser_refuses(monkeypatch, new_entries, login, password, code, why):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    people = User.objects.count()
    found, message = refusal("createsuperuser", login=login, interactive=False)
    assert found == code and why in message
    assert User.objects.count() == people and not new_entries()


def converse(environment, command, *turns):
    """Run the command on a terminal and answer its questions; what it showed, and its exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environment)
    shown = ""
    try:
        for question, answer in (*turns, (None, "")):
            while question is None or question not in shown.rpartition("\n")[2]:
                if not select.select([terminal], [], [], 60)[0]:
                    os.kill(pid, signal.SIGKILL)
                    raise AssertionError(f"{question!r} was not asked: {shown}")
                shown += os.read(terminal, 1024).decode()
            os.write(terminal, f"{answer}\n".encode())
            shown += "\n"
    except OSError:
        # It has ended.
        pass
    _pid, status = os.waitpid(pid, 0)
    os.close(terminal)
    return shown, os.waitstatus_to_exitcode(status)


def test_createsuperuser_asks_on_a_terminal(tmp_path):
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True, timeout=120)
    shown, code = converse(
        environment,
        [*manage, "createsuperuser"],
        ("E-mail or phone:", "boss@example.org"),
        ("Name:", " Boss  of all "),
        ("Password:", "palm-gardens-9"),
        ("Password again:", "palm-gardens-8"),
        ("Password:", "palm-gardens-9"),
        ("Password again:", "palm-gardens-9"),
    )
    assert "The two passwords differ." in shown
    assert code == 0 and "Superuser boss@example.org was registered." in shown
    assert "palm-gardens-9" not in shown
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        assert database.execute("SELECT name FROM contacts_user").fetchall() == [("Boss of all",)]


def test_ctrl_c_ends_with_a_sentence(tmp_path):
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    command = [sys.executable, "manage.py", "createsuperuser"]
    shown, code = converse(environment, command, ("E-mail or phone:", "\x03"))
    assert code == 130
    assert "Interrupted: Nothing was written." in shown and "Traceback" not in shown


def test_createsuperuser_without_anybody_to_ask():
    done = subprocess.run(
        [sys.executable, "manage.py", "createsuperuser"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "There is nobody to ask" in done.stderr


@pytest.mark.parametrize("name", ["x" * 256, "ش" * 300])
def test_a_superusers_name_has_the_length_that_the_register_stores(monkeypatch, name):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a-password-of-many-words")
    arguments = ["createsuperuser", "--login", "root@example.org", "--noinput"]
    with pytest.raises(CommandError, match="--name: .*255") as refused:
        call_command(*arguments, "--name", name, stdout=io.StringIO())
    assert refused.value.returncode == 2
    call_command(*arguments, "--name", f" {name[:120]}\n {name[:120]} ", stdout=io.StringIO())
    assert person("root").name == f"{name[:120]} {name[:120]}"


def test_createsuperuser_asks_beside_its_report(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda: "root@example.org")
    monkeypatch.setattr("getpass.getpass", lambda _what: "a-password-of-many-words")
    out, err = io.StringIO(), io.StringIO()
    call_command("createsuperuser", json=True, stdout=out, stderr=err)
    assert json.loads(out.getvalue())["login"] == "root@example.org"
    assert err.getvalue() == "E-mail or phone: Name: "
