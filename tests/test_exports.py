import csv
import io
import json
import re
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from audit.models import Action, Entry
from audit.operations import Origin
from buildings.models import Apartment, Block, Membership, Occupancy
from buildings.operations import change_apartment, register_apartment
from contacts.contact_operations import add_contact
from contacts.models import Claim, Kind, SecondaryEmail, SecondaryPhone, User
from omarty.tables.cells import plain, safe
from tests.backoffice import Desk
from tests.conftest import person
from tests.test_import_units import load, read


def export(what, path, **options):
    """Run the command; its report."""
    out = io.StringIO()
    command = f"export_{what}"
    call_command(command, str(path), stdout=out, stderr=io.StringIO(), json=True, **options)
    return json.loads(out.getvalue())


def table(path):
    """The rows of an exported CSV or XLSX file, each a dictionary."""
    headings, *rows = read(path)
    return [dict(zip(headings, row, strict=True)) for row in rows]


@pytest.fixture
def oddities():
    """What a spreadsheet would make something else of."""
    origin = Origin.of_command("test")
    block = Block.objects.get(pk=1)
    for number, name in [(201, "=1+1"), (202, "'=1"), (203, "-5"), (204, "@x"), (205, 'a,"b";ش')]:
        register_apartment(origin=origin, block=block, number=number, floor=-2, name=name)
    register_apartment(origin=origin, block=block, number=None, floor=None, name="Cellar")
    # Older databases hold names of several lines, and what no file can.
    register_apartment(
        origin=origin,
        block=block,
        number=206,
        floor=1,
        name="\x01=a\nb\r\x1fc  d\x9f",
        note="\n'=\t1",
    )
    User.objects.filter(pk=3).update(name="Rami\nResident\x02 ")
    add_contact(origin=origin, user=person("outsider"), kind=Kind.PHONE, typed="+20 109 999 9991")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_occupancy_goes_out_in_words_that_are_read_back(tmp_path, kind):
    for number, occupancy in enumerate(Occupancy.values, start=3):
        Apartment.objects.filter(block=1, number=number).update(occupancy=occupancy)
    path = tmp_path / f"units.{kind}"
    export("units", path, block=1)
    words = [row["occupancy"] for row in table(path)]
    assert words[3:7] == ["Vacant", "Occupied", "Owned, unoccupied", "Being finished"]
    assert load(path)["left"] == 10


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_export_units_writes_import_units_reads_back(tmp_path, oddities, new_entries, kind):
    first, second = tmp_path / f"first.{kind}", tmp_path / f"second.{kind}"
    # 29 units, one of them with two members.
    assert export("units", first, full=True)["rows"] == 30
    entries = len(new_entries())
    report = load(first)
    assert (report["left"], report["created"], report["updated"]) == (29, 0, 0)
    assert len(new_entries()) == entries
    # And into a database that knows the blocks alone.
    numberless = Apartment.objects.get(number=None)
    Membership.objects.all().delete()
    Apartment.objects.exclude(pk=numberless.pk).delete()
    for model in (SecondaryEmail, SecondaryPhone, Claim, User):
        model.objects.all().delete()
    assert load(first)["created"] == 28
    export("units", second, full=True)
    assert read(first) == read(second)


def test_masked_units_are_read_back_where_they_are_known(tmp_path, new_entries):
    path = tmp_path / "units.csv"
    export("units", path, block=1)
    assert "01000000002" not in path.read_text() and "resident@" not in path.read_text()
    rows = table(path)
    assert (rows[1]["phone"], rows[1]["email"]) == ("•••••••0002", "r••••@example.org")
    entries = len(new_entries())
    assert load(path)["left"] == 10
    assert len(new_entries()) == entries


def test_units_by_block_and_number(tmp_path, oddities):
    export("units", tmp_path / "units.csv")
    rows = table(tmp_path / "units.csv")
    places = [(int(row["block id"]), int(row["number"] or 0)) for row in rows[:-1]]
    assert places == sorted(places) and len(places) == 29
    assert (rows[-1]["number"], rows[-1]["name"]) == ("", "Cellar")
    assert rows[-1]["unit id"] == str(Apartment.objects.get(number=None).pk)
    assert [row["block id"] for row in rows if row["number"] == "11"] == ["2"]


def test_no_cell_is_a_formula(tmp_path, oddities):
    User.objects.filter(pk=2).update(name='=HYPERLINK("http://example.org")')
    for what in ("units", "people", "audit"):
        for kind in ("csv", "xlsx"):
            path = tmp_path / f"{what}.{kind}"
            export(what, path, full=True)
            cells = [cell for row in read(path) for cell in row]
            assert not [cell for cell in cells if cell[:1] in tuple("=+@\t\r")]
            assert what == "audit" or any(cell.startswith("'=") for cell in cells)
    book = load_workbook(tmp_path / "people.xlsx")
    assert all(cell.data_type != "f" for row in book.active for cell in row)


def test_people(tmp_path):
    path = tmp_path / "people.csv"
    assert export("people", path, full=True)["rows"] == 8
    neighbour = table(path)[7]
    assert neighbour == {
        "id": "8",
        "name": "نادية جارة",
        "name in the app": "",
        "phone": "01000000007",
        "email": "neighbour@example.org",
        "further phones": "01100000007; +20 120 000 0007",
        "further emails": "neighbour.second@example.org; Neighbour.Work@example.org",
        "status": "active",
        "superuser": "no",
        "registered": neighbour["registered"],
        "belongs to": "block 2 (id 2), unit 11: manager, active",
    }
    assert neighbour["registered"].endswith("Z")
    export("people", path)
    assert "01000000007" not in path.read_text() and "0007" in path.read_text()
    assert [row["id"] for row in table(path)] == [str(pk) for pk in range(1, 9)]


def test_what_is_hidden_stays_hidden_also_in_full(tmp_path):
    User.objects.filter(pk=3).update(phone_hidden=True)
    User.objects.filter(pk=8).update(email_hidden=True)
    SecondaryPhone.objects.filter(user=8, typed__startswith="+20").update(hidden=True)
    SecondaryEmail.objects.filter(typed="neighbour.second@example.org").update(hidden=True)
    export("people", tmp_path / "people.csv", full=True)
    people = {row["id"]: row for row in table(tmp_path / "people.csv")}
    assert (people["3"]["phone"], people["3"]["email"]) == ("•••••", "resident@example.org")
    assert (people["8"]["phone"], people["8"]["email"]) == ("01000000007", "•••••")
    assert people["8"]["further phones"] == "01100000007; •••••"
    assert people["8"]["further emails"] == "•••••; Neighbour.Work@example.org"
    export("people", tmp_path / "masked.csv")
    masked = {row["id"]: row for row in table(tmp_path / "masked.csv")}
    assert (masked["3"]["phone"], masked["3"]["email"]) == ("•••••", "r••••@example.org")
    assert masked["8"]["further phones"] == "•••••••0007; •••••"
    assert masked["8"]["further emails"] == "•••••; N••••@example.org"
    for full, email in [(True, "resident@example.org"), (False, "r••••@example.org")]:
        export("units", tmp_path / "units.csv", full=full)
        contacts = [(row["phone"], row["email"]) for row in table(tmp_path / "units.csv")]
        assert ("•••••", email) in contacts
        assert not [phone for phone, _email in contacts if phone.endswith("0002")]


def test_who_hides_a_contact_is_read_back_as_the_same_resident(tmp_path, new_entries):
    User.objects.filter(pk=3).update(phone_hidden=True, email_hidden=True)
    export("units", tmp_path / "units.csv", full=True)
    entries = len(new_entries())
    assert load(tmp_path / "units.csv")["left"] == 22
    assert len(new_entries()) == entries


def test_people_of_a_block_and_of_days(tmp_path):
    path = tmp_path / "people.csv"
    assert export("people", path, block=2)["rows"] == 1
    # 22:30 UTC is the next day in Cairo.
    User.objects.filter(pk=3).update(created_at="2026-01-31T22:30:00Z")
    assert export("people", path, since=date(2026, 2, 1), until=date(2026, 2, 1))["rows"] == 1
    assert table(path)[0]["id"] == "3"
    assert export("people", path, until=date(2026, 1, 31))["rows"] == 0


def test_audit_in_json_lines(tmp_path, manager):
    manager.create(floorNum=1, aptNum=101, blockId=1, longitude="31.25", latitude="30.5")
    path = tmp_path / "audit.jsonl"
    assert export("audit", path, full=True)["rows"] == Entry.objects.count() - 1
    last = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    entry = Entry.objects.get(pk=last["id"])
    assert (last["action"], last["actor"]) == ("apartment.registered", "Mona Manager")
    assert json.loads(last["after"]) == entry.after == {"number": 101, "floor": 1}
    assert (last["longitude"], last["latitude"]) == ("31.2500000", "30.5000000")
    assert last["request id"] == str(entry.request_id)


def test_audit_is_masked(tmp_path, resident):
    resident.add(blockId=1, apartmentId=2, phoneNumber="011 2233-4455")
    resident.add(blockId=1, apartmentId=2, email="secret@example.org")
    export("audit", tmp_path / "audit.csv", block=1)
    text = (tmp_path / "audit.csv").read_text()
    assert "2233" not in text and "secret" not in text
    assert "4455" in text and "s••••@example.org" in text


@pytest.mark.parametrize("full", [True, False])
def test_audit_hides_what_is_hidden_or_gone_by_now(tmp_path, resident, full):
    resident.add(blockId=1, apartmentId=2, phoneNumber="011 2233-4455")
    resident.add(blockId=1, apartmentId=2, email="shown@example.net")
    resident.add(blockId=1, apartmentId=2, email="hidden@example.net")
    SecondaryEmail.objects.filter(typed="hidden@example.net").update(hidden=True)
    SecondaryPhone.objects.filter(user=3).delete()
    export("audit", tmp_path / "audit.csv", block=1, full=full)
    text = (tmp_path / "audit.csv").read_text()
    assert "4455" not in text and "hidden@" not in text and "•••••" in text
    assert ("shown@example.net" in text) is full
    assert ("s••••@example.net" in text) is not full
    # What the database has stored stays as it was.
    assert Entry.objects.filter(target_label="hidden@example.net").exists()


def test_each_export_leaves_an_entry(tmp_path, new_entries):
    export("people", tmp_path / "people.csv", block=1, full=True, since=date(2020, 1, 1))
    (entry,) = new_entries()
    assert (entry.action, entry.block_id, entry.channel) == (Action.EXPORTED, 1, "command")
    assert entry.actor_label.startswith("export_people (")
    assert entry.after == {
        "what": "people",
        "rows": 5,
        "full": True,
        "since": "2020-01-01",
        "until": None,
    }


def test_a_dry_run_writes_neither_file_nor_entry(tmp_path, new_entries):
    for what, rows in [("units", 23), ("people", 8), ("audit", Entry.objects.count())]:
        assert export(what, tmp_path / f"{what}.csv", dry_run=True)["rows"] == rows
    assert not list(tmp_path.iterdir()) and not new_entries()


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("people.txt", {}, "name a format"),
        ("missing/people.csv", {}, "no directory"),
        ("", {"format": "csv"}, "is not a file"),
        ("people.csv", {"block": 99}, "no block 99"),
    ],
)
def test_what_cannot_be_meant(tmp_path, new_entries, name, options, why):
    with pytest.raises(CommandError, match=why) as refused:
        export("people", tmp_path / name, **options)
    assert refused.value.returncode == 2
    assert not list(tmp_path.iterdir()) and not new_entries()


def test_the_first_and_the_last_day_of_all(tmp_path):
    path = tmp_path / "people.csv"
    assert export("people", path, since=date.min, until=date.max)["rows"] == 8
    for one in (date.min, date.min + timedelta(days=1)):
        assert export("people", path, since=one)["rows"] == 8
        assert export("people", path, until=one)["rows"] == 0
    assert export("people", path, until=date.max - timedelta(days=1))["rows"] == 8


def test_a_day_that_is_none(tmp_path):
    with pytest.raises(CommandError, match="is not a day"):
        call_command("export_people", str(tmp_path / "people.csv"), "--since", "yesterday")


def test_csv_opens_as_utf8_in_a_spreadsheet_and_is_private(tmp_path):
    path = tmp_path / "people.csv"
    export("people", path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert path.stat().st_mode & 0o077 == 0
    assert next(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))[0] == "id"


def test_more_rows_than_a_page(tmp_path):
    lines = [f"{number},{number % 9}" for number in range(1000, 6000)]
    file = tmp_path / "in.csv"
    file.write_text("number,floor\n" + "\n".join(lines))
    load(file, block=2)
    assert export("units", tmp_path / "units.csv")["rows"] == 5023
    numbers = [
        int(row["number"]) for row in table(tmp_path / "units.csv") if row["block id"] == "2"
    ]
    assert numbers == [*range(11, 21), *range(1000, 6000)]
    assert export("audit", tmp_path / "audit.jsonl")["rows"] == Entry.objects.count() - 1


def test_audit_of_what_one_person_did(tmp_path, app):
    manager = app("manager")
    here = {"blockId": 1, "longitude": "31.2", "latitude": "30.0"}
    manager.create(floorNum=1, aptNum=101, apartmentId=1, **here)
    manager.add(phoneNumber="01122334455", apartmentId=1, **here)
    app("resident").create(floorNum=1, aptNum=102, apartmentId=2, **here)
    own = Entry.objects.filter(actor_id=manager.person.pk)
    asked: list[dict[str, object]] = [{}, {"action": "apartment.registered"}, {"block": 2}]
    for options in asked:
        path = tmp_path / "audit.csv"
        export("audit", path, person=manager.person.pk, **options)
        expected = own.filter(**{{"block": "block_id"}.get(k, k): v for k, v in options.items()})
        assert [int(row["id"]) for row in table(path)] == list(
            expected.order_by("pk").values_list("pk", flat=True)
        )
    assert (
        own.filter(action="apartment.registered").count() == 1 < own.count() < Entry.objects.count()
    )
    for nobody in (999, 10**30):
        with pytest.raises(CommandError, match=f"There is no person {nobody}") as refused:
            export("audit", tmp_path / "other.csv", person=nobody)
        assert refused.value.returncode == 2
    assert not (tmp_path / "other.csv").exists()


def test_days_in_the_wrong_order_are_misuse(tmp_path):
    with pytest.raises(CommandError, match="lies before") as refused:
        export("audit", tmp_path / "audit.csv", since="2026-11-23", until="2026-11-21")
    assert refused.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


# --- Cells that another separator would make formulas ------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="=+-@;,\t\r\n'|x1 \"", max_size=12))
def test_no_separator_of_any_country_makes_a_formula_of_a_text(text):
    row = io.StringIO()
    csv.writer(row).writerow(["Flat", safe(text), "end"])
    for separator in ",;\t|":
        for cells in csv.reader(io.StringIO(row.getvalue(), newline=""), delimiter=separator):
            for cell in cells:
                number = re.fullmatch(r"-?[0-9]+", cell)
                assert number or not cell.startswith(("=", "+", "-", "@")), (separator, cell)
    assert plain(safe(text)) == text


def test_lines_of_a_text_stay_as_they_are_unless_they_are_formulas():
    assert safe("first\r\n\r\nthird\n 4") == "first\r\n\r\nthird\n 4"
    assert safe("first\n=1+1\r\n-2") == "first\n'=1+1\r\n'-2"


@pytest.mark.parametrize("full", [True, False])
def test_a_name_that_was_typed_at_a_refused_sign_in_is_never_shown_whole(tmp_path, client, full):
    User.objects.filter(pk=3).update(email_hidden=True)
    for name in ("resident@example.org", "01000000002"):
        client.post("/omartyapis/Auth/Login/", {"email": name, "password": "wrong"})
    export("audit", tmp_path / "audit.csv", full=full)
    text = (tmp_path / "audit.csv").read_text(encoding="utf-8-sig")
    assert "wrong name or password" in text
    assert "resident@example.org" not in text
    assert "1000000002" not in text


def test_in_full_the_audit_log_has_every_text_as_it_is_but_for_hidden_contacts(tmp_path):
    note = "meter 12345678, plumber 01234567890 ask@plumber.example"
    unit = Apartment.objects.get(pk=2)
    change_apartment(origin=Origin.of_command("test"), apartment=unit, changes={"note": note})
    for full, expected in ((True, note), (False, "meter ••••5678")):
        export("audit", tmp_path / "audit.jsonl", full=full)
        lines = (tmp_path / "audit.jsonl").read_text().splitlines()
        assert expected in json.loads(lines[-1 if full else -2])["after"]


# --- Residents and phones, from the back-office's list of units --------------------------------------

RESIDENTS = "/admin/buildings/apartment/residents/"
IN_FULL = {"in_full": "on", "reason": "water is cut"}


def residents(desk, query="", **asked):
    """The rows of the CSV file, as dicts."""
    response = desk.post(f"{RESIDENTS}{query}", {"format": "csv", **asked})
    assert response["Content-Type"] == "text/csv", response.content.decode()
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_residents_and_phones_in_one_sheet(new_entries):
    rows = residents(Desk("manager"), reason="for the plumber")
    assert [(row["unit"], row["resident"], row["phone"]) for row in rows[:4]] == [
        ("1", "Mona Manager", "•••••••0001"),
        ("2", "Rami Resident", "•••••••0002"),
        ("2", "Parisa Partner", "•••••••0003"),
        ("3", "", ""),
    ]
    assert rows[1] == {
        "building": "Palm Gardens",
        "block": "1",
        "unit": "2",
        "name": "",
        "floor": "0",
        "occupancy": "Occupied",
        "resident": "Rami Resident",
        "phone": "•••••••0002",
    }
    (entry,) = new_entries()
    assert (entry.action, entry.block_id, entry.reason) == (
        Action.EXPORTED,
        1,
        "for the plumber",
    )
    assert (entry.after["what"], entry.after["rows"], entry.after["full"]) == (
        "residents",
        11,
        False,
    )


def test_who_asks_or_is_banned_or_has_left_is_no_resident():
    names = {row["resident"] for row in residents(Desk("manager"))}
    assert names == {"Mona Manager", "Rami Resident", "Parisa Partner", ""}
    Membership.objects.filter(user_id=3).update(ended_at="2030-01-01T00:00:00Z")
    assert "Rami Resident" not in {row["resident"] for row in residents(Desk("manager"))}


def test_who_has_two_roles_in_a_unit_stands_there_once():
    Membership.objects.create(
        user_id=3, block_id=1, apartment_id=2, role="cashier", status="active"
    )
    names = [row["resident"] for row in residents(Desk("manager"))]
    assert names.count("Rami Resident") == 1


def test_phones_in_full_need_a_reason_and_hidden_ones_stay_hidden(new_entries):
    desk = Desk("manager")
    add_contact(
        origin=Origin.of_command("test"),
        user=person("resident"),
        kind=Kind.PHONE,
        typed="01122334455",
    )
    User.objects.filter(pk=4).update(phone_hidden=True)
    before = len(new_entries())
    refused = desk.post(RESIDENTS, {"format": "csv", "in_full": "on", "reason": " "})
    assert "Say why you need the contacts in full." in refused.content.decode()
    assert len(new_entries()) == before
    phones = {row["resident"]: row["phone"] for row in residents(desk, **IN_FULL)}
    assert phones["Rami Resident"] == "01000000002; 01122334455"
    assert phones["Parisa Partner"] == "•••••"
    assert (new_entries()[-1].reason, new_entries()[-1].after["full"]) == ("water is cut", True)


def test_the_sheet_follows_the_lists_filters():
    desk = Desk("manager")
    rows = residents(desk, "?occupancy__exact=lived_in")
    assert [row["unit"] for row in rows] == ["1", "2", "2"]
    assert [row["unit"] for row in residents(desk, "?q=Rami")] == ["2", "2"]
    page = desk.text("buildings/apartment/", q="Rami")
    assert f'href="{RESIDENTS}?q=Rami"' in page


def test_a_workbooks_cells_are_plain(tmp_path):
    User.objects.filter(pk=3).update(name="=1+1", phone="+201000000002")
    response = Desk("manager").post(RESIDENTS, {"format": "xlsx", **IN_FULL})
    sheet = load_workbook(io.BytesIO(response.content)).active
    cells = [cell for row in sheet for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    _building, block, unit, _name, floor, _occupancy, resident, phone = (
        cell.value for cell in sheet[3]
    )
    assert (block, unit, floor, resident) == ("1", 2, 0, "'=1+1")
    assert phone == "'+201000000002"


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_page_to_print_has_block_day_and_rows(new_entries, language):
    response = Desk("manager", language=language).post(RESIDENTS, {"format": "print"})
    text = response.content.decode()
    assert ('dir="rtl"' in text) is (language == "ar")
    ((head, rows),) = response.context["pages"]
    assert "Palm Gardens" in head if language == "en" else head
    assert rows[1][-2:] == ["Rami Resident", "•••••••0002"]
    assert "01000000002" not in text and str(timezone.localdate().year) in text
    (entry,) = new_entries()
    assert (entry.after["what"], entry.after["format"]) == ("residents", "print")
    assert "To print" in Desk("manager").text(f"audit/entry/{entry.pk}/change/")


def test_each_block_has_a_page_of_its_own():
    response = Desk("admin").post(RESIDENTS, {"format": "print", **IN_FULL})
    pages = dict(response.context["pages"])
    assert len(pages) == Apartment.objects.values("block").distinct().count() > 1
    assert ["01000000007" in str(rows) for rows in pages.values()].count(True) == 1


@pytest.mark.parametrize("kind", ["csv", "print"])
def test_a_sheet_holds_nothing_of_other_blocks_and_asks_as_often_whatever_its_length(kind):
    desk = Desk("neighbour")
    counts = []
    for first in (2000, 3000):
        with CaptureQueriesContext(connection) as asked:
            text = desk.post(RESIDENTS, {"format": kind, **IN_FULL}).content.decode()
        assert "نادية" in text and "Rami" not in text and "01000000002" not in text
        counts.append(len(asked))
        Apartment.objects.bulk_create(
            Apartment(block_id=2, number=number, floor=1) for number in range(first, first + 500)
        )
    assert counts[0] == counts[1]
