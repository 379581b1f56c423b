"""What a workbook shows: hidden columns and rows, escapes, merged cells, however programs write them."""

import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook, load_workbook

from buildings.models import Apartment
from contacts.models import Kind
from tests.backoffice import Desk
from tests.conftest import ONCE
from tests.test_exports import export
from tests.test_field_tables import HEAD, floors, saved, sheets
from tests.test_import_template import run
from tests.test_import_units import load, refusal

pytestmark = ONCE

PAGE = "/admin/buildings/apartment/import/"
FOUND = "01112345678"


def workbook_of(*rows, edit=lambda xml: xml):
    """A workbook of these rows, whose sheet was edited as XML."""
    content = io.BytesIO(saved(sheets(Units=rows)))
    out = io.BytesIO()
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml") or name.endswith("sharedStrings.xml"):
                data = edit(data.decode()).encode()
            new.writestr(name, data)
    return out.getvalue()


@pytest.fixture
def book(tmp_path):
    """book(row, …) is a workbook of these rows."""

    def written(*rows, edit=lambda xml: xml):
        path = tmp_path / "units.xlsx"
        path.write_bytes(workbook_of(*rows, edit=edit))
        return path

    return written


WIDE = [
    ["List of 2026"],
    ["number", "floor", "Mobile", "Phone", "note"],
    [101, 7, "01055500041", "0100", "x"],
]


@pytest.mark.parametrize(
    "cols",
    [
        '<col min="3" max="4" hidden="1"/>',
        '<col min="3" max="3" width="0" customWidth="1"/><col min="4" max="4" hidden="true"/>',
        '<col min="3" max="4" width="0.0"/><col min="7" max="16384" hidden="1"/>',
        '<col min="9" max="1" hidden="1"/><col min="4" max="4" hidden="1"/><col min="3" max="3" hidden="1"/>',
    ],
)
def test_a_hidden_column_is_not_read_and_told(book, cols):
    path = book(
        *WIDE, edit=lambda xml: xml.replace("<sheetData>", f"<cols>{cols}</cols><sheetData>")
    )
    notes = load(path, block=1)["notes"]
    assert "The columns Mobile, Phone are hidden and were not read." in notes
    assert floors() == {101: 7} and Apartment.objects.get(block=1, number=101).note == "x"


def test_a_hidden_column_of_which_nobody_knows_what_it_is_is_named(book):
    def hide(xml):
        return xml.replace(
            "<sheetData>", '<cols><col min="3" max="4" hidden="1"/></cols><sheetData>'
        )

    path = book([*HEAD, "Rent", "م"], [101, 7, 5000, 1], edit=hide)
    told = refusal(path, block=1)[2]
    assert "Unknown headings, of hidden columns: Rent. Delete these columns, or show them" in told
    assert floors() == {}


@pytest.mark.parametrize("heading", ["Resident", "المستأجر", "Block", "Unit ID", "Name 2", "الاسم"])
def test_a_hidden_column_that_says_whose_the_others_are_is_named(book, heading):
    def hide(xml):
        return xml.replace(
            "<sheetData>", '<cols><col min="3" max="3" hidden="1"/></cols><sheetData>'
        )

    path = book([*HEAD, heading, "Mobile"], [101, 7, "2", "01055500041"], edit=hide)
    told = refusal(path, block=1)[2]
    assert "These columns are hidden" in told and heading in told and floors() == {}


def test_a_hidden_column_that_holds_nothing_is_not_told(book):
    def hide(xml):
        return xml.replace(
            "<sheetData>", '<cols><col min="3" max="99999999999" hidden="1"/></cols><sheetData>'
        )

    assert load(book([*HEAD, "note"], [101, 7], edit=hide), block=1)["notes"] == []


def test_a_row_without_height_is_hidden_and_told(book):
    def hide(xml):
        xml = xml.replace('<row r="3"', '<row ht="0" customHeight="1" r="3"')
        # The rows that such a sheet writes are those that it shows.
        return re.sub("<sheetFormatPr ", '<sheetFormatPr zeroHeight="1" ', xml)

    notes = load(book(HEAD, [101, 7], [102, 8], [103, 9], edit=hide), block=1)["notes"]
    assert floors() == {101: 7, 103: 9} and "1 row that is hidden" in notes[0]


@pytest.mark.parametrize("kind", ["shared", "inline", "str"])
def test_the_escapes_of_a_workbook_are_read(book, kind):
    def escape(xml):
        if kind == "inline":
            xml = re.sub(
                r'<c r="C2" t="s"><v>\d+</v></c>',
                '<c r="C2" t="inlineStr"><is><t>A</t></is></c>',
                xml,
            )
        elif kind == "str":
            xml = re.sub(r'<c r="C2" t="s"><v>\d+</v></c>', '<c r="C2" t="str"><v>A</v></c>', xml)
        return xml.replace(">A<", ">key_x000D__x000a_at_x005F_x0041_ _xD83D__xDE00_ a_x12_b<")

    load(book([*HEAD, "note"], [101, 7, "A"], edit=escape), block=1)
    assert Apartment.objects.get(block=1, number=101).note == "key at_x0041_ 😀 a_x12_b"


def test_what_looks_escaped_comes_back_as_it_went_out(tmp_path):
    Apartment.objects.filter(pk=2).update(note="a_x0041_b_x000D_", name="_x005F_")
    path = tmp_path / "units.xlsx"
    export("units", path, full=True)
    cells = [cell.value for row in load_workbook(path).active.iter_rows() for cell in row]
    assert "a_x0041_b_x000D_" in cells or "a_x005F_x0041_b_x005F_x000D_" in cells
    assert load(path)["updated"] == 0


@pytest.mark.parametrize(
    "reference", ["ref='A2:A3'", 'ref="$A$2:$A$3"', "ref = '$A2:A$3'", 'x="1" ref="A2:A3"']
)
def test_merged_cells_are_seen_however_they_are_written(book, reference):
    merged = f'</sheetData><mergeCells count="1"><mergeCell {reference}/></mergeCells>'
    rows = [
        [*HEAD, "resident", "phone"],
        [101, 7, "Mona", FOUND],
        [None, None, "Omar", "01012345678"],
    ]
    path = book(*rows, edit=lambda xml: xml.replace("</sheetData>", merged))
    assert load(path, block=1)["memberships"] == 2
    assert floors() == {101: 7}


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_filled_in_example_is_named(tmp_path, language):
    path = tmp_path / "units.xlsx"
    run(template=path, language=language)
    book = load_workbook(path)
    book.worksheets[1].append([501, 2])
    name = book.worksheets[1].title
    book.save(path)
    assert f"Sheet {name} explains the columns and was not read" in run(path, block=1)
    seen = Desk("manager").post(
        PAGE, {"import_file": SimpleUploadedFile("units.xlsx", path.read_bytes())}
    )
    assert name in str(seen.context["form"].errors)


@pytest.mark.parametrize(
    ("style", "number", "phone"),
    [
        ('"+971 "0', 501234567, "+971501234567"),
        ('[$-409]"+966"000000000;-0', 501234567, "+966501234567"),
        ('"0"0000000000', 1001234567, "01001234567"),
        ('"+20" 00 0000 0000', 1001234567, "+201001234567"),
        ('"Tel "0', 1001234567, "1001234567"),
        (r'"+971 "00\ 000\ 0000', 501234567, "+971501234567"),
        ("+971 0", 501234567, "+971501234567"),
        (r"\+971\ 0", 501234567, "+971501234567"),
        ('"+971 "#,##0', 501234567, "+971501234567"),
        ('"+971 "General', 501234567, "+971501234567"),
        ('_-"+971 "0_-', 501234567, "+971501234567"),
        ('[Red][$-409]"+971 "0', 501234567, "+971501234567"),
        ("[$+971-409] 0", 501234567, "+971501234567"),
        ('"010"00000000', 1234567, "01001234567"),
        ("#,##0", 1001234567, "01001234567"),
        ('[>99999999]"0"0000000000;"02"00000000', 1001234567, "01001234567"),
        ("[$EGP] #,##0", 1001234567, "01001234567"),
        ("0000000000", 1001234567, "01001234567"),
    ],
)
def test_a_phone_is_what_the_cells_format_shows(tmp_path, style, number, phone):
    book = Workbook()
    book.active.append([*HEAD, "resident", "phone"])
    book.active.append([101, 7, "Mona Adel", number])
    book.active["D2"].number_format = style
    path = tmp_path / "units.xlsx"
    book.save(path)
    load(path, block=1)
    (membership,) = Apartment.objects.get(block=1, number=101).memberships.all()
    assert Kind.PHONE.canonical(membership.user.phone or "") == Kind.PHONE.canonical(phone)


@pytest.mark.parametrize(
    ("style", "unit", "floor"),
    [('"1"00', 105, 5), ('"Flat "0', 5, 5), ("000", 5, 5), ('"-"0', None, -5), ('"Floor "0', 5, 5)],
)
def test_a_unit_is_what_the_cells_format_shows(tmp_path, style, unit, floor):
    book = Workbook()
    book.active.append(HEAD)
    book.active.append([5 if unit else 7, 5])
    book.active["A2" if unit and unit > 5 or "Flat" in style else "B2"].number_format = style
    path = tmp_path / "units.xlsx"
    book.save(path)
    load(path, block=2)
    assert Apartment.objects.filter(block=2, number=unit or 7, floor=floor).exists()


def test_a_name_in_a_cells_format_is_no_number(tmp_path):
    book = Workbook()
    book.active.append(HEAD)
    book.active.append([50, 1])
    book.active["A2"].number_format = '"Shop "0'
    path = tmp_path / "units.xlsx"
    book.save(path)
    assert "is not a whole number" in str(refusal(path, block=1)[1])
    load(path, block=1, names=True)
    assert Apartment.objects.filter(block=1, name="Shop 50", number=None).exists()
