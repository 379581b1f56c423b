"""CreateApartment, row by row of contract/answers.md."""

from decimal import Decimal

import pytest

from audit.models import Action, Channel
from buildings.models import Apartment, Block, Membership, Role
from contacts.models import Status
from tests.conftest import person

NO_RIGHT = "User does not have permissions in this block."


def says(message):
    return {"status": 200, "message": message}


@pytest.fixture
def refuses(manager, nothing_changed, new_entries):
    """Posts fields that must be refused with this message, and looks that no row moved."""

    def refuses(message, app=manager, recorded=None, **fields):
        assert app.create(**{"floorNum": 1, "aptNum": 101, "blockId": 1} | fields) == says(message)
        assert nothing_changed()
        entries = new_entries()
        if recorded is None:
            assert entries == []
        else:
            [entry] = entries
            assert (entry.action, entry.refused) == (Action.APARTMENT_REGISTERED, recorded)
            assert entry.actor_id == app.person.pk
        return entries

    return refuses


def test_the_example_of_the_document_is_answered_to_the_letter(manager, new_entries):
    Membership.objects.create(
        user=manager.person,
        block_id=1,
        apartment_id=1,
        role=Role.MANAGER,
        status=Status.ACTIVE,
    )
    response = manager.post(
        "Create",
        "api=CreateApartment&floorNum=1&aptNum=202&blockId=1&apartmentId=1"
        "&longitude=121.12221&latitude=20.233",
        content_type="application/x-www-form-urlencoded",
    )
    assert response.status_code == 200
    assert response.json() == {"status": 200, "data": "Apartment registered."}
    unit = Apartment.objects.get(block_id=1, number=202)
    assert (unit.floor, unit.name, unit.occupancy) == (1, "", "vacant")
    [entry] = new_entries()
    assert (entry.action, entry.refused) == (Action.APARTMENT_REGISTERED, "")
    assert (entry.actor_id, entry.actor_label) == (manager.person.pk, "Mona Manager")
    assert (entry.target_type, entry.target_id, entry.target_label) == ("apartment", unit.pk, "202")
    assert (entry.block_id, entry.block_label) == (1, "1")
    assert (entry.apartment_id, entry.apartment_label) == (unit.pk, "202")
    assert (entry.longitude, entry.latitude) == (Decimal("121.12221"), Decimal("20.233"))
    assert (entry.channel, entry.ip) == (Channel.API, "127.0.0.1")
    assert str(entry.request_id) == response["X-Request-ID"]


@pytest.mark.parametrize("content_type", ["multipart", "application/json"])
def test_multipart_and_json_bodies_serve_as_well(manager, content_type):
    fields = {"api": "createapartment", "floorNum": 0, "aptNum": "٢٠٣", "blockId": " 1 "}
    extra = {} if content_type == "multipart" else {"content_type": content_type}
    response = manager.post("Create", fields, **extra)
    assert response.json() == {"status": 200, "data": "Apartment registered."}
    assert Apartment.objects.get(block_id=1, number=203).floor == 0


def test_location_is_optional(manager, new_entries):
    assert manager.create(floorNum=1, aptNum=101, blockId=1)["data"] == "Apartment registered."
    [entry] = new_entries()
    assert (entry.longitude, entry.latitude) == (None, None)


# --- row 1 and 2 --------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", ["", "   "])
@pytest.mark.parametrize("field", ["floorNum", "aptNum"])
def test_rows_1_and_2_an_empty_number_is_asked_for(refuses, field, empty):
    refuses(f"Please enter {field}.", **{field: empty})


@pytest.mark.parametrize("field", ["floorNum", "aptNum"])
def test_rows_1_and_2_a_missing_number_is_asked_for(manager, field):
    fields = {"floorNum": 1, "aptNum": 101, "blockId": 1}
    del fields[field]
    assert manager.create(**fields) == says(f"Please enter {field}.")


@pytest.mark.parametrize(
    "floor", ["-21", "201", "12abc", "1.0", "1e2", "0x1", "1 2", "²", "१", "--1", "9" * 400]
)
def test_row_1_a_malformed_floor_is_refused(refuses, floor):
    refuses("Please enter a valid floorNum.", floorNum=floor)


@pytest.mark.parametrize("number", ["0", "-1", "1000000", "12abc", "1.5", "٣٫٥", "9" * 400])
def test_row_2_a_malformed_number_is_refused(refuses, number):
    refuses("Please enter a valid aptNum.", aptNum=number)


@pytest.mark.parametrize("floor", [-20, -1, 0, 200])
def test_floors_from_20_below_to_200_above_are_floors(manager, floor):
    assert manager.create(floorNum=floor, aptNum=101, blockId=1)["data"] == "Apartment registered."
    assert Apartment.objects.get(block_id=1, number=101).floor == floor


@pytest.mark.parametrize("number", [1000, 999999])
def test_numbers_up_to_999999_are_numbers(manager, number):
    assert manager.create(floorNum=1, aptNum=number, blockId=1)["data"] == "Apartment registered."


def test_the_floor_is_asked_for_before_the_number_and_the_number_before_the_block(manager):
    assert manager.create(blockId="x") == says("Please enter floorNum.")
    assert manager.create(floorNum=1, blockId="x") == says("Please enter aptNum.")
    assert manager.create(floorNum=1, aptNum=1, blockId="x", apartmentId="x") == says(
        "Please enter a valid blockId."
    )


# --- row 3, location ----------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["blockId", "apartmentId"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1.0", "9" * 400])
def test_row_3_a_malformed_id_is_refused(refuses, field, value):
    refuses(f"Please enter a valid {field}.", **{field: value})


@pytest.mark.parametrize("value", ["180.1", "-181", "x", "nan", "inf", "1,5", "1e999", "9" * 400])
def test_a_malformed_longitude_is_refused(refuses, value):
    refuses("Please enter a valid longitude.", longitude=value)


@pytest.mark.parametrize("value", ["90.00001", "-91", "x", "١x"])
def test_a_malformed_latitude_is_refused(refuses, value):
    refuses("Please enter a valid latitude.", latitude=value)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("-180", "-180"),
        ("٣١٫٢٣٥٧", "31.2357"),
        ("3.1E-5", "0.000031"),
        ("31.23571234567", "31.2357123"),
    ],
)
def test_coordinates_are_stored_to_a_centimetre(manager, new_entries, sent, stored):
    manager.create(floorNum=1, aptNum=101, blockId=1, longitude=sent)
    assert new_entries()[0].longitude == Decimal(stored)


# --- row 4 ---------------------------------------------------------------------------------------


def test_row_4_without_a_block_the_one_that_the_caller_manages_is_meant(app):
    assert app("neighbour").create(floorNum=1, aptNum=101)["data"] == "Apartment registered."
    assert Apartment.objects.filter(block_id=2, number=101).exists()


def test_row_4_without_a_block_who_manages_several_is_asked(refuses):
    refuses("Please enter blockId.", blockId="")


def test_row_4_without_a_block_who_manages_none_has_no_right(refuses, resident):
    refuses(NO_RIGHT, app=resident, blockId="", recorded="not an active manager of the block")


# --- row 5 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["resident", "pending", "banned", "outsider", "neighbour"])
def test_row_5_only_its_manager_registers_in_a_block(refuses, app, who):
    [entry] = refuses(NO_RIGHT, app=app(who), recorded="not an active manager of the block")
    assert (entry.block_id, entry.block_label) == (1, "1")


def test_row_5_an_unknown_block_answers_the_same(refuses):
    [entry] = refuses(NO_RIGHT, blockId=999, recorded="not an active manager of the block")
    assert (entry.block_id, entry.block_label) == (999, "")


@pytest.mark.parametrize("unit", [2, 11, 21, 999])
def test_row_5_a_unit_that_is_named_must_be_the_callers_own_in_that_block(refuses, unit):
    refuses(NO_RIGHT, apartmentId=unit, recorded="not an active manager of the block")


@pytest.mark.parametrize("change", [{"status": Status.PENDING}, {"status": Status.BANNED}])
def test_row_5_a_manager_who_is_not_active_has_no_right(manager, change):
    Membership.objects.filter(user=manager.person, block_id=1).update(**change)
    assert manager.create(floorNum=1, aptNum=101, blockId=1) == says(NO_RIGHT)


def test_row_5_a_manager_who_has_moved_out_has_no_right(manager):
    membership = Membership.objects.get(user=manager.person, block_id=1)
    Membership.objects.filter(pk=membership.pk).update(ended_at=membership.started_at)
    assert manager.create(floorNum=1, aptNum=101, blockId=1) == says(NO_RIGHT)


def test_a_manager_may_name_another_unit_of_theirs_in_the_block(manager):
    Membership.objects.create(user=manager.person, block_id=1, apartment_id=5, status=Status.ACTIVE)
    assert manager.create(floorNum=1, aptNum=101, blockId=1, apartmentId=5) == {
        "status": 200,
        "data": "Apartment registered.",
    }


# --- row 6 and 7 -----------------------------------------------------------------------------------


def test_row_6_a_pending_block_is_refused(refuses):
    refuses("Block status is still Binding.", blockId=3, apartmentId=21, recorded="block pending")


def test_row_6_a_banned_block_is_refused(refuses):
    refuses("Block is Banned.", blockId=4, recorded="block banned")


def test_row_7_a_number_is_registered_once_in_a_block(refuses):
    refuses("Apartment already registered.", floorNum=7, aptNum=2)


def test_row_7_a_unit_without_resident_counts_as_well(refuses):
    refuses("Apartment already registered.", aptNum=9)


def test_the_same_number_serves_in_another_block(app):
    assert Block.objects.get(pk=2).apartments.filter(number=1).count() == 0
    assert (
        app("neighbour").create(floorNum=0, aptNum=1, blockId=2)["data"] == "Apartment registered."
    )


def test_a_caller_of_several_roles_is_a_manager_all_the_same(app):
    partner = app("partner")
    Membership.objects.create(
        user=person("partner"), block_id=1, role=Role.MANAGER, status=Status.ACTIVE
    )
    assert partner.create(floorNum=1, aptNum=101, blockId=1, apartmentId=2)["data"]
