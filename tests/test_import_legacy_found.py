"""`manage.py import_legacy` on what legacy databases were found to hold: nothing is dropped uncounted."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError

from audit.models import Action, Channel, Entry
from buildings.models import Apartment, Block, Membership, Role
from contacts.models import Claim, Kind, SecondaryPhone, User
from contacts.text import clean
from omarty.legacy.models import LegacyRow, QuarantinedRow
from omarty.legacy.operations import forget_person
from tests import mariadb
from tests.legacy import ODDITIES, everything, in_quarantine, run

pytestmark = pytest.mark.skipif(bool(mariadb.missing()), reason=mariadb.missing())


def test_spoilt_texts_are_repaired_or_left_out_and_told(legacy):
    legacy.insert_oddities()
    report, messages = run(legacy.url)
    people = User.objects.in_bulk()
    names = {pk: people[pk].name for pk in (2001, 2002, 2003, 2004, 2009, 2011, 2014, 2015)}
    assert names == {
        2001: "منى عادل", 2002: "", 2003: "Mona & Ali O'Neil", 2004: "منى", 2009: "Ahmed Said",
        2011: "Line break Tab", 2014: "فاطم", 2015: "",
    }  # fmt: skip
    assert people[2005].email == "m2005@example.org" and people[2005].phone == "01055502005"
    blocks = Block.objects.select_related("building").in_bulk()
    assert blocks[701].name == "عمارة النور"
    assert Apartment.objects.get(pk=5001).name == "Shop"
    alexandria = blocks[702].building
    assert (alexandria.governorate, alexandria.city) == ("Alexandria", "")
    assert (alexandria.region, blocks[703].building.street) == ("وسط البلد", "شارع فاطمة")
    assert (blocks[703].longitude, blocks[703].latitude) == (None, Decimal("30.5"))
    assert in_quarantine("Block")["703", "Longitude"] == "not_a_place"
    lost = {
        (row.table, row.key[:4], row.column): row.source[row.column]
        for row in QuarantinedRow.objects.filter(reason="lost")
    }
    assert lost == {
        ("Resident_User", "2002", "Name"): "???? ????",
        ("Resident_User", "2002", "UserName"): "mona??adel",
        ("Resident_User", "2015", "Name"): "Ù?Ø§Ø·Ù\x85Ø©",
        ("places", "2/3/", "GovernateName"): "????",
        ("places", "2/3/", "CityName"): "???",
    }
    assert report["remarks"] == {
        "Resident_User": {"repaired": 4},
        "places": {"repaired": 1},
        "Block": {"repaired": 1},
        "Logs": {"coordinates_unknown": 3},
        "further phones": {"further_phones": 2},
    }
    assert "Resident_User 2001 Name: repaired" in messages
    assert "Resident_User 2002 Name: Letters of it were lost" in messages
    before = everything()
    report, _ = run(legacy.url)
    assert everything() == before
    assert report["remarks"] == {} and report["not_accounted_for"] == []


def test_phones_of_the_source_mean_what_they_mean_on_every_way_in(legacy):
    legacy.insert_oddities()
    run(legacy.url)
    held = dict(Claim.objects.filter(kind=Kind.PHONE).values_list("value", "user_id"))
    quarantined = in_quarantine("Resident_User")
    seen: set[str] = set()
    for row in ODDITIES["Resident_User"]:
        if "PhoneNum" not in row:
            continue
        first = clean(row["PhoneNum"]).split("/")[0].split(" - ")[0]
        try:
            value = Kind.PHONE.canonical(first)
        except ValueError:
            assert quarantined[str(row["ID"]), "PhoneNum"] == "not_phone", row
            continue
        expected = "held" if value in seen else None
        assert quarantined.get((str(row["ID"]), "PhoneNum")) == expected, row
        assert expected or held[value] == row["ID"], row
        seen.add(value)


def test_several_phones_of_one_column_come_in_and_take_no_one_elses(legacy):
    legacy.insert_oddities()
    _, messages = run(legacy.url)
    people = User.objects.in_bulk()
    assert (people[2006].phone, people[2006].phone_hidden) == ("01055502006", True)
    further = SecondaryPhone.objects.filter(user_id__gte=2000).order_by("typed")
    assert list(further.values_list("typed", "user_id", "hidden")) == [
        ("01000000681", 2001, False),
        ("01000000682", 2001, False),
        ("01155502006", 2006, True),
    ]
    assert SecondaryPhone.objects.get(pk=681).typed == "01000000681"
    assert "Resident_User 2006: a further phone came in as a secondary one" in messages
    # Of two who name a number, it is whose own it is.
    assert people[2012].phone == "01155502012"
    assert in_quarantine("Resident_User")["2013", "PhoneNum (2)"] == "held"
    # What was removed here does not come back; a number that is free by now comes in.
    removed = SecondaryPhone.objects.get(typed="01155502006")
    removed.delete()
    removed.claim.delete()
    legacy.run("UPDATE Resident_User SET PhoneNum = '01155502013' WHERE ID = 2012")
    run(legacy.url)
    assert not SecondaryPhone.objects.filter(user=2006).exists()
    assert SecondaryPhone.objects.get(user=2013).typed == "01155502012"
    assert ("2013", "PhoneNum (2)") not in in_quarantine("Resident_User")
    # Of an erased person no digest of a number stays, and none comes back.
    forget_person(user=people[2013])
    SecondaryPhone.objects.filter(user=2013).delete()
    Claim.objects.filter(user=2013, secondaryphone=None).exclude(value="+201055502013").delete()
    assert not LegacyRow.objects.filter(table="further phones", record_id=2013).exists()
    run(legacy.url)
    assert not SecondaryPhone.objects.filter(user=2013).exists()


def test_who_changed_a_log_row_is_kept(legacy):
    legacy.insert_oddities()
    run(legacy.url)
    entry: Any = Entry.objects.get(channel=Channel.LEGACY, after__legacy__ID="41")
    legacy_row = entry.after["legacy"]
    assert (legacy_row["UpdatedBy"], legacy_row["Longitude"]) == ("1002", "500")
    assert (entry.longitude, entry.latitude) == (None, None)
    # Nor do rows come in that an erased person changed.
    forget_person(user=User.objects.get(pk=1002))
    legacy.insert("Logs", ID=43, UserID=2001, UpdatedBy=1002, Date="2024-02-01 09:00:00")
    report, _ = run(legacy.url)
    assert report["tables"]["Logs"]["new"] == 0


def test_what_was_deleted_there_is_told_with_what_stands_here(legacy):
    run(legacy.url)
    legacy.run("DELETE FROM RES_APART_BLOCK_ROLE WHERE ID IN (902, 905)")
    legacy.run("DELETE FROM Resident_User WHERE ID = 1005")
    legacy.run("DELETE FROM PhoneNums WHERE ID IN (601, 604)")
    legacy.run("DELETE FROM Logs WHERE ID = 1")
    before = {name: rows for name, rows in everything().items() if name != "QuarantinedRow"}
    report, messages = run(legacy.url)
    assert {name: rows for name, rows in everything().items() if name != "QuarantinedRow"} == before
    assert report["deleted_there"] == {
        "Resident_User": 1, "RES_APART_BLOCK_ROLE": 1, "PhoneNums": 1, "Logs": 1,
    }  # fmt: skip
    assert report["quarantine_gone"] == {
        "Resident_User": 3, "RES_APART_BLOCK_ROLE": 1, "PhoneNums": 1,
    }  # fmt: skip
    here = "Resident منى القديمة in block 501, unit 3002, current"
    assert f"RES_APART_BLOCK_ROLE 902: deleted at the source; here: {here}" in messages
    assert "Resident_User 1005: deleted at the source; here: #1005 (#1005), current" in messages
    assert "PhoneNums 604: Not a phone number (deleted at the source since)" in messages
    assert report["not_accounted_for"] == [] and report["memberships_ended"] == 0
    gone = QuarantinedRow.objects.exclude(gone_at=None)
    assert sorted(gone.values_list("table", "key").distinct()) == [
        ("PhoneNums", "604"), ("RES_APART_BLOCK_ROLE", "905"), ("Resident_User", "1005"),
    ]  # fmt: skip
    # One that is there again is to be looked at again.
    legacy.insert("PhoneNums", ID=604, UserID=1002, PhoneNum="call me")
    run(legacy.url)
    assert QuarantinedRow.objects.get(table="PhoneNums", key="604").gone_at is None


def test_memberships_that_were_deleted_there_end_when_asked(legacy, new_entries):
    legacy.insert("RES_APART_BLOCK_ROLE", ID=941, ResidentID=1001, ApartmentID=3007)
    run(legacy.url)
    before = len(new_entries())
    # The block's only manager; one who left; one who stands there under another id now.
    legacy.run("DELETE FROM RES_APART_BLOCK_ROLE WHERE ID IN (901, 902, 941)")
    legacy.insert("RES_APART_BLOCK_ROLE", ID=942, ResidentID=1001, ApartmentID=3007)
    _, messages = run(legacy.url, "--end-deleted", "--dry-run")
    assert Membership.objects.get(pk=902).ended_at is None
    report, messages = run(legacy.url, "--end-deleted")
    ended = Membership.objects.filter(pk__gte=900).exclude(ended_at=None)
    assert [each.pk for each in ended] == [902]
    assert report["memberships_ended"] == 1
    assert [row["key"] for row in report["deleted_rows"] if row["ended"]] == ["902"]
    [entry] = [each for each in new_entries()[before:] if each.action == Action.MEMBERSHIP_ENDED]
    assert (entry.target_id, entry.person_id) == (902, 1002)
    assert "it is there as 942 too, and stays" in messages
    assert "RES_APART_BLOCK_ROLE 901" in messages and "; not ended: " in messages
    # Whoever comes back there is told here, as one who has left here.
    legacy.insert("RES_APART_BLOCK_ROLE", ID=943, ResidentID=1002, ApartmentID=3002)
    run(legacy.url)
    assert in_quarantine("RES_APART_BLOCK_ROLE")["943", ""] == "ended"
    assert in_quarantine("RES_APART_BLOCK_ROLE")["942", ""] == "own"


def test_who_is_no_manager_there_any_more_is_none_here_though_they_still_live_there(legacy):
    for key, person_id, unit, role in (
        (950, 1001, 3001, 6),
        (951, 1001, 3001, 6),
        (960, 1002, 3002, 1),
    ):
        legacy.insert(
            "RES_APART_BLOCK_ROLE", ID=key, ResidentID=person_id, ApartmentID=unit, RoleID=role
        )
    run(legacy.url)
    assert in_quarantine("RES_APART_BLOCK_ROLE")["951", ""] == "own"
    legacy.run("DELETE FROM RES_APART_BLOCK_ROLE WHERE ID = 901")
    report, _messages = run(legacy.url, "--end-deleted")
    assert report["memberships_ended"] == 1
    now = Membership.objects.current().filter(user_id=1001, block_id=501)
    assert set(now.values_list("role", flat=True)) == {Role.RESIDENT}


@pytest.mark.parametrize("number", ["-1", "2000000001", "3000"])
def test_own_ids_must_lie_above_the_sources_and_fit(legacy, number):
    before = everything()
    with pytest.raises(CommandError, match="own-ids-from"):
        run(legacy.url, f"--own-ids-from={number}")
    assert everything() == before
