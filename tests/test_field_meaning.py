"""What cells mean, as people write them: floors, numbers, nothing, contacts, blocks, occupancies."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from buildings.models import Apartment, Block, Building, Membership, Role
from contacts.models import Claim, SecondaryEmail, SecondaryPhone, Status, User
from tests.backoffice import Desk, fields_of
from tests.conftest import person
from tests.test_exports import export
from tests.test_import_units import load, read, refusal

IMPORT = "/admin/buildings/apartment/import/"


@pytest.fixture
def sheet(tmp_path):
    """sheet(headings, row, row, …) is a CSV file of these cells."""

    def written(headings, *rows, name="units.csv"):
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([headings.split(","), *rows])
        return path

    return written


@pytest.fixture
def problems(sheet):
    """problems(headings, row, …) are those that the command has with these rows, by row."""

    def found(headings, *rows, block=1, **options):
        path = sheet(headings, *rows)
        report = refusal(path, block=block, **options)[1]
        return {each["row"]: (each["column"], each["sentence"]) for each in report["problems"]}

    return found


def floors(block=1, least=100):
    units = Apartment.objects.filter(block_id=block, number__gte=least)
    return dict(units.values_list("number", "floor"))


def contacts(name):
    """The contacts of who is called so: the primary ones, then the others in the order added."""
    user = User.objects.get(name=name)
    phones = SecondaryPhone.objects.filter(user=user).order_by("pk")
    further = [*phones, *SecondaryEmail.objects.filter(user=user).order_by("pk")]
    claimed = set(Claim.objects.filter(user=user).values_list("value", flat=True))
    assert len(claimed) == len(further) + bool(user.phone) + bool(user.email)
    return [user.phone, user.email, *(each.typed for each in further)]


# --- Floors and numbers ------------------------------------------------------------------------------

FLOORS = {
    "-1": -1,
    "1-": -1,
    "–1": -1,
    "−1": -1,
    "١-": -1,
    "(1)": -1,
    "\u200f-1": -1,
    "Level -1": -1,
    "Floor –2": -2,
    "الدور -1": -1,
    "F-3": -3,
    "B": -1,
    "B2": -2,
    "basement": -1,
    "Basement 2": -2,
    "LG": -1,
    "lower ground": -1,
    "بدروم": -1,
    "البدروم": -1,
    "بدروم ٢": -2,
    "بدروم ثاني": -2,
    "قبو": -1,
    "0": 0,
    "0.0": 0,
    "G": 0,
    "g.f.": 0,
    "GF": 0,
    "R/C": 0,
    "RC": 0,
    "ground floor": 0,
    "أرضي": 0,
    "الأرضى": 0,
    "الدور الأرضي": 0,
    "1": 1,
    "2.0": 2,
    "2,0": 2,
    "'3": 3,
    "١٢": 12,
    "1st": 1,
    "2nd Floor": 2,
    "the 3rd floor": 3,
    "12th": 12,
    "Floor 4": 4,
    "4F": 4,
    "F5": 5,
    "first": 1,
    "Twentieth": 20,
    "الأول": 1,
    "الدور الأوّل علوي": 1,
    "دور ثاني": 2,
    "الدور الثاني": 2,
    "التانى": 2,
    "الطابق الثالثة": 3,
    "دور 7": 7,
    "تالت متكرر": 3,
    "العاشر": 10,
    "الحادي عشر": 11,
    "حداشر": 11,
    "الثاني عشر": 12,
    "التاسع عشر": 19,
    "العشرون": 20,
}
NO_FLOORS = {
    "M": "into note",
    "Mezzanine": "into note",
    "ميزانين": "into note",
    "Roof": "how many floors it has",
    "السطح": "how many floors it has",
    "الأخير": "write the number",
    "201": "0 is the ground floor, -1 the first basement",
    "haunted": "0 is the ground floor",
    "2026-03-01": "0 is the ground floor",
    "1/2": "0 is the ground floor",
    "1.05": "0 is the ground floor",
    "1,5": "0 is the ground floor",
}


def test_floors_are_read_as_people_write_them(sheet):
    rows = list(enumerate(FLOORS, start=100))
    load(sheet("number,floor", *rows), block=1)
    found = floors()
    assert {text: found[number] for number, text in rows} == FLOORS


def test_what_is_no_floor_is_told_apart(problems):
    found = problems("number,floor", *enumerate(NO_FLOORS, start=100))
    for row, (text, why) in enumerate(NO_FLOORS.items(), start=2):
        assert why in found[row][1], text


def test_a_roof_lies_above_the_floors_of_its_block(sheet):
    Block.objects.filter(pk=1).update(floors=6)
    for _time in range(2):
        load(sheet("number,floor", (101, "Roof"), (102, "روف")), block=1)
        assert floors() == {101: 6, 102: 6}


def test_numbers_as_programs_and_people_write_them(sheet):
    texts = ["'312", "0313", "315 ", "317.0", "٣١٨٫٠", '="319"', "320,0", "\u200e321\u200f"]
    texts += ["Unit 322", "شقة 323"]
    bad = ["1,314", "1,025", "1.05", "1,00,5", "#316", "0", "341-342", "343/344", "2.01E+11"]
    bad += ["2026-03-01", "Total", "Sub total", "Total units 12", "إجمالي عدد الشقق"]
    path = sheet("number,floor", *((text, 3) for text in texts + bad))
    report = load(path, block=1, skip_bad=True)
    assert sorted(floors()) == [312, 313, 315, *range(317, 324)]
    assert report["bad_rows"] == len(bad)
    why = {row[1]: row[0] for row in read(path.with_name("units.bad.csv"))}
    assert "format the column as text" in why["2.01E+11"]


# --- A name in place of a number -------------------------------------------------------------------------

NAMES = ("12A", "B-3", "G01", "Shop 4", "محل ٤", "103-أ")


def test_a_text_that_is_no_number_has_a_way_in(problems):
    found = problems("number,floor", *((name, 0) for name in NAMES))
    assert len(found) == len(NAMES)
    for column, sentence in found.values():
        assert column == "number"
        assert "a number of its own" in sentence and "name" in sentence and "--names" in sentence


def test_with_names_it_is_the_name_of_a_unit_that_needs_a_number(sheet, new_entries):
    path = sheet("number,floor,occupancy", *((name, 0, "vacant") for name in NAMES), (301, 1, ""))
    report = load(path, block=1, names=True)
    assert (report["created"], report["unnumbered"]) == (7, 6)
    made = Apartment.objects.filter(block=1, number=None)
    assert set(made.values_list("name", flat=True)) == set(NAMES)
    needing = Desk("manager").get("/admin/buildings/apartment/?correction=number").content.decode()
    assert "Shop 4" in needing
    written = len(new_entries())
    assert load(path, block=1, names=True)["left"] == 7
    assert len(new_entries()) == written
    # Once it has its number, it is still known by its name, in any spelling.
    Apartment.objects.filter(name="12A").update(number=912)
    again = load(sheet("number,floor", ("12a", 3), ("شوب", 1)), block=1, names=True)
    assert (again["updated"], again["created"]) == (1, 1)
    assert Apartment.objects.get(number=912).floor == 3


def test_rows_of_a_unit_with_a_name_mean_one_unit(sheet, problems):
    path = sheet(
        "number,floor,resident,phone",
        ("Shop 4", 0, "Mona", "01055500001"),
        (301, 1, "", ""),
        ("shop  4", "", "Omar", "01055500002"),
    )
    report = load(path, block=1, names=True)
    assert (report["created"], report["memberships"]) == (2, 2)
    Apartment.objects.filter(pk=5).update(name="SHOP 4")
    found = problems("number,floor", ("Shop 4", 1), names=True)
    assert "several units" in found[2][1]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (("Total", 3, ""), "sums up other rows"),
        (("Total units", 3, ""), "sums up other rows"),
        (("First floor", "", ""), "take this row out"),
        (("الدور الأول", "", ""), "take this row out"),
        (("341-342", 3, ""), "is more than one number"),
        (("12A", 3, "East"), "another name"),
        (("A flat of a very, very long name it has", 3, ""), "longer than 32"),
    ],
)
def test_not_everything_is_a_name(problems, row, why):
    assert why in problems("number,floor,name", row, names=True)[2][1]


# --- Nothing, and what is not guessed ---------------------------------------------------------------------


@pytest.mark.parametrize("headings", ["number,floor,resident,phone,email,note,name,occupancy"])
def test_words_for_nothing_are_an_empty_cell(sheet, headings):
    words = ["-", "--", "—", "ـ", ".", "N/A", "n/a", "NA", "none", "Nil", "null", "لا يوجد"]
    words += ["لايوجد", "لا شيء", "لا شئ", "بدون", "ﻻ يوجد", "/"]
    rows = [(number, *[word] * 7) for number, word in enumerate(words, start=101)]
    # A formula that leads to an empty cell shows a nought; of a phone one may say that there is none.
    rows += [
        (201, 3, "0", "0", "0", "", "", ""),
        (202, 3, "", "لا يوجد تليفون", "no email", "", "", ""),
    ]
    rows += [(203, 3, "Nil Erdem", "01055500001", "", "", "", "")]
    rows += [(204, 3, "Nil", "01055500002", "-", "", "", "")]
    load(sheet(headings, *rows), block=1)
    made = Apartment.objects.filter(block=1, number__lt=200, number__gt=100)
    assert made.count() == len(words)
    assert not made.exclude(floor=None, name="", note="", occupancy="vacant").exists()
    assert list(User.objects.filter(pk__gt=8).values_list("name", flat=True)) == [
        "Nil Erdem",
        "Nil",
    ]


OCCUPANCIES = {
    "Rented": "lived_in",
    "مؤجر": "lived_in",
    "Rented / مؤجرة": "lived_in",
    "مأهولة": "lived_in",
    "Occupied ": "lived_in",
    "مغلقه": "closed",
    "مقفولة": "closed",
    "غير مسكونة": "closed",
    "Vacant.": "vacant",
    "فاضية": "vacant",
    "خالي": "vacant",
    "نصف تشطيب": "being_finished",
}


def test_occupancies_are_read_as_people_write_them(sheet):
    rows = list(enumerate(OCCUPANCIES, start=101))
    load(sheet("number,occupancy,floor", *((*row, 1) for row in rows)), block=1)
    found = dict(Apartment.objects.filter(block=1).values_list("number", "occupancy"))
    assert {text: found[number] for number, text in rows} == OCCUPANCIES


def test_an_owner_says_nothing_of_the_occupancy(problems):
    words = ("Owner", "مالك", "تمليك", "إيجار", "للإيجار", "Vacant / Rented")
    found = problems("number,floor,occupancy", *((101, 1, word) for word in words))
    assert len(found) == len(words)


# --- Contacts ------------------------------------------------------------------------------------------

PHONES = {
    "1055500008.0": ["1055500008"],
    "'01055500009": ["01055500009"],
    '="01055500010"': ["01055500010"],
    "01055500012 / 01155500012": ["01055500012", "01155500012"],
    "01055500013/01155500013": ["01055500013", "01155500013"],
    "01055500014\n01155500014": ["01055500014", "01155500014"],
    "٠١٠٥٥٥٠٠٠١٥، ٠١١٥٥٥٠٠٠١٥": ["01055500015", "01155500015"],
    "01055500016 and 01155500016": ["01055500016", "01155500016"],
    "01055500017 و01155500017": ["01055500017", "01155500017"],
    "01055500018;01155500018; 0227370018": ["01055500018", "01155500018", "0227370018"],
    "01055500019-01155500019": ["01055500019", "01155500019"],
    "0105 550 0020 - 0115 550 0020": ["0105 550 0020", "0115 550 0020"],
    "27370021/27370022": ["27370021", "27370022"],
    "+201055500023, 01055500023": ["+201055500023"],
    "010-555-00024": ["010-555-00024"],
    "02/27370025": ["02/27370025"],
}
NO_PHONES = {
    "2.01056E+11": "make the cell text",
    "#REF!": "is not a phone number",
    "########": "is not a phone number",
    "O1055500076": "is not a phone number",
    "01055500012 / 12": "is not a phone number",
    "Mona": "is not a phone number",
}


def test_several_phones_of_a_cell_are_several_contacts(sheet, new_entries):
    rows = [(number, 1, f"R{number}", text) for number, text in enumerate(PHONES, start=101)]
    report = load(sheet("number,floor,resident,phone", *rows), block=1)
    for (_number, _floor, name, text), typed in zip(rows, PHONES.values(), strict=True):
        assert contacts(name) == [typed[0], None, *typed[1:]], text
    assert report["contacts"] == sum(len(typed) - 1 for typed in PHONES.values())
    added = [each for each in new_entries() if each.action == "contact.added"]
    assert len(added) == report["contacts"]
    first, phone = added[0], SecondaryPhone.objects.order_by("pk")[2]
    assert first.after == {"phone": "01155500012"} and first.target_type == "secondaryphone"
    assert (first.target_id, first.person_id) == (phone.pk, phone.user_id)
    assert (first.block_id, first.apartment_label) == (1, "104")
    assert first.person_label == "R104" and first.target_label == "01155500012"


def test_what_is_no_phone_is_refused(problems):
    found = problems("number,floor,phone", *((101, 1, text) for text in NO_PHONES))
    for row, (text, why) in enumerate(NO_PHONES.items(), start=2):
        assert found[row] == ("phone", found[row][1]) and why in found[row][1], text


def test_contacts_of_several_columns_and_cells(sheet):
    path = sheet(
        "number,floor,resident,phone,mobile,e-mail",
        (101, 1, "Salma", "0227370701", "01055500705", "s@example.org, salma@example.net"),
        (101, 1, "salma", "", "01155500705", ""),
        (102, 1, "Salma", "", "01055500706", "Other@example.org"),
        (102, 1, "Salma Fouad", "01255500706", "", "other@example.org"),
    )
    # Of the second unit's rows the names differ.
    assert "is another name than the one that row 4 has" in str(refusal(path, block=1)[1])
    path.write_text(path.read_text().replace("Salma Fouad", "SALMA"))
    assert load(path, block=1)["people"] == 2
    for_unit = dict(
        Membership.objects.filter(user__name="Salma").values_list("apartment__number", "user")
    )
    values = {
        number: set(Claim.objects.filter(user=user).values_list("value", flat=True))
        for number, user in for_unit.items()
    }
    assert values == {
        101: {"+20227370701", "+201055500705", "+201155500705"}
        | {"s@example.org", "salma@example.net"},
        102: {"+201055500706", "+201255500706", "other@example.org"},
    }
    again = load(path, block=1)
    assert (again["left"], again["contacts"], again["people"]) == (2, 0, 0)


def test_a_comma_in_an_email_is_named(problems):
    found = problems("number,floor,email", (101, 1, "nadia@example,org"))
    assert "comma" in found[2][1]


def test_a_known_resident_gets_a_further_phone(sheet, new_entries):
    load(sheet("number,resident,phone", (2, "Rami Resident", "01000000002 / 01155500002")), block=1)
    assert contacts("Rami Resident")[2:] == ["01155500002"]
    [entry] = new_entries()
    assert (entry.action, entry.person_id, entry.block_id) == ("contact.added", 3, 1)
    # Also by the name alone, in their own unit.
    load(sheet("number,resident,phone", (2, "rami resident", "01255500002")), block=1)
    assert contacts("Rami Resident")[2:] == ["01155500002", "01255500002"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        # Without a name nothing says that both are theirs.
        ((2, "", "01000000002 / 01155500002"), "is not known of the person"),
        ((2, "Parisa Partner", "01000000002 / 01155500002"), "is not the name"),
        ((2, "", "01000000002 / 01000000003"), "is held by another person"),
        # A name that somebody who only asks gives themselves.
        ((3, "Pakinam Pending", "01000000004 / 01000000005"), "is held by another person"),
    ],
)
def test_what_does_not_mean_one_person_is_refused(problems, new_entries, row, why):
    assert why in problems("number,resident,phone", row)[2][1]
    assert new_entries() == []


def test_a_name_of_somebody_who_only_asks_is_no_resident(sheet):
    load(sheet("number,resident,phone", (3, "Pakinam Pending", "01155500002")), block=1)
    assert Claim.objects.get(value="+201155500002").user != person("pending")


# Names beside each other in one unit; those of other people unless the phone says otherwise.
OTHERS = [
    ("علا حسن", "علاء حسن"),
    ("هاني فؤاد", "مدام هاني فؤاد"),
    ("Hany Fouad", "Mrs. Hany Fouad"),
]


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_a_name_alone_makes_nobody_another_person(sheet, one, other):
    headings = "number,floor,resident,phone"
    path = sheet(headings, (101, 1, one, "01055500001"), (101, 1, other, "01155500001"))
    assert load(path, block=1)["people"] == 2
    assert contacts(one) == ["01055500001", None] and contacts(other) == ["01155500001", None]
    # A later table of one of them gives the phone to whom it names.
    load(sheet(headings, (101, 1, other, "01255500001")), block=1)
    assert contacts(one) == ["01055500001", None]
    assert contacts(other) == ["01155500001", None, "01255500001"]


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_with_the_phone_another_title_or_hamza_is_the_same_person(sheet, one, other):
    headings = "number,floor,resident,phone"
    load(sheet(headings, (101, 1, one, "01055500001")), block=1)
    again = load(sheet(headings, (101, 1, other, "010 5550 0001")), block=1)
    assert (again["people"], again["left"]) == (0, 1)
    assert Membership.objects.get(apartment__number=101).user.name == one


def test_nobody_has_more_contacts_than_one_can_have(problems, sheet, settings):
    settings.SECONDARY_CONTACTS_LIMIT = 2
    numbers = [f"0105550000{last}" for last in range(4)]
    full = ("number,resident,phone", (2, "Nora", "; ".join(numbers)))
    assert "is one more than a person can have" in problems(*full)[2][1]
    load(sheet(full[0], (2, "Nora", "; ".join(numbers[:2])), (2, "Nora", numbers[2])), block=1)
    assert len(contacts("Nora")) == 4
    assert "is one more" in problems("number,resident,phone", (2, "Nora", numbers[3]))[2][1]


def preview(desk, headings, *rows):
    text = io.StringIO()
    csv.writer(text).writerows([headings.split(","), *rows])
    file = SimpleUploadedFile("units.csv", text.getvalue().encode())
    return desk.post(IMPORT, {"import_file": file})


def errors(previewed):
    return [line["errors"] for line in previewed.context["preview"].lines]


def test_the_page_gives_further_contacts_to_those_it_reaches_alone(new_entries):
    desk = Desk("manager")
    seen = preview(desk, "number,resident,phone", (2, "Rami Resident", "01000000002 / 01155500002"))
    assert [line["kind"] for line in seen.context["preview"].lines] == ["update"]
    assert desk.post(IMPORT, fields_of(seen)).status_code == 302
    assert [each.action for each in new_entries()] == ["contact.added"]
    # A second number that is a stranger's is one.
    seen = preview(desk, "number,resident,phone", (5, "New", "01155500009 / 01000000007"))
    assert "outside your blocks" in errors(seen)[0][0][1]
    # Of a superuser only superusers may change anything.
    Membership.objects.create(user_id=1, block_id=1, role=Role.RESIDENT, status=Status.ACTIVE)
    row = (5, "Adel Administrator", "01155500009", "admin@example.org")
    assert "is not known" in errors(preview(desk, "number,resident,phone,email", row))[0][0][1]
    seen = preview(Desk("admin"), "block,number,resident,phone,email", ("1", *row))
    assert seen.context["preview"].right


# --- Which block, which unit ------------------------------------------------------------------------------


@pytest.fixture
def renumbered():
    """Block 1 is numbered 2, block 2 is numbered 1 and called Lotus, block 3 is numbered 1 too, 4 A/7."""
    for pk, number, name in [
        (1, "2", ""),
        (2, "1", "عمارة اللوتس"),
        (3, "1", "Rose"),
        (4, "A/7", ""),
    ]:
        Block.objects.filter(pk=pk).update(number=number, name=name)


BLOCK_HEADINGS = ("block", "Building", "رقم العمارة", "العمارة", "برج", "مبنى")
CALLED = {
    **{"2": 1, "٢": 1, "2.0": 1, "Block 2": 1, "عمارة ٢": 1, "02": 1, "Rose": 3, "1 rose": 3},
    **{"اللوتس": 2, "عماره اللوتس": 2, "a-7": 4, "برج A/7": 4},
}


@pytest.mark.parametrize("heading", BLOCK_HEADINGS)
def test_a_block_is_meant_by_what_people_call_it(renumbered, sheet, heading):
    rows = list(enumerate(CALLED, start=901))
    load(sheet(f"{heading},unit,floor", *((cell, number, 1) for number, cell in rows)))
    made = Apartment.objects.filter(number__gt=900)
    found = dict(made.values_list("number", "block_id"))
    assert {cell: found[number] for number, cell in rows} == CALLED


def test_a_block_that_may_be_two_or_none_is_refused(renumbered, problems):
    found = problems(
        "block,unit,floor",
        ("1", 901, 1),
        ("4", 901, 1),
        ("Tulip", 901, 1),
        ("", 901, 1),
        block=None,
    )
    assert found[2][0] == "block"
    assert "1 عمارة اللوتس (" in found[2][1] and "block id 2" in found[2][1]
    assert "1 Rose (" in found[2][1] and "block id 3" in found[2][1]
    here = "is no number or name of a block here: 2 (Palm Gardens, block id 1); 1 عمارة اللوتس ("
    assert found[3][1].startswith(here)
    assert found[3][1].endswith("; for ids head the column “block id”")
    assert found[4][1].startswith(here) and "head the column" not in found[4][1]
    assert found[5][1] == "is empty"


def test_a_block_that_stands_alone_is_called_as_its_building_is(sheet, problems):
    alone = Building.objects.create(name_en="Lotus House", name_ar="بيت اللوتس")
    Building.objects.filter(blocks=1).update(name_en="Palm Gardens", name_ar="حدائق النخيل")
    Block.objects.filter(pk=2).update(building=alone)
    load(sheet("building,unit,floor", ("Lotus House", 901, 1), ("بيت اللوتس", 902, 1)))
    assert sorted(floors(block=2)) == [901, 902]
    # Of what several blocks have in common none is meant.
    Block.objects.create(building=Building.objects.get(blocks=1), number="77")
    assert problems("building,unit", ("Palm Gardens", 901), block=None)[2][0] == "building"
    desk = Desk("admin", "ar")
    seen = preview(desk, "building,unit,floor", ("Nowhere", 901, 1))
    assert "بيت اللوتس" in errors(seen)[0][0][1] and "Lotus" not in errors(seen)[0][0][1]


def test_number_and_name_of_a_block_together(renumbered, sheet, problems):
    load(sheet("رقم العمارة,اسم العمارة,رقم الشقة,الدور", ("1", "Rose", 901, 1)))
    assert Apartment.objects.get(number=901).block_id == 3
    found = problems("block,block name,unit", ("2", "Rose", 901), block=None)
    assert found[2] == ("block name", "is another block than the one of this number")


def test_a_chosen_block_is_the_only_one(renumbered, sheet, problems):
    load(sheet("block,unit,floor", ("1", 901, 1), ("Rose", 902, 1)), block=3)
    assert sorted(floors(block=3)) == [901, 902]
    found = problems("block,unit", ("2", 901), ("99", 901), block=3)
    assert found[2][1].startswith("is 2 (") and "block id 1)" in found[2][1]
    for _column, sentence in found.values():
        assert "another block than the one chosen, which is 1 Rose (" in sentence
        assert sentence.endswith("block id 3)")


def test_ids_are_meant_where_the_heading_says_id(renumbered, sheet, problems):
    for heading in ("block id", "Block_ID", "معرّف العمارة"):
        load(sheet(f"{heading},unit,floor", ("1", 901, 1)))
    assert Apartment.objects.get(number=901).block_id == 1
    load(sheet("block id,apartment id,floor", (1, 2, 7)))
    assert Apartment.objects.get(pk=2).floor == 7
    found = problems("block id,block,unit", ("1", "Rose", 2), block=None)
    assert found[2] == ("block", "is another block than the one with this id")


def test_the_page_knows_the_blocks_of_its_user_alone(renumbered):
    desk = Desk("manager")
    seen = preview(desk, "رقم العمارة,رقم الشقة,الدور", ("2", 801, 8), ("1", 802, 8))
    assert [line["kind"] for line in seen.context["preview"].lines] == ["problem", "new"]
    [[(column, sentence)], _none] = errors(seen)
    assert column == "رقم العمارة"
    assert sentence.startswith("is another block than the one chosen, which is 2 (")


@pytest.mark.parametrize("heading", ["Unit", "Flat", "Apartment", "شقة", "رقم الوحدة"])
def test_a_unit_is_meant_by_the_number_on_its_door(problems, new_entries, heading):
    # There is a unit of this id, and none of this number.
    found = problems(f"{heading},Resident,Phone", (15, "Yara Hossam", "01055500901"))
    assert found[2][0] == heading
    assert found[2][1].startswith(
        "15 is no unit of this block: to register new units, add a column"
    )
    assert new_entries() == []


FORMER = "block,block name,unit,number,floor,name,occupancy,resident,phone,email,note"


def test_what_a_former_export_wrote_comes_in_to_the_same_rows(renumbered, sheet, new_entries):
    Apartment.objects.filter(pk=3).update(number=None)
    path = sheet(
        FORMER,
        (1, "2", "", 2, 4, "", "Occupied", "Rami Resident", "•••••••0002", "", ""),
        (1, "1 a former name", 3, "", "x", "", "", "", "", "", ""),
    )
    report = load(path, skip_bad=True)
    assert (report["updated"], report["bad_rows"]) == (1, 1)
    assert Apartment.objects.get(pk=2).floor == 4
    bad = path.with_name("units.bad.csv")
    bad.write_text(bad.read_text(encoding="utf-8-sig").replace(",x,", ",5,"))
    load(bad)
    assert Apartment.objects.get(pk=3).floor == 5


def test_what_is_exported_now_says_id_where_it_is_one(renumbered, tmp_path, new_entries):
    path = tmp_path / "units.csv"
    export("units", path)
    headings = read(path)[0]
    assert headings[:5] == ["block id", "block name", "unit id", "number", "floor"]
    assert load(path)["left"] == 22
    for language, ids in (("en", "unit id;block id"), ("ar", "معرّف الوحدة;معرّف العمارة")):
        out = Desk("manager", language=language).post(
            "/admin/buildings/apartment/export/", {"format": "csv"}
        )
        assert out.content.decode("utf-8-sig").startswith(ids.replace(";", ","))


def test_names_are_an_option_of_the_command(sheet):
    out = io.StringIO()
    path = sheet("number,floor", ("12A", 1))
    call_command("import_units", str(path), "--names", "--block", "1", stdout=out)
    assert "Units without a number, which need correction: 1." in out.getvalue()
