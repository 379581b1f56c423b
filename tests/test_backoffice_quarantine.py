"""What could not come in from the legacy server, in the back-office."""

import pytest
from django.urls import reverse

from audit.models import Action
from buildings.models import Building
from omarty.backoffice.quarantine_words import ADVICE, TABLES
from omarty.legacy.models import LegacyRow, QuarantinedRow, QuarantineReason
from tests.backoffice import Desk, told
from tests.conftest import person

LIST = "/admin/legacy/quarantinedrow/"


@pytest.fixture
def row():
    return QuarantinedRow.objects.create(
        table="PhoneNums", key="77", reason=QuarantineReason.NOT_PHONE, source={"PhoneNum": "abc"}
    )


def test_a_superuser_reads_the_row_and_its_reason(client, row):
    client.force_login(person("admin"), "contacts.authentication.PrimaryContactBackend")
    listed = client.get(LIST).content.decode()
    assert "PhoneNums" in listed
    assert "Not a phone number" in listed
    assert (
        "abc"
        in client.get(reverse("admin:legacy_quarantinedrow_change", args=[row.pk])).content.decode()
    )
    assert client.get(LIST + "?q=77").content.decode().count("Not a phone number") >= 1
    assert client.post(LIST + "add/").status_code == 403
    assert client.post(f"{LIST}{row.pk}/delete/").status_code == 403


@pytest.mark.parametrize("who", ["manager", "neighbour"])
def test_a_manager_does_not_find_it(client, row, who):
    client.force_login(person(who), "contacts.authentication.PrimaryContactBackend")
    assert client.get(LIST).status_code == 403
    assert LIST not in client.get("/admin/").content.decode()
    assert "abc" not in client.get(f"{LIST}{row.pk}/change/", follow=True).content.decode()


def test_the_header_leads_there_only_while_there_is_something(client, row):
    client.force_login(person("admin"), "contacts.authentication.PrimaryContactBackend")
    assert LIST in client.get("/admin/").content.decode()
    row.delete()
    assert LIST not in client.get("/admin/").content.decode()
    # Whoever kept the address reads that there is nothing.
    assert "Nothing here yet." in client.get(LIST).content.decode()


def quarantined(table, key, reason, column="", **source):
    return QuarantinedRow.objects.create(
        table=table, key=key, column=column, reason=reason, source={"ID": key, **source}
    )


@pytest.fixture
def rows():
    """Rows of several kinds: of what is here, of what is not, and one that says again what is here."""
    manager, unit = person("manager").pk, 1
    for table, key in (("Resident_User", manager), ("Apartment", unit), ("Block", 1)):
        LegacyRow.objects.create(table=table, key=str(key), record_id=key, imported={"a": 1})
    reference = {"ResidentID": str(manager), "ApartmentID": str(unit), "BlockID": "1"}
    return {
        "phone": quarantined(
            "Resident_User", str(manager), "not_phone", "PhoneNum", PhoneNum="12", Name="Mona"
        ),
        "relation": quarantined(
            "RES_APART_BLOCK_ROLE", "9", "role_unknown", **reference, RoleID="77"
        ),
        "stranger": quarantined("PhoneNums", "5", "no_person", UserID="777", PhoneNum="0100"),
        "double": quarantined("RES_APART_BLOCK_ROLE", "8", "own", **reference, RoleID="6"),
        "service": quarantined("PhoneNums", "6", "service", ServiceID="3", PhoneNum="0233334444"),
    }


def test_each_row_says_what_it_is_why_it_is_here_and_what_to_do(rows):
    desk = Desk("admin")
    listed = desk.text("legacy/quarantinedrow/")
    manager = person("manager").pk
    for text in ("phone: 12; name: Mona", "Ask for the right number", "role: 77", "Unknown role"):
        assert text in listed, text
    assert f'<a href="/admin/contacts/user/{manager}/change/">Open the person</a>' in listed
    page = desk.text(f"legacy/quarantinedrow/{rows['relation'].pk}/change/")
    for link in (f"contacts/user/{manager}", "buildings/apartment/1", "buildings/block/1"):
        assert f'href="/admin/{link}/change/"' in page, link
    assert "move them in on the unit&#x27;s page" in page
    # Nobody who did not come in is led to.
    stranger = desk.text(f"legacy/quarantinedrow/{rows['stranger'].pk}/change/")
    assert "/admin/contacts/user/777/" not in stranger and "#777" in stranger
    assert "Further phone 5" in stranger


def test_what_needs_nothing_is_apart_and_so_is_what_is_done(rows):
    desk = Desk("admin")
    shown = {
        state: {name for name, row in rows.items() if row.pk in desk.rows(LIST[7:], state=state)}
        for state in ("harmless", "done", "gone", "all")
    }
    to_do = set(desk.rows(LIST[7:]))
    assert to_do == {rows[name].pk for name in ("phone", "relation", "stranger")}
    assert shown == {
        "harmless": {"double", "service"}, "done": set(), "gone": set(), "all": set(rows),
    }  # fmt: skip
    assert desk.rows(LIST[7:], table="PhoneNums") == [rows["stranger"].pk]
    assert desk.rows(LIST[7:], reason__exact="role_unknown") == [rows["relation"].pk]


def test_done_says_who_and_when_and_leaves_an_entry(rows, new_entries):
    desk, row = Desk("admin"), rows["phone"]
    page = f"legacy/quarantinedrow/{row.pk}/"
    assert "1 row is done." in told(desk.send(f"{page}done/", reason="called them"))
    row.refresh_from_db()
    assert row.done_by == person("admin") and row.done_at is not None
    assert str(person("admin")) in desk.text(f"{page}change/")
    assert row.pk not in desk.rows(LIST[7:]) and row.pk in desk.rows(LIST[7:], state="done")
    entry = new_entries()[-1]
    assert (entry.action, entry.actor_id, entry.reason, entry.target_id) == (
        Action.LEGACY_DONE, person("admin").pk, "called them", row.pk,
    )  # fmt: skip
    # It concerns the person, so that an erasure of theirs finds it.
    assert entry.person_id == person("manager").pk
    assert "dealt with already" in told(desk.page(f"{page}done/"))
    assert "to be dealt with again" in told(desk.send(f"{page}reopen/"))
    assert new_entries()[-1].action == Action.LEGACY_REOPENED
    chosen = [rows["relation"].pk, rows["stranger"].pk]
    sent = {"action": "done", "_selected_action": chosen, "sure": "1"}
    assert "2 rows are done." in told(desk.post(LIST, sent))
    assert desk.rows(LIST[7:]) == [row.pk]


def test_every_reason_says_what_to_do_and_every_table_what_it_is():
    assert set(ADVICE) == set(QuarantineReason)
    assert len(TABLES) == 8


def test_a_building_without_a_name_is_called_by_street_and_city():
    address = {"street": "شارع الورد", "city": "الجيزة", "region": "الدقي"}
    whole = Building.objects.create(**address)
    far = Building.objects.create(country="مصر", governorate="الجيزة")
    nameless = Building.objects.create()
    desk, arabic = Desk("admin"), Desk("admin", "ar")
    assert [str(each) for each in (whole, far, nameless)] == [
        "شارع الورد, الجيزة", "الجيزة, مصر", f"#{nameless.pk}",
    ]  # fmt: skip
    for reader, called in ((desk, "شارع الورد, الجيزة"), (arabic, "شارع الورد، الجيزة")):
        assert called in reader.text("buildings/building/")
        assert called in reader.text(f"buildings/building/{whole.pk}/change/")
        assert called in reader.text("buildings/block/add/")
