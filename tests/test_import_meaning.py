"""What a table of units does not say: each such cell is refused or told, never stored or dropped unsaid."""
# Fixtures of other modules.
# ruff: noqa: F401, F811

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from buildings.models import Apartment, Membership
from contacts.models import User
from tests.backoffice import Desk
from tests.conftest import ONCE
from tests.test_field_meaning import problems, sheet
from tests.test_field_tables import HEAD
from tests.test_import_units import load, refusal
from tests.test_import_workbooks import book

pytestmark = ONCE

PAGE = "/admin/buildings/apartment/import/"
FOUND = "01112345678"


# --- Contacts behind a word for nothing -------------------------------------------------------------

HIDING = [
    "No. {}",
    "no {}",
    "No landline, {}",
    "without whatsapp {}",
    "لا يوجد أرضي / {}",
    "بدون {}",
]
HIDING += [
    "№ {}",
    "• {}",
    "{} •",
    "••• {}",
    "•••••; {}",
    "No. ٠١١١٢٣٤٥٦٧٨",
    "no 0111 234 5678",
    "بدون 111-23",
]


@pytest.mark.parametrize("cell", HIDING)
def test_a_number_behind_a_word_for_nothing_is_read_or_refused(sheet, cell):
    path = sheet("number,floor,phone", (101, 1, cell.format(FOUND)), (102, 1, ""))
    report = load(path, block=1, skip_bad=True)
    read = Membership.objects.filter(user__claims__value="+201112345678").exists()
    assert read is not bool(report["bad_rows"])


@pytest.mark.parametrize(
    "cell", ["no, mona@example.org", "بدون / mona@example.org", "No: mona＠example.org"]
)
def test_so_is_an_address(sheet, cell):
    path = sheet("number,floor,email", (101, 1, cell), (102, 1, ""))
    report = load(path, block=1, skip_bad=True)
    assert report["bad_rows"] == 1


NONE = [
    "no",
    "No phone",
    "لا يوجد تليفون 2",
    "0000-0000000",
    "000 0000 0000",
    "٠٠٠٠٠٠٠٠٠٠٠",
    "(000) 000",
]
NONE += ["•••••••0002", "•••••", "•••••••0002; •••••", "+0000000000", "0"]


def test_a_cell_without_a_contact_is_none(sheet):
    rows = [(101, 1, cell, "") for cell in NONE] + [
        (101, 1, "", "r••••@example.org"),
        (101, "", "", "•••@x.org"),
    ]
    report = load(sheet("number,floor,phone,email", *rows), block=1)
    assert (report["created"], report["people"]) == (1, 0)


@pytest.mark.parametrize("phone", [-1112345682, "-1112345682", "−01112345682"])
def test_a_number_below_nought_is_no_phone(book, phone):
    path = book([*HEAD, "resident", "phone"], [101, 1, "Mona", phone])
    (problem,) = refusal(path, block=1)[1]["problems"]
    assert (problem["column"], problem["sentence"]) == ("phone", "is not a phone number")


# --- An id that is not said to be the unit's ---------------------------------------------------------


@pytest.mark.parametrize("heading", ["ID", "id", "المعرف", "معرف", "ID / المعرف", "ID (required)"])
@pytest.mark.parametrize("beside", ["Apartment", "رقم الشقة", "number"])
def test_a_bare_id_renumbers_nobody(sheet, new_entries, heading, beside):
    path = sheet(f"{heading},{beside},Name,Phone", (2, 901, "Mona", FOUND), (3, 2, "", ""))
    code, _report, told = refusal(path, block=1)
    assert code == 1 and new_entries() == []
    assert heading in told and beside in told and "head it “unit id”" in told and "--ignore" in told
    seen = Desk("manager", language="ar").post(
        PAGE, {"import_file": SimpleUploadedFile("units.csv", path.read_bytes())}
    )
    assert "معرّف الوحدة" in str(seen.context["form"].errors) and heading in str(
        seen.context["form"].errors
    )
    for ignore in (heading, "all"):
        options = {"ignore": [ignore], "skip_bad": True, "bad_file": path.with_name("bad.csv")}
        assert heading in load(path, block=1, dry_run=True, **options)["notes"][0]


def test_an_id_alone_is_nobodys(sheet, new_entries):
    told = refusal(sheet("ID,Name,Phone", (2, "Mona", FOUND)), block=1)[2]
    assert "The column ID may count rows" in told and new_entries() == []


@pytest.mark.parametrize(
    "heading", ["unit id", "Apartment ID", "flat id", "معرف الوحدة", "معرف الشقة"]
)
def test_an_id_that_is_the_units_stays_one(sheet, heading):
    load(sheet(f"{heading},number", (2, 901)), block=1)
    assert Apartment.objects.get(pk=2).number == 901


# --- What is no person -----------------------------------------------------------------------------------

FAILED = [
    "#####",
    "Err:502",
    "#ERROR!",
    "#VALUE",
    "#NV",
    "#¡REF!",
    "#REF!",
    "#N/A",
    "#NOM?",
    "#DIV/0!",
]
FAILED += ["Loading...", "#SPILL!", "#NAME?", "#GETTING_DATA", "#WERT!", "#ERR"]
NOBODY = [
    "FALSE",
    "True",
    "123",
    "٢",
    "2026-03-01",
    "1-Jan-26",
    "Yes",
    "نعم",
    "x",
    "X",
    "✓",
    "Vacant",
    "خالية",
]
NOBODY += [
    "owner",
    "مالك",
    "المالك",
    "مستأجر",
    "Tenant",
    "?",
    "1/3/2026",
    "+",
    "5 مارس 2026",
    "Closed",
    "مؤجرة",
]
ADDRESSES = [FOUND, "+20 111 234 5678", "mona@example.org", "Mona 0111 234 5678", "٠١١١٢٣٤٥٦٧٨"]


@pytest.mark.parametrize("column", ["resident", "Owner", "المستأجر", "first name", "last name"])
def test_what_is_no_name_of_a_person_is_refused(problems, column):
    cells = [*NOBODY, *ADDRESSES, *FAILED]
    found = problems(f"number,floor,{column},phone", *((101, 1, cell, FOUND) for cell in cells))
    for row, cell in enumerate(cells, start=2):
        said, sentence = found[row]
        assert said == column, cell
        expected = "formula failed" if cell in FAILED else "is not the name of a person"
        assert (expected in sentence) or "says how the unit is used" in sentence, cell


@pytest.mark.parametrize("column", ["name", "note"])
def test_a_failed_formula_is_no_text(problems, column):
    found = problems(f"number,floor,{column}", *((101, 1, cell) for cell in FAILED))
    assert [found[row] for row in range(2, len(FAILED) + 2)] == [
        (column, "is what a spreadsheet shows where a formula failed")
    ] * len(FAILED)


OF_PROGRAMS = ["nan", "NaN", "NaT", "<NA>", "undefined", "null", "NULL", "\\N"]


def test_what_programs_write_for_nothing_is_nothing(sheet):
    headings = "number,floor,resident,last name,phone,email,note,unit name,occupancy"
    rows = [(number, *[cell] * 8) for number, cell in enumerate(OF_PROGRAMS, 101)]
    rows += [
        (number, 1, cell, "", f"0111234570{number - 201}", *[""] * 4)
        for number, cell in enumerate(OF_PROGRAMS, 201)
    ]
    load(sheet(headings, *rows), block=1)
    made = Apartment.objects.filter(block=1, number__range=(101, 199))
    assert made.count() == len(OF_PROGRAMS)
    assert not made.exclude(floor=None, name="", note="", occupancy="vacant").exists()
    assert set(User.objects.filter(pk__gt=8).values_list("name", flat=True)) == {""}


NAMES = [
    "Nil",
    "Na",
    "Nan",
    "Nat",
    "علي",
    "Al",
    "م",
    "ملك",
    "مالك حسن",
    "Tenant Ali",
    "O'Neil",
    "ء",
    "李",
    "May",
]
NAMES += ["Mona 2", "د. علي", "(Mona)", "Malik", "Yasser", "Sumaya", "3amr"]


def test_short_names_are_names(sheet):
    rows = [(101, 1, name, f"011123457{at:02}") for at, name in enumerate(NAMES)]
    assert load(sheet("number,floor,resident,phone", *rows), block=1)["people"] == len(NAMES)
    assert (
        list(User.objects.filter(pk__gt=8).order_by("phone").values_list("name", flat=True))
        == NAMES
    )


def test_booleans_of_a_workbook_are_nobody(book):
    path = book([*HEAD, "Owner", "phone"], [101, 1, False, FOUND], [102, 1, True, ""])
    found = refusal(path, block=1)[1]["problems"]
    assert [(each["row"], each["column"]) for each in found] == [(2, "Owner"), (3, "Owner")]


# --- Rows that sum up ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headings", "row"),
    [
        ("number,floor,note", ("24", "", "Total")),
        ("unit name,number,floor", ("Total units", "24", "")),
        ("number,floor,resident", ("24", "1", "الإجمالي")),
        ("number,floor,resident,last name", ("24", "", "", "Grand total")),
    ],
)
def test_a_row_that_sums_up_in_a_column_of_text_is_refused(problems, headings, row):
    assert problems(headings, row)[2][1] == "sums up other rows: take this row out"


# --- Names in place of numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"), [("12A", "12 A"), ("Shop1", "SHOP 1"), ("محل1", "محل ١"), ("G12", "g 12")]
)
def test_blanks_beside_figures_make_no_second_unit(sheet, one, other):
    for first, second in ((one, other), (other, one)):
        load(sheet("number,floor", (first, 1), (301, 1), (second, "")), block=1, names=True)
    assert Apartment.objects.filter(block=1, number=None).count() == 1
    load(sheet("number,floor", ("1 2 A", 1), ("12 B", 1)), block=1, names=True)
    assert Apartment.objects.filter(block=1, number=None).count() == 3


def test_a_retired_unit_of_that_name_is_refused(sheet, problems):
    Apartment.objects.filter(pk=5).update(name="Shop 4", closed_at=timezone.now())
    found = problems("number,floor", ("shop4", 1), names=True)
    assert found[2] == ("number", "is a retired unit; reinstate it first")
    # Another one has the name today.
    Apartment.objects.filter(pk=6).update(name="Shop 4")
    assert load(sheet("number,floor", ("Shop 4", 9)), block=1, names=True)["updated"] == 1
    assert Apartment.objects.get(pk=6).floor == 9


BANDS = [
    "Tower B",
    "العمارة الثانية",
    "Building 2",
    "Second building",
    "Page 2",
    "صفحة ٢",
    "Page 2 of 5",
]
BANDS += ["Prepared by: Mona", "برج اللوتس", "Vacant", "TRUE", "نعم", "Err:502", "Loading..."]


def test_bands_and_footers_are_no_units(problems, sheet):
    found = problems("number,floor", *((band, 1) for band in BANDS), names=True)
    assert len(found) == len(BANDS)
    names = ["Tower B Shop 3", "محل برج ٢", "Blockbuster", "Pageant 1", "Roof"]
    report = load(sheet("number,floor", *((name, 1) for name in names)), block=1, names=True)
    assert report["unnumbered"] == len(names)


@pytest.mark.parametrize(
    "several",
    [
        "12 and 13",
        "16 و17",
        "١٨ و ١٩",
        "12 And 13 And 14",
        "B12 and B13",
        "محل 4 و 5",
        "Shop 4 & 5",
        "12A/12B",
        "B12/B13",
        "Shops 4-5",
        "محل 4 ، محل 5",
        "B12-B13",
        "Shop 4, 5",
    ],
)
def test_several_numbers_are_no_name_of_one_unit(problems, several):
    (told,) = problems("number,floor", (several, 1), names=True).values()
    assert "is more than one number" in told[1]


@pytest.mark.parametrize("heading", ["Bldg", "Bldg No.", "رقم العقار", "Blk"])
def test_a_building_by_the_other_words_for_it_is_the_block(sheet, heading):
    assert load(sheet(f"{heading},number,floor", (1, 791, 1)))["created"] == 1
    assert Apartment.objects.get(number=791).block_id == 1
