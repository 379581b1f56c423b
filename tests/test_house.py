"""The house keeps its own rules: imports go one way, migrations are complete, settings fail loudly."""

import ast
import os
import subprocess
import sys
from collections import Counter

import pytest
from django.core.management import call_command
from django.db import connection

from tests.conftest import ONCE
from tests.house import LAYERS, ROOT, figures, imported, modules

pytestmark = ONCE

# --- imports -----------------------------------------------------------------------------------

# The rooms and loose modules of omarty/, and which others of them each may import.
ROOMS = {
    "accounts": "client_address lockout retry",
    "admin_urls": "",
    "client_address": "",
    "days": "",
    "deployment": "demo health owner_only",
    "error_pages": "api",
    "formats": "",
    "health": "",
    "lockout": "",
    "logs": "",
    "owner_only": "",
    "port": "",
    "retry": "",
    "security_txt": "",
    "tables": "",
    "legacy": "",
    "demo": "",
    "integrity": "admin_urls",
    "privacy": "admin_urls legacy tables",
    "management": "days demo health integrity legacy owner_only privacy tables",
    "api": "client_address lockout retry",
    "backoffice": "client_address days legacy lockout retry tables",
    # What Django and the server find by name.
    "admin": "backoffice",
    "apps": "deployment owner_only",
    "middleware": "error_pages logs",
    "setting_values": "owner_only",
    "settings": "owner_only setting_values",
    "templatetags": "backoffice",
    "urls": "accounts api health security_txt",
    "wsgi": "",
}


def room(name):
    """The room of omarty/ that a module lies in; empty for omarty itself and the layers below."""
    first, _, rest = name.partition(".")
    return rest.split(".")[0] if first == "omarty" else ""


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_one_way(layer):
    above = set(LAYERS[LAYERS.index(layer) + 1 :]) | {"tests", "benchmarks"}
    here = [module for name, module in modules().items() if name.split(".")[0] == layer]
    assert here
    wrong = {
        module.name: found
        for module in here
        if (found := {source.split(".")[0] for source, _ in module.imports()} & above)
    }
    assert wrong == {}


def test_every_room_stands_in_the_table():
    assert {room(name) for name in modules()} - {""} == set(ROOMS)


def test_rooms_import_only_the_rooms_that_the_table_names():
    wrong = [
        f"{name} -> {other}"
        for name, module in modules().items()
        for other in sorted(imported(module))
        if room(name) and room(other) not in {"", room(name), *ROOMS[room(name)].split()}
    ]
    assert wrong == []


def test_no_module_imports_a_private_name_of_another():
    found = {name: module.private_names() for name, module in modules().items()}
    assert {name: taken for name, taken in found.items() if taken} == {}


def test_no_two_classes_have_one_name():
    """Django finds each command by the class `Command` of its module."""
    named = Counter(
        each.name
        for module in modules().values()
        for each in module.tree.body
        if isinstance(each, ast.ClassDef) and each.name != "Command"
    )
    assert {name for name, count in named.items() if count > 1} == set()


def test_relative_imports_are_not_used_so_that_the_rule_can_be_read():
    for name, module in modules().items():
        for node in ast.walk(module.tree):
            assert not (isinstance(node, ast.ImportFrom) and node.level), name


def test_the_house_stays_within_its_figures():
    """`python -m tests.house` prints them all. The limits lie a little above what they were."""
    known = figures()
    assert known.circles == []
    assert known.module_largest[0] <= 450, known.module_largest
    assert known.module_median <= 120
    assert known.function_largest[0] <= 45, known.function_largest
    assert known.function_p95 <= 25
    assert known.function_median <= 6
    assert known.documented >= 0.95
    assert known.annotated == 1


def test_the_figures_are_printed():
    ran = subprocess.run(
        [sys.executable, "-m", "tests.house"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    printed = [line.split()[0] for line in ran.stdout.splitlines() if not line.startswith(" ")]
    assert printed == ["modules", "functions", "documented", "annotated", "circles"]
    assert f"modules    {figures().modules}, " in ran.stdout


# --- the database -----------------------------------------------------------------------------


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
    "buildings_legacyrow": {"legacy_row_once"},
    "buildings_quarantinedrow": {"quarantined_once", "quarantine_reason_known"},
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


# --- settings ---------------------------------------------------------------------------------


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
        ("DEBUG", "maybe", "DEBUG must be true or false."),
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
        ("SESSION_IDLE_DAYS", "0", "SESSION_IDLE_DAYS must be a whole number"),
        ("SECRET_KEY", " " * 40, "SECRET_KEY is missing"),
        ("SECRET_KEY", "$short", "SECRET_KEY has 6 bytes"),
        ("DATABASE_URL", "sqlite:///:memory:", "DATABASE_URL must look like"),
        ("DATABASE_URL", "$OTHER", "DATABASE_URL must look like"),
        ("EMAIL_URL", "$OTHER", "EMAIL_URL must look like"),
        ("ALLOWED_HOSTS", "http://omarty.example", "ALLOWED_HOSTS must name the hosts"),
        ("ALLOWED_HOSTS", "omarty.example:8000", "ALLOWED_HOSTS must name the hosts"),
        ("ALLOWED_HOSTS", " , ", "ALLOWED_HOSTS must name the hosts"),
        ("PROXIES", "-1", "PROXIES must be a whole number"),
        ("PHONE_REGION", "Egypt", "PHONE_REGION must be a country's two letters"),
        ("SECURITY_CONTACT", "security@omarty.example", "SECURITY_CONTACT must be addresses"),
        ("SECURITY_CONTACT", "http://omarty.example", "SECURITY_CONTACT must be addresses"),
        ("SECURITY_CONTACT", "mailto:a@b.example\r\nX: y", "SECURITY_CONTACT must be addresses"),
        ("ACCESS_TOKEN_MINUTES", "1.5", "ACCESS_TOKEN_MINUTES must be a whole number"),
    ],
)
def test_a_bad_setting_stops_the_start_with_a_sentence_that_names_it(name, value, says):
    ran = started_with(**{name: value})
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"omarty: {says}")
    assert "Traceback" not in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
