"""`check --deploy` and commands where root installs and another user serves, as the README says."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from sysconfig import get_path
from typing import Any

import environ
import pytest

from tests import mariadb
from tests.conftest import ONCE
from tests.house import ROOT
from tests.installation import Installation

# Nobody: they own no file of this machine.
SERVICE = 65534


def open_python():
    """A Python of this version that nobody may run, with the packages of ours; None if there is none."""
    if os.geteuid() != 0:
        return None
    # That of the tests may lie in root's home.
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with suppress(OSError):
            options: dict[str, Any] = {"user": SERVICE, "group": SERVICE, "extra_groups": []}
            environment = {"PYTHONPATH": get_path("purelib")}
            command = [python, "-c", "import django"]
            if not subprocess.run(
                command, capture_output=True, env=environment, **options
            ).returncode:
                return python
    return None


PYTHON = open_python()
pytestmark = [ONCE, pytest.mark.skipif(PYTHON is None, reason="nobody can serve here")]


def give(installation):
    """The service's files to the service; its settings and backups root's, for it to read."""
    installation.home.chmod(0o755)
    for name in ("data", "seals"):
        folder = installation.home / name
        folder.mkdir(mode=0o700, exist_ok=True)
        for each in (folder, *folder.iterdir()):
            os.chown(each, SERVICE, SERVICE)
    os.chown(installation.home / "backups", 0, SERVICE)
    (installation.home / "backups").chmod(0o750)
    give_settings(installation)
    installation.user, installation.python = SERVICE, PYTHON
    return installation


def give_settings(installation, **settings):
    installation.set(**settings)
    os.chown(installation.home / ".env", 0, SERVICE)
    (installation.home / ".env").chmod(0o640)


@pytest.fixture(scope="module")
def place():
    """A folder that everybody may pass through, as pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="omarty-service-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made(place):
    (place / "made").mkdir()
    return Installation(place / "made", AUDIT_SEAL_FILE="seals/audit-seals.jsonl").make()


@pytest.fixture
def installation(made, place):
    home = Path(tempfile.mkdtemp(dir=place)) / "here"
    home.parent.chmod(0o755)
    return give(made.copied_to(home))


def test_an_installation_as_the_readme_says_is_told_nothing(installation):
    assert installation.warnings() == {}
    installation.user = None
    assert installation.warnings() == {}


# --- places that are closed ---------------------------------------------------------------------


def test_a_closed_folder_is_told_and_all_else_too_and_its_remedy_opens_the_way(installation):
    closed = installation.home / "disk"
    (closed / "backups").mkdir(parents=True)
    (installation.home / "backups" / "today.sqlite3").rename(closed / "backups" / "today.sqlite3")
    for folder in (closed, closed / "backups"):
        folder.chmod(0o700)
    give_settings(installation, BACKUP_DIRECTORY="disk/backups", PROXIES="0")
    found = installation.warnings()
    assert set(found) == {"omarty.W012", "omarty.W006"}
    sentence, remedy = found["omarty.W012"]
    assert f"{closed}/backups cannot be looked at by nobody: Permission denied." in sentence
    assert remedy == f"As root:\n    chmod o+x {closed}"
    installation.paste(remedy)
    # Who passes through cannot look into the folder itself yet.
    found = installation.warnings()
    assert set(found) == {"omarty.W012", "omarty.W006"}
    installation.paste(found["omarty.W012"][1])
    assert set(installation.warnings()) == {"omarty.W006"}
    assert (closed / "backups").stat().st_mode & 0o007 == 0


@pytest.mark.parametrize("setting", ["AUDIT_SEAL_FILE", "DATABASE_URL"])
def test_no_closed_folder_ends_the_check(installation, setting):
    (installation.home / "disk").mkdir(mode=0o700)
    prefix = "sqlite:///" if setting == "DATABASE_URL" else ""
    give_settings(installation, PROXIES="0", **{setting: f"{prefix}disk/below/file"})
    assert {"omarty.W012", "omarty.W006"} <= set(installation.warnings())


def test_no_circle_of_links_ends_the_check(installation):
    (installation.home / "circle").symlink_to("circle")
    give_settings(installation, BACKUP_DIRECTORY="circle", AUDIT_SEAL_FILE="circle/seals.jsonl")
    found = installation.warnings()
    assert set(found) == {"omarty.W012"} and "correct its name" in found["omarty.W012"][1]


def test_static_files_that_are_closed(installation):
    (installation.home / "staticfiles").chmod(0o700)
    found = installation.warnings()
    assert set(found) == {"omarty.W012"}
    installation.paste(found["omarty.W012"][1])
    assert "omarty.W012" not in installation.warnings()


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="sqlite3 is not installed")
def test_what_the_remedy_of_a_missing_backup_makes_is_seen_by_the_service(installation):
    give_settings(installation, BACKUP_DIRECTORY="disk/of/backups")
    _sentence, remedy = installation.warnings()["omarty.W023"]
    installation.paste(f"x\n    umask 077; {remedy.removeprefix('As root:')}")
    assert installation.warnings() == {}
    [backup] = (installation.home / "disk" / "of" / "backups").iterdir()
    assert backup.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("mode", "told"), [(0o750, ""), (0o755, "W010"), (0o700, "W012")])
def test_roots_backups_are_looked_at_by_the_services_group(installation, mode, told):
    backups = installation.home / "backups"
    backups.chmod(mode)
    if mode != 0o750:
        os.chown(backups, 0, 0)
    found = installation.warnings()
    assert set(found) == ({f"omarty.{told}"} if told else set())
    for _sentence, remedy in found.values():
        installation.paste(remedy)
        assert installation.warnings() == {}
        assert backups.stat().st_mode & 0o777 == 0o750


def test_what_is_the_services_own_and_closed_to_it_is_opened_by_its_mode(installation):
    folder = installation.home / "seals"
    folder.chmod(0o500)
    found = installation.warnings()
    assert set(found) == {"omarty.W029"} and "chmod u+rwX" in found["omarty.W029"][1]
    installation.paste(found["omarty.W029"][1])
    assert installation.warnings() == {}
    (installation.home / "backups").chmod(0o740)
    found = installation.warnings()
    assert set(found) == {"omarty.W012"} and "chmod 750" in found["omarty.W012"][1]
    installation.paste(found["omarty.W012"][1])
    assert installation.warnings() == {}


# --- the program --------------------------------------------------------------------------------


def give_program(place, mode=0, user=SERVICE):
    """To the service, or with `mode` to its group only."""
    for each in (place, *place.rglob("*")) if not mode else [place]:
        os.chown(each, user, SERVICE)
    place.chmod(place.stat().st_mode | mode)


PROGRAM = ["", "buildings/models.py", "staticfiles", ".venv/lib"]


@pytest.mark.parametrize("name", PROGRAM)
@pytest.mark.parametrize("mode", [0, 0o020])
def test_a_program_that_the_service_can_change(installation, name, mode):
    file = installation.home / name
    if name.startswith(".venv"):
        (file / "python3" / "site-packages").mkdir(parents=True)
    if name:
        give_program(file, mode, user=0 if mode else SERVICE)
    else:
        os.chown(file, 0 if mode else SERVICE, SERVICE)
        file.chmod(0o755 | mode)
    for installation.user in (None, SERVICE):
        found = installation.warnings()
        assert set(found) == {"omarty.W014"}
        sentence, remedy = found["omarty.W014"]
        assert "nobody, as whom Omarty is served, can change the program" in sentence
        assert str(file) in sentence
    assert remedy.startswith("As root:\n    chown ")
    installation.paste(remedy)
    for installation.user in (None, SERVICE):
        assert installation.warnings() == {}


def test_a_program_that_was_given_to_the_service_with_its_settings(installation):
    for each in (installation.home, *installation.home.rglob("*")):
        os.chown(each, SERVICE, SERVICE)
    (installation.home / ".env").chmod(0o600)
    os.chown(installation.home / "backups", 0, SERVICE)
    for installation.user in (None, SERVICE):
        found = installation.warnings()
        assert set(found) == {"omarty.W014"}
    remedy = found["omarty.W014"][1]
    assert remedy.startswith("As root:\n")
    installation.paste(remedy)
    for installation.user in (None, SERVICE):
        assert installation.warnings() == {}
    # What is the service's to write stays so.
    for name in (".env", "data", "seals", "data/omarty.sqlite3"):
        assert (installation.home / name).stat().st_uid == SERVICE


# --- .env ---------------------------------------------------------------------------------------


def test_the_remedy_of_open_settings_leaves_them_to_the_service(installation):
    os.chown(installation.home / ".env", 0, 0)
    (installation.home / ".env").chmod(0o644)
    found = installation.warnings()
    assert set(found) == {"omarty.W010"}
    installation.paste(found["omarty.W010"][1])
    assert installation.warnings() == {}
    assert (installation.home / ".env").stat().st_mode & 0o777 == 0o640


def test_settings_that_root_closed_are_told_by_root_and_not_taken_for_missing(installation):
    keys = installation.home / ".env"
    os.chown(keys, 0, 0)
    keys.chmod(0o644)
    installation.user = None
    told = installation.run("collectstatic", "--no-input", "--verbosity", "0").stderr
    assert f"chown root:omarty {keys} && chmod 640 {keys}" in told
    assert installation.run("collectstatic", "--no-input", "--verbosity", "0").stderr == ""
    installation.user = SERVICE
    refused = installation.run("check")
    assert refused.returncode == 1 and len(refused.stderr.splitlines()) == 1
    assert f"{keys} cannot be read by this user: Permission denied." in refused.stderr
    assert "random" not in refused.stderr
    [remedy] = re.findall(r"stay as they are\. As root: (.*)$", refused.stderr)
    installation.paste(remedy)
    assert installation.warnings() == {}


# --- seals --------------------------------------------------------------------------------------


def test_seals_whose_folder_is_missing_or_closed(installation):
    folder = installation.home / "seals"
    folder.rmdir()
    found = installation.warnings()
    assert set(found) == {"omarty.W028"}
    refused = installation.run("audit_seal").stderr
    assert f"AUDIT_SEAL_FILE in .env is {folder}/audit-seals.jsonl" in refused
    installation.paste(found["omarty.W028"][1])
    assert installation.warnings() == {} and folder.stat().st_uid == SERVICE
    os.chown(folder, 0, SERVICE)
    folder.chmod(0o750)
    for installation.user in (None, SERVICE):
        found = installation.warnings()
        assert set(found) == {"omarty.W029"}
    assert "AUDIT_SEAL_FILE in .env" in installation.run("audit_seal").stderr
    installation.paste(found["omarty.W029"][1])
    folder.chmod(0o700)
    assert installation.warnings() == {}
    installation.succeed("audit_seal")


def test_seals_in_the_programs_folder(installation):
    give_settings(installation, AUDIT_SEAL_FILE="")
    del installation.settings["AUDIT_SEAL_FILE"]
    give_settings(installation)
    found = installation.warnings()
    assert set(found) == {"omarty.W029"}
    assert "AUDIT_SEAL_FILE=/var/lib/omarty-seals/" in found["omarty.W029"][1]
    assert (
        "\n    install -d -m 700 -o nobody -g nogroup /var/lib/omarty-seals"
        in (found["omarty.W029"][1])
    )


def test_a_seal_file_that_is_gone(installation):
    installation.succeed("export_units", str(installation.home / "data" / "units.csv"))
    installation.succeed("audit_seal", "--grace=0")
    assert installation.warnings() == {}
    file = installation.home / "seals" / "audit-seals.jsonl"
    file.rename(installation.home / "seals" / "elsewhere.jsonl")
    found = installation.warnings()
    assert set(found) == {"omarty.W034"}
    assert str(file) in found["omarty.W034"][0] and "AUDIT_SEAL_FILE" in found["omarty.W034"][1]


# --- commands -----------------------------------------------------------------------------------


def test_a_hint_can_be_pasted_by_root_as_it_stands(installation):
    installation.succeed("export_units", str(installation.home / "data" / "units.csv"))
    hints = []
    for installation.user in (SERVICE, None):
        found = installation.warnings()
        assert set(found) == {"omarty.W020"}
        hints.append(found["omarty.W020"][1])
    # Whoever checks, the command is the service's and root's to start.
    assert hints[0].splitlines()[-1] == hints[1].splitlines()[-1]
    assert "    runuser -u nobody -- " in hints[0] and "As root:" in hints[0]
    installation.paste(hints[0])
    assert (installation.home / "seals" / "audit-seals.jsonl").stat().st_uid == SERVICE
    assert installation.warnings() == {}
    (installation.home / "staticfiles" / "staticfiles.json").unlink()
    _sentence, hint = installation.warnings()["omarty.W007"]
    assert "runuser" not in hint
    installation.paste(hint)
    assert installation.warnings() == {}


def test_a_database_in_the_programs_folder_is_refused_in_one_sentence(installation):
    del installation.settings["DATABASE_URL"]
    give_settings(installation)
    file = installation.home / "omarty.sqlite3"
    refused = installation.run("migrate")
    assert refused.returncode == 1
    [line] = refused.stderr.splitlines()
    assert str(file) in line and "sqlite:////var/lib/omarty/omarty.sqlite3" in line
    _sentence, hint = found = installation.warnings()["omarty.W050"]
    assert str(file) in found[0] and "sqlite:////var/lib/omarty/omarty.sqlite3" in hint


@pytest.mark.parametrize("what", ["", "-wal", "-shm", "the folder"])
def test_a_database_that_is_not_the_services_is_given_to_it(installation, what):
    file = Path(installation.home / "data" / "omarty.sqlite3")
    place = file.parent if what == "the folder" else Path(f"{file}{what}")
    if not place.exists():
        place.touch(mode=0o600)
    os.chown(place, 0, 0)
    for installation.user in (None, SERVICE):
        found = installation.warnings()
        told = {"omarty.W052", "omarty.W012"} if what == "the folder" else {"omarty.W052"}
        assert set(found) <= told
    for sentence, hint in found.values():
        assert str(place) in sentence
        installation.paste(hint)
    assert place.stat().st_uid == SERVICE
    assert installation.warnings() == {}


def test_a_closed_folder_of_seals_is_given_to_the_service_alone(installation):
    folder = installation.home / "seals"
    os.chown(folder, 0, 0)
    folder.chmod(0o700)
    installation.user = SERVICE
    hints = {hint for _sentence, hint in installation.warnings().values()}
    assert hints and all("chown" in hint for hint in hints)


def test_what_the_page_says_after_a_leak_works_where_the_program_is_roots(installation):
    """Each line of SECURITY.md that writes a file, as it stands but for the folder."""
    page = (ROOT / "SECURITY.md").read_text()
    lines = re.findall(r"^    manage\.py ((?:export_audit|person_export) .*)$", page, re.M)
    assert len(lines) >= 5
    installation.succeed(
        "shell", "-v0", "-c", "from contacts.models import User; User.objects.create(name='A')"
    )
    for line in lines:
        words = line.replace("/var/lib/omarty", str(installation.home / "data"))
        installation.succeed(*words.replace("PERSON", "1").split("#")[0].split())


# --- a backup, restored -------------------------------------------------------------------------


def restoring(installation, mariadb_options=""):
    """The README's lines that restore, for this installation; those of systemd and `manage.py` left out."""
    page = (ROOT / "README.md").read_text()
    section = page[page.index("### Saving and restoring") : page.index("### On MariaDB")]
    [backup] = (installation.home / "disk").iterdir()
    for old, new in {
        r"/var/lib/omarty-seals": f"{installation.home}/seals",
        r"/var/lib/omarty": f"{installation.home}/data",
        r"/root/broken": f"{installation.home}/broken",
        r"/mnt/elsewhere/backups/\S+": str(backup),
        r"-o omarty -g omarty": "-o nobody -g nogroup",
        r"mariadb (-e|omarty)": rf"mariadb {mariadb_options} \1",
        r"head -n N": "head -n 1",
    }.items():
        section = re.sub(old, new, section)
    lines = re.findall(r"^    (.*)$", section, re.M)
    assert len([line for line in lines if line.startswith("runuser")]) == 4
    return [line for line in lines if not line.startswith(("runuser", "systemctl"))]


def change(installation, name):
    """Something to be sealed, and its seal."""
    installation.succeed("export_units", str(installation.home / "data" / f"{name}.csv"))
    installation.succeed("audit_seal", "--grace=0")


def restore(installation, lines):
    """Go back to the backup, as the README says."""
    change(installation, "after")
    change(installation, "later")
    sqlite = "sqlite" in installation.settings["DATABASE_URL"]
    database, seals = lines[:2] if sqlite else lines[2:4], lines[4:]
    installation.paste("\n    ".join(["", *database]))
    installation.succeed("migrate", "--verbosity", "0")
    assert "the database with seal 1" in installation.run("check_data").stdout
    assert installation.run("audit_verify").returncode == 1
    installation.paste("\n    ".join(["", *seals]))
    for command in ("audit_verify", "check_data", "audit_seal"):
        installation.succeed(command)
    assert set(installation.warnings()) <= {"omarty.W040", "omarty.W042"}


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="sqlite3 is not installed")
def test_a_backup_of_sqlite_is_restored_as_the_readme_says(installation):
    change(installation, "before")
    give_settings(installation, BACKUP_DIRECTORY="disk")
    installation.paste(installation.warnings()["omarty.W023"][1])
    restore(installation, restoring(installation))


def test_a_backup_of_mariadb_is_restored_as_the_readme_says(installation, mariadb_server):
    if not shutil.which("mariadb-dump"):
        pytest.skip("mariadb-dump is not installed")
    # The throwaway server's socket lies where nobody may look.
    installation.user, installation.python = None, sys.executable
    with mariadb.schema(mariadb_server, "omarty") as url:
        give_settings(installation, DATABASE_URL=url, BACKUP_DIRECTORY="disk")
        for name in (".env", "seals"):
            os.chown(installation.home / name, 0, 0)
        installation.succeed("migrate", "--verbosity", "0")
        change(installation, "before")
        installation.paste(installation.warnings()["omarty.W023"][1])
        config = environ.Env.db_url_config(url)
        socket = config["OPTIONS"]["unix_socket"]
        restore(installation, restoring(installation, f"-S {socket} -u {config['USER']}"))
