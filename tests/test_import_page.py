"""The page that brings units in: what its preview says of units and people, its ticks, its wrong rows."""

import io

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Apartment, Building, Role
from buildings.unit_import.floors import read_floor
from tests.backoffice import Desk, fields_of, told
from tests.conftest import person
from tests.test_import_units import load

PAGE = "/admin/buildings/apartment/import/"


@pytest.fixture
def desk():
    Building.objects.filter(blocks=1).update(name_en="Nile Towers", name_ar="أبراج النيل")
    return Desk("manager")


def table(*rows, name="units.csv"):
    return SimpleUploadedFile(name, "\n".join(rows).encode())


def preview(desk, *rows, **typed):
    return desk.post(PAGE, {"import_file": table(*rows), **typed})


def lines(seen):
    return seen.context["preview"].lines


def carried(seen, **pressed):
    """What the preview's own forms send, and the button that is pressed."""
    context = seen.context
    reading = context["form"].reading
    return {
        "carried": context["packed"],
        "confirmed": context["preview"].proof,
        "block": context["block_id"],
        "ignore": list(reading.ignore),
        **({"names": "on"} if reading.names else {}),
        **pressed,
    }


# --- What the rows mean ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "place", "new", "moves"),
    [
        ("en", "Nile Towers, block 1, unit {}", "new person: Sara Said", "moves in"),
        ("ar", "أبراج النيل، العمارة 1، الوحدة {}", "شخص جديد: ⁨Sara Said⁩", "ينتقل إلى الوحدة"),
    ],
)
def test_units_and_new_people_are_named_as_people_know_them(desk, language, place, new, moves):
    desk = Desk("manager", language)
    seen = preview(desk, "number,floor,resident,phone", "2,0,,", "71.0,G,Sara Said,01055500011")
    text = seen.content.decode()
    unit = Apartment.objects.get(block=1, number=2)
    here = f'<a href="/admin/buildings/apartment/{unit.pk}/change/">{place.format(2)}</a>'
    assert here in text
    assert lines(seen)[1]["unit"] == place.format(71)
    assert lines(seen)[1]["people"] == [new, moves]
    number, floor = lines(seen)[1]["cells"][:2]
    assert (number["now"], number["text"], floor["now"], floor["text"]) == ("71", "71.0", "0", "G")
    assert desk.post(PAGE, fields_of(seen)).status_code == 302


def test_known_people_are_named_with_where_they_live_now(desk):
    seen = preview(
        desk,
        "number,resident,phone,phone2,unit name",
        "5,Rami Resident,01000000002,01155500012,",
        "2,Rami Resident,01000000002,,Pharmacy",
    )
    known = "known: Rami Resident, now in Nile Towers, block 1, unit 2"
    assert [line["people"] for line in lines(seen)] == [
        [known, "moves in", "further contacts: 01155500012"],
        [known],
    ]
    assert [line["kind"] for line in lines(seen)] == ["update", "update"]


def test_where_people_live_elsewhere_is_not_told(desk):
    unit = Apartment.objects.filter(block=2)[0]
    origin = Origin.of_command("test")
    start_membership(
        origin=origin, user=person("resident"), block=unit.block, apartment=unit, role=Role.RESIDENT
    )
    seen = preview(desk, "number,resident,phone", "5,,01000000002")
    assert lines(seen)[0]["people"][0].endswith("now in Nile Towers, block 1, unit 2")
    everywhere = preview(Desk("admin"), "block,number,phone", "1,5,01000000002")
    assert "block 2, unit" in lines(everywhere)[0]["people"][0]


def test_a_strangers_row_tells_nothing_of_them(desk):
    seen = preview(desk, "number,resident,phone", "5,,01000000007")
    assert lines(seen)[0]["people"] == [] and "نادية" not in seen.content.decode()


def test_what_changes_is_shown_before_and_after(desk):
    Apartment.objects.filter(block=1, number=2).update(name="Old", floor=0, occupancy="vacant")
    pk = Apartment.objects.get(block=1, number=2).pk
    seen = preview(desk, "unit id,number,floor,unit name,occupancy", f"{pk},92,الأول,New,مغلقة")
    changed = [(cell["was"], cell["now"]) for cell in lines(seen)[0]["cells"] if cell["changed"]]
    assert changed == [("2", "92"), ("0", "1"), ("Old", "New"), ("Vacant", "Owned, unoccupied")]
    assert lines(seen)[0]["unit"] == "Nile Towers, block 1, unit 2 (Old)".replace(
        "2 (Old)", "\N{FIRST STRONG ISOLATE}2 (Old)\N{POP DIRECTIONAL ISOLATE}"
    )


def statements(desk, count):
    rows = [
        f"{number},{'Nowhere' if number % 3 else 1},1,P {number},010{number:08}"
        for number in range(100, 100 + count)
    ]
    rows += [f"{number},1,,Rami Resident,01000000002" for number in range(1, 9)]
    with CaptureQueriesContext(connection) as asked:
        seen = preview(desk, "number,block,floor,resident,phone", *rows)
    assert len(lines(seen)) == count + 8
    return len(asked)


def test_the_number_of_statements_does_not_grow_with_the_rows(desk):
    statements(desk, 3)
    assert statements(desk, 6) == statements(desk, 90)


# --- Ticks -----------------------------------------------------------------------------------------


def test_an_unknown_heading_is_left_out_by_a_tick_without_choosing_the_file_again(desk):
    seen = preview(desk, "number,floor,Meter,Guard", "91,3,778,Ali")
    text = seen.content.decode()
    assert "Unknown headings: Meter, Guard." in text and "--" not in seen.context["form"].errors
    assert "can be left out (with a tick below)" in text
    assert "“⁨units.csv⁩” is still here" in text
    ticks = seen.context["form"]["ignore"]
    assert [(tick.data["value"], tick.data["selected"]) for tick in ticks] == [
        ("Meter", False),
        ("Guard", False),
    ]
    half = desk.post(PAGE, fields_of(seen) | {"ignore": ["Meter"]})
    assert "Unknown headings: Guard." in half.content.decode()
    whole = desk.post(PAGE, fields_of(half) | {"ignore": ["Meter", "Guard"]})
    assert "The columns Meter, Guard were not read." in whole.content.decode()
    assert desk.post(PAGE, carried(whole)).status_code == 302
    assert Apartment.objects.get(block=1, number=91).floor == 3


def test_the_ticks_of_one_file_do_not_hold_for_another(desk):
    seen = preview(desk, "number,floor,Meter", "91,3,778")
    other = fields_of(seen) | {"ignore": ["Meter"], "import_file": table("number,floor", "92,3")}
    assert lines(desk.post(PAGE, other))[0]["kind"] == "new"


def test_a_tick_makes_names_of_texts_that_are_no_numbers(desk):
    seen = preview(desk, "number,floor", "12A,1", "93,1")
    text = seen.content.decode()
    assert "called by their names (with a tick below)" in text and "--names" not in text
    named = desk.post(PAGE, fields_of(seen) | {"names": "on"})
    [first, _second] = lines(named)
    assert first["unnumbered"] and first["unit"].endswith("12A\N{POP DIRECTIONAL ISOLATE}")
    assert "Without a number: needs correction" in named.content.decode()
    assert desk.post(PAGE, fields_of(named)).status_code == 302
    assert Apartment.objects.get(block=1, name="12A").number is None


# --- Wrong rows ------------------------------------------------------------------------------------

MIXED = ("number,floor,problem", "94,top,", "95,3,old", "x,1,old")


def test_wrong_rows_are_downloaded_as_the_command_writes_them(desk, tmp_path, new_entries):
    seen = preview(desk, *MIXED)
    text = seen.content.decode()
    assert "Download the 2 wrong rows" in text and "Import only the 1 right row" in text
    got = desk.post(PAGE, carried(seen, wanted="wrong"))
    assert got["Content-Disposition"] == 'attachment; filename="units.bad.csv"'
    assert new_entries() == []
    path = tmp_path / "units.csv"
    path.write_text("\n".join(MIXED), encoding="utf-8")
    load(path, block=1, skip_bad=True)
    written = (tmp_path / "units.bad.csv").read_bytes().decode("utf-8-sig")
    assert got.content.decode("utf-8-sig") == written.replace("--names", "with a tick below")
    assert got.content.decode("utf-8-sig").splitlines()[0] == "problem,number,floor"


def test_the_right_rows_are_taken_and_the_wrong_ones_left_out(desk):
    done = desk.post(PAGE, carried(preview(desk, *MIXED), wanted="good"))
    assert done.status_code == 302
    assert "1 unit registered, 0 units edited, 2 wrong rows left out" in told(done)
    assert Apartment.objects.filter(block=1).count() == 11


@pytest.mark.parametrize("wanted", ["good", "wrong"])
def test_only_what_was_seen_is_taken_or_downloaded(desk, new_entries, wanted):
    seen = preview(desk, *MIXED)
    for changes in ({"confirmed": "0" * 64}, {"confirmed": ""}, {"names": "on"}):
        again = desk.post(PAGE, carried(seen) | {"wanted": wanted} | changes)
        assert again.status_code == 200 and again.context["preview"] is not None
    Apartment.objects.filter(block=1, number=10).update(number=95)
    late = desk.post(PAGE, carried(seen, wanted=wanted))
    assert "was changed meanwhile" in late.content.decode()
    assert new_entries() == []


def test_where_nothing_is_right_nothing_can_be_taken(desk, new_entries):
    seen = preview(desk, "number,floor", "x1,top")
    assert "Import only" not in seen.content.decode()
    assert desk.post(PAGE, carried(seen, wanted="good")).status_code == 200
    assert new_entries() == []


def test_a_workbook_gives_its_wrong_rows_as_a_workbook(desk):

    book = openpyxl.Workbook()
    for row in (["number", "floor"], ["94", "top"], [95, 3]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    file = SimpleUploadedFile("وحدات.xlsx", content.getvalue())
    seen = desk.post(PAGE, {"import_file": file})
    got = desk.post(PAGE, carried(seen, wanted="wrong"))
    assert ".bad.xlsx" in got["Content-Disposition"]
    wrong = openpyxl.load_workbook(io.BytesIO(got.content)).active
    assert [cell.value for cell in wrong[1]] == ["problem", "number", "floor"]
    assert wrong.max_row == 2 and wrong["B2"].value == "94"
    file = SimpleUploadedFile("again.xlsx", got.content)
    assert len(lines(desk.post(PAGE, {"import_file": file}))) == 1


# --- Columns that are left out -------------------------------------------------------------------------


def offered(seen):
    return [tick.data["value"] for tick in seen.context["form"]["ignore"]]


@pytest.mark.parametrize(
    ("headings", "ticks", "ignored"),
    [
        (
            "Unit,Floor,Owner,Phone,Tenant,Mobile",
            ["Owner", "Phone", "Tenant", "Mobile"],
            ["Owner", "Phone"],
        ),
        ("Unit,Floor,Resident,Phone,Full name,Job", ["Job"], ["Job", "Full name"]),
        ("Flat,Floor,Name,Job,Rent,Car", ["Job", "Rent", "Car"], ["Job", "Rent", "Car", "Name"]),
    ],
)
def test_a_known_column_that_stands_in_the_way_is_left_out_by_a_tick(
    desk, headings, ticks, ignored
):
    row = "94,3,Sara Said,01055500011,Sara Said,01155500011"
    seen = preview(desk, headings, row)
    assert offered(seen) == ticks
    # What is ticked and is not enough is offered again, beside what is next in the way.
    seen = desk.post(PAGE, fields_of(seen) | {"ignore": ticks[:1]})
    assert ticks[0] in offered(seen)
    seen = desk.post(PAGE, fields_of(seen) | {"ignore": ignored})
    assert [line["kind"] for line in lines(seen)] == ["new"]


def test_two_columns_of_one_heading_cannot_be_told_apart_by_a_tick(desk):
    seen = preview(desk, "Unit,Floor,Notes,Notes", "94,3,a,b")
    assert "give one of them another heading, or delete it" in str(seen.context["form"].errors)
    seen = desk.post(PAGE, fields_of(seen) | {"ignore": offered(seen)})
    assert [line["kind"] for line in lines(seen)] == ["new"]


def test_a_column_with_wrong_cells_is_left_out_by_a_tick_after_the_preview(desk):
    seen = preview(desk, "Unit,Floor,Status", "94,3,Mortgaged", "x,3,Mortgaged")
    assert offered(seen) == ["Status"]
    seen = desk.post(PAGE, fields_of(seen) | {"ignore": ["Status"]})
    assert sorted(line["kind"] for line in lines(seen)) == ["new", "problem"]


def test_new_units_without_a_floor_are_told(desk, tmp_path):
    rows = ["Unit,Floor", "94,", "95,3", "2,", "96,-"]
    note = "2 new units have no floor: row 2, row 5."
    seen = preview(desk, *rows)
    assert note in seen.content.decode() and seen.context["preview"].right
    path = tmp_path / "units.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    assert load(path, block=1)["notes"] == [note]


# --- What the sentences say ----------------------------------------------------------------------------


def problems(seen):
    return [sentence for line in lines(seen) for _column, sentence in line["errors"]]


def test_with_the_tick_for_names_no_sentence_advises_it(desk):
    seen = preview(desk, "number,floor", "First floor,1", "number,2", "12A,1", names="on")
    assert (
        problems(seen) == ["is no unit's number or name: take this row out, or write a number"] * 2
    )


def test_a_state_in_place_of_a_resident_is_told_where_it_belongs(desk):
    seen = preview(desk, "number,resident", "2,مغلقة", "3,Vacant", "4,Empty", "5,Nobody Known")
    state = "says how the unit is used, not who lives there: write it into the column occupancy"
    assert problems(seen) == [state] * 3 + ["needs a phone or an e-mail"]


def test_what_stands_for_nobody_becomes_no_person(desk):
    cells = ("TBD", "Tenant 2", "Vacant flat", "شقة فاضية", "مستأجر ٣")
    rows = [f"{90 + at},1,{cell},0105550009{at}" for at, cell in enumerate(cells)]
    told = problems(preview(desk, "number,floor,resident,phone", *rows))
    assert told == ["is not the name of a person"] * len(cells)


def test_what_ends_a_list_or_heads_a_part_of_it_becomes_no_unit(desk):
    footers = (
        "Prepared by Ali",
        "Shops",
        "GROUND",
        "محلات",
        "الدور الأول",
        "تم الطبع",
        "مدخل أ",
        "رئيس الاتحاد",
    )
    told = problems(preview(desk, "number,floor", *(f"{each},1" for each in footers), names="on"))
    assert told == ["is no unit's number or name: take this row out, or write a number"] * len(
        footers
    )


def test_a_unit_called_by_a_name_is_one_in_every_spelling(desk):
    names = ("12A", "Flat 12A", "unit 12 a", "شقة ١٢A")
    seen = preview(desk, "number,floor", *(f"{name},1" for name in names), names="on")
    assert problems(seen) == [] and len({line["unit"] for line in lines(seen)}) == 1


def test_cells_of_nothing_but_noughts_and_bullets_say_nothing(desk):
    seen = preview(desk, "number,floor,resident,phone,note", "91,1,•,0 / 0,•", "92,1,-,00 - 00,··")
    assert problems(seen) == [] and not any(line["people"] for line in lines(seen))


def test_how_a_new_unit_will_be_used_is_shown_where_the_table_does_not_say(desk):
    seen = preview(desk, "number,floor,resident,phone", "91,1,,", "92,1,Sara Said,01055500092")
    assert [line["occupancy"] for line in lines(seen)] == ["Vacant", "Occupied"]
    assert "<small>Vacant</small>" in seen.content.decode()
    said = preview(desk, "number,floor,occupancy", "91,1,occupied")
    assert [line["occupancy"] for line in lines(said)] == [""]


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [
        ("Entrance", "1", "2"),
        ("المدخل", "أ", "ب"),
        ("Letter", "A", "B"),
        ("Wing", "East", "West"),
        ("الاتجاه", "بحري", "قبلي"),
        ("يمين/شمال", "يمين", "شمال"),
        ("Property", "Nile", "Palm"),
        ("مجموعة", "1", "2"),
        ("Bldg", "1", "2"),
        ("رقم العمارة", "1", "2"),
    ],
)
def test_two_units_do_not_become_one_where_what_parts_them_is_left_out(desk, column, one, other):
    rows = (f"{one},601,1,Karim Adel,01055500091", f"{other},601,1,Huda Salem,01055500092")
    seen = preview(desk, f"{column},Flat,Floor,Name,Mobile", *rows, ignore=[column])
    (told,) = problems(seen)
    assert told.startswith(f"has an earlier row, of another {column}, which is left out")
    same = (rows[0], rows[1].replace(other, one, 1))
    assert problems(preview(desk, f"{column},Flat,Floor,Name,Mobile", *same, ignore=[column])) == []


def test_phones_of_two_people_in_one_cell_do_not_become_ones(desk):
    names = (
        *(
            "أحمد علي / محمد حسن",
            "Ahmed Ali & Sara Omar",
            "نبيل فاروق وزوجته سمية",
            "علي حسن و منى علي",
        ),
        *(
            "كريم عادل - منى سالم",
            "Karim Adel or Mona Salem",
            "كريم عادل وحرمه",
            "Karim Adel (wife Mona)",
        ),
        *("Mr. & Mrs. Adel Husni", "Adel & wife", "كريم عادل = منى سالم", "Adel > Mona"),
    )
    rows = [
        f'9{at:02},1,{name},"010555000{at:02}, 011555000{at:02}"' for at, name in enumerate(names)
    ]
    told = problems(preview(desk, "number,floor,resident,phone", *rows))
    clearly, perhaps = told[:10], told[10:]
    assert clearly == ["names more than one person, with several contacts: give each a row"] * 10
    assert [each[:29] for each in perhaps] == ["may name more than one person"] * 2


def test_titles_and_businesses_with_two_phones_are_one(desk):
    names = (
        *(
            "Dr / Ali Omar",
            "م/ علي حسن",
            "وليد وائل",
            "المهندس / كريم عادل",
            "ورثة / أحمد حسن",
            "General/ Omar Ali",
            *(
                "أ.د / سمير غانم",
                "لواء أ.ح / سمير زكي",
                "لواء دكتور / سمير زكي",
                "اللواء طيار / سمير زكي",
            ),
            *("أحمد علي - الدور الأول", "Ahmed Ali - First floor", "أحمد علي - شقة 5"),
            *("أحمد علي - دكتور أسنان", "Mona (wife of Nader)"),
        ),
        *(
            "Johnson & Johnson",
            "Nour & Amal Company",
            "شركة الأمل / فرع المعادي",
            "Karim Adel + family",
        ),
    )
    rows = [
        f'{90 + at},1,{name},"010555001{at:02}, 011555001{at:02}"' for at, name in enumerate(names)
    ]
    assert problems(preview(desk, "number,floor,resident,phone", *rows)) == []


def test_units_are_called_after_entrances_and_offices(desk):
    names = ("Manager's office", "Entrance shop", "President Cafe", "أمين مول", "مدخل الجراج")
    assert (
        problems(preview(desk, "number,floor", *(f"{each},0" for each in names), names="on")) == []
    )


@pytest.mark.parametrize(
    ("column", "code", "told"),
    [
        *(("Code", "+971", "+971"), ("Country", "UAE +971", "+971"), ("الدولة", "+971", "+971")),
        *(("كود", "00971", "00971"), ("الكود", "٩٧١", "971")),
        *(("Country code", "965", "965"), ("Area code", "03", "03")),
    ],
)
def test_a_phone_does_not_lose_the_code_that_stands_beside_it(desk, column, code, told):
    rows = (f"91,1,Khalid Mans,{code},501234567", "92,1,Karim Adel,,01055500092")
    seen = preview(desk, f"number,floor,resident,{column},phone", *rows, ignore=[column])
    assert problems(seen) == [f"lacks {told}, which stands in {column}: write both into one column"]


def test_one_entrance_in_two_spellings_is_one_and_a_blank_one_hides_no_other(desk):
    head = "المدخل,شقة,الدور,المالك,موبايل"
    rows = ("1,602,1,كريم عادل,01055500091", "مدخل 1,602,1,منى عادل,01055500092")
    assert problems(preview(desk, head, *rows, ignore=["المدخل"])) == []
    three = (",603,1,كريم,01055500091", "1,603,1,منى,01055500092", "2,603,1,هدى,01055500093")
    assert len(problems(preview(desk, head, *three, ignore=["المدخل"]))) == 1


def test_several_numbers_in_place_of_one_are_told_as_such(desk):
    told = problems(preview(desk, "number,floor", "531-532,1", "533 + 534,1", "101/102,1"))
    other = problems(preview(desk, "number,floor", "4/1,1", "2024-05-01,1"))
    assert not any("more than one number" in each for each in other)
    assert len(told) == 3 and all(each.startswith("is more than one number") for each in told)


def test_a_value_without_a_heading_is_told_with_its_column(desk):
    seen = preview(desk, "number,,floor", "91,left,1", "92,,1,,x")
    assert problems(seen) == [
        "“left” stands in column B, which has no heading",
        "“x” stands in column E, which has no heading",
    ]


def test_a_column_without_a_heading_that_counts_rows_is_left_out(desk):
    seen = preview(desk, ",number,floor", "1,91,1", "2,92,1", "3,93,1")
    assert [line["kind"] for line in lines(seen)] == ["new"] * 3
    assert "The column # was not read." in seen.content.decode()


@pytest.mark.parametrize("separator", ["|", "،", " – "])
def test_columns_that_are_parted_by_something_else_are_told(desk, separator):
    seen = preview(desk, separator.join(["رقم الوحدة", "الدور"]), separator.join(["91", "1"]))
    told = str(seen.context["form"].errors)
    assert "are not parted" in told and "a comma, a semicolon or a tab" in told


def test_a_files_name_keeps_its_direction_in_an_arabic_sentence():
    desk = Desk("manager", "ar")
    seen = desk.post(PAGE, {"import_file": table("number,Meter", "1,2", name="2026 units.csv")})
    assert "⁨2026 units.csv⁩، " in str(seen.context["form"].errors)


@pytest.mark.parametrize(
    ("headings", "bidi"), [(["رقم الوحدة", "الدور"], True), (["Unit", "Floor"], False)]
)
def test_the_wrong_rows_of_an_arabic_workbook_begin_on_the_right(desk, headings, bidi):
    book = openpyxl.Workbook()
    for row in (headings, [94, "top"], [95, 3]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    seen = desk.post(PAGE, {"import_file": SimpleUploadedFile("a.xlsx", content.getvalue())})
    got = desk.post(PAGE, carried(seen, wanted="wrong"))
    sheet = openpyxl.load_workbook(io.BytesIO(got.content)).active
    assert bool(sheet.sheet_view.rightToLeft) is bidi


@pytest.mark.parametrize(
    ("number", "floor"),
    [
        ("الشقة رقم 91", "Twenty-first"),
        ("شقة/91", "الحادي والعشرون"),
        ("Unit No. 91", "Twenty first floor"),
    ],
)
def test_numbers_and_floors_as_people_say_them(desk, number, floor):
    seen = preview(desk, "number,floor", f"{number},{floor}")
    assert desk.post(PAGE, fields_of(seen)).status_code == 302
    assert Apartment.objects.get(block=1, number=91).floor == 21


def test_thirty_floors_have_names():
    said = {"الثاني والعشرون": 22, "التاسع والعشرين": 29, "Twenty-ninth": 29, "الثلاثون": 30}
    assert {text: read_floor(text) for text in said} == said
