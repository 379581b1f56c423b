"""Refusals in the audit log: one person's many become few, with a count."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from audit.models import Entry
from contacts.models import Status, User
from tests.conftest import App, person
from tests.http import post_form

PASSWORD = "omarty-demo"
URL = "/omartyapis/Create/"
FIELDS: dict[str, Any] = {"api": "CreateApartment", "floorNum": 1, "aptNum": 101, "blockId": 1}


def refused() -> list[Entry]:
    return list(Entry.objects.exclude(refused="").order_by("pk"))


def times() -> list[int]:
    return [entry.after["times"] if entry.after else 1 for entry in refused()]


def test_repeated_refusals_of_one_person_leave_few_entries_with_a_count(app):
    outsider = app("outsider")
    for _ in range(20):
        outsider.create(floorNum=1, aptNum=101, blockId=1)
    assert times() == [1, 10]
    assert {(entry.actor_id, entry.block_id) for entry in refused()} == {(outsider.person.pk, 1)}


def test_each_person_block_and_reason_is_counted_apart(app):
    for name in ("outsider", "neighbour"):
        app(name).create(floorNum=1, aptNum=101, blockId=1)
    app("outsider").create(floorNum=1, aptNum=101, blockId=2)
    app("outsider").add(blockId=1, apartmentId=2, email="x@example.org")
    assert times() == [1, 1, 1, 1]


def test_ids_that_nobody_gave_are_counted_as_one(app):
    outsider = app("outsider")
    for number in range(20):
        outsider.create(floorNum=1, aptNum=101, blockId=1000 + number)
        outsider.add(blockId=1, apartmentId=1000 + number, email="x@example.org")
    assert times() == [1, 1, 10, 10]


def test_however_many_come_at_once_the_count_is_exact(live_server):
    token = App(person("outsider")).token
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: post_form(live_server.url + URL, token, **FIELDS), range(100)))
    connection.close()
    assert times() == [1, 10, 100]


def test_refused_sign_ins_during_the_pause_flood_nothing_either(client):
    for _ in range(26):
        typed = {"email": "resident@example.org", "password": "wrong"}
        client.post("/omartyapis/Auth/Login/", typed)
    reasons = [entry.refused for entry in refused()]
    assert reasons.count("wrong name or password") == 10
    assert times()[10:] == [1, 10]


def test_the_count_reads_in_the_readers_language(app, client):
    for _ in range(10):
        app("outsider").create(floorNum=1, aptNum=101, blockId=1)
    entry = refused()[-1]
    client.force_login(person("manager"), "contacts.authentication.PrimaryContactBackend")
    page = f"/admin/audit/entry/{entry.pk}/change/"
    assert "عدد المرات" in client.get(page, headers={"accept-language": "ar"}).content.decode()


def test_an_address_that_tries_many_names_floods_nothing_either(client, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ADDRESS = 5
    for number in range(30):
        typed = {"email": f"somebody{number}@example.org", "password": "wrong"}
        client.post("/omartyapis/Auth/Login/", typed)
    reasons = [entry.refused for entry in refused()]
    assert reasons.count("wrong name or password") == 5
    assert reasons.count("too many attempts") == 2


def test_who_knows_their_password_and_may_not_come_in_floods_nothing_either(client):
    User.objects.filter(pk=person("neighbour").pk).update(status=Status.BANNED)
    for _ in range(12):
        typed = {"username": "resident@example.org", "password": PASSWORD}
        assert "for managers" in client.post("/admin/login/", typed).content.decode()
        typed = {"email": "neighbour@example.org", "password": PASSWORD}
        assert client.post("/omartyapis/Auth/Login/", typed).status_code == 403
    reasons = [entry.refused for entry in refused()]
    assert reasons == ["no office", "banned"] * 2 and times() == [1, 1, 10, 10]
