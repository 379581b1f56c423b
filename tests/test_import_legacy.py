"""`manage.py import_legacy`: every row is accounted for, ids and passwords stay, runs can be repeated."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from audit.models import Action, Channel, Entry
from buildings.models import Apartment, Block, Membership, Occupancy, Role
from contacts.models import SecondaryEmail, SecondaryPhone, Status, User
from omarty import legacy as legacy_app
from omarty.legacy.models import QuarantinedRow
from tests import mariadb
from tests.legacy import PASSWORD, ROWS, everything, in_quarantine, run

pytestmark = pytest.mark.skipif(bool(mariadb.missing()), reason=mariadb.missing())


def test_every_row_is_accounted_for(legacy):
    report, _ = run(legacy.url)
    assert report["not_accounted_for"] == []
    for table in ("Resident_User", "Block", "Apartment", "PhoneNums", "Emails", "Logs"):
        counts = report["tables"][table]
        assert counts["read"] == len(ROWS[table]) == counts["new"] + counts["quarantined"], table
    assert report["tables"]["places"] == {
        "read": 3, "new": 3, "changed": 0, "unchanged": 0, "quarantined": 0, "erased": 0,
        "parts": 1,
    }  # fmt: skip
    assert report["left_behind"] == {"Message": 1, "Compound without a block": 1}
    assert report["columns_left_behind"] == {"Resident_User.otp": len(ROWS["Resident_User"])}
    assert report["remarks"] == {"Logs": {"coordinates_unknown": 1}}
    assert report["deleted_there"] == report["quarantine_gone"] == {}


def test_the_source_is_only_read(legacy):
    before = legacy.sums()
    run(legacy.url)
    assert legacy.sums() == before


def test_people_are_imported_with_what_is_usable(legacy):
    run(legacy.url)
    people = User.objects.in_bulk()
    sara, mona, tarek = people[1001], people[1002], people[1003]
    assert (sara.email, sara.phone, sara.name) == ("Sara@Example.org", "01000001001", "Sara Old")
    assert sara.created_at == datetime(2022, 12, 31, 21, 30, tzinfo=UTC)
    assert (mona.phone, mona.name) == ("+201000001002", "منى القديمة")
    assert (tarek.email, tarek.phone) == ("tarek@example.org", None)
    assert (tarek.email_hidden, tarek.phone_hidden) == (True, True)
    assert (people[1004].phone, people[1004].status) == (None, Status.BANNED)
    assert (people[1005].phone, people[1005].status) == ("201000001005", Status.PENDING)
    assert not people[1005].has_usable_hash()
    assert (people[1006].email_hidden, people[1006].phone_hidden) == (True, False)
    # Three-byte utf8 has no emoji; what the source stored is imported.
    stored = legacy.run("SELECT Name FROM Resident_User WHERE ID = 1006")[0][0]
    assert people[1006].name == stored and stored.endswith("نور")
    assert (people[1007].email, people[1007].phone) == (None, "01000001007")
    assert people[1].name == "Adel Administrator"
    assert in_quarantine("Resident_User") == {
        ("1", ""): "id_taken",
        ("1003", "PhoneNum"): "held",
        ("1004", "PhoneNum"): "not_phone",
        ("1005", "Email"): "not_email",
        ("1005", "StatusID"): "status_unknown",
        ("1005", "Password"): "password_unknown",
        ("1007", "Email"): "held",
    }
    quarantined = QuarantinedRow.objects.get(key="1005", column="Email")
    assert quarantined.source["Email"] == "no address"
    assert quarantined.source["Password"] == "•••"


def test_places_become_buildings_with_their_blocks(legacy):
    run(legacy.url)
    blocks = Block.objects.select_related("building").in_bulk()
    rose = blocks[501].building
    assert rose == blocks[502].building != blocks[503].building
    assert [getattr(rose, name) for name in ("name_ar", "name_en", "country", "governorate")] == [
        "الزهور", "Blossom", "مصر", "Giza",
    ]  # fmt: skip
    assert (rose.city, rose.region, rose.street) == ("الشيخ زايد", "الحي الأول", "Rose Street")
    assert blocks[503].building.street == "S" * 128
    # A place's first row is a placeholder only where it has no name.
    first = blocks[504].building
    assert (first.name_ar, first.country, first.city, first.street) == ("", "", "", "")
    assert (first.governorate, first.region) == ("القاهرة", "وسط البلد")
    assert blocks[501].number == "12A"
    assert (blocks[501].longitude, blocks[501].latitude) == (
        Decimal("31.2357"),
        Decimal("30.0444444"),
    )
    assert (blocks[502].longitude, blocks[502].latitude) == (None, None)
    assert (blocks[503].status, blocks[504].status) == (Status.PENDING, Status.ACTIVE)
    assert in_quarantine("Block") == {
        ("503", "Longitude"): "not_a_place",
        ("504", "NumberOfFloors"): "out_of_range",
    }


def test_a_doubled_number_is_imported_as_a_note(legacy):
    run(legacy.url)
    units = Apartment.objects.in_bulk()
    assert (units[3001].number, units[3001].floor, units[3001].name) == (1, 0, "A1")
    assert units[3001].occupancy == Occupancy.OCCUPIED
    assert (units[3002].number, units[3002].floor) == (None, 1)
    assert units[3002].note == "Legacy number 1, which another unit has."
    assert (units[3003].number, units[3003].floor, units[3003].note) == (None, None, "")
    assert (units[3004].number, units[3004].floor) == (None, None)
    assert units[3004].note == "Legacy number 0."
    assert units[3006].block_id == 502 and units[3006].number == 1
    assert [units[pk].occupancy for pk in (3002, 3003, 3004, 3006, 3007)] == [
        "closed", "vacant", "vacant", "being_finished", "lived_in",
    ]  # fmt: skip
    assert in_quarantine("Apartment") == {
        ("3002", "ApartmentNumber"): "number_taken",
        ("3004", "ApartmentNumber"): "out_of_range",
        ("3004", "FloorNum"): "out_of_range",
        ("3004", "StatusID"): "status_unknown",
        ("3005", ""): "no_block",
    }


def test_relations_become_memberships_or_say_why_not(legacy):
    run(legacy.url)
    came = Membership.objects.filter(pk__gte=900).order_by("pk")
    assert list(
        came.values_list("pk", "user_id", "block_id", "apartment_id", "role", "status")
    ) == [
        (901, 1001, 501, 3001, Role.MANAGER, Status.ACTIVE),
        (902, 1002, 501, 3002, Role.RESIDENT, Status.ACTIVE),
        (903, 1003, 501, 3002, Role.RESIDENT, Status.PENDING),
        (904, 1002, 501, None, Role.WATCHMAN, Status.ACTIVE),
        (911, 1004, 501, 3007, Role.RESIDENT, Status.PENDING),
    ]
    assert in_quarantine("RES_APART_BLOCK_ROLE") == {
        ("905", ""): "no_unit",
        ("906", ""): "no_person",
        ("907", ""): "unit_elsewhere",
        ("908", ""): "role_unknown",
        ("909", ""): "no_block",
        # Person 1 here is not person 1 there.
        ("910", ""): "no_person",
        ("911", "StatusID"): "status_unknown",
    }


def test_contacts_keep_ids_and_have_one_holder(legacy):
    run(legacy.url)
    phones = SecondaryPhone.objects.filter(pk__gte=600).select_related("claim").order_by("pk")
    assert [(each.pk, each.user_id, each.typed, each.hidden) for each in phones] == [
        (601, 1001, "0100 000 0601", True),
        (608, 1004, "01000000608", False),
    ]
    assert phones[0].claim.value == "+201000000601"
    assert list(SecondaryEmail.objects.filter(pk__gte=700).values_list("pk", "typed")) == [
        (702, "sara.second@example.org")
    ]
    assert in_quarantine("PhoneNums") == {
        ("602", ""): "own",
        ("603", ""): "held",
        ("604", ""): "not_phone",
        ("605", ""): "service",
        ("606", ""): "no_person",
        ("607", ""): "no_person",
        ("609", ""): "held",
    }
    assert QuarantinedRow.objects.get(source__icontains="call me").key == "604"
    assert in_quarantine("Emails") == {("701", ""): "held", ("703", ""): "service"}


def test_logs_become_entries_of_their_own_time(legacy):
    run(legacy.url)
    entries: list[Any] = list(Entry.objects.filter(channel=Channel.LEGACY).order_by("pk"))
    # Cairo has summer time from 28 April 2023.
    assert [each.at for each in entries] == [
        datetime(2023, 5, 4, 13, 5, 6, tzinfo=UTC),
        datetime(2023, 5, 4, 13, 5, 6, tzinfo=UTC),
        datetime(2023, 1, 3, 22, 5, 6, tzinfo=UTC),
        datetime(2023, 1, 4, 10, 5, 6, tzinfo=UTC),
        datetime(2023, 2, 1, 7, 0, tzinfo=UTC),
    ]
    assert [each.action for each in entries] == [
        Action.SIGNED_IN,
        Action.APARTMENT_REGISTERED,
        Action.LEGACY_INSERTED,
        Action.LEGACY_EVENT,
        Action.LEGACY_OTHER,
    ]
    made = entries[1]
    assert (made.actor_id, made.actor_label) == (1001, "Sara Old")
    assert (made.block_id, made.block_label, made.apartment_id) == (501, "12A", 3001)
    assert (made.target_type, made.target_id, made.target_label) == ("apartment", 3007, "2")
    assert (made.longitude, made.latitude) == (Decimal("31.25"), Decimal("30.5"))
    assert made.after["legacy"]["Action"] == "Create New Apartment"
    assert made.after["legacy"]["Date"] == "2023-05-04 04:05:06pm"
    assert (entries[0].longitude, entries[0].latitude) == (None, None)
    assert entries[0].after["legacy"]["Longitude"] == "0"
    # Person 1 there is not person 1 here.
    assert (entries[2].actor_id, entries[2].actor_label) == (None, "#1")
    assert (entries[3].target_type, entries[3].target_id) == ("event", 77)
    assert entries[3].after["legacy"]["Longitude"] == "somewhere"
    assert in_quarantine("Logs") == {("6", ""): "no_date"}


# Spellings of one moment of 4 March 2021, 22:00:01 in Cairo unless it says otherwise, and its UTC.
DATES = [
    # The legacy server's own.
    ("2021-03-04 22:00:01", (20, 0, 1)),
    ("2021-03-04 10:00:01pm", (20, 0, 1)),
    ("2021-03-04 10-00-01pm", (20, 0, 1)),
    ("2021:03:04 10-00-01pm", (20, 0, 1)),
    # PHP's H:i:sa.
    ("2021-03-04 22:00:01pm", (20, 0, 1)),
    ("2021-03-04 02:05:06am", (0, 5, 6)),
    # Others that are unambiguous.
    ("2021-03-04T22:00:01", (20, 0, 1)),
    ("2021-03-04T22:00:01.250Z", (22, 0, 1)),
    ("2021-03-04T22:00:01+03:00", (19, 0, 1)),
    ("2021-03-04 22:00:01 UTC", (22, 0, 1)),
    ("2021/03/04 22:00:01", (20, 0, 1)),
    ("2021-03-04 22:00", (20, 0, 0)),
    ("2021-3-4 9:05:00", (7, 5, 0)),
    ("2021-03-04 10:00:01 P.M.", (20, 0, 1)),
    ("٢٠٢١-٠٣-٠٤ ٢٢:٠٠:٠١", (20, 0, 1)),
    ("2021-03-04 10:00:01 م", (20, 0, 1)),
    ("2021-03-04 10:00:01 صباحًا", (8, 0, 1)),
    ("\u200e2021-03-04\u00a022:00:01", (20, 0, 1)),
    ("20210304220001", (20, 0, 1)),
    ("Thu, 04 Mar 2021 22:00:01 +0200", (20, 0, 1)),
    ("March 4, 2021 10:00:01 PM", (20, 0, 1)),
    ("4 مارس 2021 22:00:01", (20, 0, 1)),
]
# A day alone, and which day of March 2021 it is.
DAYS = [
    ("2021-03-04", 4),
    ("2021-3-4", 4),
    ("25/03/2021", 25),
    ("03/25/2021", 25),
    ("03-03-2021", 3),
]
AMBIGUOUS = [
    *("04/03/2021", "04-03-2021 10:00:00", "2021-13-04", "2021-03-04 13:00:00am"),
    *("2021-03-04 00:00:00pm", "2021-03-04 10:00:00+99:99", "21-03-04", "2021-03/04"),
    *("2021-03-04 10:00-00", "1 Ma 2021", "44259"),
]


def test_a_date_of_one_meaning_is_read_and_no_other(legacy):
    cases: list[tuple[str, datetime | None]] = [
        (text, datetime(2021, 3, 4, *at, tzinfo=UTC)) for text, at in DATES
    ]
    # The beginning of the day.
    cases += [(text, datetime(2021, 3, day - 1, 22, tzinfo=UTC)) for text, day in DAYS]
    cases += [(text, None) for text in AMBIGUOUS]
    for number, (text, _) in enumerate(cases, 100):
        legacy.insert("Logs", ID=number, Date=text)
    run(legacy.url)
    rows: list[Any] = list(Entry.objects.filter(channel=Channel.LEGACY))
    read = {int(entry.after["legacy"]["ID"]): entry.at for entry in rows}
    quarantined = in_quarantine("Logs")
    for number, (text, at) in enumerate(cases, 100):
        assert read.get(number) == at, text
        assert quarantined.get((str(number), "")) == (None if at else "no_date"), text


def test_a_place_that_names_no_row_is_reported(legacy):
    places = {"RegionID": 99, "StreetID": 98}
    legacy.insert("Block", ID=505, BlockNum="9", **places)
    legacy.insert("Block", ID=506, BlockNum="10", **places)
    report, messages = run(legacy.url)
    building = Block.objects.select_related("building").get(pk=505).building
    assert (building.city, building.region, building.street) == ("الشيخ زايد", "", "")
    key = "2/2/2/99/2/98"
    missing = {each for each, why in in_quarantine("places").items() if why == "no_place"}
    assert missing == {(key, "RegionName"), (key, "StreetName")}
    assert f"places {key} RegionName: Names a place that did not come in" in messages
    assert report["tables"]["places"]["parts"] == 3
    legacy.insert("Region", ID=99, RegionName="الحي الثاني")
    run(legacy.url)
    building.refresh_from_db()
    assert building.region == "الحي الثاني"
    assert (key, "RegionName") not in in_quarantine("places")
    assert (key, "StreetName") in in_quarantine("places")


def test_a_relation_is_imported_once(legacy):
    doubled = {"ResidentID": 1002, "ApartmentID": 3002}
    legacy.insert("RES_APART_BLOCK_ROLE", ID=931, **doubled)
    legacy.insert("RES_APART_BLOCK_ROLE", ID=932, **doubled, RoleID=2)
    legacy.insert("RES_APART_BLOCK_ROLE", ID=933, ResidentID=1002, ApartmentID=None, RoleID=7)
    run(legacy.url)
    mona = Membership.objects.filter(user=1002).order_by("pk")
    assert list(mona.values_list("pk", flat=True)) == [902, 904, 932]
    quarantined = in_quarantine("RES_APART_BLOCK_ROLE")
    assert quarantined["931", ""] == quarantined["933", ""] == "own"
    # Nor does it come back once the first has ended here.
    mona.update(ended_at=datetime(2999, 1, 1, tzinfo=UTC))
    legacy.insert("RES_APART_BLOCK_ROLE", ID=934, **doubled)
    before = everything()["Membership"]
    report, _ = run(legacy.url)
    assert everything()["Membership"] == before
    assert report["not_accounted_for"] == []


def test_people_sign_in_with_old_passwords_and_both_calls_work_with_old_ids(legacy):
    run(legacy.url)
    for name in ("sara@example.org", "+201000001001"):
        signed_in = Client().post("/omartyapis/Auth/Login/", {"email": name, "password": PASSWORD})
        assert signed_in.status_code == 200, signed_in.content
    data = signed_in.json()["data"]
    assert data["Data"]["id"] == "1001"
    wrong = Client().post("/omartyapis/Auth/Login/", {"email": name, "password": "wrong"})
    assert wrong.status_code == 401
    headers = {"Authorization": f"Bearer {data['Token']}"}
    made = Client().post(
        "/omartyapis/Create/",
        {
            "api": "CreateApartment",
            "floorNum": 3,
            "aptNum": 31,
            "blockId": 501,
            "apartmentId": 3001,
        },
        headers=headers,
    )
    assert made.json() == {"status": 200, "data": "Apartment registered."}
    assert Apartment.objects.get(block_id=501, number=31).pk > 3007
    added = Client().post(
        "/omartyapis/Update/",
        {"api": "AddContact", "blockId": 501, "apartmentId": 3001, "phoneNumber": "01000009999"},
        headers=headers,
    )
    assert added.json()["data"] == {
        "1": {"id": "702", "email": "sara.second@example.org"},
        "2": {"id": "601", "phoneNum": "0100 000 0601"},
        "3": {"id": str(SecondaryPhone.objects.latest("pk").pk), "phoneNum": "01000009999"},
    }


def test_every_write_has_its_entry_of_one_run(legacy, new_entries):
    run(legacy.url)
    entries = [each for each in new_entries() if each.channel == Channel.COMMAND]
    assert {each.actor_label.split(" (")[0] for each in entries} == {"import_legacy"}
    assert len({each.request_id for each in new_entries()}) == 1
    by_action = {action: sum(each.action == action for each in entries) for action in Action}
    assert by_action[Action.USER_REGISTERED] == 7
    assert by_action[Action.BUILDING_REGISTERED] == 3
    assert by_action[Action.BLOCK_REGISTERED] == 4
    assert by_action[Action.APARTMENT_REGISTERED] == 6
    assert by_action[Action.MEMBERSHIP_STARTED] == 5
    assert by_action[Action.CONTACT_ADDED] == 3
    assert by_action[Action.LEGACY_QUARANTINED] == QuarantinedRow.objects.count()


def test_the_second_run_changes_nothing(legacy):
    run(legacy.url)
    before = everything()
    report, messages = run(legacy.url)
    assert everything() == before
    for name, table in report["tables"].items():
        assert table["new"] == table["changed"] == table["parts"] == 0, name
        assert table["read"] == table["unchanged"] + table["quarantined"], name


def test_a_dry_run_says_the_same_and_writes_nothing(legacy):
    before = everything()
    rehearsed, messages = run(legacy.url, "--dry-run")
    assert everything() == before
    report, messages_then = run(legacy.url)
    assert rehearsed.pop("dry_run") and not report.pop("dry_run")
    assert rehearsed == report
    assert messages == messages_then
    assert "PhoneNums 604: Not a phone number" in messages
    assert "Resident_User 1003 PhoneNum: Held by somebody else" in messages


def test_what_knows_the_legacy_app_is_listed_in_its_docstring():
    listed = re.findall(r"^    (\S+\.py) ", legacy_app.__doc__ or "", re.M)
    knows = re.compile(r"omarty\.legacy|legacy/quarantinedrow|\"legacy\", \"0001|, \"legacy\"\)")
    root = Path(settings.BASE_DIR)
    found = {
        str(file.relative_to(root))
        for app in ("audit", "contacts", "buildings", "omarty")
        for file in (root / app).rglob("*.py")
        if knows.search(file.read_text())
    }
    assert {path for path in found if not path.startswith("omarty/legacy/")} == set(listed)
