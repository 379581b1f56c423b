"""`check --deploy` where files are of another kind, broken, or gone: no traceback, and no harmful remedy."""

import os
import re
import sqlite3
import time
from contextlib import closing

import pytest

from tests.conftest import ONCE
from tests.test_deployment_backups import START, TABLES

pytestmark = ONCE
ONE_TABLE = START + b"\nCREATE TABLE `audit_entry` (\n);\n" + b"x" * 2000
TABLE_NAMES = re.findall(r"CREATE TABLE `(\w+)`", TABLES.decode())
SQL = START + TABLES + b"x" * 2000


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("AUDIT_SEAL_FILE", "backups", "backups is a folder, and no file."),
        ("AUDIT_SEAL_FILE", "/dev/null", "/dev/null is a device, and no file."),
        ("AUDIT_SEAL_FILE", "manage.py/seals.jsonl", "manage.py is a file, and no folder."),
        ("BACKUP_DIRECTORY", "manage.py", "manage.py is a file, and no folder."),
        ("BACKUP_DIRECTORY", "/dev/null", "/dev/null is a device, and no folder."),
        ("BACKUP_DIRECTORY", "/", "/ is the system's, and no folder of backups alone."),
        ("BACKUP_DIRECTORY", "/var", "/var is the system's, and no folder of backups alone."),
        ("DATABASE_URL", "sqlite:///data", "data is a folder, and no file."),
    ],
)
def test_a_place_of_the_wrong_kind_is_told_and_not_changed(configured, setting, value, told):
    configured.set(**{setting: value})
    found = configured.warnings()
    # A folder for the database has the seals beside it, and the backups below.
    assert set(found) - {"omarty.W024", "omarty.W027"} == {"omarty.W013"}
    sentence, remedy = found["omarty.W013"]
    assert sentence.endswith(told) and remedy.startswith(f"Correct {setting} in .env")


@pytest.mark.parametrize("folder", ["/", "/etc", "/var/lib", "/home", "/dev"])
def test_no_folder_of_the_systems_is_changed(configured, folder):
    place = "/".join([folder.rstrip("/"), "seals.jsonl"])
    configured.set(BACKUP_DIRECTORY=folder, AUDIT_SEAL_FILE=place)
    found = configured.warnings()
    assert (
        "BACKUP_DIRECTORY in .env"
        in found["omarty.W010" if folder == "/var/lib" else "omarty.W013"][1]
    )
    assert not any(word in str(found) for word in ("chmod", "chown", "chgrp"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to somebody else")
def test_no_folder_with_entries_of_others_is_changed(installation, tmp_path):
    backups = tmp_path / "others"
    backups.mkdir(mode=0o755)
    (backups / "theirs").touch()
    os.chown(backups / "theirs", 65533, 65533)
    installation.set(BACKUP_DIRECTORY=str(backups))
    assert "another place" in installation.warnings()["omarty.W010"][1]
    (backups / "theirs").unlink()
    assert installation.warnings()["omarty.W010"][1] == f"chmod 700 {backups}"


def test_a_database_of_an_older_version_is_told(installation):
    with sqlite3.connect(installation.home / "data" / "omarty.sqlite3") as database:
        database.execute(
            "DELETE FROM django_migrations WHERE id IN (SELECT max(id) FROM django_migrations)"
        )
    _sentence, hint = installation.warnings()["omarty.W051"]
    assert hint.endswith("manage.py migrate")


@pytest.mark.parametrize("empty", [False, True])
def test_a_database_that_is_gone_is_told_and_not_made(installation, empty):
    file = installation.home / "data" / "omarty.sqlite3"
    file.unlink()
    if empty:
        file.touch(0o600)
    installation.set(BACKUP_DIRECTORY="elsewhere")
    found = installation.warnings()
    assert set(found) == {"omarty.W050", "omarty.W023"}
    assert f"not there, or empty: {file}." in found["omarty.W050"][0]
    assert "Restore a backup" in found["omarty.W050"][1]
    assert "sqlite3" not in found["omarty.W023"][1]
    assert file.exists() == empty


def test_what_only_looks_like_a_backup_is_none(installation):
    folder = installation.home / "elsewhere"
    folder.mkdir(mode=0o700)
    installation.set(BACKUP_DIRECTORY="elsewhere")
    whole = (installation.home / "backups" / "today.sqlite3").read_bytes()
    with closing(sqlite3.connect(folder / "nothing.sqlite3")) as nothing:
        nothing.execute("CREATE TABLE other (id)")
    (folder / "cut.sqlite3").write_bytes(whole[:-4096])
    with closing(sqlite3.connect(folder / "schema.sqlite3")) as schema:
        schema.executescript("".join(f"CREATE TABLE {table} (id);\n" for table in TABLE_NAMES))
    (folder / "one.sql").write_bytes(ONE_TABLE + b"\n-- Dump completed on 2026-01-31\n")
    (folder / "cut.sql").write_bytes(SQL)
    (folder / "today.log").write_bytes(SQL + b"-- Dump completed")
    (folder / "notes.txt").write_bytes(b"x" * 5000)
    future = folder / "future.sqlite3"
    future.write_bytes(whole)
    os.utime(future, (time.time() + 2 * 24 * 60 * 60,) * 2)
    assert set(installation.warnings()) == {"omarty.W023"}
    os.utime(future)
    assert installation.warnings() == {}
    future.unlink()
    (folder / "cut.sql").write_bytes(SQL + b"\n-- Dump completed on 2026-01-31\n")
    assert installation.warnings() == {}


def test_links_in_a_circle_and_a_broken_manifest_end_no_command_in_a_traceback(installation):
    static = installation.home / "staticfiles"
    for content in ("{broken", "[]"):
        (static / "staticfiles.json").write_text(content)
        found = installation.warnings()
        assert set(found) == {"omarty.W009"}
    installation.paste(found["omarty.W009"][1])
    assert installation.warnings() == {}
    static.rename(installation.home / "aside")
    static.symlink_to("staticfiles")
    for command in (["check", "--deploy"], ["collectstatic", "--no-input"]):
        refused = installation.run(*command)
        assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1
        assert str(static) in refused.stderr


def test_settings_that_are_no_text_end_every_command_with_a_sentence(installation):
    keys = installation.home / ".env"
    keys.write_bytes(keys.read_bytes() + b"X=\xff\n")
    for command in ("check", "audit_seal", "migrate"):
        refused = installation.run(command)
        assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1
        assert f"{keys} is not UTF-8" in refused.stderr
    keys.unlink()
    keys.mkdir()
    refused = installation.run("check").stderr
    assert "is no file that can be read: Is a directory." in refused and "chmod" not in refused
    keys.rmdir()
    keys.symlink_to(".env")
    refused = installation.run("check").stderr
    assert "is no file that can be read: Too many levels" in refused and "chmod" not in refused


def test_a_seal_file_that_is_not_the_databases(installation):
    for name in ("a", "b"):
        installation.succeed("export_units", str(installation.home / "data" / f"{name}.csv"))
        installation.succeed("audit_seal", "--grace=0")
    file = installation.home / "audit-seals.jsonl"
    assert installation.warnings() == {}
    seals = file.read_text()
    file.write_text("")
    found = installation.warnings()
    assert set(found) == {"omarty.W037"}
    assert "ends with seal 0, the database with seal 2" in found["omarty.W037"][0]
    assert "Saving and restoring" in found["omarty.W037"][1]
    file.write_text(seals)
    backup = installation.home / "backups" / "today.sqlite3"
    backup.rename(installation.home / "data" / "before.sqlite3")
    installation.set(DATABASE_URL="sqlite:///data/before.sqlite3")
    assert "omarty.W037" in installation.warnings()


def test_dumpdata_without_a_database_ends_with_the_same_sentence(installation):
    installation.set(DATABASE_URL="sqlite:///gone/x.sqlite3")
    refused = installation.run("dumpdata", "contacts.user")
    assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1
    assert f"{installation.home}/gone/x.sqlite3. DATABASE_URL in .env" in refused.stderr


@pytest.mark.parametrize(
    "line",
    [
        "JWT_FORMER_KEYS = {}",
        "SECRET KEY={}",
        " DEBUG={}",
        "{}",
        "  # OLD={}",
        "SMS_URL={}\0",
        "\tDEBUG={}",
    ],
)
def test_a_line_of_settings_that_sets_nothing_stops_the_start_and_is_not_repeated(
    installation, line
):
    keys, secret = installation.home / ".env", "not-to-be-seen-in-any-log-0123456789"
    with keys.open("a", encoding="utf-8") as file:
        file.write(f"\n# What follows is wrong.\n{line.format(secret)}\n")
    refused = installation.run("check")
    number = len(keys.read_text(encoding="utf-8").splitlines())
    assert refused.returncode == 1
    assert f"Line {number} of {keys} is no NAME=value" in refused.stderr
    assert secret not in refused.stderr + refused.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PHONE_REGION", "{}"),
        ("DEBUG", "{}"),
        ("PROXIES", "{}"),
        ("DATABASE_URL", "mysql://u:{}/x@h:3306/n"),
        ("DATABASE_URL", "mysql://u:[{}]@h/n"),
        ("EMAIL_URL", "smtp://[{}]@h"),
        ("SMS_URL", "http://[{}]/x"),
        ("SMS_COUNTRIES", "{}"),
    ],
)
def test_a_malformed_value_is_named_and_not_repeated(installation, name, value):
    secret = "not-to-be-seen-0123456789"
    installation.set(SMS_FIELDS="to={to}&text={text}", **{name: value.format(secret)})
    refused = installation.run("check")
    assert refused.returncode == 1
    assert f"{name} must" in refused.stderr and secret not in refused.stderr + refused.stdout


def test_a_mark_before_the_first_line_is_none_of_its_name(installation):
    keys = installation.home / ".env"
    keys.write_text(keys.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert installation.run("check").returncode == 0
