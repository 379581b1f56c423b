import csv
import errno
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import MAC_EPOCH

from audit.models import Entry
from buildings.models import Apartment, Membership, Occupancy, Role
from contacts.models import Claim, Status, User
from omarty.tables.reading import TableFile, TableProblem
from tests.conftest import person

HEADINGS = "block,number,floor,name,occupancy,resident,phone,email"


def load(path, **options):
    """Run the command on the file; its report."""
    out = io.StringIO()
    call_command("import_units", str(path), stdout=out, stderr=io.StringIO(), json=True, **options)
    return json.loads(out.getvalue())


def refusal(path, **options):
    """Run the command on a file that it refuses; exit code, JSON report, lines for people."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError) as plain:
        call_command("import_units", str(path), stdout=out, stderr=err, **options)
    with pytest.raises(CommandError):
        call_command("import_units", str(path), stdout=out, stderr=err, json=True, **options)
    return plain.value.returncode, json.loads(out.getvalue()), err.getvalue() + str(plain.value)


@pytest.fixture
def table(tmp_path):
    """table(line, line, …) is a CSV file under the English headings."""

    def written(*lines, headings=HEADINGS, encoding="utf-8", name="units.csv"):
        path = tmp_path / name
        path.write_text("\n".join([headings, *lines]) + "\n", encoding=encoding)
        return path

    return written


def unit(number, block=1):
    return Apartment.objects.get(block_id=block, number=number)


def test_units_are_made_changed_and_left(table, new_entries):
    file = table(
        "1,101,10,East,lived in,,,", "1,2,5,,,,,", "1,3,0,,,,,", "2,101,-1,,being finished,,,"
    )
    assert load(file) == {
        "created": 2,
        "updated": 1,
        "left": 1,
        "people": 0,
        "memberships": 0,
        "contacts": 0,
        "unnumbered": 0,
        "bad_rows": 0,
        "bad_file": None,
        "notes": [],
    }
    made = unit(101)
    assert (made.floor, made.name, made.occupancy) == (10, "East", Occupancy.OCCUPIED)
    assert (unit(101, block=2).floor, unit(101, block=2).name) == (-1, "")
    # What a row does not tell stays.
    assert (unit(2).floor, unit(2).occupancy) == (5, Occupancy.OCCUPIED)
    entries = new_entries()
    assert {entry.action for entry in entries} == {"apartment.registered", "apartment.changed"}
    assert len({entry.request_id for entry in entries}) == 1
    assert all(entry.actor_label.startswith("import_units (") for entry in entries)
    registered, changed = entries[0], entries[-1]
    assert (registered.target_id, registered.target_label) == (made.pk, "101 (East)")
    assert (registered.block_id, registered.apartment_id) == (1, made.pk)
    assert registered.after == {"number": 101, "floor": 10, "name": "East", "occupancy": "lived_in"}
    assert (changed.before, changed.after) == ({"floor": 0}, {"floor": 5})
    assert changed.target_id == unit(2).pk


def test_a_second_run_changes_nothing(table, new_entries):
    file = table("1,101,1,,,Sara,01099999991,sara@example.net", "1,2,5,,,,,")
    load(file)
    before = len(new_entries())
    report = load(file)
    assert (report["left"], report["created"], report["updated"]) == (2, 0, 0)
    assert len(new_entries()) == before


def test_residents_are_registered_and_move_in(table, new_entries):
    file = table(
        "1,101,1,,,Sara Ahmed,01099999991,Sara@Example.net",
        "1,101,,,,Mona,+20 109 999 9992,",
        "1,102,1,,,sara ahmed,00201099999991,",
        "1,4,,,,,01000000002,",
    )
    report = load(file)
    assert (report["created"], report["people"], report["memberships"]) == (2, 2, 4)
    sara = Claim.objects.get(kind="phone", value="+201099999991").user
    assert (sara.name, sara.phone, sara.email) == ("Sara Ahmed", "01099999991", "Sara@Example.net")
    assert not sara.has_usable_password() and sara.status == Status.ACTIVE
    assert Claim.objects.get(kind="email", value="sara@example.net").user == sara
    assert set(sara.memberships.values_list("apartment__number", flat=True)) == {101, 102}
    assert unit(101).memberships.count() == 2 and unit(101).occupancy == Occupancy.OCCUPIED
    # Known by any spelling of the phone; the person stays as they are.
    moved = person("resident").memberships.get(apartment__number=4)
    assert (moved.role, moved.status) == (Role.RESIDENT, Status.ACTIVE)
    started = [each for each in new_entries() if each.action == "membership.started"]
    assert {each.target_id for each in started} >= {moved.pk}
    assert {each.person_label for each in started} == {"Sara Ahmed", "Mona", "Rami Resident"}
    assert sum(each.action == "user.registered" for each in new_entries()) == 2
    assert len({each.session_stamp for each in User.objects.all()}) == User.objects.count()


def test_arabic_headings_and_digits_in_windows_1256(table):
    headings = "رقم الشقة;الدور;اسم الوحدة;الحالة;اسم الساكن;الموبايل"
    file = table("101;2;شقة الشرق;مسكونة;سارة;01099999991", headings=headings, encoding="cp1256")
    load(file, block=1)
    made = unit(101)
    assert (made.floor, made.name, made.occupancy) == (2, "شقة الشرق", Occupancy.OCCUPIED)
    assert made.memberships.get().user.name == "سارة"


@pytest.mark.parametrize(
    ("word", "occupancy"),
    [
        ("Occupied", Occupancy.OCCUPIED),
        ("lived in", Occupancy.OCCUPIED),
        ("مشغولة", Occupancy.OCCUPIED),
        ("مسكونة", Occupancy.OCCUPIED),
        ("ساكنة", Occupancy.OCCUPIED),
        ("Owned, unoccupied", Occupancy.UNOCCUPIED),
        ("closed", Occupancy.UNOCCUPIED),
        ("مملوكة غير مشغولة", Occupancy.UNOCCUPIED),
        ("مغلقة", Occupancy.UNOCCUPIED),
        ("Vacant", Occupancy.VACANT),
        ("خالية", Occupancy.VACANT),
        ("شاغرة", Occupancy.VACANT),
        ("being_finished", Occupancy.BEING_FINISHED),
        ("تحت التشطيب", Occupancy.BEING_FINISHED),
    ],
)
def test_occupancy_is_read_by_its_labels_and_by_older_words(table, word, occupancy):
    load(table(f'1,101,1,,"{word}",,,'))
    assert unit(101).occupancy == occupancy


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_with_and_without_byte_order_mark(table, encoding):
    load(table("١٠١,٣", headings="الرقم,الطابق", encoding=encoding), block=1)
    assert unit(101).floor == 3


def test_blank_lines_above_the_headings(table):
    load(table("number;floor", "101;-٢", "102;−3", headings="\n \n"), block=1)
    assert (unit(101).floor, unit(102).floor) == (-2, -3)


ARABIC = st.text("ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءأإآؤئ", min_size=2, max_size=12)
SENTENCES = st.lists(st.tuples(ARABIC, st.sampled_from(" ،؛؟ـ.")), min_size=1, max_size=30)


@given(SENTENCES)
@settings(deadline=None, max_examples=200)
def test_arabic_in_windows_1256_is_recognised(words):
    text = "number,name\n" + "".join(f"1,{word}{mark}{word}\n" for word, mark in words)
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode("cp1256"))
        file.flush()
        read = [cells for _number, cells in TableFile(Path(file.name)).rows()]
    assert read == [line.split(",") for line in text.splitlines()]


@given(SENTENCES, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=200)
def test_utf8_with_a_broken_character_is_no_windows_1256(words, chance):
    text = "number,name\n" + "".join(f"1,{word}{mark}{word}\n" for word, mark in words)
    whole = text.encode()
    letters = [at for at, byte in enumerate(whole) if byte & 0xC0 == 0x80]
    cut = chance.choice(letters)
    with tempfile.NamedTemporaryFile() as file:
        file.write(whole[:cut] + whole[cut + 1 :])
        file.flush()
        with pytest.raises(TableProblem, match="broken characters"):
            TableFile(Path(file.name))


def test_xlsx(tmp_path):
    book = Workbook()
    sheet = book.active
    sheet.append(["Block", "Unit number", "الدور", "Unit name", None])
    sheet.append([1, 101, 4.0, "شقة"])
    sheet.append([None, None, None, None])
    sheet.append(["١", "١٠٢", "-1", None])
    book.create_sheet("empty")
    book.save(tmp_path / "units.xlsx")
    assert load(tmp_path / "units.xlsx")["created"] == 2
    assert (unit(101).floor, unit(101).name, unit(102).floor) == (4, "شقة", -1)


def test_xlsx_as_excel_writes_it_with_shared_strings(tmp_path):
    strings = "<si><t>number</t></si><si><r><t>flo</t></r><r><t>or</t></r><rPh><t>x</t></rPh></si>"
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>'
        '<row r="3"><c r="A3"><v>1.01E2</v></c><c r="C3"><f>1+1</f><v>2</v></c></row>'
    )
    workbook(tmp_path / "units.xlsx", rows, strings)
    load(tmp_path / "units.xlsx", block=1)
    assert unit(101).floor == 2


def test_xlsx_dates_and_errors_are_no_numbers_and_no_names(tmp_path):
    book = Workbook()
    book.active.append(["number", "name", "note", "resident", "floor"])
    book.active.append([101, date(2024, 1, 2), datetime(2024, 1, 2, 13, 30), None])
    book.active.append([102, 45293, 45293.5, None])
    book.active["C3"].number_format = '"Flat" d'
    book.active.append([103, None, "=1/0", "#REF!"])
    book.active["B4"], book.active["C4"] = True, "#N/A"
    book.active.append([date(2024, 1, 2), None, None, None])
    book.save(tmp_path / "units.xlsx")
    report = load(tmp_path / "units.xlsx", block=1, skip_bad=True)
    assert (report["created"], report["bad_rows"]) == (2, 2)
    assert (unit(101).name, unit(101).note) == ("2024-01-02", "2024-01-02 13:30:00")
    assert (unit(102).name, unit(102).note) == ("45293", "2024-01-02 12:00:00")
    bad = read(tmp_path / "units.bad.xlsx")
    failed = "is what a spreadsheet shows where a formula failed"
    assert bad[1] == [f"note {failed}; resident {failed}", "103", "TRUE", "#N/A", "#REF!", ""]
    assert bad[2][:2] == ["number is not a whole number from 1 to 999999", "2024-01-02"]
    # Written as text they are still no names.
    again = refusal(tmp_path / "units.bad.xlsx", block=1)[1]["problems"]
    assert {problem["row"] for problem in again} == {2, 3}


@pytest.mark.parametrize("dry_run", [False, True])
def test_where_no_row_is_right_nothing_is_done_and_said_so(table, new_entries, dry_run):
    path = table("1,x1,1,,,,,", "1,102,top,,,,,")
    err = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("import_units", str(path), skip_bad=True, dry_run=dry_run, stderr=err)
    assert refused.value.returncode == 1 and "no row was right" in str(refused.value)
    # The rows with their reasons are there all the same.
    assert path.with_name("units.bad.csv").exists() is not dry_run
    assert new_entries() == []


def test_a_phone_under_two_names_names_the_row_that_has_it(table):
    path = table("1,101,1,,,Ali Hassan,01055500011,", "1,101,1,,,Omar Adel,01055500011,")
    (problem,) = refusal(path)[1]["problems"]
    assert problem == {
        "row": 3,
        "column": "resident",
        "sentence": "is another name than the one that row 2 has for this phone or e-mail",
    }


def test_xlsx_dates_that_count_from_1904(tmp_path):
    book = Workbook()
    book.epoch = MAC_EPOCH
    book.active.append(["number", "name", "floor"])
    book.active.append([101, date(2024, 1, 2), 1])
    book.save(tmp_path / "units.xlsx")
    load(tmp_path / "units.xlsx", block=1)
    assert unit(101).name == "2024-01-02"


def test_xlsx_of_several_sheets_with_blank_rows_above(tmp_path):
    book = Workbook()
    for number in (101, 102):
        sheet = book.active if number == 101 else book.create_sheet()
        for line in ([], [" "], ["number", "floor"], [number, 1]):
            sheet.append(line)
    book.save(tmp_path / "units.xlsx")
    assert load(tmp_path / "units.xlsx", block=1)["created"] == 2


def test_one_bad_row_and_nothing_is_written(table, new_entries):
    file = table("1,101,1,,,,,", "1,1000000,x,,haunted,,12,nobody", "9,5,1,,,,,", "1,,1,,,,,")
    units = Apartment.objects.count()
    code, report, told = refusal(file)
    assert code == 1
    assert [(each["row"], each["column"]) for each in report["problems"]] == [
        (3, "number"),
        (3, "floor"),
        (3, "occupancy"),
        (3, "phone"),
        (3, "email"),
        (4, "block"),
        (5, "number"),
    ]
    assert (
        f"{file}, row 3, column floor: is not a whole number from -20 to 200 (0 is the ground"
        in told
    )
    assert f"{file}, row 4, column block: is no number or name of a block here: 1 (" in told
    assert "3 bad rows; nothing was written" in told
    assert Apartment.objects.count() == units and not new_entries()


@pytest.mark.parametrize(
    ("lines", "row", "column", "why"),
    [
        (["1,2,0,,,,,", "1,2,7,,,,,"], 3, "floor", "says otherwise of this unit"),
        (["1,2,,,,Nobody Known,,"], 2, "resident", "needs a phone or an e-mail"),
        (["1,2,,,,Sara,01000000002,"], 2, "resident", "is not the name"),
        (["1,2,,,,,01000000002,partner@example.org"], 2, "email", "held by another person"),
        (["1,2,,,,,01000000002,new@example.org"], 2, "email", "is not known of the person"),
        (["1,2,,,,,01000000002,,x"], 2, "", "“x” stands in column I, which has no heading"),
        (["1,2,,Palace of the very long name of it,,,,"], 2, "name", "longer than 32"),
    ],
)
def test_rows_that_cannot_be_meant(table, new_entries, lines, row, column, why):
    code, report, _told = refusal(table(*lines))
    assert code == 1 and not new_entries()
    (problem,) = report["problems"]
    assert (problem["row"], problem["column"]) == (row, column)
    assert why in problem["sentence"]


def test_a_retired_unit_is_not_written_to(table):
    Apartment.objects.filter(block=1, number=5).update(closed_at="2026-01-01T00:00:00Z")
    _code, report, _told = refusal(table("1,5,9,,,,,"))
    assert "retired unit" in report["problems"][0]["sentence"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_skip_bad_writes_the_good_and_keeps_the_bad_to_be_corrected(tmp_path, table, kind):
    # The apostrophe is no part of the name: it keeps a spreadsheet from reckoning.
    file = table("1,101,1,,,,,", "1,102,zz,'=Tower,,,,", "1,103,3,,,,01000000002,x@example.org")
    if kind == "xlsx":
        book = Workbook()
        for line in csv.reader(file.read_text().splitlines()):
            book.active.append(line)
        file = tmp_path / "units.xlsx"
        book.save(file)
    report = load(file, skip_bad=True)
    bad = tmp_path / f"units.bad.{kind}"
    assert (report["created"], report["bad_rows"], report["bad_file"]) == (1, 2, str(bad))
    assert not Apartment.objects.filter(block=1, number__in=[102, 103]).exists()
    rows = read(bad)
    assert rows[0] == ["problem", *HEADINGS.split(",")]
    assert rows[1][:5] == [
        "floor is not a whole number from -20 to 200 (0 is the ground floor, -1 the first basement)",
        "1",
        "102",
        "zz",
        "'=Tower",
    ]
    # Half corrected it is not written over.
    bad.write_bytes(bad.read_bytes() + b"\n")
    assert refusal(file, skip_bad=True)[0] == 2
    rows[1][3], rows[2][8] = "2", ""
    corrected = tmp_path / "corrected.csv"
    with corrected.open("w", newline="", encoding="utf-8") as text:
        csv.writer(text).writerows(rows)
    assert load(corrected)["created"] == 2
    assert (unit(102).floor, unit(102).name) == (2, "=Tower")


def read(path):
    """The rows of a CSV or XLSX file, cells as text."""
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as text:
            return list(csv.reader(text))
    rows = load_workbook(path).active.iter_rows(values_only=True)
    return [["" if cell is None else str(cell) for cell in row] for row in rows]


def test_a_dry_run_says_the_same_and_writes_nothing(table, new_entries):
    file = table("1,101,1,,,Sara,01099999991,", "1,102,1,,,Sara,01099999991,", "1,2,5,,,,,")
    dry = load(file, dry_run=True)
    assert not new_entries() and not Apartment.objects.filter(number=101).exists()
    assert dry == load(file) | {"dry_run": True}
    bad = table("1,x,1,,,,,", "1,104,1,,,,,")
    assert load(bad, dry_run=True, skip_bad=True)["bad_rows"] == 1
    assert not bad.with_name("units.bad.csv").exists()


def test_thousands_of_rows_keep_units_together(table):
    lines = [f"2,{number},{number % 9},,,,," for number in range(100, 5100)]
    lines += [f"1,{number},{number % 9},,,,," for number in range(100, 5100)]
    lines += [f"1,{number},,Late,,,," for number in range(100, 5100)]
    assert load(table(*lines))["created"] == 10_000
    assert Apartment.objects.filter(block=1, name="Late").count() == 5000
    assert Entry.objects.filter(action="apartment.registered", block_id=2).count() == 5010


@pytest.mark.parametrize(
    ("headings", "why"),
    [
        ("number,floor", "no column of blocks"),
        ("block,floor", "no column of unit numbers"),
        ("block,number,colour", "Unknown headings: colour"),
        ("block,number,floor,الدور", "mean the same"),
    ],
)
def test_headings_that_say_too_little_or_too_much(table, headings, why):
    code, _report, told = refusal(table("1,2,3,4", headings=headings))
    assert code == 1 and why in told


def test_block_is_unknown_or_contradicted(table):
    assert refusal(table("1,2,3,,,,,"), block=99)[0] == 2
    assert "another block than the one chosen" in refusal(table("1,2,3,,,,,"), block=2)[2]


def workbook(path, rows, strings="", **parts):
    """A small XLSX written by hand."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    files = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{link}"><sheets>'
        '<sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="rId1" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/sharedStrings.xml": f"<sst {main}>{strings}</sst>",
        "xl/worksheets/sheet1.xml": f"<x:worksheet xmlns:x='m'><x:sheetData>{rows}"
        "</x:sheetData></x:worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (files | parts).items():
            archive.writestr(name, text)


def run(*arguments):
    """manage.py as an operator starts it."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_exit_codes_and_no_traceback(tmp_path):
    (tmp_path / "empty.csv").touch()
    for arguments, code in [
        (["import_units"], 2),
        (["import_units", "--block", "x", "f"], 2),
        (["import_units", str(tmp_path / "empty.csv")], 1),
        (["import_units", "--help"], 0),
    ]:
        done = run(*arguments)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
    assert "Exit codes:" in done.stdout and "Writes:" in done.stdout


def test_killed_on_the_way_nothing_is_changed(tmp_path, table):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
    environment |= {"TMPDIR": str(scratch), "SQLITE_TMPDIR": str(scratch)}
    for arguments in (["migrate", "-v0"], ["demo"]):
        subprocess.run([sys.executable, "manage.py", *arguments], env=environment, check=True)
    path = table(*(f"1,{number},1,,,,," for number in range(100, 12_100)))
    command = [sys.executable, "manage.py", "import_units", str(path)]
    victim = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    database = sqlite3.connect(tmp_path / "db.sqlite3")
    # What it has not committed shows in the size of the log beside the database.
    log = tmp_path / "db.sqlite3-wal"
    while victim.poll() is None and not (log.exists() and log.stat().st_size > 1_000_000):
        time.sleep(0.01)
    victim.kill()
    assert victim.wait() == -signal.SIGKILL
    count = "SELECT (SELECT count(*) FROM buildings_apartment), (SELECT count(*) FROM audit_entry)"
    units, entries = database.execute(count).fetchone()
    assert units == 22
    # Nor does it leave what it has read: names and phones.
    assert not list(scratch.iterdir())
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert database.execute(count).fetchone() == (12_022, entries + 12_000)
    database.close()


def test_membership_of_any_standing_is_left(table):
    load(table("1,3,,,,,01000000005,", "1,3,,,,,pending@example.org,".replace(",,,,,", ",,,,,,")))
    banned = person("banned").memberships.get()
    assert banned.status == Status.BANNED
    assert Membership.objects.filter(apartment=unit(3)).count() == 2


class Program:
    """manage.py on a database of its own, in a directory of its own."""

    def __init__(self, place):
        self.environment = os.environ | {"DATABASE_URL": f"sqlite:///{place}/program.sqlite3"}
        for arguments in (["migrate", "-v0"], ["demo"]):
            assert self.run(*arguments).returncode == 0

    def start(self, *arguments, **options):
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.Popen(command, env=self.environment, text=True, **streams)

    def run(self, *arguments, **options):
        process = self.start(*arguments, **options)
        out, err = process.communicate()
        assert "Traceback" not in err and "Exception ignored" not in err, err
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return Program(tmp_path_factory.mktemp("program"))


def test_standard_output_that_cannot_be_written_is_told(program, table):
    path = table(*("1,x,1,,,,,",) * 2000)
    with open("/dev/full", "w") as full:
        for arguments in (
            ["check_data"],
            ["check_data", "--json"],
            ["import_units", "--json", path],
        ):
            done = program.run(*arguments, stdout=full)
            assert done.returncode == 1 and "No space left on device" in done.stderr
    done = program.run("check_data", stdout=None, preexec_fn=lambda: os.close(1))
    assert done.returncode == 1 and "must be open" in done.stderr
    reader = program.start("import_units", "--json", path)
    reader.stdout.read(10)
    reader.stdout.close()
    assert "Traceback" not in reader.stderr.read() and reader.wait() == 1
    reader.stderr.close()


def test_arguments_that_are_not_utf8_are_misuse(program):
    for arguments in (["createsuperuser", "--name"], ["person_erase", "3", "--reason"]):
        done = program.run(*arguments, b"\xff", "--json")
        assert done.returncode == 2 and "not UTF-8" in json.loads(done.stdout)["error"]
    assert json.loads(program.run("import_units", "--json").stdout)["error"].endswith("FILE")


def test_an_interruption_ends_quietly(program, table):
    path = table(*(f"1,{number},1,,,,," for number in range(1000, 31_000)))
    # While it reads, it has read everything that it needs to begin.
    for begun in (False, True):
        process = program.start("import_units", str(path), "--json")
        if begun:
            process.stderr.readline()
        else:
            # Django asks for modules of C that Python has begun without.
            while "lib-dynload" not in Path(f"/proc/{process.pid}/maps").read_text():
                assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        assert process.returncode == 130 and "Traceback" not in err, err
        assert "Interrupted" in err and json.loads(out)["error"] in (
            "Interrupted.",
            "Nothing was written.",
        )


def test_names_and_places_that_no_file_can_have(program, table, tmp_path):
    path = table("1,101,1,,,,,", "1,x,,,,,,")
    long = str(tmp_path / ("x" * 300 + ".csv"))
    for arguments in (
        ["import_units", long],
        ["import_units", str(path), "--skip-bad", "--bad-file", long],
        ["export_units", long],
        ["person_export", "3", "--to", long],
    ):
        done = program.run(*arguments)
        assert done.returncode in (1, 2) and long in done.stderr


def test_a_directory_without_permission(tmp_path, table, monkeypatch):
    # Root may enter any directory: what the system would say to others is said here.
    path = table("1,101,1,,,,,", "1,x,,,,,,")
    closed = tmp_path / "closed"
    closed.mkdir()
    stat = os.stat

    def refusing(place, *anything, **options):
        if str(place).startswith(f"{closed}/"):
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
        return stat(place, *anything, **options)

    monkeypatch.setattr(os, "stat", refusing)
    for command in (
        ["import_units", f"{closed}/units.csv"],
        ["import_units", str(path), "--skip-bad", "--bad-file", f"{closed}/bad.csv"],
        ["export_units", f"{closed}/units.csv"],
        ["person_export", "3", "--to", str(closed)],
    ):
        with pytest.raises(CommandError, match="Permission denied"):
            call_command(*command, stdout=io.StringIO(), stderr=io.StringIO())


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_skip_bad_again_is_done_already(table, kind, tmp_path):
    path = table("1,101,1,,,,,", "1,x,,,,,,")
    bad = tmp_path / f"bad.{kind}"
    first = load(path, skip_bad=True, bad_file=bad)
    assert first["created"] == 1
    kept = bad.read_bytes()
    again = load(path, skip_bad=True, bad_file=bad)
    assert (again["created"], again["left"], again["bad_rows"]) == (0, 1, 1)
    assert bad.read_bytes() == kept


def test_the_bad_file_has_its_name_only_after_the_rows_are_kept(commits, table, monkeypatch):
    path = table("1,101,1,,,,,", "1,x,,,,,,")
    bad = path.with_name("units.bad.csv")
    named: list[bool] = []
    monkeypatch.setattr(transaction.Atomic, "__exit__", looking(named, bad))
    load(path, skip_bad=True)
    assert named and not any(named) and bad.exists()


def looking(seen, path):
    """`Atomic.__exit__`, which notes whether the file is there once a transaction has ended."""
    leave = transaction.Atomic.__exit__

    def noting(self, *error):
        leave(self, *error)
        seen.append(path.exists())

    return noting


def test_a_dry_run_names_no_bad_file(table):
    path = table("1,101,1,,,,,", "1,x,,,,,,")
    assert load(path, dry_run=True, skip_bad=True)["bad_file"] is None
    out = io.StringIO()
    call_command("import_units", str(path), dry_run=True, skip_bad=True, stdout=out)
    assert "to be written to" in out.getvalue() and "see " not in out.getvalue()


def test_a_full_disk_leaves_nothing(tmp_path, table, monkeypatch, new_entries):
    path = table("1,101,1,,,,,", "1,x,,,,,,")

    def full(*_anything):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for command in (
        ["import_units", str(path), "--skip-bad", "--bad-file", str(tmp_path / "bad.xlsx")],
        ["export_units", str(tmp_path / "out.xlsx")],
    ):
        with pytest.raises(CommandError, match="cannot be written: No space left") as refused:
            call_command(*command, stdout=io.StringIO(), stderr=io.StringIO())
        assert refused.value.returncode == 1
    assert list(tmp_path.iterdir()) == [path]
