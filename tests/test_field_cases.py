"""Files as people have them: what comes in at the first try, and the sentence where one cannot.

tests/field/ holds the files; a row here says what each must do, by the command and in the back-office.
"""

import random
import shutil
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from buildings.models import Apartment, Block, Membership
from tests.backoffice import Desk, fields_of
from tests.conftest import ONCE
from tests.test_import_units import load, refusal

pytestmark = ONCE

FIELD = Path(__file__).parent / "field"

# file: floors of units in block 1 by number, and who moved into which unit, by contact.
READ = {
    "c01a_bidi_number.csv": ({201: 2}, {(201, "+201055500001"): "Hany Sobhy"}),
    "c01b_bidi_email.csv": ({202: 2}, {(202, "hany.sobhy@example.org"): "Hany Sobhy"}),
    "c01f_zw_phone.csv": ({206: 2}, {(206, "+201055500003"): "Hany Sobhy"}),
    "c01h_nbhyphen_phone.csv": ({208: 2}, {(208, "+201055500005"): "Hany Sobhy"}),
    "c02a_float_number.csv": ({211: 2}, {(211, "+201055500008"): "Mona Adel"}),
    "c02b_float_landline.csv": ({212: 2}, {(212, "+20227370009"): "Mona Adel"}),
    "c03a_paren_plus.csv": ({214: 2}, {(214, "+201055500010"): "Karim Nagy"}),
    "c03b_trailing_plus.csv": ({215: 2}, {(215, "+201055500011"): "Karim Nagy"}),
    "c03c_two_phones.csv": (
        {216: 2},
        {(216, "+201055500012"): "Karim Nagy", (216, "+201155500012"): "Karim Nagy"},
    ),
    "c03e_ext.csv": ({218: 2}, {(218, "+20227370010"): "Karim Nagy"}),
    "c03f_tel.csv": ({219: 2}, {(219, "+201055500014"): "Karim Nagy"}),
    "c03k_two_landlines.csv": (
        {224: 2},
        {(224, "+2027370011"): "Karim Nagy", (224, "+2027370012"): "Karim Nagy"},
    ),
    "c04d_rtl_minus.csv": (
        {411: -1, 412: -1, 413: -1, 414: -1, 415: 0, 416: 12, 417: 0, 418: 2, 419: 2},
        {},
    ),
    "c05a_title.csv": ({241: 2}, {(241, "+201055500021"): "Mona Adel"}),
    "c05b_sep.csv": ({242: 2}, {(242, "+201055500022"): "Mona Adel"}),
    "c05c_utf16.txt": ({243: 2}, {(243, "+201055500023"): "منى عادل"}),
    "c05s_utf16be.csv": ({407: 4}, {}),
    "c05t_cp720.csv": ({408: 4}, {(408, "+201055500065"): "منى عادل"}),
    "c05g_headings.csv": (
        {246: 2},
        {(246, "+201055500024"): "Mona Adel", (246, "mona@example.org"): "Mona Adel"},
    ),
    "c05h_headings_ar.csv": (
        {247: 2},
        {(247, "+20227370020"): "منى عادل", (247, "+201055500025"): "منى عادل"},
    ),
    "c06a_hidden_sheet.xlsx": ({251: 2}, {(251, "+201055500031"): "Mona Adel"}),
    "c06b_summary_sheet.xlsx": (dict.fromkeys(range(260, 280), 2), {}),
    "c06c_instructions_first.xlsx": ({281: 3}, {}),
    "c06d_merged.xlsx": (
        {282: 3},
        {(282, "+201055500032"): "Mona Adel", (282, "+201055500033"): "Omar Adel"},
    ),
    "c06g_headless_summary.xlsx": (
        {301: 3, 1: 0, 2: 0, 3: 0},
        {(301, "+201055500041"): "Nadia Fathy"},
    ),
    "c06h_hidden_old_year.xlsx": ({302: 3}, {(302, "+201055500042"): "Nadia Fathy"}),
    "c06k_merged_unit.xlsx": (
        {701: 7},
        {(701, "+201055500701"): "Salma Adel", (701, "+201055500702"): "Omar Adel"},
    ),
    "c06m_coloured_row.xlsx": ({703: 7}, {}),
    "c08d_rlm.csv": ({322: 3}, {(322, "+201055500051"): "أحمد علي"}),
    "c09a_dash_empty.csv": ({331: 3, 332: 3, 333: 3, 334: 3}, {}),
    "c09d_email_name.csv": ({336: 3}, {(336, "nadia@example.org"): "Nadia Fathy"}),
    "c09e_email_mailto.csv": ({337: 3}, {(337, "nadia@example.org"): "Nadia Fathy"}),
    "c09f_email_dot.csv": ({338: 3}, {(338, "nadia@example.org"): "Nadia Fathy"}),
    "c09g_email_fullwidth.csv": ({339: 3}, {(339, "nadia@example.org"): "Nadia Fathy"}),
    "c10b_rlo_name.csv": ({425: 4}, {(425, "+201055500068"): "Dina Samy"}),
    "c13a_phone_and_mobile.csv": (
        {707: 7},
        {(707, "+20227370701"): "Salma Adel", (707, "+201055500705"): "Salma Adel"},
    ),
    "c13b_second_phone_second_row.csv": (
        {708: 7},
        {
            (708, "+201055500706"): "Salma Fouad",
            (708, "+201155500706"): "Salma Fouad",
            (708, "salma.fouad@example.org"): "Salma Fouad",
        },
    ),
    "c13c_phone1_phone2.csv": (
        {709: 7},
        {(709, "+201055500707"): "Salma Adel", (709, "+201155500707"): "Salma Adel"},
    ),
    "logo.xlsx": ({306: 3}, {}),
    # These were right from the beginning.
    "passed/c01e_bidi_phone.csv": ({205: 2}, {(205, "+201055500002"): "Hany Sobhy"}),
    "passed/c01j_narrownbsp_phone.csv": ({210: 2}, {(210, "+201055500007"): "Hany Sobhy"}),
    "passed/c03g_plus20_0.csv": ({220: 2}, {(220, "+201055500015"): "Karim Nagy"}),
    "passed/c03l_local8.csv": ({225: 2}, {(225, "+2027370013"): "Karim Nagy"}),
    "passed/c05v_iso88596.csv": ({410: 4}, {(410, "+201055500067"): "منى عادل"}),
    "passed/c06e_numeric_phone.xlsx": (
        {283: 3, 284: 3},
        {(283, "+201055500034"): "Mona Adel", (284, "+201055500035"): "Omar Adel"},
    ),
    "passed/c08a_first.csv": ({321: 3}, {(321, "+201055500051"): "أحمد علي"}),
    "passed/c09k_quoted_header.csv": ({351: 3}, {}),
    "passed/c09m_cr.csv": ({353: 3, 354: 3}, {}),
    "passed/c09n_multiline.csv": ({355: 3}, {}),
    "passed/c09o_unquoted_quote.csv": ({356: 3}, {}),
    "passed/c09p_cp1252.csv": ({357: 3}, {(357, "+201055500054"): "Renée François"}),
    "passed/c10f_emoji.csv": ({429: 4}, {(429, "+201055500073"): "Dina 🌸 Samy"}),
    "passed/c11a_confirm.csv": ({504: 5, 505: 5}, {}),
    "passed/c13f_two_local_landlines.csv": ({712: 7}, {(712, "+2027370702"): "Salma Adel"}),
    "passed/c14b_block_number.csv": ({719: 7}, {}),
}

# file: a part of what the refusal says.
REFUSED = {
    "c03h_short_mobile.csv": "11 digits",
    "c03i_sci.csv": "text",
    "c05d_html.xls": "HTML",
    "c05e_xml2003.xls": "XML",
    "c05j_oleenc.xlsx": "password",
    "c05l_table.ods": "OpenDocument",
    "c05o_pdf.pdf": "PDF",
    "c06n_stray_cell.xlsx": "5000",
    "c09h_email_comma.csv": "comma",
    "c09r_questionmarks.csv": "lost",
    "c14f_unit_heading_is_id.csv": "25",
    "passed/c05f_pipe.csv": "number|floor|resident",
    "passed/c05r_no_headings.csv": "headings",
    "passed/c06j_hidden_column.xlsx": "Rent (hidden)",
    "passed/c07b_unit_date.xlsx": "row 2, column number",
    "passed/c07c_formula_uncached.xlsx": "row 3, column number",
    "passed/c07d_total.csv": "row 4, column number",
    "passed/c07e_repeated_header.csv": "row 3, column number",
    "passed/c09b_zero_number.csv": "row 2, column number",
    "passed/c09i_range.csv": "row 2, column number",
    "passed/c09l_comma_in_heading.csv": "note, remarks",
    "passed/c10c_name_is_phone.csv": "row 2, column phone",
    "passed/c10d_dup_phone_family.csv": "row 3, column resident",
    "passed/c10e_dup_unit_conflict.csv": "row 3, column floor",
}

# Values of one column, each in a row of its own: what must become of it.
FLOORS = {"231": 0, "232": -1, "235": 1}
PHONES = {
    432: "+201055500074",
    433: "+201055500075",
    435: "+201055500077",
    439: "+201055500081",
    440: "+201055500082",
    441: "+201055500083",
    442: "+201055500084",
    443: "+201055500085",
}
OCCUPANCIES = {345: "lived_in", 347: "lived_in", 348: "closed", 349: "lived_in", 350: "vacant"}

PAGE = "/admin/buildings/apartment/import/"


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The files, and those that are too large to be kept."""
    folder = tmp_path_factory.mktemp("field")
    shutil.copytree(FIELD, folder, dirs_exist_ok=True)
    _book_with_logo(folder / "logo.xlsx")
    return folder


def _book_with_logo(path):
    """A small table under a picture of 700 kB."""
    book = Workbook()
    for row in (["number", "floor"], [306, 3]):
        book.active.append(row)
    book.save(path)
    with zipfile.ZipFile(path, "a") as parts:
        noise = random.Random(1).randbytes(700_000)  # noqa: S311
        parts.writestr("xl/media/image1.png", noise)


def floors(numbers):
    units = Apartment.objects.filter(block_id=1, number__in=numbers)
    return dict(units.values_list("number", "floor"))


def residents():
    """Who came in, by unit and each of their contacts."""
    came = Membership.objects.filter(apartment__number__gt=100)
    found = came.values_list("apartment__number", "user__claims__value", "user__name")
    return {(number, value): name for number, value, name in found}


def brought_in(path):
    """Bring a file in as a manager does, by preview and button; what the preview refuses, as text."""
    desk = Desk("manager")
    seen = desk.post(PAGE, {"import_file": SimpleUploadedFile(path.name, path.read_bytes())})
    preview = seen.context["preview"]
    if preview is None or not preview.right:
        return seen.content.decode()
    assert desk.post(PAGE, fields_of(seen)).status_code == 302
    return ""


@pytest.mark.parametrize("way", ["command", "page"])
@pytest.mark.parametrize("name", READ)
def test_a_file_comes_in_as_its_writer_meant_it(files, name, way):
    units, people = READ[name]
    if way == "command":
        load(files / name, block=1)
    else:
        assert brought_in(files / name) == ""
    assert floors(units) == units
    assert residents() == people
    assert Apartment.objects.filter(block_id=1).count() == 10 + len(
        [each for each in units if each > 10]
    )


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_come_in_says_why_and_changes_nothing(files, name, new_entries):
    code, _report, text = refusal(files / name, block=1)
    assert code == 1
    assert REFUSED[name] in text
    # The page has row and column in cells of their own.
    assert REFUSED[name].rpartition("column ")[2] in brought_in(files / name)
    assert Apartment.objects.filter(block_id=1).count() == 10
    assert residents() == {}
    assert new_entries() == []


@pytest.mark.parametrize("name", ["c14c_building_number_ar.csv", "c14d_block_en.csv"])
def test_a_block_is_meant_by_its_own_number(files, name):
    Block.objects.filter(pk=2).update(number="0")
    Block.objects.filter(pk=1).update(number="2")
    Block.objects.filter(pk=2).update(number="1")
    load(files / name)
    made = Apartment.objects.get(number__in=[801, 802])
    assert made.block_id == 2


def test_a_block_is_meant_by_its_name(files):
    Block.objects.filter(pk=1).update(name="عمارة 1")
    load(files / "c14a_block_by_name.csv")
    assert Apartment.objects.get(number=718).block_id == 1


@pytest.mark.parametrize(
    "name",
    [
        "c08b_hamza.csv",
        "c08e_nfd.csv",
        "c08f_yeh.csv",
        "c08h_farsiyeh.csv",
        "passed/c08g_spaces.csv",
    ],
)
def test_a_name_in_another_spelling_is_the_same_person(files, name):
    load(files / "passed/c08a_first.csv", block=1)
    assert load(files / name, block=1)["people"] == 0
    assert residents() == {(321, "+201055500051"): "أحمد علي", (322, "+201055500051"): "أحمد علي"}


def test_floors_are_read_as_people_write_them(files, tmp_path):
    report = load(files / "c04a_floors.csv", block=1, skip_bad=True, bad_file=tmp_path / "bad.csv")
    # A mezzanine is no floor; what a roof's is, the block's highest unit says.
    assert floors([231, 232, 235]) == {231: 0, 232: -1, 235: 1}
    assert not Apartment.objects.filter(block_id=1, number=233).exists()
    assert report["bad_rows"] >= 1
    assert "233" in (tmp_path / "bad.csv").read_text(encoding="utf-8-sig")


def test_phones_are_read_as_people_write_them(files, tmp_path):
    load(files / "c10g_phone_hash.csv", block=1, skip_bad=True, bad_file=tmp_path / "bad.csv")
    found = {number: value for number, value in residents() if value.startswith("+")}
    assert {number: found.get(number) for number in PHONES} == PHONES
    bad = (tmp_path / "bad.csv").read_text(encoding="utf-8-sig")
    assert all(number in bad for number in ("430", "431", "434", "447"))


def test_occupancies_are_read_as_people_write_them_and_an_owner_is_none(files, tmp_path):
    load(files / "c09j_occ.csv", block=1, skip_bad=True, bad_file=tmp_path / "bad.csv")
    units = Apartment.objects.filter(block_id=1, number__gt=300)
    assert dict(units.values_list("number", "occupancy")) == OCCUPANCIES
    assert "Owner" in (tmp_path / "bad.csv").read_text(encoding="utf-8-sig")


def test_a_unit_that_has_no_number_may_have_a_name(files):
    _code, _report, text = refusal(files / "c04c_units.csv", block=1)
    assert "--names" in text
    report = load(files / "c04c_units.csv", block=1, names=True)
    assert report["created"] == 5
    made = Apartment.objects.filter(block_id=1, number=None)
    assert set(made.values_list("name", flat=True)) == {"12A", "B-3", "G01", "Shop 4", "محل ٤"}
    again = load(files / "c04c_units.csv", block=1, names=True)
    assert (again["created"], again["left"]) == (0, 5)
