"""`manage.py import_legacy` as a program: its exit code, its output, and what a kill leaves."""

import json
import os
import pty
import random
import re
import signal
import subprocess
import time
from typing import Any

import pytest

from tests import mariadb
from tests.legacy import Legacy
from tests.program import Program

pytestmark = pytest.mark.skipif(bool(mariadb.missing()), reason=mariadb.missing())


def rows(program: Program) -> dict[str, list[str]]:
    """All rows that the import wrote, without what differs between runs."""
    dump = json.loads(program.succeed("dumpdata", "audit", "contacts", "buildings", "legacy"))
    buildings = {
        each["pk"]: each["fields"] for each in dump if each["model"] == "buildings.building"
    }
    found: dict[str, list[str]] = {}
    for each in dump:
        row = json.dumps(steady(each, buildings), sort_keys=True)
        found.setdefault(each["model"], []).append(row)
    return {model: sorted(texts) for model, texts in found.items()}


def steady(each: dict[str, Any], buildings: dict[int, Any]) -> dict[str, Any]:
    """A dumped row without the ids that the database assigned and the times of writing."""
    model, fields = each["model"], each["fields"]
    counted = {
        "audit.entry", "contacts.claim", "buildings.building", "legacy.legacyrow",
        "legacy.quarantinedrow",
    }  # fmt: skip
    volatile = {"request_id", "session_stamp", "claim", "actor_proof", "subject_proof"}
    # From when on an imported contact recovers a password: from when it came in.
    volatile.add("recovers_from")
    if fields.get("channel") != "legacy":
        volatile.add("at")
    if model != "contacts.user" or not fields["created_at"].startswith("2022"):
        volatile.add("created_at")
    if fields.get("target_type") in {"building", "quarantinedrow"}:
        volatile.add("target_id")
        # A building without a name has its id as label.
        if fields["target_label"] == f"#{fields['target_id']}":
            volatile.add("target_label")
    if model == "buildings.block":
        fields["building"] = buildings[fields["building"]]
    if model == "legacy.legacyrow":
        fields["imported"].pop("building_id", None)
        volatile |= {"record_id"} if fields["table"] == "places" else set()
    key = None if model in counted else each["pk"]
    return {"pk": key} | {name: value for name, value in fields.items() if name not in volatile}


def fill(legacy: Legacy, people: int) -> None:
    """Add this many people, each with a unit, a relation, a phone and a log row."""
    numbers = f"FROM seq_1_to_{people}"
    for statement in (
        "Resident_User (ID, Name, Email, PhoneNum, StatusID, Hide, Password, CreatedAt)"
        " SELECT 10000 + seq, CONCAT('Person ', seq), CONCAT('p', seq, '@example.org'),"
        f" CONCAT('0111', LPAD(seq, 7, '0')), 2, 0, '', '2022-06-01 10:00:00' {numbers}",
        f"Apartment (ID, ApartmentNumber, BlockID) SELECT 10000 + seq, 100 + seq DIV 2, 501 {numbers}",
        "RES_APART_BLOCK_ROLE (ID, ResidentID, ApartmentID, BlockID, RoleID, StatusID)"
        f" SELECT 10000 + seq, 10000 + seq, 10000 + seq, 501, 6, 2 {numbers}",
        "PhoneNums (ID, UserID, PhoneNum, Hide)"
        f" SELECT 10000 + seq, 10000 + seq, CONCAT('0122', LPAD(seq, 7, '0')), 0 {numbers}",
        "Logs (ID, UserID, LogTypeID, Action, LogRecordIdInActualTable, LogActualTable, Date)"
        " SELECT 10000 + seq, 10000 + seq, 5, 'Login', '1', 'Resident_User',"
        f" '2023-05-04 04:05:06pm' {numbers}",
    ):
        legacy.run(f"INSERT INTO {statement}")  # noqa: S608


def test_killed_at_any_moment_and_run_again_it_ends_the_same(program, legacy):
    fill(legacy, 400)
    began = time.monotonic()
    assert program.run("import_legacy", legacy.url).returncode == 0
    lasted = time.monotonic() - began
    whole = rows(program)
    assert len(whole["contacts.user"]) == 408
    assert program.run("flush", "--no-input").returncode == 0

    moments = [random.uniform(0.1, 1) * lasted for _ in range(3)]  # noqa: S311
    for moment in moments:
        process = program.start("import_legacy", legacy.url, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        process.kill()
        process.wait()
        assert process.returncode in (-signal.SIGKILL, 0), f"{process.returncode} at {moment}"
    last = program.run("import_legacy", legacy.url, "--json")
    assert last.returncode == 0, last.stderr
    assert json.loads(last.stdout)["not_accounted_for"] == []
    assert rows(program) == whole, f"killed after {moments} of {lasted} seconds"


def test_it_says_what_it_does_and_how_it_ended(program, legacy):
    help_text = program.run("import_legacy", "--help").stdout
    assert all(word in help_text for word in ("Reads: ", "Writes: ", "Exit codes: 0 done"))

    done = program.run("import_legacy", legacy.url)
    assert done.returncode == 0
    assert "Resident_User: 8 of 8" in done.stderr
    assert "PhoneNums 605: Belongs to a service" in done.stderr
    assert re.search(r"^Resident_User +8 +8 +0 +0 +0 +0 +5$", done.stdout, re.M)
    assert "Message (1)" in done.stdout

    assert program.run("import_legacy").returncode == 2
    assert program.run("import_legacy", "nonsense").returncode == 2
    refused = program.run("import_legacy", "mysql://me@localhost/x?unix_socket=/nowhere", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"].startswith("The legacy database says: Can't connect")


@pytest.mark.parametrize(("arguments", "bar"), [((), True), (("--no-progress",), False)])
def test_a_terminal_shows_a_progress_bar_and_the_errors_above_it(program, legacy, arguments, bar):
    screen, terminal = pty.openpty()
    process = program.start(
        "import_legacy", legacy.url, "--dry-run", *arguments,
        stdout=subprocess.DEVNULL, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    while True:
        try:
            part = os.read(screen, 4096)
        except OSError:
            break
        shown += part
        if not part:
            break
    assert process.wait() == 0
    text = shown.decode()
    assert ("━" in text) == bar
    assert ("PhoneNums: 9 of 9" in text) != bar
    assert "PhoneNums 604: Not a phone number" in text
