"""`manage.py import_legacy`, run again after changes there and here, refused, and killed."""

import gzip
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from audit.models import Action, Entry
from buildings.models import Apartment, Block, Membership
from contacts.models import Claim, SecondaryPhone, Status, User
from omarty.legacy.models import LegacyRow, QuarantinedRow
from omarty.legacy.operations import forget_person
from tests import mariadb
from tests.legacy import PASSWORD, everything, in_quarantine, php_hash, run
from tests.proof import Log

pytestmark = pytest.mark.skipif(bool(mariadb.missing()), reason=mariadb.missing())

ROOT = Path(__file__).resolve().parent.parent


def sign_in(name: str, password: str) -> int:
    fields = {"email": name, "password": password}
    return Client().post("/omartyapis/Auth/Login/", fields).status_code


def test_a_later_run_imports_only_what_is_new(legacy, new_entries):
    run(legacy.url)
    before = len(new_entries())
    legacy.insert("Resident_User", ID=1008, Email="new@example.org", Name="New")
    legacy.insert("Apartment", ID=3008, ApartmentNumber=8)
    legacy.insert("RES_APART_BLOCK_ROLE", ID=912, ResidentID=1008, ApartmentID=3008)
    legacy.insert("PhoneNums", ID=610, UserID=1008, PhoneNum="01000000610")
    legacy.insert("Logs", ID=7, LogTypeID=1, UserID=1008, Date="2024-02-01 09-00-00am")
    report, messages = run(legacy.url)
    assert {name: table["new"] for name, table in report["tables"].items()} == {
        "Resident_User": 1, "places": 0, "Block": 0, "Apartment": 1, "RES_APART_BLOCK_ROLE": 1,
        "PhoneNums": 1, "Emails": 0, "Logs": 1,
    }  # fmt: skip
    assert all(table["changed"] == 0 for table in report["tables"].values())
    assert [each.action for each in new_entries()[before:]] == [
        Action.USER_REGISTERED,
        Action.APARTMENT_REGISTERED,
        Action.MEMBERSHIP_STARTED,
        Action.CONTACT_ADDED,
        Action.USER_REGISTERED,
    ]
    assert Membership.objects.get(pk=912).apartment_id == 3008
    assert sign_in("new@example.org", PASSWORD) == 200


def test_a_later_run_imports_what_changed_there(legacy, new_entries):
    run(legacy.url)
    before = len(new_entries())
    legacy.run(
        "UPDATE Resident_User SET Name = 'Sara New', PhoneNum = '01000001111' WHERE ID = 1001"
    )
    legacy.run("UPDATE RES_APART_BLOCK_ROLE SET StatusID = 2 WHERE ID = 903")
    legacy.run("UPDATE Apartment SET ApartmentNumber = 9 WHERE ID = 3002")
    legacy.run("UPDATE Compound SET CompoundNameEN = 'Blossoms' WHERE ID = 2")
    legacy.run("UPDATE Block SET StreetID = 3, Latitude = '30.5' WHERE ID = 502")
    legacy.run("UPDATE PhoneNums SET Hide = 0 WHERE ID = 601")
    legacy.run("UPDATE PhoneNums SET PhoneNum = '01000000888' WHERE ID = 608")
    report, messages = run(legacy.url)
    changed = {name: table["changed"] for name, table in report["tables"].items()}
    assert changed == {
        "Resident_User": 1, "places": 2, "Block": 1, "Apartment": 1, "RES_APART_BLOCK_ROLE": 1,
        "PhoneNums": 2, "Emails": 0, "Logs": 0,
    }  # fmt: skip
    sara = User.objects.get(pk=1001)
    assert (sara.name, sara.phone) == ("Sara New", "01000001111")
    # Her former number, which is in the source twice, is now a secondary one.
    assert SecondaryPhone.objects.get(pk=602).user_id == 1001
    assert Claim.objects.get(value="+201000001111").secondary is None
    assert in_quarantine("PhoneNums")["603", ""] == "held"
    assert Membership.objects.get(pk=903).status == Status.ACTIVE
    assert Apartment.objects.get(pk=3002).number == 9
    assert ("3002", "ApartmentNumber") not in in_quarantine("Apartment")
    block = Block.objects.select_related("building").get(pk=502)
    assert (block.building.name_en, block.building.street) == ("Blossoms", "S" * 128)
    assert SecondaryPhone.objects.get(pk=601).hidden is False
    moved = SecondaryPhone.objects.select_related("claim").get(pk=608)
    assert (moved.typed, moved.claim.value) == ("01000000888", "+201000000888")
    assert SecondaryPhone.objects.get(pk=609).user_id == 1002
    entries = new_entries()[before:]
    assert [each.action for each in entries].count(Action.LEGACY_CHANGED) == sum(changed.values())
    change = next(each for each in entries if each.target_id == 1001)
    assert change.before == {"name": "Sara Old", "phone": "01000001001"}
    assert change.after == {"name": "Sara New", "phone": "01000001111"}
    after = everything()
    run(legacy.url)
    assert everything() == after


def test_a_contact_that_changed_there_is_stored_as_tidily_as_a_new_one(legacy, new_entries):
    run(legacy.url)
    legacy.run(
        "UPDATE Resident_User SET PhoneNum = '\N{LEFT-TO-RIGHT MARK}01000001112' WHERE ID = 1001"
    )
    run(legacy.url)
    assert User.objects.get(pk=1001).phone == "01000001112"
    before = len(new_entries())
    run(legacy.url)
    assert len(new_entries()) == before


def test_a_phone_of_direction_marks_alone_is_no_phone_and_changes_nothing(legacy):
    run(legacy.url)
    phone = User.objects.get(pk=1001).phone
    assert phone
    legacy.run("UPDATE Resident_User SET PhoneNum = '\N{LEFT-TO-RIGHT MARK}' WHERE ID = 1001")
    run(legacy.url)
    assert User.objects.get(pk=1001).phone == phone
    assert Claim.objects.filter(user=1001, kind="phone").exists()
    assert QuarantinedRow.objects.filter(key="1001", reason="not_phone").exists()


def test_what_was_quarantined_is_imported_once_it_is_corrected(legacy):
    run(legacy.url)
    legacy.run("UPDATE PhoneNums SET PhoneNum = '01000000604' WHERE ID = 604")
    legacy.insert("Apartment", ID=4444, ApartmentNumber=44)
    legacy.run("UPDATE Resident_User SET PhoneNum = '01000001003' WHERE ID = 1003")
    run(legacy.url)
    assert SecondaryPhone.objects.get(pk=604).typed == "01000000604"
    assert Membership.objects.get(pk=905).apartment_id == 4444
    assert User.objects.get(pk=1003).phone == "01000001003"
    assert ("604", "") not in in_quarantine("PhoneNums")
    assert ("905", "") not in in_quarantine("RES_APART_BLOCK_ROLE")
    assert ("1003", "PhoneNum") not in in_quarantine("Resident_User")


def test_what_was_changed_here_is_reported_and_not_overwritten(legacy):
    run(legacy.url)
    User.objects.filter(pk=1002).update(name="Corrected here")
    Apartment.objects.filter(pk=3002).update(number=102)
    legacy.run("UPDATE Resident_User SET Name = 'Changed there', UserName = 'mona' WHERE ID = 1002")
    legacy.run("UPDATE Apartment SET ApartmentNumber = 77 WHERE ID = 3002")
    report, messages = run(legacy.url)
    mona = User.objects.get(pk=1002)
    assert (mona.name, mona.user_name) == ("Corrected here", "mona")
    assert Apartment.objects.get(pk=3002).number == 102
    assert "Resident_User 1002 Name: Changed here as well" in messages
    assert in_quarantine("Resident_User")["1002", "Name"] == "changed_here"
    quarantined = QuarantinedRow.objects.get(table="Resident_User", key="1002", column="Name")
    assert quarantined.source["Name"] == "Changed there"
    assert in_quarantine("Apartment")["3002", "ApartmentNumber"] == "changed_here"
    after = everything()
    run(legacy.url)
    assert everything() == after


def test_a_change_that_cannot_be_stored_is_reported_and_left_out(legacy):
    run(legacy.url)
    legacy.run("UPDATE Resident_User SET PhoneNum = '01000000601' WHERE ID = 1001")
    legacy.run("UPDATE PhoneNums SET PhoneNum = '+201000001002' WHERE ID = 608")
    legacy.run("UPDATE PhoneNums SET UserID = 1002 WHERE ID = 601")
    legacy.run("UPDATE Apartment SET ApartmentNumber = 1, FloorNum = 4 WHERE ID = 3007")
    legacy.run("UPDATE Apartment SET BlockID = 502 WHERE ID = 3003")
    before = list(Claim.objects.order_by("kind", "value").values_list("user_id", "value"))
    run(legacy.url)
    assert list(Claim.objects.order_by("kind", "value").values_list("user_id", "value")) == before
    assert User.objects.get(pk=1001).phone == "01000001001"
    assert SecondaryPhone.objects.get(pk=608).typed == "01000000608"
    unit = Apartment.objects.get(pk=3007)
    # Its old number may belong to another unit there: as on a first run, it has none.
    assert (unit.number, unit.floor) == (None, 4)
    assert in_quarantine("Resident_User")["1001", "PhoneNum"] == "own"
    assert in_quarantine("PhoneNums")["608", "PhoneNum"] == "held"
    assert in_quarantine("PhoneNums")["601", "UserID"] == "moved"
    assert in_quarantine("Apartment")["3007", "ApartmentNumber"] == "number_taken"
    assert in_quarantine("Apartment")["3003", "BlockID"] == "moved"
    after = everything()
    run(legacy.url)
    assert everything() == after

    legacy.run("UPDATE PhoneNums SET PhoneNum = '01000000777' WHERE ID = 608")
    run(legacy.url)
    assert SecondaryPhone.objects.get(pk=608).typed == "01000000777"
    assert ("608", "PhoneNum") not in in_quarantine("PhoneNums")


def test_a_phone_that_is_released_late_is_imported_then(legacy):
    """Sara's row comes before that of Mona, whose number Sara gets."""
    run(legacy.url)
    legacy.run("UPDATE Resident_User SET PhoneNum = '01000001012' WHERE ID = 1002")
    legacy.run("UPDATE Resident_User SET PhoneNum = '01000001042' WHERE ID = 1003")
    legacy.run("UPDATE Resident_User SET PhoneNum = '01000001002' WHERE ID = 1001")
    run(legacy.url)
    assert in_quarantine("Resident_User")["1001", "PhoneNum"] == "held"
    report, _ = run(legacy.url)
    assert report["tables"]["Resident_User"]["changed"] == 1
    people = User.objects.in_bulk([1001, 1002, 1003])
    assert [people[pk].phone for pk in people] == ["01000001002", "01000001012", "01000001042"]
    assert Claim.objects.get(value="+201000001002").user_id == 1001
    assert ("1001", "PhoneNum") not in in_quarantine("Resident_User")
    after = everything()
    run(legacy.url)
    assert everything() == after


def test_a_number_taken_from_the_start_is_imported_once_it_is_free(legacy):
    run(legacy.url)
    assert Apartment.objects.get(pk=3002).number is None
    legacy.run("UPDATE Apartment SET ApartmentNumber = 11 WHERE ID = 3001")
    legacy.run("UPDATE Resident_User SET PhoneNum = '01000001099' WHERE ID = 1002")
    run(legacy.url)
    assert [unit.number for unit in Apartment.objects.filter(pk__in=[3001, 3002])] == [11, 1]
    assert ("3002", "ApartmentNumber") not in in_quarantine("Apartment")
    assert User.objects.get(pk=1003).phone == "01000001002"


def test_exchanged_numbers_and_phones_are_imported_by_the_second_run(legacy):
    legacy.run("UPDATE Apartment SET ApartmentNumber = 22 WHERE ID = 3002")
    run(legacy.url)
    legacy.run(
        "UPDATE Apartment SET ApartmentNumber = 3 - ApartmentNumber WHERE ID IN (3001, 3007)"
    )
    legacy.run("UPDATE Resident_User SET PhoneNum = NULL WHERE ID = 1003")
    legacy.run("UPDATE Resident_User SET PhoneNum = NULL WHERE ID = 1001")
    legacy.run("UPDATE Resident_User SET PhoneNum = '01000001001' WHERE ID = 1002")
    legacy.run("UPDATE Resident_User SET PhoneNum = '01000001002' WHERE ID = 1001")
    run(legacy.url)
    run(legacy.url)
    units = Apartment.objects.in_bulk()
    assert (units[3001].number, units[3007].number) == (2, 1)
    assert User.objects.get(pk=1001).phone == "01000001002"
    assert User.objects.get(pk=1002).phone == "01000001001"
    after = everything()
    run(legacy.url)
    assert everything() == after


def test_a_new_password_there_serves_and_ends_sessions_here(legacy):
    run(legacy.url)
    stamp = User.objects.get(pk=1006).session_stamp
    legacy.run(
        "UPDATE Resident_User SET Password = %s WHERE ID = 1006", [php_hash("another secret")]
    )
    run(legacy.url)
    assert User.objects.get(pk=1006).session_stamp != stamp
    assert sign_in("emoji@example.org", PASSWORD) == 401
    assert sign_in("emoji@example.org", "another secret") == 200


def test_a_sign_in_here_does_not_stop_later_changes(legacy):
    run(legacy.url)
    assert sign_in("sara@example.org", PASSWORD) == 200
    legacy.run("UPDATE Resident_User SET Name = 'Sara Later' WHERE ID = 1001")
    run(legacy.url)
    assert User.objects.get(pk=1001).name == "Sara Later"
    assert sign_in("sara@example.org", PASSWORD) == 200


def test_a_password_changed_there_wins_over_a_renewed_hash_not_over_one_changed_here(legacy):
    run(legacy.url)
    for name in ("sara@example.org", "emoji@example.org"):
        assert sign_in(name, PASSWORD) == 200
    renewed = {user.pk: user.password for user in User.objects.filter(pk__in=[1001, 1006])}
    assert not any(encoded.startswith("php") for encoded in renewed.values())
    out = io.StringIO()
    call_command("changepassword", "emoji@example.org", "--random", "--json", stdout=out)
    own = json.loads(out.getvalue())["password"]
    new = [php_hash("changed there")]
    legacy.run("UPDATE Resident_User SET Password = %s WHERE ID IN (1001, 1006)", new)
    run(legacy.url)
    assert sign_in("sara@example.org", PASSWORD) == 401
    assert sign_in("sara@example.org", "changed there") == 200
    assert sign_in("emoji@example.org", own) == 200
    assert in_quarantine("Resident_User")["1006", "Password"] == "changed_here"
    assert ("1001", "Password") not in in_quarantine("Resident_User")
    # And the next one there wins again over the hash that this sign-in renewed.
    legacy.run("UPDATE Resident_User SET Password = %s WHERE ID = 1001", [php_hash("once more")])
    run(legacy.url)
    assert sign_in("sara@example.org", "once more") == 200


def test_later_runs_skip_who_was_erased_here(legacy):
    run(legacy.url)
    mona = User.objects.get(pk=1002)
    forget_person(user=mona)
    User.objects.filter(pk=1002).update(name="erased")
    assert not QuarantinedRow.objects.filter(source__UserID="1002").exists()
    assert not QuarantinedRow.objects.filter(source__ResidentID="1002").exists()
    assert LegacyRow.objects.get(table="Resident_User", key="1002").imported == {}
    legacy.run("UPDATE Resident_User SET Name = 'Mona again' WHERE ID = 1002")
    before = everything()
    report, messages = run(legacy.url)
    assert everything() == before
    assert report["not_accounted_for"] == []
    assert report["tables"]["Resident_User"]["erased"] == 1


def test_nothing_of_an_erased_person_is_imported_again(legacy, tmp_path):
    run(legacy.url)
    log = Log(tmp_path)
    assert log.run("person_erase", 1002, "--reason=asked for it")["exit"] == 0
    # Their contacts are free now: somebody else gets them.
    run(legacy.url)
    legacy.insert("PhoneNums", ID=611, UserID=1002, PhoneNum="01000000611")
    legacy.insert("Emails", ID=711, UserID=1002, Email="mona.again@example.org")
    legacy.insert("RES_APART_BLOCK_ROLE", ID=921, ResidentID=1002, ApartmentID=3001)
    legacy.insert("Logs", ID=21, UserID=1002, Date="2024-02-01 09:00:00")
    legacy.insert(
        "Logs", ID=22, UserID=1001, LogRecordIdInActualTable="1002", Date="2024-02-01 09:00:00"
    )
    legacy.run("UPDATE PhoneNums SET PhoneNum = '01000000604' WHERE ID = 604")
    legacy.run("UPDATE RES_APART_BLOCK_ROLE SET StatusID = 1 WHERE ID = 902")
    before = {name: rows for name, rows in everything().items() if name != "LegacyRow"}
    report, messages = run(legacy.url)
    after = everything()
    assert {name: rows for name, rows in after.items() if name != "LegacyRow"} == before
    assert report["not_accounted_for"] == [] and not messages.count("Resident_User 1002")
    erased = {name: table["erased"] for name, table in report["tables"].items()}
    assert erased == {
        "Resident_User": 1, "places": 0, "Block": 0, "Apartment": 0, "RES_APART_BLOCK_ROLE": 7,
        "PhoneNums": 4, "Emails": 2, "Logs": 2,
    }  # fmt: skip
    assert all(table["new"] == table["changed"] == 0 for table in report["tables"].values())
    run(legacy.url)
    assert everything() == after


@pytest.mark.parametrize("archived", [False, True])
def test_an_erasure_leaves_nothing_of_the_quarantined_rows(legacy, tmp_path, archived):
    legacy.run(
        "UPDATE Resident_User SET Name = 'Unreachable Zaki', UserName = 'zaki',"
        " Email = 'no z@address' WHERE ID = 1004"
    )
    legacy.insert("PhoneNums", ID=611, UserID=1004, PhoneNum="zaki's, ask")
    run(legacy.url)
    log = Log(tmp_path)
    log.seal()
    if archived:
        log.run("audit_archive", "--before=2999-01-01")
    erased = log.run("person_erase", "1004", "--reason=asked for it")
    assert (erased["exit"], erased["erased"], erased["namesakes"]) == (0, True, [])
    run(legacy.url)
    files = log.archives.glob("*.gz")
    away = "".join(gzip.decompress(path.read_bytes()).decode() for path in files)
    left = [f"{model} {row}" for model, rows in everything().items() for row in rows]
    assert [text for text in (*left, *away.splitlines()) if "zaki" in text.casefold()] == []
    assert bool(away) == archived
    log.seal()
    assert log.verify()["whole"]


def test_a_quarantined_row_of_another_number_one_is_not_ours(legacy):
    run(legacy.url)
    entry = Entry.objects.get(target_label__startswith="Resident_User 1:")
    assert (entry.action, entry.person_id) == (Action.LEGACY_QUARANTINED, None)


def test_a_person_who_was_not_imported_is_erased_without_the_import(legacy):
    run(legacy.url)
    before = everything()
    forget_person(user=User.objects.get(pk=1))
    assert everything() == before


def test_a_source_that_does_not_add_up_is_refused(legacy):
    # The view has six rows for the first query, which counts them, and none for later ones.
    legacy.run(
        "CREATE FUNCTION turn() RETURNS int BEGIN SET @turn = IFNULL(@turn, 0) + 1;"
        " RETURN @turn; END"
    )
    legacy.run("RENAME TABLE Logs TO LogsThen")
    legacy.run("CREATE VIEW Logs AS SELECT * FROM LogsThen WHERE turn() <= 6")
    with pytest.raises(CommandError, match="Logs: 6 in the source, 0 read") as refused:
        run(legacy.url)
    assert refused.value.returncode == 1


def test_reading_cannot_write_there_whatever_its_rights(legacy):
    legacy.run("CREATE TABLE Looks (looked int)")
    legacy.run(
        "CREATE FUNCTION look() RETURNS int BEGIN INSERT INTO Looks VALUES (1); RETURN 1; END"
    )
    legacy.run("RENAME TABLE Logs TO LogsThen")
    legacy.run("CREATE VIEW Logs AS SELECT * FROM LogsThen WHERE look() = 1")
    with pytest.raises(CommandError, match="Logs"):
        run(legacy.url)
    assert legacy.run("SELECT COUNT(*) FROM Looks")[0][0] == 0


@pytest.mark.parametrize(
    ("url", "code", "sentence"),
    [
        ("sqlite:///x", 2, "^The argument must look like mysql://"),
        ("postgres://me@localhost/legacy", 2, "must look like mysql://"),
        ("mysql://me@localhost", 2, "must look like mysql://"),
        ("legacy.sql", 2, "must look like mysql://"),
        ("mysql://me@localhost:port/legacy", 2, "must look like mysql://"),
        ("mysql://me@localhost/legacy?unix_socket=/nowhere", 1, "The legacy database says: Can't"),
        ("mysql://me@localhost/legacy?colour=red", 2, "option that MySQL's driver does not take"),
        ("{legacy}&cursorclass=x", 2, "option that MySQL's driver does not take"),
        ("{legacy}&connect_timeout=soon", 2, "option that MySQL's driver does not take"),
        ("{legacy}&port=1e30", 2, "option that MySQL's driver does not take"),
        ("mysql://root@localhost/br%00k", 2, "option that MySQL's driver does not take"),
    ],
)
def test_what_is_no_source_is_refused_in_a_sentence(legacy, url, code, sentence):
    with pytest.raises(CommandError, match=sentence) as refused:
        run(url.replace("{legacy}", legacy.url))
    assert refused.value.returncode == code


def test_a_community_that_is_here_already_stops_the_first_run_only(legacy):
    before = everything()
    for arguments in ((), ("--dry-run",)):
        with pytest.raises(
            CommandError, match=r"8 people and 4 blocks exist.* --into-existing"
        ) as no:
            call_command("import_legacy", legacy.url, *arguments)
        assert no.value.returncode == 1
    assert everything() == before
    run(legacy.url)
    after = everything()
    call_command(
        "import_legacy", legacy.url, "--own-ids-from=0", stdout=io.StringIO(), stderr=io.StringIO()
    )
    assert everything() == after


def test_the_password_may_stand_in_a_file(legacy, tmp_path):
    secret = tmp_path / "reader.cnf"
    secret.write_text("[client]\npassword=reader\n")
    without = legacy.url.replace("reader:reader@", "reader@")
    with pytest.raises(CommandError, match="Access denied"):
        run(without)
    report, messages = run(f"{without}&read_default_file={secret}")
    assert report["tables"]["Resident_User"]["new"] == 7


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        ("DROP TABLE Logs", "it has no table Logs"),
        ("ALTER TABLE Emails DROP COLUMN Hide", "no column Emails.Hide"),
        ("RENAME TABLE Logs TO logs", "The database has logs for Logs, and .* Rename them"),
        (
            "ALTER TABLE Emails MODIFY ID int, DROP PRIMARY KEY;"
            "INSERT INTO Emails (ID, Hide) VALUES (701, 0), (NULL, 0)",
            "Emails has no key, and 2 of its rows have no id or one that another row has",
        ),
    ],
)
def test_another_schema_is_refused_before_anything_is_written(legacy, statements, sentence):
    for statement in statements.split(";"):
        legacy.run(statement)
    before = everything()
    with pytest.raises(CommandError, match=sentence) as refused:
        run(legacy.url)
    assert refused.value.returncode == 1
    assert everything() == before
