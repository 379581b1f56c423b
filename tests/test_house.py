"""The house keeps its own rules: imports go one way, migrations are complete, settings fail loudly."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

ROOT = Path(settings.BASE_DIR)
# Each may import those before it and itself (design.md, One-way rule).
FLOORS = ["audit", "contacts", "buildings", "omarty"]


def imports(file):
    """The top-level packages that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("app", FLOORS)
def test_imports_go_one_way(app):
    files = list((ROOT / app).rglob("*.py"))
    assert files
    above = set(FLOORS[FLOORS.index(app) + 1 :]) | {"tests"}
    wrong = {str(file.relative_to(ROOT)): above & set(imports(file)) for file in files}
    assert {file: names for file, names in wrong.items() if names} == {}


def test_relative_imports_are_not_used_so_that_the_rule_can_be_read():
    for app in FLOORS:
        for file in (ROOT / app).rglob("*.py"):
            tree = ast.parse(file.read_text())
            found = [
                each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom) and each.level
            ]
            assert not found, file


def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


NAMED = {
    "contacts_claim": {"claim_one_holder", "claim_of_user", "claim_kind_known"},
    "contacts_user": {"user_status_known"},
    "contacts_secondaryemail": {"secondary_email_own_claim"},
    "contacts_secondaryphone": {"secondary_phone_own_claim"},
    "buildings_block": {"block_status_known"},
    "buildings_apartment": {
        "apartment_number_once",
        "apartment_of_block",
        "apartment_number_range",
        "apartment_floor_range",
        "apartment_occupancy_known",
    },
    "buildings_membership": {
        "membership_apartment_in_block",
        "membership_role_known",
        "membership_status_known",
        "membership_ends_after_start",
    },
    "audit_entry": {"entry_channel_known"},
}


@pytest.mark.parametrize("table", NAMED)
def test_the_databases_constraints_are_there_by_name(table):
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [table])
        else:
            cursor.execute(f"SHOW CREATE TABLE {table}")
        made = str(cursor.fetchone())
    assert {name for name in NAMED[table] if name not in made} == set()


def started_with(**environment):
    """What `manage.py check` says in this environment, started anew."""
    known = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL"}}
    known["DATABASE_URL"] = "sqlite:///build/never.sqlite3"
    known |= environment
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", "check"], env=known, capture_output=True, text=True
    )


def test_good_settings_start():
    assert started_with().returncode == 0


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is missing"),
        ("SECRET_KEY", "short", "SECRET_KEY has 5 bytes"),
        ("JWT_SIGNING_KEY", "", "JWT_SIGNING_KEY is missing"),
        ("JWT_SIGNING_KEY", "x" * 31, "JWT_SIGNING_KEY has 31 bytes"),
        ("JWT_SIGNING_KEY", os.environ["SECRET_KEY"], "JWT_SIGNING_KEY must be another"),
        ("JWT_FORMER_KEYS", "short", "JWT_FORMER_KEYS must hold keys"),
        ("DEBUG", "maybe", "DEBUG must be true or false, not 'maybe'"),
        ("HTTPS", "2", "HTTPS must be true or false"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL must look like"),
        ("DATABASE_URL", "postgres://a@b/c", "DATABASE_URL must look like"),
        ("DATABASE_URL", "mysql://root@localhost", "DATABASE_URL must look like"),
        ("DATABASE_URL", "mysql://root@localhost:port/x", "DATABASE_URL must look like"),
        ("DATABASE_URL", "sqlite://file.sqlite3", "DATABASE_URL must look like"),
        ("DATABASE_URL", "", "DATABASE_URL must look like"),
        ("SECONDARY_CONTACTS_LIMIT", "many", "SECONDARY_CONTACTS_LIMIT must be a whole number"),
        ("SECONDARY_CONTACTS_LIMIT", "0", "SECONDARY_CONTACTS_LIMIT must be a whole number"),
        ("SECONDARY_CONTACTS_LIMIT", "9" * 5000, "SECONDARY_CONTACTS_LIMIT must be a whole number"),
        ("REFRESH_TOKEN_DAYS", "900000000", "REFRESH_TOKEN_DAYS must be a whole number"),
        ("SECRET_KEY", " " * 40, "SECRET_KEY is missing"),
        ("SECRET_KEY", "$short", "SECRET_KEY has 6 bytes"),
        ("DATABASE_URL", "sqlite:///:memory:", "DATABASE_URL must look like"),
        ("ALLOWED_HOSTS", "http://omarty.example", "ALLOWED_HOSTS must name the hosts"),
        ("ALLOWED_HOSTS", "omarty.example:8000", "ALLOWED_HOSTS must name the hosts"),
        ("ALLOWED_HOSTS", " , ", "ALLOWED_HOSTS must name the hosts"),
        ("PROXIES", "-1", "PROXIES must be a whole number"),
        ("PHONE_REGION", "Egypt", "PHONE_REGION must be a country's two letters"),
        ("ACCESS_TOKEN_MINUTES", "1.5", "ACCESS_TOKEN_MINUTES must be a whole number"),
    ],
)
def test_a_bad_setting_stops_the_start_with_a_sentence_that_names_it(name, value, says):
    ran = started_with(**{name: value})
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"omarty: {says}")
    assert "Traceback" not in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
