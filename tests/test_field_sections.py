"""Tables that say something once for many rows, and cells of several people: nothing is guessed."""

import csv
import io

import pytest

from buildings.models import Apartment, Block
from contacts.canonical import ContactProblem
from contacts.models import Kind, SecondaryPhone, User
from contacts.several import contacts_in
from tests.conftest import ONCE
from tests.test_import_units import load, refusal

pytestmark = ONCE


@pytest.fixture
def sheet(tmp_path):
    """sheet(line, line, …) is a CSV file of these lines, whose cells a bar parts."""

    def written(*lines):
        path, text = tmp_path / "units.csv", io.StringIO()
        csv.writer(text).writerows([cell.strip() for cell in line.split("|")] for line in lines)
        path.write_text(text.getvalue(), encoding="utf-8")
        return path

    return written


@pytest.fixture
def refused(sheet):
    """refused(line, …) are the sentences of the rows that are refused, by row."""

    def found(*lines, **options):
        report = refusal(sheet(*lines), block=1, **options)[1]
        return {each["row"]: each["sentence"] for each in report["problems"]}

    return found


HEAD = "شقة | الدور | الاسم | تليفون"


# --- Lines between rows, and titles --------------------------------------------------------------------


def test_rows_below_another_blocks_line_are_refused(refused):
    Block.objects.filter(pk=2).update(number="8")
    Block.objects.filter(pk=1).update(number="7")
    rows = ("101|1|Hany A|01055500001", "عمارة 8|||", "102|1|Hany B|01055500002", "103|1||")
    found = refused(HEAD, *rows, "برج 7|||", "104|1|Hany C|01055500003")
    assert sorted(found) == [3, 4, 5, 6]
    assert "stands below “عمارة 8”, another block than the one chosen" in found[4]
    assert "another block" in found[5]


def test_an_empty_block_below_a_row_of_another_is_refused(refused):
    rows = ("1|101|1", "|102|1", "2|101|1", "|102|1", "1|103|1", "|104|1")
    found = refused("block|number|floor", *rows)
    assert sorted(found) == [4, 5]
    assert "is empty, below a row of another block" in found[5]


@pytest.mark.parametrize(
    "title", ["كشف سكان عمارة 8", "Residents of Tower 8", "برج النرجس - كشف", "Block|8"]
)
def test_a_title_that_means_another_block_is_no_title(sheet, title):
    Block.objects.filter(pk=2).update(number="8", name="النرجس")
    path = sheet(title, HEAD, "101|1|Hany Zaki|01055500001")
    told = refusal(path, block=1)[2]
    assert "above the headings, means another one than the one chosen" in told
    assert load(path, block=2)["created"] == 1


@pytest.mark.parametrize("title", ["Residents 2026", "Tower 15, Nile Street", "8", "كشف السكان"])
def test_other_titles_stay_titles(sheet, title):
    Block.objects.filter(pk=2).update(number="8")
    path = sheet(title, HEAD, "101|1|Hany Zaki|01055500001")
    assert load(path, block=1)["created"] == 1


def test_units_of_one_number_below_two_floors_are_refused(refused):
    rows = ("الأول|1|A B", "|2|C D", "الثاني|3|E F", "|2|G H")
    found = refused(
        "الدور|شقة|الساكن|تليفون", *(f"{row}|0105550000{at}" for at, row in enumerate(rows))
    )
    assert list(found) == [5]
    assert "has an earlier row, below another floor" in found[5]


def test_lines_that_say_floors_are_seen_too(refused):
    rows = ("الدور الأول||", "1|Hany A|01055500001", "الدور الثاني||", "1|Hany B|01055500002")
    found = refused("شقة|الاسم|تليفون", *rows)
    assert sorted(found) == [2, 4, 5]
    assert "below another floor" in found[5]


def test_a_second_list_below_the_table_is_no_part_of_it(refused):
    rows = ("101|1|Hany A|01055500001", "102|1|Hany B|01055500002", "لجنة الصيانة|||")
    found = refused(
        HEAD, *rows, "101||عمرو دياب|01055500003", "103|2|Hany C|01055500004", names=True
    )
    assert sorted(found) == [4, 5]
    assert found[4] == "stands alone in its row: write the unit's floor, or take the row out"
    assert "stands below “لجنة الصيانة”, and a row above that has the same unit" in found[5]


def test_columns_of_one_heading_that_are_left_out_are_compared_each_by_itself(sheet):
    path = sheet("شقة|دور|ملاحظات|ملاحظات", "101|1|مسافر|يدفع متأخر", "102|1|مسافر|")
    notes = load(path, block=1, ignore=["ملاحظات"])["notes"]
    assert not any("has the unit of an earlier row" in note for note in notes)


def test_people_of_a_unit_whose_floor_is_written_once_stay_together(sheet):
    rows = ("101|1|A B|01055500001", "205|2|C D|01055500002", "101||E F|01055500003")
    assert load(sheet("number|floor|resident|phone", *rows), block=1)["people"] == 3


@pytest.mark.parametrize(
    "line", ["عمارة 15 شارع التحرير", "Building 1 of 4", "الدور الثالث -", "برج 7 وبرج 8"]
)
def test_lines_that_may_be_notes_refuse_nothing_but_themselves(refused, line):
    Block.objects.filter(pk=1).update(number="7")
    rows = ("101|1|A B|01055500001", f"{line}|||", "102|2|C D|01055500002")
    assert list(refused(HEAD, *rows)) == [3]


def test_dashes_of_every_kind_are_one_sign(sheet):
    rows = ("Shop -1|1", "Shop –1|1", "A+1|2", "A＋1|2")
    report = load(sheet("number|floor", *rows), block=1, names=True)
    assert report["created"] == 2


@pytest.mark.parametrize("parts", ["محمد|السيد", "السيد|حسن"])
def test_a_title_may_be_a_name(sheet, parts):
    path = sheet("number|floor|first name|last name|phone", f"101|1|{parts}|01055500001")
    load(path, block=1)
    assert User.objects.get(phone="01055500001").name == parts.replace("|", " ")


# --- People ----------------------------------------------------------------------------------------------

PHONES = "01220001001\n01220001002"
SEVERAL = [
    "Ahmed Hassan\nMona Adel",
    "أحمد حسن\nمنى عادل",
    "Omar\nLina",
    "Mr. Ahmed Said Mrs. Mona Said",
    "مالك: أحمد ممدوح مستأجر: منى عزت",
    "١- أحمد نادر ٢- منى نادر",
    "أحمد حسونة _ منى عدوي",
    "أحمد علي ـ منى عمر",
    "أحمد علي او منى عمر",
    "Ahmed Ali • Mona Omar",
    "أحمد ومنى",
    "أحمد علي ومنى",
    "أحمد/منى",
    "أحمد، منى",
    "أحمد علي حسن\nمنى",
    "أحمد علي (مالك) منى سعيد (مستأجر)",
    "Ahmed Ali (owner) Mona Said (tenant)",
    "أحمد علي (الدور الأرضي) / منى سعيد",
    "م. أحمد علي  د. منى سعيد",
    "Dr Ahmed Ali Eng Mona Said",
    "الحاج أحمد الحاجة منى",
    "أحمد علي (مالك) حسن سعيد (ايجار)",
    "أحمد علي زوجته منى",
    "أحمد علي ساكن محمد حسن",
    "محمد حسن ايجار من أحمد علي",
    "أحمد علي د. منى حسن",
    "أحمد علي-منى سعيد",
    "أحمد علي .. منى سعيد",
    "Ahmed Ali wa Mona Said",
]


@pytest.mark.parametrize("names", SEVERAL)
def test_two_people_of_one_cell_are_refused(refused, names):
    (sentence,) = refused("Flat|Floor|Residents|Mobile", f"101|1|{names}|{PHONES}").values()
    assert "more than one person, with several contacts: give each a row" in sentence


@pytest.mark.parametrize(
    "name",
    [
        "Ahmed\nHassan\nAli",
        "Dr.\nAli Hassan",
        "Abdel-Rahman Ali",
        "Ahmed El -Sayed Ali",
        "شقة 1 - دور 2 - أحمد علي",
        "Hassan, Ali",
        "أحمد وليد",
        "أ.د. أحمد علي",
        "أحمد علي (مالك)",
        "مدام منى / أرملة",
        "Mohamed M. Ali",
        "محمد م. علي",
        "أحمد علي ساكن الدور الأول",
        "أحمد الشيخ علي",
        "صيدلية د. أحمد علي",
        "Gen. Dr. Ahmed Ali",
        "أحمد علي (مالك / ساكن)",
        "د. أحمد علي Dr. Ahmed Ali",
        "أحمد علي / السعودية",
    ],
)
def test_a_name_that_goes_on_below_is_one(sheet, name):
    load(sheet("Flat|Floor|Residents|Mobile", f"101|1|{name}|{PHONES}"), block=1)
    assert User.objects.get(phone="01220001001").name == " ".join(name.split())


@pytest.mark.parametrize(
    "nobody",
    [
        "نفس المالك",
        "كما سبق",
        "same as above",
        "Mr.",
        "شقة 5",
        "Flat 5",
        "متوفي",
        "مسافر",
        "no answer",
        "ساكن جديد",
    ],
)
def test_what_names_nobody_is_refused(refused, nobody):
    (sentence,) = refused("number|floor|resident|phone", f"101|1|{nobody}|01055500001").values()
    assert sentence == "is not the name of a person"


@pytest.mark.parametrize("heading", ["الاسم\nName", "الاسم Name", "Name / الاسم", "Name (الاسم)"])
def test_a_name_in_two_languages_is_the_residents(sheet, heading):
    load(sheet(f"Flat No|Floor|{heading}|Mobile", "101|1|هاني زكي|01055500001"), block=1)
    assert User.objects.get(phone="01055500001").name == "هاني زكي"
    assert Apartment.objects.get(block=1, number=101).name == ""


@pytest.mark.parametrize(
    "other", ["موبايل المالك", "Owner Mobile", "Landlord Phone", "Mobile - tenant"]
)
def test_the_phone_of_an_owner_beside_a_mobile_is_somebody_elses(sheet, other):
    path = sheet(f"Flat|Floor|Name|Mobile|{other}", "101|1|Hany Zaki|01220017641|01220018998")
    assert "speak of two people" in refusal(path, block=1)[2]
    assert load(path, block=1, ignore=[other])["people"] == 1
    assert not SecondaryPhone.objects.filter(user__name="Hany Zaki").exists()


@pytest.mark.parametrize("heading", ["No. of residents", "Customer no", "رقم المالك", "عدد السكان"])
def test_a_count_is_no_resident(sheet, heading):
    path = sheet(f"number|floor|{heading}|phone", "101|1|4 persons|01055500001")
    assert heading in refusal(path, block=1)[2]


@pytest.mark.parametrize("heading", ["نوع الوحدة", "Unit Type"])
def test_a_flat_and_a_shop_of_one_number_are_two_units(refused, heading):
    rows = ("1|شقة|1|Hany Zaki|01055500001", "1|محل|1|Samir Nabil|01055500002")
    (sentence,) = refused(
        f"number|{heading}|floor|resident|phone", *rows, ignore=[heading]
    ).values()
    assert "has an earlier row, of another" in sentence


# --- Floors, units, phones -------------------------------------------------------------------------------


def test_a_minus_beside_a_word_is_one(sheet):
    written = ["الدور 2-", "طابق ٢-", "الدور:-2", "Level -2", "Floor_-2"]
    load(sheet("number|floor", *(f"{at}|{text}" for at, text in enumerate(written, 101))), block=1)
    found = Apartment.objects.filter(block=1, number__gt=100).values_list("floor", flat=True)
    assert list(found) == [-2] * 5


@pytest.mark.parametrize(
    "floor", ["Level - 2", "الدور - 2", "Floor (2)", "Floor-2", "Floor 3-", "-2-", "– 2 –"]
)
def test_what_may_be_a_minus_is_asked_for(refused, floor):
    (sentence,) = refused("number|floor", f"101|{floor}").values()
    assert "may be a floor above the ground or below: write the number alone" in sentence


@pytest.mark.parametrize(("one", "other"), [("-1A", "1A"), ("Shop -1", "Shop 1"), ("A+1", "A-1")])
def test_names_whose_signs_differ_are_two_units(sheet, one, other):
    report = load(sheet("number|floor", f"{one}|1", f"{other}|1"), block=1, names=True)
    assert report["created"] == 2


def test_thousands_are_no_fraction_of_nothing(refused):
    assert list(refused("number|floor", "1.000|1", "12.000|1")) == [2, 3]


CELLS = {
    "040 6787870 (واتساب) / +966501234567": ["+20406787870", "+966501234567"],
    "0227350000(تليفون)/+966501234567": ["+20227350000", "+966501234567"],
    "tel 0227350000 / +971501234567": ["+20227350000", "+971501234567"],
    "0687354374+": ["+20687354374"],
    "+0687354374": ["+20687354374"],
    "0957 510084 + 050 6310538": ["+20957510084", "+20506310538"],
    "01509090522 +0646144241": ["+201509090522", "+20646144241"],
    "1114033081.0 + 0459370594": ["+201114033081", "+20459370594"],
    "966501234567+ 966501234568+": ["+966501234567", "+966501234568"],
    "201012345678+": ["+201012345678"],
    "468123456+ 01001234567": ["+468123456", "+201001234567"],
    "2) 47834136": ["+20247834136"],
    "+0201012345678": ["+201012345678"],
    "+00966501234567": ["+966501234567"],
    " 966501234567": ["+966501234567"],
}


@pytest.mark.parametrize("cell", CELLS)
def test_signs_beside_phones(cell):
    assert [value for _typed, value in contacts_in(Kind.PHONE, cell)] == CELLS[cell]


@pytest.mark.parametrize(
    "cell",
    [
        " 15389396966",
        "\u00a012732758547",
        " 010123456789",
        " 4720064",
        "1114033081.0+",
        "3) 25888121",
    ],
)
def test_what_is_no_number_of_here_is_none_of_abroad(cell):
    with pytest.raises(ContactProblem):
        contacts_in(Kind.PHONE, cell)


def test_and_before_an_address_is_no_part_of_it():
    found = contacts_in(Kind.EMAIL, "a1@x.com،و22.b@y.org")
    assert [value for _typed, value in found] == ["a1@x.com", "22.b@y.org"]


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize("mark", ['"', '"""'])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_quotation_mark_for_the_cell_above_takes_no_row_in(tmp_path, delimiter, blank, mark):
    head = "number,floor,resident,phone,note"
    rows = [f"80{at},8,Resident {at},0105550000{at}" for at in range(1, 5)]
    lines = [head, f"{rows[0]},paid", f'{rows[1]},"{blank}', f'{rows[2]},"{blank}', f"{rows[3]},x"]
    path = tmp_path / "units.csv"
    path.write_text("\n".join(lines).replace(",", delimiter).replace('"', mark) + "\n")
    for options in ({}, {"ignore": ["note"]}, {"skip_bad": True}):
        sentence = refusal(path, block=1, **options)[2]
        assert "quotation mark" in sentence and "write out what it stands for" in sentence
    assert not Apartment.objects.filter(number__gte=800).exists()


def test_a_quotation_mark_for_a_number_takes_no_row_in(tmp_path):
    path = tmp_path / "units.csv"
    path.write_text('number,floor,note\n801,8,x\n",8,x\n",8,x\n804,8,x\n')
    assert "quotation mark" in refusal(path, block=1, skip_bad=True)[2]


def test_the_floor_above_the_ground_floor_is_asked_for(refused):
    assert "does not say which floor" in refused(HEAD, "901|الأرضي العلوي||")[2]


@pytest.mark.parametrize("mark", ['"', "//", "''", "،،"])
def test_marks_for_the_cell_above_are_asked_for(refused, mark):
    for column in ("resident", "floor", "phone", "note"):
        cells = {"number": "102", "resident": "علي حسن", "phone": "01001234702", "floor": "1"}
        found = refused(
            "|".join([*cells, "note"]), "|".join((cells | {"note": "", column: mark}).values())
        )
        assert "stands for the cell above: write it out" in found[2], column


def test_arabic_of_windows_that_was_read_as_western_is_repaired(sheet):
    load(sheet("number|floor|resident|phone", "601|1|ÇÍãÏ Úáí|01001234701"), block=1)
    assert User.objects.filter(name="احمد علي").exists()


@pytest.mark.parametrize(
    "name", ["مح?مد علي", "مكرر", "دكتور", "لواء", "السيدة", "إيجار جديد", "رفض الإدلاء", "نفسه"]
)
def test_what_is_no_whole_name_is_nobodys(refused, name):
    assert refused("number|floor|resident|phone", f"602|1|{name}|01001239999")
