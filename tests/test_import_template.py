"""The workbook that people fill in with units: made, filled in and imported, by the command and the page."""

import io
import json
import re

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils import timezone, translation

from audit.operations import Origin
from buildings.models import Apartment, Building, Membership, Occupancy
from buildings.operations import register_block
from buildings.unit_import.columns import FIELDS
from contacts.models import Claim
from tests.backoffice import Desk, fields_of, told
from tests.conftest import ONCE

pytestmark = ONCE

UNITS = "/admin/buildings/apartment/"
LANGUAGES = ("en", "ar")


def run(*arguments, **options):
    """What `import_units` reports."""
    out = io.StringIO()
    call_command("import_units", *map(str, arguments), stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def downloaded(name, language):
    """The template as this person's Import page gives it."""
    answer = Desk(name, language).page("buildings/apartment/import/template/")
    assert answer["Content-Disposition"] == 'attachment; filename="units-template.xlsx"'
    return answer.content


def book_of(content):
    return openpyxl.load_workbook(io.BytesIO(content))


def heads(book):
    return [cell.value for cell in book.worksheets[0][1]]


def offered(book):
    """What each drop-down offers, by the index of its column."""
    choices = {}
    for each in book.worksheets[0].data_validations.dataValidation:
        sheet, cells = each.formula1.rsplit("!", 1)
        rows = book[sheet.strip("'")][cells.replace("$", "")]
        cell = next(iter(each.sqref.ranges))
        choices[cell.min_col - 1] = [row[0].value for row in rows]
    return choices


def filled_in(content, block=None):
    """The template with a unit and its resident for each word of the drop-down of occupancies."""
    book = book_of(content)
    lists = offered(book)
    words = lists[len(lists) + 2]
    for index, word in enumerate(words):
        phone = f"0105550000{index}"
        row = [700 + index, 2, "East", word, f"Nora {index}", phone, f"n{index}@example.org", "key"]
        for column, value in enumerate(row if block is None else [block, *row], 1):
            book.worksheets[0].cell(index + 2, column, value)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def registered(block):
    """The units of `filled_in()` in this block, and whose phones they are."""
    units = Apartment.objects.filter(
        block_id=block, number__gte=700, floor=2, name="East", note="key"
    )
    people = Claim.objects.filter(value__startswith="+20105550000").values_list(
        "user__name", flat=True
    )
    return set(units.values_list("occupancy", flat=True)), sorted(people)


ALL_REGISTERED = set(Occupancy.values), [f"Nora {index}" for index in range(4)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("block", [None, 2])
def test_filled_in_it_goes_in_at_the_first_try_by_the_command(tmp_path, language, block):
    path, options = tmp_path / "units.xlsx", {} if block is None else {"block": block}
    assert run(template=path, language=language, **options) == f"Template written to {path}.\n"
    content = path.read_bytes()
    if block is None:
        assert offered(book_of(content))[0] == ["1", "2", "3", "4"]
    path.write_bytes(filled_in(content, block="2" if block is None else None))
    report = json.loads(run(path, json=True, **options))
    assert (report["created"], report["notes"]) == (4, [])
    assert registered(2) == ALL_REGISTERED


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "block"), [("neighbour", None), ("admin", "2")])
def test_filled_in_it_goes_in_at_the_first_try_by_the_page(language, name, block):
    content = filled_in(downloaded(name, language), block)
    desk = Desk(name, language)
    file = SimpleUploadedFile("units.xlsx", content)
    previewed = desk.post(f"{UNITS}import/", {"import_file": file})
    assert previewed.context["form"].errors == {}
    answer = desk.post(f"{UNITS}import/", fields_of(previewed))
    assert told(answer)
    assert registered(2) == ALL_REGISTERED


@pytest.mark.parametrize("language", LANGUAGES)
def test_untouched_it_imports_nothing_and_says_so(tmp_path, new_entries, language):
    path = tmp_path / "units.xlsx"
    run(template=path, language=language)
    assert "The file has no rows below its headings. Units: 0 registered," in run(path)
    file = SimpleUploadedFile("units.xlsx", path.read_bytes())
    previewed = Desk("admin").post(f"{UNITS}import/", {"import_file": file})
    assert previewed.context["form"].non_field_errors() == [
        "The file has no rows below its line of column names."
    ]
    assert new_entries() == []


HEADS = {
    "en": ["Unit number", "Floor", "Unit name", "Occupancy", "Resident", "Phone", "Email", "Note"],
    "ar": ["رقم الوحدة", "الدور", "اسم الوحدة", "حالة الإشغال", "الساكن", "الهاتف"]
    + ["البريد الإلكتروني", "ملاحظة"],
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_ready_to_be_filled_in(language):
    book = book_of(downloaded("neighbour", language))
    sheet, example, lists = book.worksheets
    assert heads(book) == HEADS[language]
    # A new field of a unit wants its words in buildings/unit_import/template.py.
    assert {"number", "floor", "name", "occupancy", "note"} == set(FIELDS)
    assert sheet.freeze_panes == "A2"
    assert all(cell.font.bold for cell in sheet[1])
    assert {bool(each.sheet_view.rightToLeft) for each in (sheet, example)} == {language == "ar"}
    assert (example.sheet_state, lists.sheet_state) == ("visible", "hidden")
    # Phones and e-mails are texts; numbers are numbers.
    for row in (2, 2001):
        texts = [cell.column for cell in sheet[row] if cell.number_format == "@"]
        assert texts == [6, 7]
    with translation.override(language):
        assert offered(book) == {3: [str(each.label) for each in Occupancy]}
    explained = [row[0].value for row in example.iter_rows(min_row=3)]
    assert [line.partition(": ")[2] for line in explained] == HEADS[language]
    assert not {cell.value for row in example for cell in row} & set(HEADS[language])


def more_blocks(*called):
    """Blocks of a second building, each as (number, name)."""
    other = Building.objects.create(name_en="Nile Towers")
    origin = Origin.of_command("test")
    return [
        register_block(origin=origin, building=other, number=number, name=name)
        for number, name in called
    ]


def test_a_block_is_offered_by_number_and_name():
    more_blocks(("5", "East"), ("6", "=SUM(A1)"))
    choices = offered(book_of(downloaded("admin", "en")))[0]
    assert choices == ["1", "2", "3", "4", "5 East", "6 =SUM(A1)"]


def test_what_looks_like_a_formula_is_a_text():
    more_blocks(("=1+1", ""))
    book = book_of(downloaded("admin", "en"))
    assert offered(book)[0][-1] == "'=1+1"
    assert {cell.data_type for row in book["Lists"] for cell in row} <= {"s", "n"}


def test_blocks_that_are_called_alike_are_offered_by_their_ids():
    (second,) = more_blocks(("1", ""))
    book = book_of(downloaded("admin", "en"))
    assert (heads(book)[0], offered(book)[0]) == ("Block id", [1, 2, 3, 4, second.pk])
    explanation = book["Example"]["B3"].value
    assert "\n1: Palm Gardens, 1\n" in explanation
    assert explanation.endswith(f"\n{second.pk}: Nile Towers, 1")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--template there.xlsx", "there.xlsx is there already; nothing is written over it."),
        ("--template new.csv", "end its name with .xlsx"),
        ("--template new.xlsx there.xlsx", "--template reads no FILE"),
        ("--template new.xlsx --block 99", "There is no block 99."),
        ("--template nowhere/new.xlsx", "no directory that can be written to"),
        ("there.xlsx --language ar", "--language goes with --template"),
        ("", "arguments are required: FILE"),
    ],
)
def test_what_the_command_refuses(tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.xlsx").write_bytes(b"mine")
    with pytest.raises(CommandError, match=re.escape(says)) as refused:
        run(*arguments.split())
    assert refused.value.returncode == 2
    assert [each.name for each in tmp_path.iterdir()] == ["there.xlsx"]
    assert (tmp_path / "there.xlsx").read_bytes() == b"mine"


def test_a_dry_run_writes_no_template(tmp_path):
    path = tmp_path / "units.xlsx"
    said = json.loads(run(template=path, dry_run=True, json=True))
    assert said == {"template": str(path), "dry_run": True}
    assert not path.exists()


@pytest.mark.parametrize(
    ("language", "link"), [("en", "Download a template"), ("ar", "تنزيل نموذج")]
)
def test_import_page_and_empty_list_lead_to_it(language, link):
    linked = f'<a href="{UNITS}import/template/">{link}</a>'
    desk = Desk("neighbour", language)
    assert linked in desk.text("buildings/apartment/import/")
    assert linked not in desk.text("buildings/apartment/")
    Membership.objects.exclude(user=desk.person).filter(block=2).delete()
    Apartment.objects.filter(block=2).update(closed_at=timezone.now())
    assert linked in desk.text("buildings/apartment/")
