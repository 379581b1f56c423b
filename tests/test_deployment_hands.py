"""`check --deploy` where the program, its settings and backups are not in the hands that the README names."""

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


@pytest.mark.parametrize(("owner", "mode", "told"), [(SERVICE, 0o755, "W014"), (0, 0o777, "W011")])
def test_a_folder_above_the_program_in_which_it_can_be_replaced(installation, owner, mode, told):
    above = installation.home.parent
    os.chown(above, owner, 0)
    above.chmod(mode)
    for installation.user in (None, SERVICE):
        found = installation.warnings()
        assert set(found) == {f"omarty.{told}"}
        assert str(above) in found[f"omarty.{told}"][0]
    installation.paste(found[f"omarty.{told}"][1])
    assert installation.warnings() == {}
    # Where a folder is sticky, as /tmp is, nobody moves what is another's.
    above.chmod(0o1777)
    assert installation.warnings() == {}


def test_a_folder_above_the_program_that_has_files_of_others_stays_theirs(installation):
    above = installation.home.parent
    (above / "theirs").touch()
    for place in (above, above / "theirs"):
        os.chown(place, OTHER, OTHER)
    sentence, remedy = installation.warnings()["omarty.W014"]
    assert f"{OTHER} can change the program: {above}." in sentence
    assert "such as /srv/omarty" in remedy and "chown" not in remedy


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


def test_a_copy_of_the_seals_that_is_closed_is_told_in_one_sentence(installation):
    change(installation, "before")
    copy = installation.home / "copy.jsonl"
    copy.touch(mode=0o600)
    refused = installation.run("audit_verify", "--file", str(copy))
    assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1
    assert f"{copy}: Permission denied." in refused.stderr
