"""Tables as people keep them: the part that is meant is found, and what was not read is told."""

import csv
import io
import random
import zipfile
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from openpyxl import Workbook

from buildings.models import Apartment, Occupancy
from tests.backoffice import Desk, fields_of
from tests.conftest import ONCE
from tests.test_import_units import load, refusal

pytestmark = ONCE

PAGE = "/admin/buildings/apartment/import/"


def comma(*lines):
    """A CSV of these lines."""
    return "\n".join(lines).encode()


def floors():
    units = Apartment.objects.filter(block_id=1, number__gt=100).exclude(floor=None)
    return dict(units.values_list("number", "floor"))


# What heads the columns of a unit numbered 101 on floor 7, and what must be told.
HEADINGS = {
    "signs": "Unit No. *,FLOOR (required),#",
    "marks": "\u200fرقم الشقة\u200f,\u202bالدور\u202c,م",
    "presentation forms": "رقم ﺍﻟﺸﻘﺔ,ﺍﻟﺪﻭﺭ,مسلسل",
    "vowel signs and tatweel": "رَقم الشَّقة:,الدّور ـــ,ت",
    "two languages": "Unit No. رقم الوحدة,Floor / الدور,S/N",
    "no article": "شقة,طابق,م.",
    "camels": "UnitNumber,floorNumber,Serial No.",
    "digits": "Flat,Level,Sr",
    "brackets": "الوحدة (رقم),[الطابق],No.",
}


@pytest.mark.parametrize("name", HEADINGS)
def test_headings_are_known_however_they_are_written(tmp_path, name):
    path = tmp_path / "units.csv"
    path.write_bytes(comma(HEADINGS[name], "101,7,1"))
    (note,) = load(path, block=1)["notes"]
    assert floors() == {101: 7}
    assert HEADINGS[name].split(",")[2] in note


# Headings; the resident, the unit's name, the contacts that a row of values "a".."z" gives.
PEOPLE = {
    "number,name,phone": "resident",
    "number,الاسم,رقم الموبايل": "resident",
    "number,name,resident,phone": "unit",
    "number,Tenant's name,Tenant mobile": "resident",
    "number,اسم المالك,تليفون المالك": "resident",
    "رقم الوحدة,الاسم بالكامل,رقم الواتس": "resident",
    "Apt.,Occupant Name,Contact No.": "resident",
    "Villa No,Owner / Tenant,Mobile 1": "resident",
}


@pytest.mark.parametrize("headings", PEOPLE)
def test_a_name_is_whose_its_neighbours_say(tmp_path, headings):
    path = tmp_path / "units.csv"
    names = ["Sara Said"] * (headings.count(",") - 1)
    path.write_bytes(comma(f"{headings},floor", ",".join(["101", *names, "01055500099", "7"])))
    load(path, block=1)
    unit = Apartment.objects.get(block_id=1, number=101)
    assert unit.name == ("Sara Said" if PEOPLE[headings] == "unit" else "")
    assert unit.memberships.get().user.name == "Sara Said"


@pytest.mark.parametrize(
    "headings",
    [
        "First Name,Last Name,Mobile",
        "Name,Surname,Phone",
        "Last name,First name,Mobile",
        "الاسم الأول,اسم العائلة,الموبايل",
        "Name,Family name,",
    ],
)
def test_a_name_in_two_columns_is_one(tmp_path, headings):
    path = tmp_path / "units.csv"
    heads = [*filter(None, headings.split(",")), "E-mail"]
    names = ["Said", "Sara"] if heads[0] == "Last name" else ["Sara", "Said"]
    phone = ["01055500099"][: len(heads) - 3]
    lone = ["", "Adel"] if heads[0] != "Last name" else ["Adel", ""]
    rows = [
        ["101", "7", *names, *phone, "s@example.org"],
        ["102", "7", *lone, *phone[:0], *[""] * len(phone), "a@example.org"],
        ["103", "7", "0", "0", *[""] * len(phone), ""],
        ["104", "7", "-", "-", *[""] * len(phone), ""],
    ]
    path.write_text("\n".join(map(",".join, [["number", "floor", *heads], *rows])))
    assert load(path, block=1)["people"] == 2
    people = {
        number: list(
            Apartment.objects.filter(number=number).values_list(
                "memberships__user__name", flat=True
            )
        )
        for number in (101, 102, 103, 104)
    }
    assert people == {101: ["Sara Said"], 102: ["Adel"], 103: [None], 104: [None]}


def test_a_name_in_two_columns_is_no_longer_than_one(tmp_path):
    path = tmp_path / "units.csv"
    path.write_text(
        f"number,floor,first name,surname,phone\n101,1,{'x' * 200},{'y' * 55},01055500099"
    )
    _code, report, _told = refusal(path, block=1)
    (problem,) = report["problems"]
    assert (problem["column"], problem["sentence"]) == ("surname", "is longer than 255 characters")


REFUSED_HEADINGS = {
    "number,owner,tenant": "owner and tenant",
    "number,Tenant name,Owner phone": "Tenant name and Owner phone speak of two people",
    "number,flor": "Unknown headings: flor",
    "number,name,Phone (wife)": "Unknown headings: Phone (wife)",
    "رقم الشقة,الاسم,الموبايل (الزوجة)": "Unknown headings: الموبايل (الزوجة)",
    "number,name," + "phone " * 50: "Unknown headings: phone phone",
    "No,name,phone": "no column of unit numbers",
    "ID No,name,phone": "Unknown headings: ID No",
    "number,name,Phones,Fax": "Unknown headings: Fax.",
    "رقم,الاسم,التليفون": "no column of unit numbers",
    "number,اسم المالك,الاسم,الموبايل": "الاسم may be the unit's name or a person's",
    "Flat,Floor,Name (Arabic),Name (English),Mobile": "Name (Arabic) and Name (English)",
    "Flat,Name,Phone,Owner": "Name may be the unit's name or a person's",
}


@pytest.mark.parametrize("headings", REFUSED_HEADINGS)
def test_headings_that_may_mean_another_thing_are_refused(tmp_path, headings, new_entries):
    path = tmp_path / "units.csv"
    path.write_bytes(comma(headings, "1,Sara Said,01055500099"))
    code, _report, told = refusal(path, block=1)
    assert code == 1 and REFUSED_HEADINGS[headings] in told
    assert new_entries() == []


# What is left out, and a part of why the table is refused then: a contact of whom nobody names would
# become somebody else's.
TWO_PEOPLE = {
    "Resident,Phone,Resident 2,Phone 2": ("", "Resident and Resident 2 speak of two people"),
    "Resident 1,Phone 1,Resident 2,Phone 2": ("", "Resident 1 and Resident 2 speak of two"),
    "Name,Phone,Name 2,Phone 2": ("", "Name and Name 2 speak of two people"),
    "Resident 1,Phone 1,Resident  2,Phone 2": (
        "Resident 1;Resident 2",
        "Phone 2 may be of whom Resident 2 names",
    ),
    "Phone 1,Phone 2,Resident 1,Resident 2": ("Resident 2", "Phone 2 may be of whom Resident 2"),
    "اسم الساكن,الموبايل,اسم الساكن الثاني,موبايل 2": (
        "اسم الساكن الثاني",
        "موبايل 2 may be of whom اسم الساكن الثاني names",
    ),
    "Resident,Phone,Wife,Phone 2": ("all", "Phone 2 may be of whom Wife names"),
    "Resident,Emergency contact,Phone": ("all", "Phone may be of whom Emergency contact"),
    "المستأجر,الموبايل,السمسار,التليفون": ("all", "التليفون may be of whom السمسار names"),
    "Name,Phone,Relative name,Mobile": ("all", "Mobile may be of whom Relative name names"),
    "Owner email,Lodger,Email": ("all", "Email and Owner email speak of two people"),
    "Resident,Phone,Zzz,Mobile": ("all", "Mobile may be of whom Zzz names"),
    "Resident,Phone,Zzz,Area,Mobile": ("all", "Mobile may be of whom Zzz names"),
    "Rep,Phone 2,Name,Phone": ("all", "Phone 2 may be of whom Rep names"),
    "Zzz,Mobile,Resident,Phone": ("all", "Mobile may be of whom Zzz names"),
    "Resident,Phone,Guarantor,Area,Email": ("all", "Email may be of whom Guarantor names"),
    "Tenant,Phone,Name,Mobile": ("Name", "Mobile may be of whom Name names"),
    "اسم المالك,الاسم,الموبايل": ("الاسم", "الموبايل may be of whom الاسم names"),
    "Name,Phone,Owner": ("Name", "Phone may be of whom Name names"),
    "Owner,Mobile,Tenant,Phone": ("Owner", "Mobile may be of whom Owner names"),
}


@pytest.mark.parametrize("headings", TWO_PEOPLE)
def test_a_contact_never_becomes_anothers_because_a_name_is_left_out(
    tmp_path, headings, new_entries
):
    ignored, sentence = TWO_PEOPLE[headings]
    path = tmp_path / "units.csv"
    row = ["101", "7", *(f"01055500{n:03}" for n in range(headings.count(",") + 1))]
    path.write_bytes(comma(f"Unit,Floor,{headings}", ",".join(row)))
    assert sentence in refusal(path, block=1, ignore=list(filter(None, ignored.split(";"))))[2]
    assert new_entries() == []


@pytest.mark.parametrize(
    ("headings", "ignored"),
    [
        ("Resident,Phone,Resident 2,Phone 2", ["Resident 2", "Phone 2"]),
        ("Resident,Rent,Phone", ["all"]),
        ("Resident,Phone,Notes2,Mobile", ["all"]),
        ("Resident,Phone,Phone (wife),Email", ["all"]),
        ("Resident,Resident name (English),Phone", ["all"]),
        ("Full name,Resident,Phone", ["Full name"]),
        ("Resident 1,Phone 1,Phone 2", []),
        ("Resident,Phone,Which floor?,Email", ["all"]),
        ("Resident,Phone,Entrance,Mobile", ["all"]),
        ("Entrance,Resident,Wing,Phone,Mobile", ["all"]),
    ],
)
def test_what_names_nobody_may_be_left_out_before_a_contact(tmp_path, headings, ignored):
    path = tmp_path / "units.csv"
    cells = {"Phone": "01055500001", "Phone 1": "01055500001", "Resident": "Sara Said"}
    cells |= {"Resident 1": "Sara Said"}
    row = ["101", "7", *(cells.get(name, "") for name in headings.split(","))]
    path.write_bytes(comma(f"Unit,Floor,{headings}", ",".join(row)))
    load(path, block=1, ignore=ignored)
    (membership,) = Apartment.objects.get(block_id=1, number=101).memberships.all()
    assert (membership.user.name, membership.user.phone) == ("Sara Said", "01055500001")


@pytest.mark.parametrize(
    ("headings", "ignored"),
    [("Flat,Floor,Name", []), ("رقم الشقة,الدور,الاسم", []), ("Flat,Name,Phone", ["Phone"])],
)
def test_a_name_without_a_contact_may_be_the_units_or_a_persons(
    tmp_path, headings, ignored, new_entries
):
    path = tmp_path / "units.csv"
    path.write_bytes(comma(headings, "601,6,Ahmed Hassan"))
    told = refusal(path, block=1, ignore=ignored)[2]
    assert "may be the unit's name or a person's: head the column “unit name” or “resident”" in told
    assert new_entries() == []


def test_the_arabic_page_names_the_headings_in_arabic():
    desk = Desk("manager", language="ar")
    file = SimpleUploadedFile("units.csv", comma("رقم الوحدة,إيجار", "1,2"))
    told = str(desk.post(PAGE, {"import_file": file}).context["form"].errors)
    assert "إيجار" in told and "الدور، " in told and "الهاتف، " in told and "floor" not in told


LINES = {
    "title and blank lines": (["Al Nour, list of 2026,,", ",,", "number,floor", "101,7"], "row 3"),
    "instructions": (["One row for a unit", "Ask us: 19123", "number,floor", "101,7"], "row 3"),
    "two lines": (["Unit number,Floor,Notes", "رقم الوحدة,الدور,ملاحظات", "101,7,"], "row 2"),
    "two lines, groups": (
        ["Unit,,Resident,,", "No,Floor,Name,Phone,E-mail", "101,7,Sara Said,01055500099,"],
        "row 2",
    ),
    "two lines, groups in Arabic": (
        ["الوحدة,,المالك,", "رقم,الدور,الاسم,الموبايل", "101,7,سارة,01055500099"],
        "row 2",
    ),
    "two lines, halves": (["Unit number,Data,", ",Floor,Notes", "101,7,x"], "row 2"),
    "a sum": (["م,number,floor", "1,101,7", "الإجمالي,1,"], "Row 3 sums up"),
    "sums": (
        ["م,number,floor", "1,101,7", "Total,1,", *[f"Sub total,{n}," for n in range(24)]],
        "5 more rows that sum up",
    ),
    "a pair of facts": (["Year,2026", "Units,40", "number,floor", "101,7"], "row 3"),
}


@pytest.mark.parametrize("name", LINES)
def test_lines_above_the_rows_are_not_read_and_told(tmp_path, name):
    lines, told = LINES[name]
    path = tmp_path / "units.csv"
    path.write_bytes(comma(*lines))
    report = load(path, block=1)
    assert floors() == {101: 7} and report["created"] == 1
    assert told in " ".join(report["notes"])


def test_rows_above_the_headings_are_not_dropped(tmp_path):
    path = tmp_path / "units.csv"
    path.write_bytes(comma("101,7", "102,7", "number,floor", "103,7"))
    _code, _report, told = refusal(path, block=1)
    assert "below rows that look like rows of the table: 1, 2" in told


def test_columns_that_are_not_ours_are_left_out_by_saying_so(tmp_path):
    path = tmp_path / "units.csv"
    path.write_bytes(comma("number,floor,Rent,المساحة", "101,7,5000,90"))
    assert "left out" in refusal(path, block=1)[2]
    report = load(path, block=1, ignore=["rent", "المساحه"])
    assert floors() == {101: 7}
    assert report["notes"] == ["The columns Rent, المساحة were not read."]
    assert load(path, block=1, ignore=["all"])["left"] == 1
    assert "no column Colour" in refusal(path, block=1, ignore=["Colour", "all"])[2]


def saved(book, *, state=None):
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def sheets(**tables):
    """A workbook with these sheets; one whose name begins with _ is hidden."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name.strip("_"))
        sheet.sheet_state = "veryHidden" if name.startswith("_") else "visible"
        for row in rows:
            sheet.append(row)
    return book


HEAD = ["number", "floor"]


def hidden_rows():
    book = sheets(Units=[HEAD, [101, 7], [102, 8], [103, 9]])
    book["Units"].row_dimensions[3].hidden = True
    return saved(book)


def merged_headings():
    book = sheets(
        Units=[
            ["Unit number", "Floor", "Contact details"],
            [None, None, "Phone", "E-mail"],
            [101, 7],
        ]
    )
    for cells in ("A1:A2", "B1:B2", "C1:D1"):
        book["Units"].merge_cells(cells)
    return saved(book)


def coloured(book):
    sheet = book["Units"]
    for row in (1, 2, 3):
        for column in range(1, 1200):
            sheet.cell(row, column).number_format = "0.00"
    return book


# How a workbook is made, the floors that it brings, a part of what is told.
BOOKS = {
    "hidden rows": (hidden_rows, {101: 7, 103: 9}, "1 row that is hidden or filtered"),
    "a very hidden sheet": (
        lambda: saved(sheets(_Old=[HEAD, [102, 1]], Units=[HEAD, [101, 7]])),
        {101: 7},
        "Sheet Old is hidden",
    ),
    "totals first": (
        lambda: saved(sheets(Totals=[["Units", 1], [101, 4]], Units=[HEAD, [101, 7]])),
        {101: 7},
        "Sheet Totals does not have the headings",
    ),
    "a list first": (
        lambda: saved(sheets(Lists=[["Unit number"], ["Shop"]], Units=[HEAD, [101, 7]])),
        {101: 7},
        "Sheet Lists has other headings",
    ),
    "two floors": (
        lambda: saved(sheets(One=[HEAD, [101, 1]], Two=[["Number ", "FLOOR"], [201, 2]])),
        {101: 1, 201: 2},
        "These sheets were read: One, Two.",
    ),
    "headings over two lines": (merged_headings, {101: 7}, "second line of headings"),
    "a coloured row": (
        lambda: saved(coloured(sheets(Units=[HEAD, [101, 7]]))),
        {101: 7},
        "",
    ),
}


@pytest.mark.parametrize("name", BOOKS)
@pytest.mark.parametrize("way", ["command", "page"])
def test_the_part_of_a_workbook_that_is_meant_is_read(tmp_path, name, way):
    make, expected, told = BOOKS[name]
    path = tmp_path / "units.xlsx"
    path.write_bytes(make())
    if way == "command":
        notes = load(path, block=1)["notes"]
    else:
        desk = Desk("manager")
        seen = desk.post(PAGE, {"import_file": SimpleUploadedFile(path.name, path.read_bytes())})
        assert seen.context["preview"].right, seen.context["preview"].lines
        notes = seen.context["preview"].notes
        assert all(f'<li dir="auto">{note}</li>' in seen.content.decode() for note in notes)
        assert desk.post(PAGE, fields_of(seen)).status_code == 302
    assert floors() == expected
    assert (told in " ".join(notes)) if told else not notes


def test_messages_name_the_sheet_and_the_row_that_people_see(tmp_path):
    path = tmp_path / "units.xlsx"
    path.write_bytes(saved(sheets(One=[[], HEAD, [101, 1]], Two=[[], [], HEAD, ["x", 2]])))
    _code, report, told = refusal(path, block=1)
    (problem,) = report["problems"]
    assert (problem["sheet"], problem["row"], problem["column"]) == ("Two", 4, "number")
    assert f"{path}, sheet Two, row 4, column number" in told
    desk = Desk("manager")
    seen = desk.post(PAGE, {"import_file": SimpleUploadedFile(path.name, path.read_bytes())})
    assert "<td><bdi>Two</bdi> 4</td>" in seen.content.decode()


def test_one_number_in_two_sheets_is_not_one_unit(tmp_path):
    path = tmp_path / "units.xlsx"
    path.write_bytes(saved(sheets(East=[HEAD, [101, 1]], West=[HEAD, [101, 1], [102, 1]])))
    _code, report, _told = refusal(path, block=1)
    (problem,) = report["problems"]
    assert (problem["sheet"], problem["row"]) == ("West", 2)
    assert "is in sheet East as well" in problem["sentence"]
    load(path, block=1, skip_bad=True, bad_file=tmp_path / "bad.csv")
    assert floors() == {101: 1, 102: 1}


def test_a_formula_that_nobody_worked_out_is_no_empty_cell(tmp_path):
    path = tmp_path / "units.xlsx"
    path.write_bytes(saved(sheets(Units=[HEAD, [101, "=3+4"], ["=100+2", 8], [103, 9]])))
    bad = tmp_path / "bad.csv"
    report = load(path, block=1, skip_bad=True, bad_file=bad)
    assert floors() == {103: 9} and report["bad_rows"] == 2
    with bad.open(newline="", encoding="utf-8-sig") as file:
        assert [row[1:] for row in csv.reader(file)][1:] == [["101", "#CALC!"], ["#CALC!", "8"]]


@pytest.mark.parametrize(
    "column", ["name", "note", "resident", "phone", "email", "floor", "number"]
)
def test_a_cell_longer_than_any_column_takes_is_refused(tmp_path, column):
    path = tmp_path / "units.csv"
    cells = {"number": "101", "floor": "7"} | {column: "a-1 " * 300}
    path.write_bytes(comma(",".join(cells), ",".join(cells.values())))
    _code, report, _told = refusal(path, block=1)
    assert [(each["row"], each["column"]) for each in report["problems"]] == [(2, column)]


def test_what_stands_far_to_the_right_is_named(tmp_path):
    path = tmp_path / "units.xlsx"
    book = sheets(Units=[HEAD, [101, 7]])
    book["Units"]["XFD2"] = "x"
    path.write_bytes(saved(book))
    assert "row 2 holds something to the right of column CV" in refusal(path, block=1)[2]


# --- the letters --------------------------------------------------------------------------------

NAMES = ["محمد علي حسن", "منى عبد الله", "أحمد قاسم", "فاطمة الزهراء"]
ARABIC = "رقم الشقة;الدور;الساكن;الموبايل"


@pytest.mark.parametrize("headings", [ARABIC, "number;floor;resident;phone"])
@pytest.mark.parametrize(
    "encoding", ["cp1256", "iso8859_6", "mac_arabic", "cp720", "utf-16", "utf-8-sig"]
)
def test_letters_are_read_in_whatever_code_page_they_were_saved(tmp_path, headings, encoding):
    path = tmp_path / "units.csv"
    rows = [f"{n};7;{name};0105550010{n % 10}" for n, name in enumerate(NAMES, 101)]
    text = "\r\n".join([headings, *rows])
    # Python writes half of ASCII by the second bytes that Mac Arabic has for it.
    by_letter = [each.encode("ascii" if each.isascii() else encoding) for each in text]
    path.write_bytes(b"".join(by_letter) if encoding == "mac_arabic" else text.encode(encoding))
    load(path, block=1)
    units = Apartment.objects.filter(block_id=1, number__gt=100).order_by("number")
    assert [unit.memberships.get().user.name for unit in units] == NAMES


def test_western_letters_are_read_in_theirs(tmp_path):
    path = tmp_path / "units.csv"
    path.write_text("number,name\n101,Björn Núñez\n102,Renée François\n", encoding="cp1252")
    assert "Windows-1252" in load(path, block=1)["notes"][0]
    assert Apartment.objects.get(block_id=1, number=101).name == "Björn Núñez"


def test_letters_that_no_code_page_explains_are_refused(tmp_path):
    path = tmp_path / "units.csv"
    path.write_bytes(b"number,name\n101," + bytes(range(0x80, 0xFF)) + b"\n")
    assert "save it as CSV UTF-8 or XLSX" in refusal(path, block=1)[2]


def test_spoilt_text_is_repaired_or_refused_and_told(tmp_path):
    path = tmp_path / "units.csv"
    spoilt = [
        "شقة الشرق".encode().decode("cp1256"),
        "Salma &amp;amp; Co",
        "Zoë".encode().decode("latin-1"),
        "x?a=1&amp;lang=ar&copy=2",
    ]
    rows = [f"{n},{text}" for n, text in enumerate(spoilt, 101)]
    path.write_text("\n".join(["number,name", *rows, "105,???? ??", "106,Why?"]))
    code, report, told = refusal(path, block=1)
    assert code == 1
    assert [(each["row"], each["column"]) for each in report["problems"]] == [(6, "name")]
    assert "lost its letters" in told and "4 cells came spoilt" in told
    load(path, block=1, skip_bad=True, bad_file=tmp_path / "bad.csv")
    units = Apartment.objects.filter(block_id=1, number__gt=100).order_by("number")
    assert [unit.name for unit in units] == [
        *("شقة الشرق", "Salma & Co", "Zoë", "x?a=1&lang=ar&copy=2", "Why?")
    ]
    with (tmp_path / "bad.csv").open(newline="", encoding="utf-8-sig") as bad:
        assert [row[1:] for row in csv.reader(bad)] == [["number", "name"], ["105", "???? ??"]]


# --- other kinds of file ------------------------------------------------------------------------


def archive(*names, first=b""):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        if first:
            file.writestr("mimetype", first)
        for name in names:
            file.writestr(name, "x")
    return content.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)
KINDS = {
    "a password": (OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
    "old Excel": (OLE + "Workbook".encode("utf-16-le"), "old Excel"),
    "ODS": (archive("content.xml", first=b"application/vnd.oasis.opendocument.spreadsheet"), "ODS"),
    "XLSB": (archive("xl/workbook.bin"), "XLSB"),
    "Word": (archive("word/document.xml"), "Word"),
    "Numbers": (archive("Index/Document.iwa"), "Numbers"),
    "ZIP": (archive("units.csv"), "archive"),
    "RAR": (b"Rar!\x1a\x07" + bytes(99), "archive"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(99), "picture"),
    "PDF": (b"%PDF-1.7\n", "PDF"),
    "RTF": (b"{\\rtf1 number}", "RTF"),
    "HTML": (b"\xef\xbb\xbf\r\n<!DOCTYPE html><table><tr><td>number", "HTML"),
    "HTML in UTF-16": ("<html><table>".encode("utf-16"), "HTML"),
    "XHTML": (b'<?xml version="1.0"?>\n<html xmlns="x"><table>', "HTML"),
    "XML": (b'<?xml version="1.0"?><Workbook xmlns="x">', "XML"),
    "JSON": (b'[{"number": 1}]', "JSON"),
}


@pytest.mark.parametrize("name", KINDS)
def test_another_kind_of_file_is_named(tmp_path, name):
    content, says = KINDS[name]
    path = tmp_path / "units.xls"
    path.write_bytes(content)
    code, _report, told = refusal(path, block=1)
    assert code == 1 and says in told
    seen = Desk("manager").post(PAGE, {"import_file": SimpleUploadedFile("units.xls", content)})
    assert says in str(seen.context["form"].errors)


# --- pictures -----------------------------------------------------------------------------------


def with_picture(size):
    content = io.BytesIO(saved(sheets(Units=[HEAD, [101, 7]])))
    with zipfile.ZipFile(content, "a") as file:
        file.writestr("xl/media/image1.jpeg", random.Random(1).randbytes(size))  # noqa: S311
    return SimpleUploadedFile("units.xlsx", content.getvalue())


def test_a_photograph_does_not_stop_a_small_table():
    desk = Desk("manager")
    seen = desk.post(PAGE, {"import_file": with_picture(4 << 20)})
    assert desk.post(PAGE, fields_of(seen)).status_code == 302
    assert floors() == {101: 7}


def test_a_table_under_too_large_a_photograph_is_refused_with_the_remedy():
    answer = Desk("manager").post(PAGE, {"import_file": with_picture((5 << 20) + 1)})
    assert "Pictures make it large" in answer.content.decode()
    assert Desk("manager").post(PAGE, {"import_file": with_picture(7 << 20)}).status_code == 413


def test_a_stranger_sends_no_more_than_to_any_page(client):
    def unread(*_size):
        raise AssertionError("the body was read")

    body = SimpleNamespace(read=unread, readline=unread)
    answer = client.generic(
        "POST",
        PAGE,
        b"",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(2 << 20),
        **{"wsgi.input": body},
    )
    assert answer.status_code == 413 and b"larger than 1 MB" in answer.content


def test_notes_are_told_in_words_as_well(tmp_path):
    path = tmp_path / "units.csv"
    path.write_bytes(comma("م,number", "1,101"))
    out = io.StringIO()
    call_command("import_units", str(path), block=1, stdout=out, stderr=io.StringIO())
    assert out.getvalue().startswith("The column م was not read.\nUnits: 1 registered")


# --- Sheets that are of blocks -------------------------------------------------------------------


def blocks_by_sheet(*names):
    rows = {name: [["Unit", "Floor"], [100 + at, 1]] for at, name in enumerate(names, start=1)}
    return saved(sheets(**rows))


@pytest.mark.parametrize(
    ("names", "blamed"),
    [
        (["عمارة 7", "عمارة 9"], "عمارة 7, عمارة 9"),
        (["Tower A", "Sheet2"], "Tower A, Sheet2"),
        (["Block 1", "Block 9"], "Block 9."),
        (["1", "2"], "may: 2."),
        (["Building 9"], "Building 9"),
    ],
)
@pytest.mark.parametrize("way", ["command", "page"])
def test_a_sheet_of_another_block_is_not_put_into_the_chosen_one(
    tmp_path, names, blamed, way, new_entries
):
    content = blocks_by_sheet(*names)
    path = tmp_path / "units.xlsx"
    path.write_bytes(content)
    if way == "command":
        told = refusal(path, block=1)[2]
    else:
        seen = Desk("manager").post(PAGE, {"import_file": SimpleUploadedFile("a.xlsx", content)})
        told = str(seen.context["form"].errors)
    assert "the name of a sheet may" in told and blamed in told
    assert new_entries() == []


@pytest.mark.parametrize("names", [["Block 1"], ["Units of the building"], ["Floor 1", "Floor 2"]])
def test_sheets_that_may_be_of_the_chosen_block_are_read(tmp_path, names):
    path = tmp_path / "units.xlsx"
    path.write_bytes(blocks_by_sheet(*names))
    assert load(path, block=1)["created"] == len(names)


def test_where_no_column_says_the_block_the_way_to_choose_it_is_named(tmp_path):
    path = tmp_path / "units.csv"
    path.write_bytes(comma("Unit,Floor", "101,1"))
    assert "or choose the block (--block ID)" in refusal(path)[2]
    file = SimpleUploadedFile("units.csv", path.read_bytes())
    told = str(Desk("admin").post(PAGE, {"import_file": file}).context["form"].errors)
    assert "There is no column of blocks: add one." in told


# --- What two rows or two people may become --------------------------------------------------------

SEVERAL = {
    "و written to the name": "كريم عادل ومنى سالم",
    "a comma": '"Karim Adel, Mona Salem"',
    "three": "كريم عادل ومنى سالم وعلي حسن",
    "a long dash": "كريم عادل – منى سالم",
    "full width": "Karim Adel ＆ Mona Salem",
    "first names": "Ahmed & Mona",
    "first names in Arabic": "علي و منى",
    "one family": "Ahmed and Mona Ali",
}
ONE = {
    "a name with that letter": "محمد علي وليد حسن",
    "another one": "كريم عادل وجدي سالم",
    "a family": "أحمد وفاء الدين حسن",
    "a father's name": "محمد أبو وافي السيد",
    "a rare one": "مينا جرجس ويصا بطرس",
    "known as": "محمد علي حسن وشهرته ميدو",
    "two words of a last name first": '"Abd El Wahab, Mohamed Ali"',
    "two scripts": "Ahmed Mohamed Ali / أحمد محمد علي",
    "a business": "Adel & Sons",
    "a title": "م / علي",
    "the last name first": '"Adel, Karim Hassan"',
}


@pytest.mark.parametrize("name", SEVERAL)
def test_the_phones_of_two_people_are_not_given_to_one(tmp_path, name):
    path = tmp_path / "units.csv"
    path.write_bytes(
        comma("Flat,Floor,Resident,Mobile", f"101,7,{SEVERAL[name]},01055511122 / 01055511133")
    )
    assert "names more than one person" in refusal(path, block=1)[2]
    assert floors() == {}


@pytest.mark.parametrize("name", ONE)
def test_a_name_that_only_looks_like_two_is_one(tmp_path, name):
    path = tmp_path / "units.csv"
    path.write_bytes(
        comma("Flat,Floor,Resident,Mobile", f"101,7,{ONE[name]},01055511122 / 01055511133")
    )
    assert load(path, block=1)["people"] == 1


def test_units_that_may_have_become_one_by_what_was_left_out_are_told(tmp_path):
    path = tmp_path / "units.csv"
    path.write_bytes(
        comma("Flat,Floor,Model,#", "101,7,A,1", "101,7,B,2", "102,7,A,3", "102,7,A,4")
    )
    notes = load(path, block=1, ignore=["Model"])["notes"]
    [told] = [note for note in notes if "If these are two units" in note]
    assert "Row 3" in told and "Model" in told


COUNTRIES = {
    "UAE": True,
    "الإمارات": True,
    "Saudi Arabia": True,
    "ARE": True,
    "Egyptian": False,
    "ج.م.ع": False,
    "مصر - القاهرة": False,
    "Egypt": False,
    "مصر": False,
    "": False,
}


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("phone", ["0501234567", "+971501234567"])
def test_a_phone_of_a_country_in_another_column_is_read_with_its_code_alone(
    tmp_path, country, phone
):
    path = tmp_path / "units.csv"
    path.write_bytes(
        comma("Flat,Floor,Resident,Mobile,Country", f"101,7,Ali Omar,{phone},{country}")
    )
    if COUNTRIES[country] and phone[0] == "0":
        assert "write it with that country's code" in refusal(path, block=1, ignore=["Country"])[2]
    else:
        assert load(path, block=1, ignore=["Country"])["people"] == 1


def test_rooms_of_who_looks_after_the_block_are_units(tmp_path):
    path = tmp_path / "units.csv"
    path.write_bytes(comma("Flat,Floor", "Guard room,0", "شقة الحارس,0"))
    assert load(path, block=1, names=True)["created"] == 2


@pytest.mark.parametrize("words", ["Owner occupied", "Tenant-occupied", "يسكنها المالك"])
def test_who_lives_there_is_said_of_a_used_unit(tmp_path, words):
    path = tmp_path / "units.csv"
    path.write_bytes(comma("Flat,Floor,Occupancy", f"101,7,{words}"))
    load(path, block=1)
    assert Apartment.objects.get(block_id=1, number=101).occupancy == Occupancy.OCCUPIED


def test_a_column_of_whether_the_owner_lives_there_names_nobody(tmp_path):
    path = tmp_path / "units.csv"
    path.write_bytes(
        comma("Unit,Floor,Occupant,Owner Occupied,Mobile", "101,7,Hany Omar,Yes,01010002501")
    )
    assert load(path, block=1, ignore=["Owner Occupied"])["people"] == 1
