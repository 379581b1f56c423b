"""Lists as files: what goes out, what comes in, and what neither may."""

import csv
import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import Action
from audit.operations import Origin
from buildings.models import Apartment, Block, Occupancy, Role
from buildings.operations import start_membership
from contacts.models import User
from tests.conftest import person
from tests.office import Desk, told

UNITS = "/admin/buildings/apartment/"
MEMBERS = "/admin/buildings/membership/"


@pytest.fixture
def desk():
    return Desk("manager")


def export(desk, path, **asked):
    """The rows of a list's CSV file, as dicts."""
    response = desk.post(path, {"format": "csv", **asked})
    assert response["Content-Type"] == "text/csv", response.content.decode()
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def table(*rows):
    """A CSV file of these lines."""
    return SimpleUploadedFile("units.csv", "\n".join(rows).encode(), "text/csv")


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return SimpleUploadedFile("units.xlsx", content.getvalue())


def preview(desk, file):
    return desk.post(f"{UNITS}import/", {"import_file": file})


def confirm(desk, previewed):
    return desk.post(f"{UNITS}import/", {"carried": previewed.context["packed"], "confirm": "1"})


def kinds(previewed):
    return [row["kind"] for row in previewed.context["rows"]]


def errors(previewed):
    return [row["errors"] for row in previewed.context["rows"]]


# --- Out ---------------------------------------------------------------------------------------


def test_units_go_out_as_csv_with_an_entry(desk, new_entries):
    rows = export(desk, f"{UNITS}export/", reason="for the plumber")
    assert len(rows) == 10
    assert rows[1] == {
        "id": "2",
        "block": "1",
        "block_id": "1",
        "number": "2",
        "floor": "0",
        "name": "",
        "occupancy": "Lived in",
        "note": "",
    }
    (line,) = new_entries()
    assert (line.action, line.block_id, line.actor_id) == (Action.EXPORTED, 1, 2)
    assert line.reason == "for the plumber"
    assert (line.after["list"], line.after["rows"]) == ("apartment", 10)


def test_as_a_workbook(desk):
    response = desk.post(f"{UNITS}export/", {"format": "xlsx"})
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert [cell.value for cell in sheet[1]][:4] == ["id", "block", "block_id", "number"]
    assert sheet.max_row == 11
    assert ".xlsx" in response["Content-Disposition"]


def test_as_it_is_filtered(desk, new_entries):
    rows = export(desk, f"{UNITS}export/?occupancy__exact=lived_in")
    assert [row["id"] for row in rows] == ["1", "2"]
    assert [row["id"] for row in export(desk, f"{UNITS}export/?q=Rami")] == ["2"]
    assert new_entries()[0].after["filter"] == "occupancy__exact=lived_in"


def test_phones_are_masked_without_a_reason(desk):
    phones = [row["phone"] for row in export(desk, f"{MEMBERS}export/")]
    assert "••••••••002" in phones
    assert not any("0100000" in phone for phone in phones)
    refused = desk.post(f"{MEMBERS}export/", {"format": "csv", "in_full": "on", "reason": " "})
    assert "Say why you need the phones in full." in refused.content.decode()


def test_phones_in_full_for_a_reason_but_hidden_ones_stay_hidden(desk, new_entries):
    User.objects.filter(pk=4).update(phone_hidden=True)
    rows = export(desk, f"{MEMBERS}export/", in_full="on", reason="water is cut")
    phones = {row["person"]: row["phone"] for row in rows}
    assert phones["Rami Resident"] == "01000000002"
    assert phones["Parisa Partner"] == "•••••"
    (line,) = new_entries()
    assert (line.reason, line.after["phones_in_full"]) == ("water is cut", True)


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


def test_a_text_is_never_a_formula(desk):
    Apartment.objects.filter(pk=2).update(name="=2+5", note="@SUM(A1)")
    row = export(desk, f"{UNITS}export/")[1]
    assert (row["name"], row["note"]) == ("'=2+5", "'@SUM(A1)")


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


# --- In ----------------------------------------------------------------------------------------


def test_a_file_is_previewed_then_written_with_one_request_id(desk, new_entries):
    file = table(
        "id,block_id,number,floor,occupancy",
        "2,1,2,٣,Lived in",
        ",1,70,7,vacant",
        "3,1,3,0,Vacant",
    )
    seen = preview(desk, file)
    assert kinds(seen) == ["update", "new", "skip"]
    assert '<del dir="auto">0</del> <ins dir="auto">3</ins>' in seen.content.decode()
    assert new_entries() == []
    assert Apartment.objects.get(pk=2).floor == 0

    done = confirm(desk, seen)
    assert done.status_code == 302
    assert "1 unit registered, 1 unit changed" in told(done)
    assert Apartment.objects.get(pk=2).floor == 3
    made = Apartment.objects.get(block_id=1, number=70)
    assert (made.floor, made.occupancy) == (7, Occupancy.VACANT)
    changed, registered = new_entries()
    assert (changed.action, changed.target_id) == (Action.APARTMENT_CHANGED, 2)
    assert (changed.before, changed.after) == ({"floor": 0}, {"floor": 3})
    assert (registered.action, registered.target_id) == (Action.APARTMENT_REGISTERED, made.pk)
    assert changed.request_id == registered.request_id


def test_every_error_is_shown_at_once_and_nothing_is_written(desk, new_entries):
    file = table(
        "id,block_id,number,floor,occupancy",
        "2,1,2,5,Lived in",
        ",1,3,1,Vacant",
        ",1,80,top,palace",
        ",1,81,201,Vacant",
        ",1,82,1,Vacant",
        ",1,82,1,Vacant",
        "x,1,83,1,Vacant",
    )
    seen = preview(desk, file)
    assert kinds(seen) == ["update", "wrong", "wrong", "wrong", "new", "wrong", "wrong"]
    assert not seen.context["right"]
    page = seen.content.decode()
    for text in (
        "The block has a unit of that number already.",
        "“top” is not a whole number.",
        "“palace” is none of: Vacant, Lived in, Closed, Being finished.",
        "“x” is not a whole number.",
    ):
        assert text in page
    assert len(errors(seen)[2]) == 2
    assert confirm(desk, seen).status_code == 200
    assert Apartment.objects.filter(block_id=1).count() == 10
    assert Apartment.objects.get(pk=2).floor == 0
    assert new_entries() == []


def test_a_workbook_comes_in_as_well(desk):
    seen = preview(desk, workbook(["id", "floor"], [2, 4.0], [3, "٥"], [None, None]))
    assert kinds(seen) == ["update", "update"]
    assert confirm(desk, seen).status_code == 302
    assert [unit.floor for unit in Apartment.objects.filter(pk__in=(2, 3))] == [4, 5]


def test_what_went_out_comes_in_again_and_changes_nothing(desk, new_entries):
    out = desk.post(f"{UNITS}export/", {"format": "csv"}).content
    Apartment.objects.filter(pk=2).update(name="")
    seen = preview(desk, SimpleUploadedFile("units.csv", out))
    assert set(kinds(seen)) == {"skip"}
    assert confirm(desk, seen).status_code == 302
    assert [line.action for line in new_entries()] == [Action.EXPORTED]


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("12,2,12,1,Vacant", ("id", "There is no unit with this id.")),
        ("12,1,12,1,Vacant", ("id", "There is no unit with this id.")),
        ("99999,1,12,1,Vacant", ("id", "There is no unit with this id.")),
        (",2,90,1,Vacant", ("block_id", "There is no block with this id.")),
        (",99999,90,1,Vacant", ("block_id", "There is no block with this id.")),
        ("2,2,2,1,Vacant", ("block_id", "There is no block with this id.")),
    ],
)
def test_a_foreign_row_is_as_unknown_as_none(desk, new_entries, row, error):
    seen = preview(desk, table("id,block_id,number,floor,occupancy", row))
    assert errors(seen) == [[error]]
    assert confirm(desk, seen).status_code == 200
    assert new_entries() == []
    assert Apartment.objects.filter(block_id=2).count() == 10


def test_a_unit_stays_in_its_block():
    seen = preview(Desk("admin"), table("id,block_id", "2,2"))
    assert errors(seen) == [[("block_id", "A unit stays in its block.")]]


def test_the_only_block_need_not_be_named(desk):
    seen = preview(desk, table("number,floor", "91,3"))
    assert confirm(desk, seen).status_code == 302
    assert Apartment.objects.get(block_id=1, number=91).floor == 3
    several = preview(Desk("admin"), table("number,floor", "91,3"))
    assert errors(several) == [[("block_id", "Say which block: its id.")]]


def test_what_changed_since_the_preview_is_looked_at_again(desk, app, new_entries):
    seen = preview(desk, table("number,floor", "92,3", "93,3"))
    app("manager").create(floorNum=1, aptNum=93, blockId=1)
    late = confirm(desk, seen)
    assert kinds(late) == ["new", "wrong"]
    assert not Apartment.objects.filter(number=92).exists()
    assert len(new_entries()) == 1


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (SimpleUploadedFile("a.csv", b""), "The submitted file is empty."),
        (SimpleUploadedFile("a.csv", "رقم".encode("cp1256")), "This file cannot be read."),
        (SimpleUploadedFile("a.xlsx", b"no workbook"), "This file cannot be read."),
        (SimpleUploadedFile("a.pdf", b"%PDF"), "Choose a CSV or XLSX file."),
        (SimpleUploadedFile("a.csv", b"number,floor\n"), "The file has no rows"),
        (SimpleUploadedFile("a.csv", b"number\n" + b"1\n" * 2001), "more than 2000 rows"),
        (SimpleUploadedFile("a.csv", b"x" * 600_000), "larger than 512 kB"),
        (SimpleUploadedFile("a.csv", b"number,flor\n1,2\n"), "Unknown columns: flor."),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_words(desk, new_entries, file, error):
    response = preview(desk, file)
    assert response.status_code == 200
    assert error in response.content.decode()
    assert new_entries() == []


@pytest.mark.parametrize("carried", ["", "csv:!!!", "csv:AAAA", "exe:eJwDAAAAAAE=", "nonsense"])
def test_a_tampered_confirmation_is_refused_in_words(desk, new_entries, carried):
    response = desk.post(f"{UNITS}import/", {"carried": carried, "confirm": "1"})
    assert response.status_code == 200
    assert not response.context["right"]
    assert new_entries() == []


def test_a_board_member_takes_out_but_brings_nothing_in(desk):
    start_membership(
        origin=Origin.of_command("test"),
        user=person("outsider"),
        block=Block.objects.get(pk=1),
        role=Role.BOARD,
    )
    board = Desk("outsider")
    assert len(export(board, f"{UNITS}export/")) == 10
    assert preview(board, table("number", "95")).status_code == 403
    assert board.get(f"{UNITS}import/").status_code == 403
    assert "Import" not in board.text("buildings/apartment/")
