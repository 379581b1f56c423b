"""`check --deploy` where the program, its settings and backups are not in the hands that the README names."""

import grp
import os
import pwd
import re
import shutil

import pytest

from tests import test_deployment_service as service
from tests.test_deployment_service import SERVICE, change, give_settings

pytestmark = service.pytestmark
# The installation that root made and another user serves.
place, made, installation = service.place, service.made, service.installation

# Somebody whom this machine does not know.
OTHER = 65533


def told_in_prose(found, warning, *places):
    """What this warning advises: no command, and that these places stay as they are."""
    remedy = found[warning][1]
    assert not any(word in remedy for word in ("chmod", "chown", "chgrp", "rm -")), remedy
    assert all(str(place) in remedy for place in places), remedy
    return remedy


@pytest.mark.parametrize(
    ("owner", "group", "mode", "told"),
    [
        (SERVICE, 0, 0o755, "W014"),
        (OTHER, OTHER, 0o755, "W014"),
        (0, pwd.getpwnam("daemon").pw_gid, 0o2775, "W014"),
        (0, 0, 0o777, "W011"),
        (0, 0, 0o700, "W016"),
    ],
)
def test_a_folder_above_the_program_is_told_and_stays(installation, owner, group, mode, told):
    above = installation.home.parent
    os.chown(above, owner, group)
    above.chmod(mode)
    for installation.user in (None, SERVICE) if told != "W016" else (None,):
        found = installation.warnings()
        assert set(found) == {f"omarty.{told}"}
        assert str(above) in found[f"omarty.{told}"][0]
        assert "such as /srv/omarty" in told_in_prose(found, f"omarty.{told}", above)


def test_a_folder_above_the_program_that_is_nobody_elses(installation):
    above = installation.home.parent
    # Where a folder is sticky, as /tmp is, nobody moves what is another's.
    above.chmod(0o1777)
    assert installation.warnings() == {}
    primary = {user.pw_gid for user in pwd.getpwall()}
    empty = next(each for each in grp.getgrall() if not each.gr_mem and each.gr_gid not in primary)
    # A group without members.
    os.chown(above, 0, empty.gr_gid)
    above.chmod(0o2775)
    assert installation.warnings() == {}


def test_a_link_within_an_environment_leads_nowhere_else(installation):
    environment = installation.home / ".venv"
    (environment / "lib").mkdir(parents=True, exist_ok=True)
    (environment / "lib64").symlink_to("lib")
    for each in (environment, environment / "lib"):
        os.chown(each, SERVICE, SERVICE)
    installation.user = None
    remedy = installation.warnings()["omarty.W014"][1]
    assert str(environment) in remedy
    assert "Move the program" not in remedy


@pytest.mark.parametrize("name", [".venv", "staticfiles", ".venv/bin"])
@pytest.mark.parametrize(("mode", "told"), [(0o755, "W014"), (0o777, "W011")])
def test_what_a_link_of_the_program_leads_to_stays_whose_it_is(installation, name, mode, told):
    shared, link = installation.home.parent / "shared", installation.home / name
    link.parent.mkdir(exist_ok=True)
    if link.exists():
        link.rename(shared)
    shared.mkdir(exist_ok=True)
    link.symlink_to(shared)
    os.chown(shared, OTHER, OTHER)
    shared.chmod(mode)
    installation.user = None
    found = installation.warnings()
    assert set(found) == {f"omarty.{told}"}
    told_in_prose(found, f"omarty.{told}", shared)


@pytest.mark.parametrize("setting", ["DATABASE_URL", "AUDIT_SEAL_FILE"])
def test_a_program_whose_folder_the_database_or_the_seals_lie_in(installation, setting):
    home = installation.home
    for name in ("", "omarty"):
        os.chown(home / name, SERVICE, SERVICE)
    (home / "data" / "omarty.sqlite3").rename(home / "omarty.sqlite3")
    give_settings(installation, DATABASE_URL="sqlite:///omarty.sqlite3")
    if setting == "AUDIT_SEAL_FILE":
        (home / "omarty.sqlite3").rename(home / "data" / "omarty.sqlite3")
        give_settings(installation, DATABASE_URL="sqlite:///data/omarty.sqlite3")
        give_settings(installation, AUDIT_SEAL_FILE="audit-seals.jsonl")
    installation.user = None
    sentence, remedy = installation.warnings()["omarty.W014"]
    assert f"can change the program: {home}, {home}/omarty." in sentence
    assert remedy.startswith("First move") and f"{setting}=" in remedy
    installation.paste(remedy)
    # It can still be written.
    assert home.stat().st_uid == SERVICE and (home / "omarty").stat().st_uid == 0


@pytest.mark.parametrize(("owner", "mode"), [(OTHER, 0o644), (0, 0o664)])
def test_a_program_that_somebody_else_can_change(installation, owner, mode):
    file = installation.home / "omarty" / "wsgi.py"
    os.chown(file, owner, OTHER)
    file.chmod(mode)
    for installation.user in (None, SERVICE):
        found = installation.warnings()
        assert set(found) == {"omarty.W014"}
        who = f"the group {OTHER}" if owner == 0 else str(OTHER)
        assert found["omarty.W014"][0].endswith(f"{who} can change the program: {file}.")
    give_settings(installation, DEBUG="true", HTTPS="true")
    # Who tries it out has a clone of their own.
    assert set(installation.warnings()) == {"omarty.W004"}
    give_settings(installation, DEBUG="false")
    installation.paste(found["omarty.W014"][1])
    assert installation.warnings() == {}


@pytest.mark.parametrize("name", ["omarty/templates/backoffice", "omarty/wsgi.py", "manage.py"])
def test_a_program_that_is_closed_to_the_service(installation, name):
    place = installation.home / name
    place.chmod(0o700 if place.is_dir() else 0o600)
    for installation.user in (None, SERVICE) if name != "manage.py" else (None,):
        found = installation.warnings()
        assert set(found) == {"omarty.W016"}
        assert str(place) in found["omarty.W016"][0]
    installation.paste(found["omarty.W016"][1])
    installation.user = SERVICE
    assert installation.warnings() == {}


def test_only_what_the_server_needs_is_opened(installation):
    home, omarty = installation.home, installation.home / "omarty"
    for name in (".wsgi.py.swp", "notes", "notes.md", "keys.pem"):
        (omarty / name).touch(mode=0o600)
    installation.user = None
    assert installation.warnings() == {}
    for number in range(21):
        (omarty / f"more{number}.py").touch(mode=0o600)
    home.chmod(0o700)
    found = installation.warnings()
    assert set(found) == {"omarty.W016"}
    assert "chmod o+rx" in found["omarty.W016"][1] and "And 2 more" in found["omarty.W016"][1]
    installation.paste(found["omarty.W016"][1])
    installation.paste(installation.warnings()["omarty.W016"][1])
    assert installation.warnings() == {}
    assert home.stat().st_mode & 0o777 == 0o705
    assert (omarty / "notes").stat().st_mode & 0o077 == 0


def test_a_file_of_the_program_that_is_closed_is_opened_and_not_removed(installation):
    file = installation.home / "omarty" / "api" / "tokens.py"
    file.chmod(0o600)
    # What Python keeps of it would be read in its place.
    shutil.rmtree(file.parent / "__pycache__", ignore_errors=True)
    refused = installation.run("check").stderr
    assert f"{file}: Permission denied." in refused and "Remove" not in refused
    installation.paste(refused.strip().partition("As root: ")[2])
    installation.succeed("check")


# --- who serves -----------------------------------------------------------------------------------


def test_settings_that_the_service_cannot_read_are_told_by_root(installation):
    keys = installation.home / ".env"
    os.chown(keys, 0, 0)
    keys.chmod(0o600)
    installation.user = None
    found = installation.warnings()
    assert set(found) == {"omarty.W017"}
    assert "nobody, as whom Omarty is served, cannot read" in found["omarty.W017"][0]
    installation.paste(found["omarty.W017"][1])
    for installation.user in (None, SERVICE):
        assert installation.warnings() == {}


@pytest.mark.parametrize("group", [False, True])
def test_settings_that_are_given_to_somebody_else_than_the_files(installation, group):
    keys = installation.home / ".env"
    other = pwd.getpwnam("daemon")
    os.chown(keys, 0 if group else other.pw_uid, other.pw_gid)
    keys.chmod(0o640 if group else 0o600)
    installation.user = None
    found = installation.warnings()
    assert set(found) == {"omarty.W015"}
    sentence, remedy = found["omarty.W015"]
    assert "is for daemon to read" in sentence and "lie is nobody's" in sentence
    [line] = re.findall(r"If it is nobody: `(.*?)`", remedy)
    installation.paste(line)
    assert installation.warnings() == {}


def test_backups_that_the_service_can_delete(installation):
    backups = installation.home / "backups"
    for each in (backups, *backups.iterdir()):
        os.chown(each, SERVICE, SERVICE)
    backups.chmod(0o700)
    for installation.user in (None, SERVICE):
        found = installation.warnings()
        assert set(found) == {"omarty.W038"}
    installation.paste(found["omarty.W038"][1])
    assert (backups / "today.sqlite3").stat().st_uid == 0
    for installation.user in (None, SERVICE):
        assert installation.warnings() == {}


@pytest.mark.parametrize(("name", "owner"), [("a.sql.gz", OTHER), ("report", 0)])
def test_backups_among_which_others_have_files_stay_theirs(installation, name, owner):
    backups = installation.home.parent / "backups"
    (installation.home / "backups").rename(backups)
    (backups / "a" / "b").mkdir(parents=True)
    theirs = backups / "a" / "b" / name
    theirs.touch(mode=0o644)
    os.chown(theirs, owner, owner)
    os.chown(backups, SERVICE, SERVICE)
    backups.chmod(0o700)
    give_settings(installation, BACKUP_DIRECTORY=str(backups))
    found = installation.warnings()
    assert set(found) == {"omarty.W038"}
    assert "BACKUP_DIRECTORY in .env" in told_in_prose(found, "omarty.W038", backups)
    theirs.unlink()
    installation.paste(installation.warnings()["omarty.W038"][1])
    assert installation.warnings() == {}


def test_a_folder_of_roots_programs_is_not_given_to_the_service(installation):
    tools = installation.home.parent / "tools"
    (installation.home / "data").rename(tools)
    (tools / "bin").mkdir()
    (tools / "bin" / "tool").touch(mode=0o755)
    os.chown(tools, 0, 0)
    tools.chmod(0o755)
    url = f"sqlite:///{tools}/omarty.sqlite3"
    give_settings(installation, DATABASE_URL=url, AUDIT_SEAL_FILE=str(tools / "seals.jsonl"))
    for installation.user in (None, SERVICE):
        found = installation.warnings()
        assert set(found) == {"omarty.W027", "omarty.W029", "omarty.W052"}
        assert "AUDIT_SEAL_FILE in .env" in told_in_prose(found, "omarty.W029", tools)
        assert "folder of the service's own" in told_in_prose(found, "omarty.W052")
    (tools / "bin" / "tool").unlink()
    installation.paste(installation.warnings()["omarty.W052"][1])
    assert set(installation.warnings()) == {"omarty.W027"}


def test_a_copy_of_the_seals_that_is_closed_is_told_in_one_sentence(installation):
    change(installation, "before")
    copy = installation.home / "copy.jsonl"
    copy.touch(mode=0o600)
    refused = installation.run("audit_verify", "--file", str(copy))
    assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1
    assert f"{copy}: Permission denied." in refused.stderr
