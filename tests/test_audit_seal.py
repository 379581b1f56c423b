import os
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from audit import seals, verification
from audit.models import Action, Channel, Entry, Seal
from audit.operations import Origin, record
from audit.sealing import PRINT_LENGTH, Part, SealLine, contents_of, digest, erased, from_ranges
from tests.proof import COLUMNS, Log, copy_entry, forge_chain, row_of, sql


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path)


@pytest.fixture
def small_seals(monkeypatch):
    """Seals of ten entries, so that the demo's log has several."""
    monkeypatch.setattr(seals, "SEAL_ENTRIES", 10)


@pytest.fixture
def sealed_log(log, small_seals):
    assert log.seal()["exit"] == 0
    assert Seal.objects.count() > 3
    return log


def test_what_was_sealed_is_whole(log):
    entries = Entry.objects.count()
    assert log.seal()["sealed"] == entries
    verdict = log.verify()
    assert (verdict["exit"], verdict["whole"], verdict["entries"]) == (0, True, entries)
    assert (verdict["seals"], verdict["unsealed"]) == (1, 0)


def test_a_second_run_seals_nothing(log):
    log.seal()
    before = log.file.read_bytes()
    assert log.seal()["sealed"] == 0
    assert log.file.read_bytes() == before
    assert Seal.objects.count() == 1


def test_later_seals_continue_the_previous_one(log):
    log.seal()
    last = log.write(3)[-1]
    assert log.verify()["unsealed"] == 3
    assert log.seal()["sealed"] == 3
    first, second = log.lines()
    assert (second.previous, second.last_id) == (first.digest, last.pk)
    assert [seal.digest for seal in Seal.objects.order_by("number")] == [
        first.digest,
        second.digest,
    ]
    assert log.verify()["whole"]


def test_a_dry_run_writes_nothing(log):
    entries = Entry.objects.count()
    assert log.run("audit_seal", "--dry-run") == {
        "sealed": entries,
        "dry_run": True,
        "exit": 0,
        "error": "",
    }
    assert list(log.file.parent.iterdir()) == []
    assert not Seal.objects.exists()


def test_sealing_costs_the_calls_nothing(manager, django_assert_max_num_queries):
    # What the bar allows, and the two statements that find the caller and their block.
    with django_assert_max_num_queries(3 + 2):
        assert manager.create(floorNum=1, aptNum=101, blockId=1)["data"] == "Apartment registered."


# --- Tampering: an attacker who writes the database ----------------------------------------------


def middle() -> int:
    return Entry.objects.order_by("pk")[Entry.objects.count() // 2].pk


OTHER = {
    "at": "2020-01-01 00:00:00",
    "request_id": "01234567-89ab-4def-8123-456789abcdef",
    "channel": "api",
    "action": "user.signed_out",
    "longitude": 1,
    "latitude": 1,
    "before": '{"a": 1}',
    "after": '{"a": 1}',
    "ip": "1.2.3.4",
}


@pytest.mark.parametrize("column", COLUMNS.replace("`", "").replace('"', "").split(", "))
def test_a_changed_entry_is_named(sealed_log, column):
    target, quoted = middle(), connection.ops.quote_name(column)
    other = OTHER.get(column, 4711 if column.endswith("_id") else "forged")
    assert sql(f"UPDATE audit_entry SET {quoted} = %s WHERE id = %s", other, target) == 1  # noqa: S608
    verdict = sealed_log.verify()
    assert (verdict["exit"], verdict["whole"], verdict["first"]) == (1, False, target)
    assert verdict["faults"] == [{"first": target, "last": target, "what": "changed"}]
    assert f"Entry {target}" in verdict["error"]


def test_a_removed_entry_is_named(sealed_log):
    target = middle()
    sql("DELETE FROM audit_entry WHERE id = %s", target)
    assert sealed_log.verify()["faults"] == [{"first": target, "last": target, "what": "missing"}]


def test_a_gap_filled_late_is_named(log, small_seals):
    gap = middle()
    copy_entry(gap, 10**6)
    sql("DELETE FROM audit_entry WHERE id = %s", gap)
    log.seal()
    assert log.verify()["whole"]
    copy_entry(10**6, gap)
    assert log.verify()["first"] == gap


@pytest.mark.parametrize("number", [0, -7])
def test_an_entry_before_the_first_is_named(sealed_log, number):
    copy_entry(middle(), number)
    assert sealed_log.verify()["faults"] == [
        {"first": number, "last": number, "what": "added after it was sealed"}
    ]


def test_exchanged_entries_are_named(sealed_log):
    one, other = middle(), middle() + 7
    for source, number in ((one, 10**6), (other, one), (10**6, other)):
        sql("UPDATE audit_entry SET id = %s WHERE id = %s", number, source)
    assert [fault["first"] for fault in sealed_log.verify()["faults"]] == [one, other]


def test_a_log_cut_off_at_the_end_is_named(sealed_log):
    target, last = middle(), Entry.objects.order_by("-pk")[0].pk
    sql("DELETE FROM audit_entry WHERE id >= %s", target)
    sql("DELETE FROM audit_seal WHERE last_id >= %s", target)
    verdict = sealed_log.verify()
    assert {"first": target, "last": last, "what": "missing"} in verdict["faults"]
    assert verdict["first"] == target


def test_a_forged_chain_does_not_pass(sealed_log):
    target = middle()
    sql("UPDATE audit_entry SET actor_label = 'forged' WHERE id = %s", target)
    forge_chain()
    verdict = sealed_log.verify()
    assert verdict["first"] == target
    assert any("in the database is not that of the file" in f["what"] for f in verdict["faults"])


def test_the_first_bad_entry_is_named_however_many_there_are(sealed_log, monkeypatch):
    """An unrecorded erasure is found last, and may be that of the lowest entry."""
    monkeypatch.setattr(verification, "PROBLEMS_LISTED", 2)
    first, *others = Entry.objects.order_by("pk").values_list("pk", flat=True)[:9:2]
    Entry._base_manager.filter(pk=first).update(**erased(row_of(first), Part.SUBJECT))
    for target in others:
        sql("DELETE FROM audit_entry WHERE id = %s", target)
    verdict = sealed_log.verify()
    assert (verdict["first"], verdict["faults_untold"]) == (first, 3)


def test_an_entry_that_cannot_be_read_is_named(sealed_log):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite stores what is not of the column's type")
    sql("UPDATE audit_entry SET at = 'long ago' WHERE id = %s", middle())
    sql("UPDATE audit_entry SET actor_label = %s WHERE id = %s", b"\xff", middle() + 5)
    found = {(f["first"], f["what"]) for f in sealed_log.verify()["faults"]}
    assert {(middle(), "unreadable"), (middle() + 5, "unreadable")} <= found


def test_an_emptied_part_is_not_an_erasure(sealed_log):
    """What an erasure does to the entry, without the entry that records it."""
    target = middle()
    Entry._base_manager.filter(pk=target).update(**erased(row_of(target), Part.SUBJECT))
    assert sealed_log.verify()["faults"] == [
        {"first": target, "last": target, "what": "erased, and no entry records it"}
    ]


# A small version of benchmarks/audit_tampering.py.
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(where=st.floats(0, 0.999), kind=st.sampled_from(["change", "remove", "move", "none"]))
@example(where=0, kind="remove")
@example(where=0.999, kind="remove")
def test_whatever_is_done_to_an_entry_is_found(sealed_log, where, kind):
    ids = list(Entry.objects.order_by("pk").values_list("pk", flat=True))
    target = ids[int(where * len(ids))]
    statements = {
        "change": "UPDATE audit_entry SET after = '{\"x\": 0}' WHERE id = %s",
        "remove": "DELETE FROM audit_entry WHERE id = %s",
        "move": "UPDATE audit_entry SET id = -id WHERE id = %s",
        "none": "UPDATE audit_entry SET id = id WHERE id = %s",
    }
    with transaction.atomic():
        sql(statements[kind], target)
        verdict = sealed_log.verify()
        transaction.set_rollback(True)
    expected = {"change": target, "remove": target, "move": -target, "none": None}
    assert verdict["first"] == expected[kind]


# --- The file outside ----------------------------------------------------------------------------


def line_changed(log: Log, number: int) -> dict[str, Any]:
    what = f"The seal file's line {number} was changed: {log.file}"
    return {"first": None, "last": None, "what": what}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(where=st.floats(0, 0.999), bit=st.integers(0, 7))
def test_a_changed_byte_of_the_file_is_reported_with_its_line(sealed_log, where, bit):
    whole = sealed_log.file.read_bytes()
    at = int(where * len(whole))
    other = bytes([whole[at] ^ 1 << bit])
    assume(b"\n" not in (other, whole[at : at + 1]))
    sealed_log.file.write_bytes(whole[:at] + other + whole[at + 1 :])
    try:
        verdict = sealed_log.verify()
        assert sealed_log.seal()["exit"] == 1
    finally:
        sealed_log.file.write_bytes(whole)
    assert verdict["faults"] == [line_changed(sealed_log, whole[:at].count(b"\n") + 1)]


def rewrite_line(log: Log, number: int, /, **changes: Any) -> None:
    """Change fields of a line of the file, its own digest excepted."""
    texts = log.file.read_text().splitlines()
    texts[number - 1] = replace(log.lines()[number - 1], **changes).to_json()
    log.file.write_text("".join(f"{text}\n" for text in texts))


def with_print_of(line: SealLine, target: int) -> bytes:
    """The prints of the line with that of the entry as it is now."""
    start = list(from_ranges(line.ids)).index(target) * PRINT_LENGTH
    now = digest(row_of(target))[:PRINT_LENGTH]
    return line.prints[:start] + now + line.prints[start + PRINT_LENGTH :]


def test_an_entry_changed_together_with_its_print_is_reported_by_its_seal(sealed_log):
    line, target = sealed_log.lines()[1], sealed_log.lines()[1].first_id + 3
    sql("UPDATE audit_entry SET actor_label = 'forged' WHERE id = %s", target)
    rewrite_line(sealed_log, 2, prints=with_print_of(line, target))
    verdict = sealed_log.verify()
    assert verdict["faults"][0] == line_changed(sealed_log, 2)
    (problem,) = verdict["faults"][1:]
    assert (problem["first"], problem["last"]) == (line.first_id, line.last_id)
    assert verdict["first"] == line.first_id


def test_an_entry_is_named_though_its_line_was_changed_elsewhere(sealed_log):
    target = sealed_log.lines()[1].first_id + 3
    sql("UPDATE audit_entry SET actor_label = 'forged' WHERE id = %s", target)
    rewrite_line(sealed_log, 2, by="somebody")
    assert sealed_log.verify()["faults"] == [
        line_changed(sealed_log, 2),
        {"first": target, "last": target, "what": "changed"},
    ]


def test_a_recomputed_line_does_not_fit_the_others(sealed_log):
    line, target = sealed_log.lines()[1], sealed_log.lines()[1].first_id + 3
    sql("UPDATE audit_entry SET actor_label = 'forged' WHERE id = %s", target)
    found = [digest(row_of(number)) for number in from_ranges(line.ids)]
    forged = replace(line, prints=with_print_of(line, target), contents=contents_of(found))
    rewrite_line(sealed_log, 2, **vars(forged.digested()))
    verdict = sealed_log.verify()
    assert "Seal 2 in the database is not that of the file." in str(verdict["faults"])
    assert "seal 3 does not continue the previous one" in str(verdict["faults"])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2020-01-01 00:00:00"), ("by", "somebody"), ("first_id", -1), ("last_id", 10**6),
        ("entries", 1), ("digest", "f" * 64),
    ],
)  # fmt: skip
def test_a_changed_seal_in_the_database_is_reported(sealed_log, column, value):
    quoted = connection.ops.quote_name(column)
    assert sql(f"UPDATE audit_seal SET {quoted} = %s WHERE number = 2", value) == 1  # noqa: S608
    assert sealed_log.verify()["faults"] == [
        {"first": None, "last": None, "what": "Seal 2 in the database is not that of the file."}
    ]


@pytest.mark.parametrize(
    "text", ['{"number": 4242, "number": 5}', '{"a": {"b": 1, "b": 2}}', "null"]
)
def test_json_with_a_repeated_key_or_null_is_named(log, text):
    target = log.write(6)[-1].pk
    record(
        origin=Origin(channel=Channel.COMMAND),
        action=Action.APARTMENT_REGISTERED,
        after={"a": {"b": 2}},
    )
    nothing = log.write()[0].pk
    log.seal()
    column = "`before`" if connection.vendor == "mysql" else '"before"'
    bad = {
        "null": (nothing, column),
        '{"a": {"b": 1, "b": 2}}': (target + 1, "after"),
    }.get(text, (target, "after"))
    assert log.verify()["whole"]
    sql(f"UPDATE audit_entry SET {bad[1]} = %s WHERE id = %s", text, bad[0])  # noqa: S608
    assert {fault["first"] for fault in log.verify()["faults"]} == {bad[0]}


@pytest.mark.parametrize("grace", ["-1", "nan", "inf", "1e300", "-0.001"])
def test_a_wait_that_makes_no_sense_is_refused(log, grace):
    report = log.run("audit_seal", f"--grace={grace}")
    assert (report["exit"], report["error"]) == (2, "--grace must be 0 to 3600 seconds.")
    assert not Seal.objects.exists()


def test_a_file_without_its_end_is_found(sealed_log):
    *most, _ = sealed_log.file.read_text().splitlines(keepends=True)
    sealed_log.file.write_text("".join(most))
    verdict = sealed_log.verify()
    assert "lacks the database's seal" in verdict["faults"][0]["what"]
    assert sealed_log.seal()["exit"] == 1
    assert sealed_log.file.read_text() == "".join(most)


@pytest.mark.parametrize("text", ["", "nonsense\n", "[]\n", '{"seal": 1}\n', "\x00\xff\n"])
def test_a_file_of_another_kind_is_reported_in_a_sentence(sealed_log, text):
    sealed_log.file.write_text(text)
    for command in ("audit_seal", "audit_verify"):
        report = sealed_log.run(command)
        assert report["exit"] == 1
        assert str(sealed_log.file) in report["error"]


def test_a_missing_file_is_reported(log, tmp_path):
    assert log.verify()["exit"] == 1
    log.seal()
    log.file.unlink()
    assert log.seal()["exit"] == 1
    assert not log.verify()["whole"]


@pytest.mark.parametrize(
    "arguments", [("audit_seal",), ("audit_seal", "--dry-run"), ("audit_verify",)]
)
def test_a_missing_directory_is_reported_and_not_created(sealed_log, tmp_path, arguments):
    sealed_log.file = tmp_path / "disk" / "seals.jsonl"
    report = sealed_log.run(*arguments)
    assert (report["exit"], report["error"]) == (
        1,
        f"{tmp_path}/disk does not exist: is it mounted?",
    )
    assert not (tmp_path / "disk").exists()


def test_a_directory_is_reported(log):
    log.file.mkdir()
    assert log.seal()["exit"] == 1
    assert log.verify()["exit"] == 1


# --- Killed, and at once -------------------------------------------------------------------------


def test_a_seal_that_only_the_file_has_is_taken_over(sealed_log):
    """Killed between file and database."""
    last = Seal.objects.order_by("-number")[0]
    Seal.objects.filter(pk=last.pk).delete()
    verdict = sealed_log.verify()
    assert verdict["whole"]
    assert verdict["notes"]
    assert sealed_log.seal()["taken_over"] == last.number
    assert Seal.objects.get(pk=last.pk).digest == last.digest
    assert not sealed_log.verify()["notes"]


def test_a_seal_that_the_entries_do_not_fit_is_not_taken_over(sealed_log):
    last = Seal.objects.order_by("-number")[0]
    Seal.objects.filter(pk=last.pk).delete()
    sql("UPDATE audit_entry SET actor_label = 'forged' WHERE id = %s", last.first_id)
    report = sealed_log.seal()
    assert (report["exit"], Seal.objects.filter(pk=last.pk).exists()) == (1, False)
    assert sealed_log.verify()["first"] == last.first_id


def test_a_database_put_back_by_one_seal_is_told_from_a_killed_sealing(sealed_log):
    last = Seal.objects.order_by("-number")[0]
    Seal.objects.filter(pk=last.pk).delete()
    sql("DELETE FROM audit_entry WHERE id >= %s", last.first_id)
    verdict = sealed_log.verify()
    assert (verdict["whole"], verdict["notes"]) == (False, [])
    report = sealed_log.seal()
    assert report["exit"] == 1 and f"ends with seal {last.number - 1}" in report["error"]


def test_a_torn_line_is_dropped(sealed_log):
    """Killed while writing the file."""
    whole = sealed_log.file.read_text()
    sealed_log.file.write_text(whole + '{"seal": 99, "at')
    assert sealed_log.verify()["whole"]
    sealed_log.write()
    assert sealed_log.seal()["sealed"] == 1
    assert sealed_log.file.read_text().startswith(whole + '{"seal": ')
    assert sealed_log.verify()["whole"]


def test_what_a_transaction_has_not_committed_is_left_for_later(log, commits):
    """On MariaDB ids are assigned before rows are committed; SQLite has one writer at a time."""
    if connection.vendor != "mysql":
        pytest.skip("SQLite has one writer at a time")
    log.seal()
    log.write(3)
    with closing(connection.copy()) as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO audit_entry ({COLUMNS}) SELECT {COLUMNS} FROM audit_entry LIMIT 1"  # noqa: S608
            )
        later = log.write()[0]
        report = log.seal()
        again = log.seal()
        other.commit()
    # Entries before the row are sealed, later ones are not. MariaDB locks one row more.
    assert (report["exit"], report["still_writing"]) == (0, True)
    assert 0 < report["sealed"] <= 3
    assert (again["exit"], again["sealed"], again["still_writing"]) == (0, 0, True)
    assert log.seal()["sealed"] == 5 - report["sealed"]
    assert Seal.objects.order_by("-number")[0].last_id == later.pk
    assert log.verify()["whole"]


# --- From the shell ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", ["audit_seal", "audit_verify", "audit_archive", "person_erase", "check_data"]
)
def test_help_says_what_the_command_does(command):
    report = subprocess.run(
        [sys.executable, "manage.py", command, "--help"],
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert all(word in report for word in ("Reads:", "Writes:", "Exit codes:", "--dry-run"))


def test_one_is_one(sealed_log, capsys):
    sealed_log.write(1)
    call_command("audit_seal", "--grace=0", f"--file={sealed_log.file}")
    assert capsys.readouterr().out.startswith("Sealed: 1 entry.")
