"""Lists as files: what goes out, and what may not."""

import csv
import io
import json
from typing import Any

import openpyxl
import pytest

from audit.models import Action
from audit.operations import Origin, record
from buildings.models import Apartment, Block
from contacts.contact_operations import change_contact, contacts_of
from contacts.models import Kind, User
from omarty.backoffice.apartments import ApartmentAdmin
from omarty.tables.columns import ExportColumn
from tests.backoffice import Desk
from tests.conftest import person

UNITS = "/admin/buildings/apartment/"
BLOCKS = "/admin/buildings/block/"
MEMBERS = "/admin/buildings/membership/"
PEOPLE = "/admin/contacts/user/"
IN_FULL = {"in_full": "on", "reason": "water is cut"}


@pytest.fixture
def desk():
    return Desk("manager")


def export(desk, path, **asked):
    """The rows of a list's CSV file, as dicts."""
    response = desk.post(path, {"format": "csv", **asked})
    assert response["Content-Type"] == "text/csv", response.content.decode()
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_units_go_out_as_csv_with_an_entry(desk, new_entries):
    rows = export(desk, f"{UNITS}export/", reason="for the plumber")
    assert len(rows) == 10
    assert rows[1] == {
        "unit id": "2",
        "block id": "1",
        "block name": "1",
        "number": "2",
        "floor": "0",
        "name": "",
        "occupancy": "Occupied",
        "note": "",
    }
    (entry,) = new_entries()
    assert (entry.action, entry.block_id, entry.actor_id) == (Action.EXPORTED, 1, 2)
    assert entry.reason == "for the plumber"
    assert (entry.after["what"], entry.after["rows"]) == ("units", 10)


def test_a_column_may_read_what_the_list_reads_beside_its_rows(desk, monkeypatch):
    people = ExportColumn[Any]("people", lambda unit: ", ".join(map(str, unit.current)))
    monkeypatch.setattr(ApartmentAdmin, "export_columns", [people])
    assert {"people": "Rami Resident, Parisa Partner"} in export(desk, f"{UNITS}export/")


@pytest.mark.parametrize("path", [UNITS, BLOCKS, MEMBERS, PEOPLE, "/admin/audit/entry/"])
def test_the_entry_says_what_went_out_in_the_readers_language(desk, new_entries, path):
    export(desk, f"{path}export/")
    what = new_entries()[0].after["what"]
    page = f"audit/entry/{new_entries()[0].pk}/change/"
    assert f'<ins dir="auto">{what.capitalize()}</ins>' in desk.text(page)
    assert f'<ins dir="auto">{what}<' not in Desk("manager", language="ar").text(page).lower()


def test_as_a_workbook(desk):
    response = desk.post(f"{UNITS}export/", {"format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert [cell.value for cell in sheet[1]][:4] == ["unit id", "block id", "block name", "number"]
    assert sheet.max_row == 11
    assert [cell.value for cell in sheet[3]][3:5] == [2, 0]
    assert (sheet.title, sheet.sheet_view.rightToLeft) == ("units", False)
    assert 'filename="units-' in response["Content-Disposition"]
    assert ".xlsx" in response["Content-Disposition"]


def test_an_arabic_workbook_reads_from_right_to_left():
    response = Desk("manager", language="ar").post(f"{MEMBERS}export/", {"format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert sheet.sheet_view.rightToLeft
    assert any(cell.is_date for cell in sheet[2])


def test_as_it_is_filtered(desk, new_entries):
    rows = export(desk, f"{UNITS}export/?occupancy__exact=lived_in")
    assert [row["unit id"] for row in rows] == ["1", "2"]
    assert [row["unit id"] for row in export(desk, f"{UNITS}export/?q=Rami")] == ["2"]
    assert new_entries()[0].after["filter"] == "occupancy__exact=lived_in"


@pytest.mark.parametrize("path", [MEMBERS, PEOPLE])
def test_contacts_are_masked_without_a_reason(desk, path):
    rows = export(desk, f"{path}export/")
    contacts = {(row["phone"], row["email"]) for row in rows}
    assert ("•••••••0002", "r••••@example.org") in contacts
    assert not any("0100000" in phone or "resident" in email for phone, email in contacts)
    refused = desk.post(f"{path}export/", {"format": "csv", "in_full": "on", "reason": " "})
    assert "Say why you need the contacts in full." in refused.content.decode()


@pytest.mark.parametrize(("path", "name"), [(MEMBERS, "person"), (PEOPLE, "name")])
def test_contacts_in_full_for_a_reason_but_hidden_ones_stay_hidden(desk, new_entries, path, name):
    User.objects.filter(pk=4).update(phone_hidden=True)
    User.objects.filter(pk=5).update(email_hidden=True)
    rows = export(desk, f"{path}export/", in_full="on", reason="water is cut")
    contacts = {row[name]: (row["phone"], row["email"]) for row in rows}
    assert contacts["Rami Resident"] == ("01000000002", "resident@example.org")
    assert contacts["Parisa Partner"] == ("•••••", "partner@example.org")
    assert contacts[User.objects.get(pk=5).name] == ("01000000004", "•••••")
    (entry,) = new_entries()
    assert (entry.reason, entry.after["full"]) == ("water is cut", True)
    assert "phones_in_full" not in entry.after


def test_an_entry_of_before_says_that_phones_went_out_in_full(desk):
    after = {"list": "membership", "rows": 5, "phones_in_full": True}
    block = Block.objects.get(pk=1)
    entry = record(
        origin=Origin.of_command("test"), action=Action.EXPORTED, block=block, after=after
    )
    assert "Phones in full" in desk.text(f"audit/entry/{entry.pk}/change/")


@pytest.mark.parametrize(
    ("path", "asks"), [(MEMBERS, True), (PEOPLE, True), (UNITS, False), (BLOCKS, False)]
)
def test_only_lists_of_contacts_offer_them_in_full(desk, path, asks):
    assert ("Contacts in full" in desk.get(f"{path}export/").content.decode()) is asks


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("buildings/apartment", 10),
        ("buildings/block", 1),
        ("buildings/membership", 5),
        ("contacts/user", 5),
    ],
)
def test_every_list_goes_out_with_rows_of_ones_own_blocks_alone(desk, path, rows):
    text = desk.post(f"/admin/{path}/export/", {"format": "csv"}).content.decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(text)))) == rows
    assert "neighbour" not in text
    assert "نادية" not in text


def test_the_audit_log_goes_out_too(desk):
    rows = export(desk, "/admin/audit/entry/export/")
    assert {row["block"] for row in rows} == {"1"}
    assert rows[0]["action"] == "Membership started"


def test_the_audit_log_goes_out_with_what_changed_but_without_contacts(desk):
    block = Block.objects.get(pk=1)
    phone = next(each for each in contacts_of(person("resident")) if each.kind == Kind.PHONE)
    change_contact(
        origin=Origin.of_command("test"), contact=phone, typed="01022223333", block=block
    )

    def edited():
        rows = export(desk, "/admin/audit/entry/export/")
        label = Action.CONTACT_CHANGED.label
        return next(each for each in rows if each["action"] == label)

    assert edited()["record"] == edited()["person"] == "Rami Resident"
    assert json.loads(edited()["after"]) == {"phone": "•••••••3333"}
    User.objects.filter(pk=3).update(phone_hidden=True)
    assert json.loads(edited()["after"]) == {"phone": "•••••"}


def test_a_text_is_never_a_formula(desk):
    Apartment.objects.filter(pk=2).update(name="=2+5", note="@SUM(A1)")
    row = export(desk, f"{UNITS}export/")[1]
    assert (row["name"], row["note"]) == ("'=2+5", "'@SUM(A1)")


def test_an_email_is_never_a_formula_either(desk):
    User.objects.filter(pk=3).update(email="=1+1@example.org")
    for asked, shown in [({}, "'=••••@example.org"), (IN_FULL, "'=1+1@example.org")]:
        emails = [row["email"] for row in export(desk, f"{MEMBERS}export/", **asked)]
        assert shown in emails


def test_the_headings_are_in_the_readers_language():
    arabic = Desk("manager", language="ar")
    row = export(arabic, f"{UNITS}export/")[1]
    assert next(iter(row.values())) == "2"
    assert "مشغولة" in row.values()
    people = export(arabic, f"{PEOPLE}export/")[0]
    assert not [heading for heading in (*row, *people) if heading.isascii()]


def test_a_list_that_is_too_long_is_refused_in_words(desk, new_entries):
    Apartment.objects.bulk_create(
        Apartment(block_id=1, number=number) for number in range(1_000, 21_000)
    )
    response = desk.post(f"{UNITS}export/", {"format": "csv"})
    assert "This list has more than 20000 rows" in response.content.decode()
    assert new_entries() == []


@pytest.mark.parametrize(
    "query", ["nonsense=1", "block=x", "floor__range__gte=x", "occupancy__exact=x", "q=%00", "p=x"]
)
def test_a_wrong_filter_is_answered_as_by_the_list_itself(desk, query):
    answers = {desk.get(f"{UNITS}{page}?{query}").status_code for page in ("", "export/")}
    assert answers <= {200, 302, 400}
