"""`manage.py check --deploy`: silent where all is right, a remedy for each thing that was made wrong."""

import os
import re
import secrets
import shlex
import shutil
import subprocess
import time
from base64 import urlsafe_b64encode
from contextlib import closing
from itertools import cycle
from pathlib import Path
from random import Random
from urllib.parse import quote

import environ
import pytest
from django.conf import settings as ours

from omarty.demo import small
from omarty.deployment import keys
from tests import mariadb
from tests.conftest import ONCE

pytestmark = ONCE

A_DAY = 60 * 60 * 24


def python(installation, lines):
    """Run these lines in the installation's shell, by `manage.py shell -c`."""
    return installation.succeed("shell", "--verbosity", "0", "-c", lines)


def test_a_right_installation_is_told_nothing(right):
    assert right.warnings() == {}


def test_every_warning_is_tested_and_none_has_the_id_of_another():
    sources = [file.read_text() for file in (ours.BASE_DIR / "omarty" / "deployment").glob("*.py")]
    ids = re.findall(r'id="(omarty\.W\d+)"', "".join(sources))
    tests = Path(__file__).parent.glob("test_deployment*.py")
    tested = set(re.findall(r"omarty\.W\d+", "".join(file.read_text() for file in tests)))
    assert len(ids) > 20 and set(ids) == tested
    # W005 and W050 are said in two ways, of which one installation hears one.
    assert len(ids) - len(set(ids)) == 2


# --- .env ---------------------------------------------------------------------------------------

PUBLIC = "a-key-that-stands-in-the-example-4f8Zq1Xw7Lk2"
UNIFORM = "secretsecretsecretsecretsecretsecretsecret"
TYPED = "this-is-my-jwt-signing-key-for-omarty"
SHARED = secrets.token_urlsafe(48)
WRONG = {
    "a published secret": ({"SECRET_KEY": PUBLIC}, "omarty.W001", "into .env as SECRET_KEY"),
    "a published former key": ({"JWT_FORMER_KEYS": PUBLIC}, "omarty.W001", "Remove it from"),
    "a uniform secret": ({"JWT_SIGNING_KEY": UNIFORM}, "omarty.W002", "secrets.token_urlsafe(48)"),
    "one letter": ({"JWT_SIGNING_KEY": "a" * 60}, "omarty.W002", "secrets.token_urlsafe(48)"),
    "typed words": ({"JWT_SIGNING_KEY": TYPED}, "omarty.W002", "into .env as JWT_SIGNING_KEY"),
    "typed words and a year": (
        {"SECRET_KEY": "TheSecretKeyOfOmartyInCairoSince2026AndForManyMoreYears"},
        "omarty.W002",
        "into .env as SECRET_KEY",
    ),
    "typed words and a date": (
        {"JWT_SIGNING_KEY": "Omarty-2026-11-27-Jwt-Signing-Key-01"},
        "omarty.W002",
        "into .env as JWT_SIGNING_KEY",
    ),
    "few letters": (
        {"JWT_SIGNING_KEY": "1221asas2112saas1a2s2s1a12as21sa" * 2 + "1"},
        "omarty.W002",
        "secrets.token_urlsafe(48)",
    ),
    "a former key in use": (
        {"JWT_SIGNING_KEY": SHARED, "JWT_FORMER_KEYS": SHARED},
        "omarty.W003",
        "into .env as JWT_SIGNING_KEY",
    ),
    "DEBUG": ({"DEBUG": "true", "HTTPS": "true"}, "omarty.W004", "DEBUG=false"),
    "any host": ({"ALLOWED_HOSTS": "register.example.org,*"}, "omarty.W005", "ALLOWED_HOSTS"),
    "only loopback": ({"ALLOWED_HOSTS": "localhost,127.0.0.1"}, "omarty.W005", "ALLOWED_HOSTS"),
    "a star": (
        {"ALLOWED_HOSTS": "*.example.org"},
        "omarty.W036",
        "ALLOWED_HOSTS=.example.org in .env",
    ),
    "the example's host": ({"ALLOWED_HOSTS": "omarty.example"}, "omarty.W035", "ALLOWED_HOSTS in"),
    "the example's contact": (
        {"SECURITY_CONTACT": "mailto:security@omarty.example"},
        "omarty.W035",
        "SECURITY_CONTACT in .env",
    ),
    "no HTTPS": ({"HTTPS": "false"}, "omarty.W032", "HTTPS=true in .env"),
    "no folder for seals": (
        {"AUDIT_SEAL_FILE": "gone/seals.jsonl"},
        "omarty.W028",
        "install -d -m 700",
    ),
    "no proxies": ({"PROXIES": "0"}, "omarty.W006", "PROXIES=1"),
    "long tokens": ({"ACCESS_TOKEN_MINUTES": "1441"}, "omarty.W030", "ACCESS_TOKEN_MINUTES=60"),
    "no limit": ({"SIGN_IN_ATTEMPTS": "101"}, "omarty.W031", "SIGN_IN_ATTEMPTS=10 in"),
    "no limit of an address": (
        {"SIGN_IN_ATTEMPTS_PER_ADDRESS": "501"},
        "omarty.W031",
        "SIGN_IN_ATTEMPTS_PER_ADDRESS=50 in",
    ),
    "no pause": ({"SIGN_IN_PAUSE_MINUTES": "4"}, "omarty.W031", "SIGN_IN_PAUSE_MINUTES=15 in"),
    "no limit of refusals": (
        {"CONTACT_REFUSALS_A_DAY": "101"},
        "omarty.W031",
        "CONTACT_REFUSALS_A_DAY=10 in",
    ),
    "endless sign-ins": ({"REFRESH_TOKEN_DAYS": "367"}, "omarty.W031", "REFRESH_TOKEN_DAYS=30 in"),
    "endless sessions": ({"SESSION_IDLE_DAYS": "91"}, "omarty.W031", "SESSION_IDLE_DAYS=14 in"),
    "no contact": ({"SECURITY_CONTACT": ""}, "omarty.W033", "SECURITY_CONTACT="),
    "no backups": ({"BACKUP_DIRECTORY": ""}, "omarty.W022", "BACKUP_DIRECTORY="),
    "backups gone": ({"BACKUP_DIRECTORY": "elsewhere"}, "omarty.W023", ".backup "),
    "seals beside the database": (
        {"AUDIT_SEAL_FILE": "audit/../data/audit-seals.jsonl"},
        "omarty.W027",
        "AUDIT_SEAL_FILE in .env",
    ),
    "seals below the database": (
        {"AUDIT_SEAL_FILE": "data/below/audit-seals.jsonl"},
        "omarty.W027",
        "AUDIT_SEAL_FILE in .env",
    ),
    "no server": ({"DATABASE_URL": "sqlite:///gone/x.sqlite3"}, "omarty.W050", "DATABASE_URL"),
    "no file": ({"DATABASE_URL": "sqlite:///data/new.sqlite3"}, "omarty.W050", "manage.py migrate"),
}
FINE = {
    "a day": {"ACCESS_TOKEN_MINUTES": "1440"},
    "many attempts": {"SIGN_IN_ATTEMPTS": "100", "SIGN_IN_ATTEMPTS_PER_ADDRESS": "500"},
    "a short pause": {"SIGN_IN_PAUSE_MINUTES": "5"},
    "many refusals": {"CONTACT_REFUSALS_A_DAY": "100"},
    "a year": {"REFRESH_TOKEN_DAYS": "366"},
    "a season": {"SESSION_IDLE_DAYS": "90"},
    "a former key": {"JWT_FORMER_KEYS": secrets.token_urlsafe(48)},
    "loopback too": {"ALLOWED_HOSTS": ".register.example.org,127.0.0.1"},
    "seals in a folder of their own": {"AUDIT_SEAL_FILE": "seals/audit-seals.jsonl"},
    "hexadecimal": {"SECRET_KEY": secrets.token_hex(32)},
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_setting_is_named_with_its_remedy(configured, what):
    settings, warning, remedy = WRONG[what]
    (configured.home / ".env.example").write_text(f"SECRET_KEY={PUBLIC}\n")
    (configured.home / "data" / "below").mkdir(exist_ok=True)
    configured.set(**settings)
    found = configured.warnings()
    assert set(found) == {warning}
    assert remedy in found[warning][1]


def test_random_secrets_are_told_nothing(settings):
    random = Random(1)  # noqa: S311
    # Any of them; the tests' own two stand in a file that everybody can read.
    settings.SECRET_KEY, settings.JWT_SIGNING_KEY = SHARED, SHARED[::-1]
    settings.JWT_FORMER_KEYS = [
        key
        for _time in range(2000)
        for key in (urlsafe_b64encode(random.randbytes(48)).decode(), random.randbytes(32).hex())
    ]
    assert list(keys.warnings()) == []


def test_settings_at_their_limit_are_right(installation):
    (installation.home / "seals").mkdir()
    for settings in FINE.values():
        installation.set(**settings)
    assert installation.warnings() == {}


# --- files --------------------------------------------------------------------------------------


def test_static_files_that_were_not_collected(installation):
    (installation.home / "staticfiles" / "staticfiles.json").unlink()
    assert set(found := installation.warnings()) == {"omarty.W007"}
    installation.paste(found["omarty.W007"][1])
    assert installation.warnings() == {}


def test_static_files_of_another_version(installation):
    style = next((installation.home / "omarty" / "static" / "omarty").rglob("*.css"))
    style.write_text(style.read_text() + "/* new */\n")
    found = installation.warnings()
    assert set(found) == {"omarty.W008"}
    assert found["omarty.W008"][0].startswith("1 static files are older")
    installation.succeed("collectstatic", "--no-input", "--verbosity", "0")
    assert installation.warnings() == {}


PRIVATE = ["data/omarty.sqlite3", "data/omarty.sqlite3-wal", "data/omarty.sqlite3-shm"]
PRIVATE += ["audit-seals.jsonl", "audit-archive", "backups"]


@pytest.mark.parametrize(("name", "mode"), list(zip(PRIVATE, cycle([0o040, 0o004]), strict=False)))
def test_a_file_that_others_can_read(installation, name, mode):
    file = installation.home / name
    if name == "audit-archive":
        file.mkdir()
    elif not file.exists():
        file.touch()
    file.chmod((0o700 if file.is_dir() else 0o600) | mode)
    found = installation.warnings()
    assert set(found) == {"omarty.W010"}
    sentence, remedy = found["omarty.W010"]
    assert str(file) in sentence
    assert remedy == f"chmod {'700' if file.is_dir() else '600'} {file}"
    # SQLite has removed its own two files meanwhile.
    subprocess.run(shlex.split(remedy), check=file.exists())
    assert installation.warnings() == {}


# What is told where root's installation in root's folder is given to somebody else by its keys alone.
BY_ANOTHER = {"omarty.W016", "omarty.W029", "omarty.W052"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to somebody else")
def test_keys_that_others_can_read_and_that_are_not_ours_to_close(installation):
    keys = installation.home / ".env"
    keys.chmod(0o644)
    # The first command closes those that are its own.
    assert installation.warnings() == {}
    keys.chmod(0o644)
    os.chown(keys, 65534, 65534)
    # Nor may they write root's seals and database, or enter the folder of pytest.
    assert set(installation.warnings()) == BY_ANOTHER | {"omarty.W010"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to somebody else")
@pytest.mark.parametrize(
    ("mode", "owner", "remedy"),
    [(0o640, 0, ""), (0o660, 0, ""), (0o640, 65534, "600"), (0o600, 65534, "")],
)
def test_roots_keys_may_be_read_by_the_group_of_the_service(installation, mode, owner, remedy):
    keys = installation.home / ".env"
    os.chown(keys, owner, 65534)
    keys.chmod(mode)
    found = installation.warnings()
    assert set(found) - BY_ANOTHER == ({"omarty.W010"} if remedy else set())
    assert not remedy or found["omarty.W010"][1] == f"chmod {remedy} {keys}"
    # Root's own command has taken what was too much, and left what the service needs.
    assert keys.stat().st_mode & 0o777 == (0o640 if owner == 0 else mode)


@pytest.mark.parametrize("name", [".env.bak", ".env.save", ".env~", ".env.1", "..env.swp"])
def test_a_copy_of_the_keys_that_others_can_read(installation, name):
    copy = installation.home / name
    shutil.copy(installation.home / ".env", copy)
    copy.chmod(0o644)
    for other in (".envrc", ".env.sample", ".env.template", ".env.dist"):
        (installation.home / other).touch(mode=0o644)
    found = installation.warnings()
    assert set(found) == {"omarty.W010"}
    assert found["omarty.W010"][0].endswith(f"can read {copy}.")
    installation.paste(found["omarty.W010"][1])
    assert installation.warnings() == {} and copy.stat().st_mode & 0o777 == 0o600


PROGRAM = ["", "omarty", "omarty/settings.py", "manage.py", ".venv/bin/granian", "staticfiles"]


@pytest.mark.parametrize("name", PROGRAM)
def test_a_program_that_everybody_can_change(installation, name):
    file = installation.home / name
    if name.startswith(".venv"):
        file.parent.mkdir(parents=True)
        file.touch()
    file.chmod(file.stat().st_mode | 0o002)
    found = installation.warnings()
    assert set(found) == {"omarty.W011"}
    subprocess.run(shlex.split(found["omarty.W011"][1]), check=True)
    assert installation.warnings() == {}


# --- what timers do -----------------------------------------------------------------------------

WRITE = """
from datetime import timedelta
from django.utils import timezone
from audit.models import Action, Channel, Entry
from audit.operations import Origin, entry
written = entry(origin=Origin(channel=Channel.COMMAND), action=Action.EXPORTED)
written.at = timezone.now() - timedelta(hours={hours})
written.save()
"""


def test_a_log_that_was_never_sealed_or_not_for_days(installation):
    python(installation, WRITE.format(hours=1))
    found = installation.warnings()
    assert set(found) == {"omarty.W020"}
    installation.paste(found["omarty.W020"][1])
    assert installation.warnings() == {}
    python(installation, WRITE.format(hours=47))
    assert installation.warnings() == {}
    python(installation, WRITE.format(hours=49))
    assert set(installation.warnings()) == {"omarty.W021"}
    installation.succeed("audit_seal", "--grace=0")
    assert installation.warnings() == {}


def test_a_backup_of_last_week(installation):
    backup = installation.home / "backups" / "today.sqlite3"
    os.utime(backup, (time.time() - 6.9 * A_DAY,) * 2)
    assert installation.warnings() == {}
    os.utime(backup, (time.time() - 7.1 * A_DAY,) * 2)
    found = installation.warnings()
    assert set(found) == {"omarty.W023"}
    assert f"sqlite3 {installation.home}/data/omarty.sqlite3" in found["omarty.W023"][1]


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="sqlite3 is not installed")
def test_the_remedy_of_a_missing_backup_makes_one(installation):
    installation.set(BACKUP_DIRECTORY="elsewhere/backups")
    _sentence, remedy = installation.warnings()["omarty.W023"]
    for _time in range(2):
        installation.paste(remedy)
    assert installation.warnings() == {}
    [backup] = (installation.home / "elsewhere" / "backups").iterdir()
    installation.set(DATABASE_URL=f"sqlite:///{backup.relative_to(installation.home)}")
    # It is a whole database and its owner's alone; it only lies where backups do.
    assert set(installation.warnings()) == {"omarty.W024"}


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="sqlite3 is not installed")
def test_a_backup_that_failed_is_none_and_leaves_nothing(installation):
    installation.set(BACKUP_DIRECTORY="elsewhere")
    _sentence, remedy = installation.warnings()["omarty.W023"]
    database = installation.home / "data" / "omarty.sqlite3"
    database.rename(database.with_name("whole"))
    database.write_text("no database " * 100)
    with pytest.raises(subprocess.CalledProcessError):
        installation.paste(remedy)
    database.with_name("whole").rename(database)
    assert list((installation.home / "elsewhere").iterdir()) == []
    assert set(installation.warnings()) == {"omarty.W023"}


# What cannot be looked into, as what openssl encrypts.
PACKED = b"Salted__"


@pytest.mark.parametrize("name", ["a.sql.gz", "b.sql.part", "c.sql.part.gz", ".d.sql.Xy", "e.tmp"])
def test_what_is_empty_or_not_finished_is_no_backup(installation, name):
    (installation.home / "elsewhere").mkdir(mode=0o700)
    installation.set(BACKUP_DIRECTORY="elsewhere")
    file = installation.home / "elsewhere" / name
    file.write_bytes(PACKED + b"x" * (20 if name.startswith("a") else 1000))
    assert set(installation.warnings()) == {"omarty.W023"}
    file.rename(file.with_name("whole.sql.enc")).write_bytes(PACKED + b"x" * 1000)
    assert installation.warnings() == {}


@pytest.mark.parametrize(
    ("backups", "database"),
    [("data", "data"), ("data/below", "data"), ("data", "data/below")],
)
def test_backups_that_lie_where_the_database_does(installation, backups, database):
    (installation.home / "data" / "below").mkdir(mode=0o700)
    for place, name in ((backups, "today.sqlite3"), (database, "register.sqlite3")):
        saved = installation.home / "backups" / "today.sqlite3"
        shutil.copy2(saved, installation.home / place / name)
    installation.set(
        BACKUP_DIRECTORY=backups, DATABASE_URL=f"sqlite:///{database}/register.sqlite3"
    )
    assert set(installation.warnings()) == {"omarty.W024"}


OLD_SESSION = """
from datetime import timedelta
from django.utils import timezone
from contacts.models import BackofficeSession
at = timezone.now() - timedelta(days={days})
BackofficeSession.objects.create(session_key="old", session_data="", expire_date=at)
"""
UNUSED = """
from datetime import timedelta
from django.conf import settings
from django.utils import timezone
from contacts.models import AppSession, User
user = User.objects.create(name="Somebody")
at = timezone.now() - timedelta(days={days} + settings.REFRESH_TOKEN_DAYS)
AppSession.objects.create(user=user, token_id="old", renewed_at=at)
"""


def test_sweeping_without_a_database_ends_with_a_sentence(installation):
    python(installation, OLD_SESSION.format(days=3))
    # A dry run, which sweeps nothing.
    assert "can be deleted" in installation.succeed("clearsessions", "--dry-run")
    assert set(installation.warnings()) == {"omarty.W025"}
    installation.set(DATABASE_URL="sqlite:///gone/x.sqlite3")
    done = installation.run("clearsessions")
    assert (done.returncode, done.stdout) == (1, "")
    file = installation.home / "gone" / "x.sqlite3"
    said = (
        f"CommandRefused: The database refused: unable to open database file: {file}. DATABASE_URL"
    )
    assert done.stderr.startswith(said) and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("row", [OLD_SESSION, UNUSED])
def test_what_expired_and_was_not_swept(installation, row):
    python(installation, row.format(days=1))
    assert installation.warnings() == {}
    installation.succeed("clearsessions")
    python(installation, row.format(days=3))
    found = installation.warnings()
    assert set(found) == {"omarty.W025"} and "manage.py clearsessions" in found["omarty.W025"][1]
    installation.succeed("clearsessions")
    assert installation.warnings() == {}


DEMO = """
from contacts.models import User
for name in ("admin", "manager", "banned"):
    User.objects.create_user(
        email=name + "@example.org", password={password!r}, is_superuser=name == "admin"
    )
User.objects.create_user(email="a@example.org", phone="01000000002", password={password!r})
User.objects.create_user(email="resident@example.org", password="another-long-word-7")
User.objects.create_user(email="own@example.net", password="another-long-word-7", is_superuser=True)
"""


RENAMED = """
from buildings.models import Block, Building, Membership, Role
from contacts.models import Status, User
password = {password!r}
User.objects.create_user(email="boss@example.net", password=password, is_superuser=True)
head = User.objects.create_user(email="head@example.net", password=password)
User.objects.create_user(email="nobody@example.net", password=password)
User.objects.update(status=Status.ACTIVE)
building = Building.objects.create(name_en="One")
block = Block.objects.create(number="1", status=Status.ACTIVE, building=building)
Membership.objects.create(user=head, block=block, role=Role.MANAGER, status=Status.ACTIVE)
"""


def test_every_account_that_the_demos_password_opens(installation):
    python(installation, DEMO.format(password=small.PASSWORD))
    found = installation.warnings()
    assert set(found) == {"omarty.W026"}
    sentence, remedy = found["omarty.W026"]
    names = ["admin@example.org", "manager@example.org", "banned@example.org", "a@example.org"]
    assert sentence.endswith(f"opens {', '.join(names)}.")
    lines = remedy.splitlines()
    # The last superuser keeps the right: somebody else gets it first, by a command that asks.
    assert re.search(r"then `.* createsuperuser`, which asks; .* `.* revoke_superuser 1`", lines[0])
    installation.paste(remedy)
    # The entries of that are not sealed yet.
    assert set(installation.warnings()) == {"omarty.W020"}


def test_the_demos_password_of_whoever_has_rights_under_any_name(installation):
    python(installation, RENAMED.format(password=small.PASSWORD))
    sentence, _remedy = installation.warnings()["omarty.W026"]
    assert sentence.endswith("opens boss@example.net, head@example.net.")


# --- MariaDB ------------------------------------------------------------------------------------

REMOTE = "mysql://omarty:of-ours@db.invalid:3306/omarty"


@pytest.mark.parametrize(
    ("url", "more"),
    [
        (REMOTE, {"omarty.W041"}),
        (f"{REMOTE}?ssl_mode=PREFERRED", {"omarty.W041"}),
        (f"{REMOTE}?ssl_mode=VERIFY_IDENTITY", set()),
        ("mysql://omarty:of-ours@127.0.0.1:1/omarty", set()),
        ("mysql://omarty:password@127.0.0.1:1/omarty", {"omarty.W044"}),
    ],
)
def test_the_account_on_mariadb(configured, url, more):
    if why := mariadb.missing():
        pytest.skip(why)
    configured.set(DATABASE_URL=url)
    found = configured.warnings()
    assert set(found) == {"omarty.W050"} | more
    assert "of-ours" not in str(found)


def paste_as_root_of(server, installation, hint):
    """Carry out the hint's commands as the administrator of the throwaway server."""
    # The remedy says which server; who administers it, the reader knows.
    user = environ.Env.db_url_config(server)["USER"]
    assert "    mariadb -S " in hint
    installation.paste(hint.replace("    mariadb ", f"    mariadb -u {user} "))


def test_a_mariadb_without_time_zones_and_of_another_character_set(installation, mariadb_server):
    with mariadb.schema(mariadb_server, "deployed") as url:
        installation.set(DATABASE_URL=url)
        installation.succeed("migrate", "--verbosity", "0")
        # The throwaway server has neither time zones nor another account than root.
        found = installation.warnings()
        assert set(found) == {"omarty.W040", "omarty.W042"}
        with mariadb.connect(mariadb_server) as connection:
            connection.query("ALTER DATABASE deployed CHARACTER SET latin1")
        assert "omarty.W043" in installation.warnings()
        # The administrator keeps all rights: Omarty gets an account of its own.
        hint = found["omarty.W040"][1]
        assert "REVOKE" not in hint and "DATABASE_URL in .env" in hint
        paste_as_root_of(mariadb_server, installation, hint)
        password = "a%20password%20of%20your%20own"
        installation.set(DATABASE_URL=url.replace("root@", f"omarty:{password}@"))
        found = installation.warnings()
        with mariadb.connect(mariadb_server) as connection:
            connection.query("DROP USER omarty@localhost")
        assert "omarty.W040" not in found and "omarty.W044" in found


def test_the_remedy_of_a_missing_backup_on_mariadb_names_server_and_account(installation):
    if why := mariadb.missing():
        pytest.skip(why)
    installation.set(DATABASE_URL=REMOTE, BACKUP_DIRECTORY="elsewhere/backups")
    _sentence, remedy = installation.warnings()["omarty.W023"]
    assert "install -d" in remedy and "of-ours" not in remedy
    assert f"{installation.home}/manage.py database_options | mariadb-dump" in remedy
    assert "mariadb-dump --defaults-file=/dev/stdin --single-transaction omarty >" in remedy
    told = installation.succeed("database_options")
    lines = ["[client]", 'user="omarty"', 'password="of-ours"', 'host="db.invalid"', 'port="3306"']
    assert told.splitlines() == lines


PASSWORD = "a\"b#c'd\\n e$`f"


def test_the_line_that_saves_asks_nobody_for_the_password(installation, mariadb_server):
    if not shutil.which("mariadb-dump"):
        pytest.skip("mariadb-dump is not installed")
    with mariadb.schema(mariadb_server, "asked") as url:
        installation.set(DATABASE_URL=url, BACKUP_DIRECTORY="elsewhere")
        installation.succeed("migrate", "--verbosity", "0")
        with closing(mariadb.connect(mariadb_server)) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE OR REPLACE USER asked@localhost IDENTIFIED BY %s", [PASSWORD])
            cursor.execute("GRANT ALL ON asked.* TO asked@localhost")
            installation.set(DATABASE_URL=url.replace("root@", f"asked:{quote(PASSWORD)}@"))
            remedy = installation.warnings()["omarty.W023"][1]
            # The user's own file of options has no say.
            (installation.home / ".my.cnf").write_text("[client]\nuser=other\npassword=wrong\n")
            installation.paste(f"One:\n    export HOME={installation.home}; cd /; {remedy}")
            assert set(installation.warnings()) == {"omarty.W042"}
            cursor.execute("DROP USER asked@localhost")
        assert PASSWORD not in remedy


def test_options_of_a_database_that_has_no_server_are_refused(installation):
    refused = installation.run("database_options")
    assert (refused.returncode, refused.stdout) == (1, "") and "SQLite" in refused.stderr


def test_the_remedy_of_a_missing_backup_on_mariadb_makes_one(installation, mariadb_server):
    if not shutil.which("mariadb-dump"):
        pytest.skip("mariadb-dump is not installed")
    with mariadb.schema(mariadb_server, "saved") as url:
        installation.set(DATABASE_URL=url, BACKUP_DIRECTORY="elsewhere/backups")
        # A dump without our tables would be none.
        installation.succeed("migrate", "--verbosity", "0")
        _sentence, remedy = installation.warnings()["omarty.W023"]
        installation.paste(remedy)
        [backup] = (installation.home / "elsewhere" / "backups").iterdir()
        assert backup.name.endswith(".sql.gz") and backup.stat().st_mode & 0o077 == 0
        assert "omarty.W023" not in installation.warnings()
        # Once more the same day: neither a question nor a second file.
        installation.paste(remedy)
        assert list(backup.parent.iterdir()) == [backup]
        installation.set(DATABASE_URL=url.replace("/saved", "/gone"), BACKUP_DIRECTORY="failed")
        with pytest.raises(subprocess.CalledProcessError):
            installation.paste(installation.warnings()["omarty.W023"][1])
        assert list((installation.home / "failed").iterdir()) == []


@pytest.fixture(scope="module")
def granted(shared, mariadb_server):
    """A database of MariaDB with all tables, which the tests of grants share."""
    with mariadb.schema(mariadb_server, "granted_1") as url:
        shared.set(DATABASE_URL=url)
        shared.succeed("migrate", "--verbosity", "0")
        yield url


@pytest.mark.parametrize(
    ("grants", "told"),
    [
        (["ALL ON `granted_1`.*"], False),
        (
            [
                "ALL ON `granted_1`.*",
                "PROCESS, RELOAD, SHOW DATABASES ON *.*",
                "SELECT ON mysql.time_zone_name",
            ],
            False,
        ),
        (["ALL ON `granted\\_1`.*"], False),
        (["ALL ON `granted_1`.*", "SELECT ON *.*"], True),
        (["ALL ON `granted_1`.*", "SELECT ON mysql.*"], True),
        (["ALL ON `granted%`.*"], True),
        (["ALL ON *.*"], True),
        (["ALL ON `granted_1`.*", "SUPER ON *.*"], True),
        (["ALL ON `granted_1`.*", "PROXY ON root@localhost"], True),
        (["ALL ON `granted_1`.*", "role_of_all"], True),
        (["ALL ON `granted_1`.*", "role_above WITH ADMIN OPTION"], True),
        (["ALL ON `granted_1`.*", "SELECT, INSERT ON `granted_2`.* TO PUBLIC"], True),
        (["ALL ON `granted_1`.*", "SELECT ON `granted_1`.* TO PUBLIC"], False),
    ],
)
def test_an_account_for_more_than_its_database(granted, configured, mariadb_server, grants, told):
    account = "omarty_granted@localhost"
    with mariadb.connect(mariadb_server) as connection:
        connection.query(f"CREATE OR REPLACE USER {account} IDENTIFIED BY 'of-ours'")
        for role, has in {"role_of_all": "ALL ON *.*", "role_above": "role_of_all"}.items():
            connection.query(f"CREATE OR REPLACE ROLE {role}")
            connection.query(f"GRANT {has} TO {role}")
        for grant in grants:
            what, _to, option = grant.partition(" WITH ")
            to = "" if "PUBLIC" in grant else f" TO {account}"
            connection.query(f"GRANT {what}{to}{' WITH ' + option if option else ''}")
        configured.set(DATABASE_URL=granted.replace("root@", "omarty_granted:of-ours@"))
        found = configured.warnings()
        if told:
            paste_as_root_of(mariadb_server, configured, found["omarty.W040"][1])
            assert set(configured.warnings()) == {"omarty.W042"}
        connection.query(f"DROP USER {account}")
        connection.query("DROP ROLE role_of_all, role_above")
        if grants[-1] == "SELECT ON `granted_1`.* TO PUBLIC":
            connection.query("REVOKE SELECT ON `granted_1`.* FROM PUBLIC")
    assert set(found) == {"omarty.W042"} | ({"omarty.W040"} if told else set())
    assert "of-ours" not in str(found)


def test_a_role_that_is_the_accounts_default_is_judged_by_its_rights(installation, mariadb_server):
    with (
        mariadb.schema(mariadb_server, "by_role") as url,
        mariadb.connect(mariadb_server) as connection,
    ):
        for line in (
            "CREATE OR REPLACE USER by_role@localhost IDENTIFIED BY 'of-ours'",
            "CREATE OR REPLACE ROLE owner",
            "GRANT ALL ON by_role.* TO owner",
            "GRANT owner TO by_role@localhost",
            "SET DEFAULT ROLE owner FOR by_role@localhost",
        ):
            connection.query(line)
        installation.set(DATABASE_URL=url.replace("root@", "by_role:of-ours@"))
        installation.succeed("migrate", "--verbosity", "0")
        assert set(installation.warnings()) == {"omarty.W042"}
        connection.query("GRANT SELECT ON mysql.* TO owner")
        found = installation.warnings()
        assert set(found) == {"omarty.W040", "omarty.W042"}
        paste_as_root_of(mariadb_server, installation, found["omarty.W040"][1])
        assert set(installation.warnings()) == {"omarty.W042"}
        connection.query("DROP USER by_role@localhost")
        connection.query("DROP ROLE owner")


def test_what_dumpdata_writes_is_its_owners_alone(installation):
    for name in ("new.json", "old.json", "new.json.gz"):
        file = installation.home / name
        if name.startswith("old"):
            file.touch(0o644)
        installation.succeed("dumpdata", "contacts.user", "-o", str(file))
        assert file.stat().st_mode & 0o777 == 0o600
