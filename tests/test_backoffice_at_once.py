"""What the back-office answers when others are at it at the same moment."""

import threading
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from audit.operations import Origin
from buildings.models import Apartment, Membership
from buildings.operations import lock_blocks
from contacts.models import AppSession, Claim, User
from contacts.operations import change_password, lock_contacts
from omarty.backoffice import apartment_import, apartments, person_actions, sign_in
from tests.backoffice import Desk, fields_of, told

RESIDENT = "contacts/user/3/"
DEADLOCK = OperationalError(1213, "Deadlock found when trying to get lock")
TIMEOUT = OperationalError(1205, "Lock wait timeout exceeded")
LOCKED = OperationalError("database is locked")


@pytest.fixture
def desk():
    return Desk("manager")


@pytest.fixture
def fails(monkeypatch):
    """`fails(module, name, *errors)`: what is called so fails with these first, after it was done."""

    def fails(module: Any, name: str, *errors: Exception) -> list[int]:
        does, left, calls = getattr(module, name), list(errors), []

        def act(*args: Any, **kwargs: Any) -> Any:
            calls.append(1)
            done = does(*args, **kwargs)
            if left:
                raise left.pop(0)
            return done

        monkeypatch.setattr(module, name, act)
        return calls

    return fails


def test_what_a_deadlock_took_back_is_done_anew(desk, fails, new_entries):
    calls = fails(person_actions, "add_contact", DEADLOCK, DEADLOCK)
    response = desk.send(f"{RESIDENT}add-contact/", kind="email", typed="two@example.org")
    assert told(response) == "The contact was added."
    assert len(calls) == 3
    assert [line.action for line in new_entries()] == ["contact.added"]
    assert Claim.objects.filter(value="two@example.org").count() == 1


def test_a_form_is_saved_anew(desk, fails, new_entries):
    fails(apartments, "change_apartment", DEADLOCK)
    response = desk.send("buildings/apartment/2/change/", floor="7")
    assert response.status_code == 302
    assert Apartment.objects.get(pk=2).floor == 7
    assert told(response).count("\n") == 0
    assert [line.action for line in new_entries()] == ["apartment.changed"]


def test_a_file_is_read_anew(desk, fails):
    fails(apartment_import, "preview_or_save", DEADLOCK)
    file = SimpleUploadedFile("units.csv", b"block,number,floor\n1,501,5\n")
    response = desk.post("/admin/buildings/apartment/import/", {"import_file": file})
    assert response.status_code == 200
    assert [line["kind"] for line in response.context["preview"].lines] == ["new"]


@pytest.mark.parametrize("errors", [[DEADLOCK] * 3, [TIMEOUT], [LOCKED]])
def test_who_waited_in_vain_presses_again(desk, fails, new_entries, errors):
    path = f"{RESIDENT}add-contact/"
    fails(person_actions, "add_contact", *errors)
    busy = desk.send(path, kind="email", typed="two@example.org", reason="a reason")
    assert busy.status_code == 503
    assert "press again" in busy.content.decode()
    assert new_entries() == []
    # The button sends what was typed.
    busy.status_code = 200
    assert told(desk.resend(path, busy)) == "The contact was added."
    assert new_entries()[-1].reason == "a reason"


def test_passwords_are_not_sent_back(desk, fails):
    fails(sign_in, "change_password", TIMEOUT)
    typed = {"old_password": "omarty-demo", "new_password1": "quite-new-1"}
    typed["new_password2"] = typed["new_password1"]
    busy = desk.post("/admin/password_change/", typed)
    assert busy.status_code == 503
    assert "quite-new-1" not in busy.content.decode()


def test_other_faults_are_no_busy_database(desk, fails):
    fails(person_actions, "add_contact", OperationalError(2006, "Server has gone away"))
    with pytest.raises(OperationalError):
        desk.send(f"{RESIDENT}add-contact/", kind="email", typed="two@example.org")


def test_who_loses_the_right_while_waiting_is_refused(commits):
    """The resident moves out between the manager's question for them and the lock on them."""
    desk = Desk("manager")
    path = f"{RESIDENT}add-contact/"
    typed = fields_of(desk.page(path)) | {"kind": "email", "typed": "two@example.org"}
    answers: list[int] = []
    waits = threading.Event()

    def send() -> None:
        waits.set()
        answers.append(desk.post(f"/admin/{path}", typed).status_code)
        connection.close()

    thread = threading.Thread(target=send)
    with transaction.atomic():
        lock_contacts(User.objects.get(pk=3))
        thread.start()
        waits.wait()
        # Long enough for the request to come to the lock.
        thread.join(1)
        Membership.objects.filter(user=3).update(ended_at=timezone.now())
    thread.join()
    assert answers == [403]
    assert not Claim.objects.filter(value="two@example.org").exists()


def test_who_loses_the_right_while_waiting_to_change_many_is_refused(commits):
    """The manager's own role ends between their question for the list and the lock on the block."""
    desk = Desk("manager")
    pending = Membership.objects.get(user=5)
    sent = {"action": "approve", "_selected_action": pending.pk, "sure": "1", "reason": ""}
    answers: list[int] = []
    waits = threading.Event()

    def send() -> None:
        waits.set()
        answers.append(desk.post("/admin/buildings/membership/", sent).status_code)
        connection.close()

    thread = threading.Thread(target=send)
    with transaction.atomic():
        lock_blocks([1])
        thread.start()
        waits.wait()
        thread.join(1)
        Membership.objects.filter(user=2, block=1).update(ended_at=timezone.now())
    thread.join()
    pending.refresh_from_db()
    assert (answers, pending.status) == ([403], "pending")


def test_a_page_waits_for_nobody(commits):
    desk = Desk("manager")
    paths = (
        f"{RESIDENT}add-contact/",
        "buildings/apartment/2/change/",
        "buildings/apartment/2/close/",
    )
    answers: list[int] = []

    def look() -> None:
        answers.extend(desk.page(path).status_code for path in paths)
        connection.close()

    thread = threading.Thread(target=look)
    with transaction.atomic():
        lock_contacts(User.objects.get(pk=3))
        Apartment.objects.select_for_update().get(pk=2)
        thread.start()
        thread.join(15)
        assert answers == [200] * len(paths)
    thread.join()


def test_a_password_that_was_set_meanwhile_is_not_written_over(commits):
    desk = Desk("manager")
    new = {f"new_password{each}": "stair-07-lamp" for each in (1, 2)}
    sent = {"old_password": "omarty-demo"} | new
    answer = meanwhile(desk.person, lambda: desk.send("password_change/", **sent))
    assert answer.status_code == 302 and "/admin/login/" in answer.url
    assert User.objects.get(pk=desk.person.pk).check_password("palm-9-tree")


def meanwhile(person: User, act: Any) -> Any:
    """What `act` answers that waits for the person, whose password is set by somebody else before."""
    answers: list[Any] = []

    def waiting() -> None:
        answers.append(act())
        connection.close()

    thread = threading.Thread(target=waiting)
    with transaction.atomic():
        locked = lock_contacts(person)
        thread.start()
        thread.join(timeout=2)
        change_password(origin=Origin.of_command("test"), user=locked, password="palm-9-tree")
    thread.join()
    return answers[0]


def test_what_waited_is_not_done_by_whoever_lost_the_account_meanwhile(commits):
    desk = Desk("manager")
    path = f"contacts/user/{desk.person.pk}/edit/?contact=email"
    typed = fields_of(desk.page(path)) | {"typed": "two@example.org"}
    answer = meanwhile(desk.person, lambda: desk.post(f"/admin/{path}", typed))
    assert answer.status_code == 403
    assert not Claim.objects.filter(value="two@example.org").exists()


def test_nobody_signs_in_to_the_app_by_a_password_of_before(commits):
    form = {"email": "01000000002", "password": "omarty-demo"}
    person = User.objects.get(pk=3)
    answer = meanwhile(person, lambda: Client().post("/omartyapis/Auth/Login/", form))
    assert answer.status_code == 401
    assert not AppSession.objects.filter(user=person).exists()
