"""Units brought in from a file in the back-office: the preview, all or nothing, and nobody else's."""

import base64
import io
import zlib

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import Action
from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Apartment, Block, Membership, Occupancy, Role
from contacts.models import Claim, Status, User
from tests.backoffice import Desk, fields_of, told
from tests.conftest import person

NO_FLOOR = "is not a whole number from -20 to 200 (0 is the ground floor, -1 the first basement)"
UNITS = "/admin/buildings/apartment/"


@pytest.fixture
def desk():
    return Desk("manager")


def table(*rows, encoding="utf-8"):
    """A CSV file of these lines."""
    return SimpleUploadedFile("units.csv", "\n".join(rows).encode(encoding), "text/csv")


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return SimpleUploadedFile("units.xlsx", content.getvalue())


def preview(desk, file, **chosen):
    return desk.post(f"{UNITS}import/", {"import_file": file, **chosen})


def confirm(desk, previewed):
    """Press the preview's button, or forge what it would send where there is none."""
    context = previewed.context
    if context["preview"].right:
        return desk.post(f"{UNITS}import/", fields_of(previewed))
    sent = {"carried": context["packed"], "confirmed": context["preview"].proof}
    return desk.post(f"{UNITS}import/", sent | {"block": context["block_id"]})


def kinds(previewed):
    return [line["kind"] for line in previewed.context["preview"].lines]


def errors(previewed):
    return [line["errors"] for line in previewed.context["preview"].lines]


def test_a_file_is_previewed_then_written_with_one_request_id(desk, new_entries):
    file = table(
        "unit id,block id,number,floor,occupancy",
        "2,1,2,٣,Occupied",
        ",1,70,7,vacant",
        ",1,3,0,Vacant",
    )
    seen = preview(desk, file)
    assert kinds(seen) == ["update", "new", "skip"]
    assert '<del dir="auto">0</del> <ins dir="auto">3</ins>' in seen.content.decode()
    assert new_entries() == []
    assert Apartment.objects.get(pk=2).floor == 0

    done = confirm(desk, seen)
    assert done.status_code == 302
    assert "1 unit registered, 1 unit edited" in told(done)
    assert Apartment.objects.get(pk=2).floor == 3
    made = Apartment.objects.get(block_id=1, number=70)
    assert (made.floor, made.occupancy) == (7, Occupancy.VACANT)
    registered, changed = sorted(new_entries(), key=lambda line: line.action, reverse=True)
    assert (changed.action, changed.target_id) == (Action.APARTMENT_CHANGED, 2)
    assert (changed.before, changed.after) == ({"floor": 0}, {"floor": 3})
    assert (registered.action, registered.target_id) == (Action.APARTMENT_REGISTERED, made.pk)
    assert changed.request_id == registered.request_id


def test_every_error_is_shown_at_once_and_nothing_is_written(desk, new_entries):
    file = table(
        "unit id,block,number,floor,occupancy",
        "2,1,2,5,Occupied",
        "4,1,3,1,Vacant",
        ",1,80,top,palace",
        ",1,81,201,Vacant",
        ",1,82,1,Vacant",
        ",1,82,2,Vacant",
        "x,1,83,1,Vacant",
    )
    seen = preview(desk, file)
    assert kinds(seen) == ["problem"] * 5 + ["update", "new"]
    assert not seen.context["preview"].right
    assert errors(seen) == [
        [("number", "is the number of another unit of the block")],
        [
            ("floor", "does not say which floor: write the number"),
            ("occupancy", "is none of: Vacant; Occupied; Owned, unoccupied; Being finished"),
        ],
        [("floor", NO_FLOOR)],
        [("floor", "says otherwise of this unit than an earlier row")],
        [("unit id", "is not an id")],
        [],
        [],
    ]
    assert "is not an id" in seen.content.decode()
    assert [line["number"] for line in seen.context["preview"].lines] == [3, 4, 5, 7, 8, 2, 6]
    assert confirm(desk, seen).status_code == 200
    assert Apartment.objects.filter(block_id=1).count() == 10
    assert Apartment.objects.get(pk=2).floor == 0
    assert new_entries() == []


def test_a_workbook_comes_in_as_well(desk):
    seen = preview(desk, workbook(["unit id", "floor"], [2, 4.0], [3, "٥"], [None, None]))
    assert kinds(seen) == ["update", "update"]
    assert confirm(desk, seen).status_code == 302
    assert [unit.floor for unit in Apartment.objects.filter(pk__in=(2, 3))] == [4, 5]


def test_a_file_in_arabic_of_any_spreadsheet_comes_in(desk):
    file = table("رقم الشقة;الدور;الحالة", "2;4;مغلقة", encoding="cp1256")
    assert confirm(desk, preview(desk, file)).status_code == 302
    unit = Apartment.objects.get(pk=2)
    assert (unit.floor, unit.occupancy) == (4, Occupancy.UNOCCUPIED)


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_went_out_comes_in_again_and_changes_nothing(new_entries, language, kind):
    Apartment.objects.filter(pk=3).update(name="=2+5", note="- leaks", number=None)
    for pk, occupancy in enumerate(Occupancy.values, start=4):
        Apartment.objects.filter(pk=pk).update(occupancy=occupancy)
    desk = Desk("manager", language=language)
    out = desk.post(f"{UNITS}export/", {"format": kind}).content
    seen = preview(desk, SimpleUploadedFile(f"units.{kind}", out))
    assert set(kinds(seen)) == {"skip"}
    assert confirm(desk, seen).status_code == 302
    assert [line.action for line in new_entries()] == [Action.EXPORTED]


def test_numbers_can_be_traded_by_id(desk, new_entries):
    seen = preview(desk, table("unit id,number", "2,3", "3,4", "4,2", "5,50"))
    assert kinds(seen) == ["update"] * 4
    assert confirm(desk, seen).status_code == 302
    numbers = Apartment.objects.filter(pk__in=(2, 3, 4, 5)).order_by("pk")
    assert [unit.number for unit in numbers] == [3, 4, 2, 50]
    assert [(line.before, line.after) for line in new_entries()] == [
        ({"number": 2}, {"number": 3}),
        ({"number": 3}, {"number": 4}),
        ({"number": 4}, {"number": 2}),
        ({"number": 5}, {"number": 50}),
    ]


def test_units_of_the_last_of_many_blocks_trade_numbers_too(desk):
    building = Block.objects.get(pk=1).building
    blocks = [Block.objects.create(building=building, number=f"Z{n}") for n in range(50)]
    for block in blocks:
        Membership.objects.create(
            user=desk.person, block=block, role=Role.MANAGER, status=Status.ACTIVE
        )
    units = [Apartment.objects.create(block=block, number=1, floor=1) for block in blocks]
    two, three = (Apartment.objects.create(block=blocks[-1], number=n, floor=1) for n in (2, 3))
    rows = [f"{unit.pk},,{unit.block_id}" for unit in units[:-1]]
    rows += [f"{two.pk},3,{two.block_id}", f"{three.pk},2,{three.block_id}"]
    seen = preview(desk, table("unit id,number,block id", *rows))
    assert errors(seen) == [[]] * 51
    assert confirm(desk, seen).status_code == 302
    two.refresh_from_db()
    assert two.number == 3


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (["2,3"], [2]),
        # 3 cannot leave, so that 2 cannot come.
        (["2,3", "3,4"], [2, 3]),
        (["2,60", "3,60"], [3]),
        ([",61", "2,61"], [3]),
        # One unit, by its number and by its id.
        ([",2", "2,62"], [3]),
    ],
)
def test_a_number_that_another_unit_keeps_or_gets_is_refused(desk, new_entries, rows, wrong):
    seen = preview(desk, table("unit id,number,floor", *rows))
    lines = seen.context["preview"].lines
    assert [line["number"] for line in lines if line["errors"]] == wrong
    assert confirm(desk, seen).status_code == 200
    assert new_entries() == []


def test_residents_move_in_with_their_units(desk, new_entries):
    file = table(
        "number,floor,resident,phone,email",
        "71,7,Sara Said,01055500011,",
        "71,,Samir Said,,samir@example.net",
        "2,0,Rami Resident,01000000002,",
        "5,,Rami Resident,01000000002,",
    )
    seen = preview(desk, file)
    assert kinds(seen) == ["new", "new", "skip", "update"]
    done = confirm(desk, seen)
    assert "1 unit registered, 0 units edited, 3 people moved in" in told(done)
    made = Apartment.objects.get(block_id=1, number=71)
    assert made.occupancy == Occupancy.OCCUPIED
    assert set(made.memberships.values_list("user__name", flat=True)) == {"Sara Said", "Samir Said"}
    assert Claim.objects.get(value="+201055500011").user.name == "Sara Said"
    assert Membership.objects.filter(apartment_id=5, user_id=3).exists()
    assert len({line.request_id for line in new_entries()}) == 1


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("12,,12,1,Vacant", ("unit id", "is no unit of this block")),
        ("99999,,12,1,Vacant", ("unit id", "is no unit of this block")),
        ("12,2,12,1,Vacant", ("block_id", "is another block than the one chosen")),
        (",2,90,1,Vacant", ("block_id", "is another block than the one chosen")),
        (",99999,90,1,Vacant", ("block_id", "is another block than the one chosen")),
        ("2,2,2,1,Vacant", ("block_id", "is another block than the one chosen")),
    ],
)
def test_a_foreign_row_is_as_unknown_as_none(desk, new_entries, row, error):
    seen = preview(desk, table("unit id,block_id,number,floor,occupancy", row))
    assert errors(seen) == [[error]]
    assert confirm(desk, seen).status_code == 200
    assert new_entries() == []
    assert Apartment.objects.filter(block_id=2).count() == 10


@pytest.fixture
def of_two_blocks():
    """A manager of blocks 1 and 2."""
    start_membership(
        origin=Origin.of_command("test"),
        user=person("manager"),
        block=Block.objects.get(pk=2),
        role=Role.MANAGER,
    )
    return Desk("manager")


def test_a_foreign_block_is_as_unknown_to_a_manager_of_several(of_two_blocks):
    seen = preview(
        of_two_blocks, table("block id,number,floor", "2,80", "3,80", "99999,80", "4,22")
    )
    unknown = [("block id", "is not a registered block")]
    assert errors(seen) == [unknown, unknown, unknown, []]


def test_the_block_of_every_row_can_be_chosen(of_two_blocks):
    file = table("number,floor", "91,3")
    assert "There is no column of blocks" in preview(of_two_blocks, file).content.decode()
    file.seek(0)
    assert confirm(of_two_blocks, preview(of_two_blocks, file, block=2)).status_code == 302
    assert Apartment.objects.get(number=91).block_id == 2
    file.seek(0)
    foreign = preview(of_two_blocks, file, block=3)
    assert foreign.context["form"].errors.keys() == {"block"}


def test_the_only_block_need_not_be_named(desk):
    assert confirm(desk, preview(desk, table("number,floor", "91,3"))).status_code == 302
    assert Apartment.objects.get(block_id=1, number=91).floor == 3
    several = preview(Desk("admin"), table("number,floor", "91,3"))
    assert "There is no column of blocks" in several.content.decode()


def test_a_unit_stays_in_its_block():
    seen = preview(Desk("admin"), table("unit id,block_id", "2,2"))
    assert errors(seen) == [[("unit id", "is no unit of this block")]]


def test_what_changed_since_the_preview_is_shown_before_it_is_written(desk, app, new_entries):
    seen = preview(desk, table("number,floor", "92,3", "93,3"))
    app("manager").create(floorNum=1, aptNum=93, blockId=1)
    late = confirm(desk, seen)
    assert "was changed meanwhile" in late.content.decode()
    assert kinds(late) == ["new", "update"]
    assert not Apartment.objects.filter(number=92).exists()
    assert len(new_entries()) == 1
    assert confirm(desk, late).status_code == 302
    assert Apartment.objects.get(block_id=1, number=93).floor == 3


def test_the_second_click_finds_nothing_left_to_do(desk, new_entries):
    seen = preview(desk, table("number,floor", "92,3"))
    assert confirm(desk, seen).status_code == 302
    written = len(new_entries())
    again = confirm(desk, seen)
    assert kinds(again) == ["skip"]
    assert len(new_entries()) == written


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (SimpleUploadedFile("a.csv", b""), "The submitted file is empty."),
        (SimpleUploadedFile("a.csv", "رقم".encode("cp1256")), "has no rows"),
        (SimpleUploadedFile("a.csv", b"number\0"), "a.csv is neither CSV"),
        (SimpleUploadedFile("a.xlsx", b"PK\x03\x04no workbook"), "a.xlsx: "),
        (SimpleUploadedFile("a.pdf", b"%PDF"), "a.pdf is a PDF: save the table"),
        (SimpleUploadedFile("a.csv", b"number,floor\n"), "The file has no rows"),
        (SimpleUploadedFile("a.csv", b"number\n" + b"1\n" * 2001), "more than 2000 rows"),
        (SimpleUploadedFile("a.csv", b"x" * 600_000), "larger than 512 kB"),
        (SimpleUploadedFile("a.csv", b"number,flor\n1,2\n"), "Unknown headings: flor."),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_words(desk, new_entries, file, error):
    response = preview(desk, file)
    assert response.status_code == 200
    # Marks keep the direction of a file's name.
    text = response.content.decode().replace("\N{FIRST STRONG ISOLATE}", "")
    assert error in text.replace("\N{POP DIRECTIONAL ISOLATE}", "")
    assert new_entries() == []


def test_what_a_form_carries_is_no_larger_than_what_may_be_uploaded(desk, new_entries):
    file = b"number,floor\n70,1" + b"\n" * (5 << 20)
    carried = ":".join(base64.b64encode(part).decode() for part in (b"x.csv", zlib.compress(file)))
    answer = desk.post(f"{UNITS}import/", {"carried": carried, "confirmed": ""})
    assert answer.status_code == 200 and "512" in str(answer.context["form"].errors)
    assert answer.context["preview"] is None and new_entries() == []


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_a_carried_file_has_a_name_that_a_file_can_have(desk, new_entries, name):
    parts = (name.encode(), zlib.compress(b"number,floor\n70,1"))
    carried = ":".join(base64.b64encode(part).decode() for part in parts)
    answer = desk.post(f"{UNITS}import/", {"carried": carried, "confirmed": ""})
    assert "Choose the file again." in str(answer.context["form"].errors)
    assert "tmp" not in answer.content.decode() and new_entries() == []


@pytest.mark.parametrize("carried", ["", "!!!:!!!", "eA==:AAAA", "eA==:eJwDAAAAAAE=", "nonsense"])
def test_a_tampered_confirmation_is_refused_in_words(desk, new_entries, carried):
    response = desk.post(f"{UNITS}import/", {"carried": carried, "confirmed": "1"})
    assert response.status_code == 200
    assert response.context["form"].errors
    assert new_entries() == []


def test_a_board_member_brings_nothing_in(desk):
    start_membership(
        origin=Origin.of_command("test"),
        user=person("outsider"),
        block=Block.objects.get(pk=1),
        role=Role.BOARD,
    )
    board = Desk("outsider")
    assert len(board.post(f"{UNITS}export/", {"format": "csv"}).content.splitlines()) == 11
    assert preview(board, table("number", "95")).status_code == 403
    assert board.get(f"{UNITS}import/").status_code == 403
    assert "Import" not in board.text("buildings/apartment/")


def test_a_phone_of_somebody_else_is_refused_beside_its_row(desk, new_entries):
    seen = preview(desk, table("number,resident,phone", "5,Not Rami,0100 000 0002"))
    assert [column for column, _why in errors(seen)[0]] == ["resident"]
    assert User.objects.filter(name="Not Rami").count() == 0
    assert new_entries() == []
