"""What superusers do to an account: activate, suspend, readmit, end the pause after wrong passwords."""

import pytest
from django.core.management import call_command
from django.test import Client

from audit.models import Action
from contacts.models import AppSession, Status, User
from tests.backoffice import Desk, told
from tests.conftest import App, person


@pytest.fixture
def desk():
    return Desk("admin")


def sign_in(password="omarty-demo", address="203.0.113.5", name="resident@example.org"):
    sent = {"email": name, "password": password}
    return Client(REMOTE_ADDR=address).post("/omartyapis/Auth/Login/", sent).json()["status"]


def test_a_suspended_person_is_out_at_once_and_comes_back(desk, new_entries):
    resident = person("resident")
    App(resident)
    address = f"contacts/user/{resident.pk}"
    assert desk.send(f"{address}/suspend/", reason="Threats").status_code == 302
    assert (person("resident").status, sign_in()) == (Status.BANNED, 403)
    assert not AppSession.objects.filter(user=resident).exists()
    (entry,) = [each for each in new_entries() if each.action == Action.STATUS_CHANGED]
    assert (entry.reason, entry.after) == ("Threats", {"status": "banned"})
    assert desk.send(f"{address}/readmit/", reason="Settled").status_code == 302
    assert (person("resident").status, sign_in()) == (Status.ACTIVE, 200)


def test_who_waits_is_activated(desk):
    waiting = person("resident")
    User.objects.filter(pk=waiting.pk).update(status=Status.PENDING)
    assert sign_in() == 403
    assert desk.send(f"contacts/user/{waiting.pk}/activate/", reason="Known").status_code == 302
    assert sign_in() == 200


@pytest.mark.parametrize(("name", "status"), [("activate", "active"), ("readmit", "active")])
def test_what_does_not_fit_the_status_says_so(desk, name, status):
    answer = desk.page(f"contacts/user/{person('resident').pk}/{name}/")
    assert answer.status_code == 302
    assert "not in the status for this" in told(answer)


def test_a_superuser_does_not_suspend_themselves(desk):
    page = desk.send(f"contacts/user/{desk.person.pk}/suspend/", reason="why")
    assert "You cannot suspend yourself" in page.content.decode()
    assert person("admin").status == Status.ACTIVE


def test_a_suspension_needs_a_reason(desk):
    page = desk.send(f"contacts/user/{person('resident').pk}/suspend/")
    assert page.status_code == 200
    assert person("resident").status == Status.ACTIVE


def _by_page(resident):
    assert Desk("admin").send(f"contacts/user/{resident.pk}/unlock/").status_code == 302


def _by_command(resident):
    call_command("unlock", "resident@example.org")


@pytest.mark.parametrize("unlocks", [_by_page, _by_command], ids=["page", "command"])
def test_a_pause_ends_at_known_and_unknown_addresses(settings, unlocks, new_entries):
    settings.SIGN_IN_ATTEMPTS = 3
    resident = person("resident")
    assert sign_in() == 200
    for address in ("203.0.113.5", "203.0.113.6"):
        for _time in range(4):
            sign_in("wrong", address)
        assert sign_in(address=address) == 429
    unlocks(resident)
    assert sign_in() == 200
    assert sign_in(address="203.0.113.6") == 200
    assert [each.action for each in new_entries()].count(Action.UNLOCKED) == 1


def test_a_pause_of_somebody_else_stays(settings):
    settings.SIGN_IN_ATTEMPTS = 3
    for _time in range(4):
        sign_in("wrong", name="partner@example.org")
    call_command("unlock", "resident@example.org")
    assert sign_in(name="partner@example.org") == 429


def test_the_first_address_leads_to_the_back_office():
    answer = Client().get("/", follow=True)
    assert answer.redirect_chain[0][0] == "/admin/"
    assert "<h1>Sign in</h1>" in answer.content.decode()
