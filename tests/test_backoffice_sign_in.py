"""Who may enter the back-office, and which entries it leaves."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from buildings.models import Block, Membership, Role
from contacts.models import BackofficeSession, Status, User
from tests.backoffice import Desk

PASSWORD = "omarty-demo"


def sign_in(name: str, password: str = PASSWORD) -> tuple[Client, Any]:
    client = Client()
    return client, client.post("/admin/login/", {"username": name, "password": password})


@pytest.mark.parametrize(
    "name", ["manager@example.org", "01000000001", "٠١٠ ٠٠٠٠ ٠٠٠١", "+201000000001"]
)
def test_a_manager_signs_in_by_email_or_phone(name, new_entries):
    client, response = sign_in(name)
    assert response.status_code == 302
    assert client.get("/admin/").status_code == 200
    (line,) = new_entries()
    assert (line.action, line.channel, line.refused) == ("user.signed_in", "back_office", "")
    assert (line.actor_id, line.person_id, line.ip) == (2, 2, "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "why", "words"),
    [
        ("resident", "no office", "for managers and board members"),
        ("outsider", "no office", "for managers and board members"),
        ("pending", "no office", "for managers and board members"),
    ],
)
def test_others_read_why_they_may_not(name, why, words, new_entries):
    client, response = sign_in(f"{name}@example.org")
    assert words in response.content.decode()
    assert client.get("/admin/").status_code == 302
    (line,) = new_entries()
    assert (line.refused, line.actor_label) == (why, str(line.person_label))


def test_a_banned_manager_reads_so(new_entries):
    User.objects.filter(pk=2).update(status=Status.BANNED)
    _, response = sign_in("manager@example.org")
    assert "You are banned." in response.content.decode()
    assert [line.refused for line in new_entries()] == ["banned"]


def test_a_wrong_password_leaves_an_entry_without_it(new_entries):
    _, response = sign_in("01000000001", "not-it")
    assert "Wrong e-mail, phone or password." in response.content.decode()
    (line,) = new_entries()
    assert (line.actor_label, line.actor_id) == ("+201000000001", None)
    assert line.refused == "wrong name or password"


def test_too_many_attempts_are_named_on_the_page(new_entries):
    for _ in range(10):
        sign_in("manager@example.org", "not-it")
    client, response = sign_in("manager@example.org")
    assert response.status_code == 429
    assert response["Retry-After"] == "900"
    assert "Please wait up to 15 minutes" in response.content.decode()
    assert 'name="password"' in response.content.decode()
    assert client.get("/admin/").status_code == 302
    assert new_entries()[-1].refused == "too many attempts"


def test_sign_out_leaves_an_entry(new_entries):
    desk = Desk("manager")
    assert desk.post("/admin/logout/").status_code == 200
    assert desk.page("").status_code == 302
    assert [(line.action, line.channel) for line in new_entries()] == [
        ("user.signed_out", "back_office")
    ]


def test_sign_out_clears_what_the_browser_has():
    answer = Desk("manager").post("/admin/logout/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'


def test_a_new_password_goes_through_the_operation_and_keeps_this_session(new_entries):
    desk = Desk("manager")
    response = desk.send(
        "password_change/",
        old_password=PASSWORD,
        new_password1="palm-garden-71",
        new_password2="palm-garden-71",
    )
    assert response.status_code == 302
    assert User.objects.get(pk=2).check_password("palm-garden-71")
    assert desk.page("").status_code == 200
    assert [line.action for line in new_entries()] == ["user.password_changed"]


def test_rights_end_at_once_with_the_membership():
    desk = Desk("manager")
    assert desk.page("").status_code == 200
    Membership.objects.filter(user=2).update(ended_at=timezone.now())
    assert desk.page("").status_code == 302


def test_rights_end_at_once_with_the_block():
    desk = Desk("manager")
    Block.objects.filter(pk=1).update(status=Status.BANNED)
    assert desk.page("").status_code == 302


def test_a_board_member_comes_in():
    Membership.objects.filter(user=3).update(role=Role.BOARD)
    assert Desk("resident").page("").status_code == 200


@pytest.mark.parametrize("leads_to", ["//evil.example", "https://evil.example/", "javascript:x"])
def test_sign_in_leads_to_no_address_but_ours(leads_to):
    page = f"/admin/login/?next={leads_to}"
    typed = {"username": "manager@example.org", "password": PASSWORD, "next": leads_to}
    assert Client().post(page, typed).headers["Location"] == "/admin/"


def test_a_wrong_old_password_is_an_attempt_like_any_other(new_entries):
    desk = Desk("manager")
    new = {"new_password1": "palm-garden-71", "new_password2": "palm-garden-71"}
    for _ in range(10):
        page = desk.send("password_change/", old_password="not-it", **new)
        assert "Your old password was entered incorrectly" in page.content.decode()
    page = desk.send("password_change/", old_password=PASSWORD, **new)
    assert "Please wait up to 15 minutes" in page.content.decode()
    assert (page.status_code, page["Retry-After"]) == (429, "900")
    assert User.objects.get(pk=2).check_password(PASSWORD)
    wrong, paused = Counter(line.refused for line in new_entries()).items()
    assert (wrong, paused) == (("wrong name or password", 10), ("too many attempts", 1))
    assert {line.action for line in new_entries()} == {"user.password_changed"}


# --- Signed-in devices -------------------------------------------------------------------------------


def listed_by(page):
    """The sessions that a page lists."""
    return [session for session, _device in page.context["sessions"]]


def test_ones_own_sessions_are_listed_and_one_is_ended(app, new_entries):
    phone = app("manager")
    other = sign_in("manager@example.org")[0]
    agent = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
    here = Client(headers={"User-Agent": agent, "accept-language": "en"})
    here.post("/admin/login/", {"username": "01000000001", "password": PASSWORD})
    text = here.get("/admin/sessions/").content.decode()
    assert "Chrome, Android" in text
    assert text.count("This one") == 1
    arabic = here.get("/admin/sessions/", headers={"accept-language": "ar"}).content.decode()
    assert "Chrome، Android" in arabic and "Chrome, Android" not in arabic
    listed = listed_by(here.get("/admin/sessions/"))
    assert [each.in_app for each in listed] == [False, False, True]
    here.post("/admin/sessions/", {"session": listed[1].public_id})
    assert other.get("/admin/").status_code == 302
    assert here.get("/admin/").status_code == 200
    here.post("/admin/sessions/", {"session": listed[2].public_id})
    assert phone.create(floorNum=1, aptNum=101)["status"] == 401
    ended = [line for line in new_entries() if line.action == "user.session_ended"]
    assert [(line.actor_id, line.person_id, line.channel) for line in ended] == [
        (2, 2, "back_office")
    ] * 2


def test_the_second_click_reads_that_the_session_has_ended():
    desk = Desk("manager")
    sign_in("manager@example.org")
    [other] = [
        each for each in listed_by(desk.page("sessions/")) if each.pk != desk.session.session_key
    ]
    for words in ("The session was ended.", "This session has ended already."):
        answer = desk.post("/admin/sessions/", {"session": other.public_id}, follow=True)
        assert words in answer.content.decode()


def test_nobody_ends_anothers_session(new_entries):
    desk, other = Desk("manager"), Desk("neighbour")
    [session] = listed_by(other.page("sessions/"))
    for wanted in (session.public_id, session.session_key, "", "1"):
        desk.post("/admin/sessions/", {"session": wanted})
    assert other.page("").status_code == 200
    assert new_entries() == []


def test_a_new_password_ends_the_other_sessions(app):
    desk, phone, other = Desk("manager"), app("manager"), sign_in("manager@example.org")[0]
    new = {"new_password1": "palm-garden-71", "new_password2": "palm-garden-71"}
    desk.send("password_change/", old_password=PASSWORD, **new)
    assert other.get("/admin/").status_code == 302
    assert phone.create(floorNum=1, aptNum=101)["status"] == 401
    assert len(listed_by(desk.page("sessions/"))) == 1


# --- how long a session lasts --------------------------------------------------------------------


def session_of(desk):
    return BackofficeSession.objects.get(pk=desk.session.session_key)


def later(desk, **time):
    """As if the session had been stored so long ago."""
    row = session_of(desk)
    data = row.get_decoded()
    data["stored"] -= int(timedelta(**time).total_seconds())
    row.session_data = type(desk.session)().encode(data)
    row.expire_date -= timedelta(**time)
    row.save()


def test_a_session_lasts_as_long_as_it_is_used():
    desk = Desk("manager")
    assert session_of(desk).expire_date > timezone.now() + timedelta(days=13, hours=23)
    for _ in range(3):
        later(desk, days=13)
        answer = desk.page("")
        assert answer.status_code == 200
        assert answer.cookies["sessionid"]["max-age"] == 14 * 24 * 60 * 60
        assert session_of(desk).expire_date > timezone.now() + timedelta(days=13, hours=23)
    later(desk, days=14)
    assert desk.page("").status_code == 302


def test_a_session_is_stored_once_an_hour_and_not_at_each_page():
    desk = Desk("manager")
    later(desk, minutes=59)
    with CaptureQueriesContext(connection) as asked:
        assert "sessionid" not in desk.page("").cookies
    assert not [each["sql"] for each in asked if not each["sql"].lstrip("(").startswith("SELECT")]
    later(desk, minutes=1)
    assert "sessionid" in desk.page("").cookies
    assert "sessionid" not in desk.page("").cookies


def test_a_stranger_gets_no_session():
    client = Client()
    client.get("/admin/login/")
    assert "sessionid" not in client.cookies
