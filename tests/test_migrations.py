"""A database of the tree in which the legacy tables belonged to `buildings` migrates, and loses nothing."""

import json
import re
from contextlib import closing
from typing import Any

import environ
import pytest
from django.db import DEFAULT_DB_ALIAS
from django.db.utils import ConnectionHandler

from tests import mariadb
from tests.program import Program

# What that tree had migrated to, the last of its migrations of each app.
BEFORE = {
    "legacy": "zero",
    "buildings": "0003_quarantine",
    "contacts": "0002_erased_at",
    "audit": "0004_corrections",
}
CONSTRAINTS = {
    "buildings_legacyrow": {"legacy_row_once"},
    "buildings_quarantinedrow": {"quarantined_once", "quarantine_reason_known"},
    "buildings_apartment": {"apartment_number_once", "apartment_of_block"},
    "buildings_membership": {"membership_apartment_in_block", "membership_role_known"},
    "contacts_claim": {"claim_one_holder", "claim_of_user", "claim_kind_known"},
    "audit_entry": {"entry_channel_known"},
}

Table = list[dict[str, Any]]


class Database:
    """What lies in a program's database, whatever the code takes it for."""

    def __init__(self, program: Program) -> None:
        config = environ.Env.db_url_config(program.url)
        self._handler = ConnectionHandler({DEFAULT_DB_ALIAS: config})

    def tables(self) -> dict[str, Table]:
        """Every row of every table of audit, contacts, buildings and legacy, in the order of their ids."""
        with closing(self._handler[DEFAULT_DB_ALIAS]) as database, database.cursor() as cursor:
            names = database.introspection.table_names(cursor)
            return {name: _rows(cursor, name) for name in sorted(filter(_is_ours, names))}

    def run(self, *statements: str) -> None:
        with closing(self._handler[DEFAULT_DB_ALIAS]) as database, database.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def names(self, table: str) -> set[str]:
        """The constraints and indexes of a table by name."""
        with closing(self._handler[DEFAULT_DB_ALIAS]) as database, database.cursor() as cursor:
            if database.vendor == "sqlite":
                cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = %s", [table])
            else:
                cursor.execute(f"SHOW CREATE TABLE {table}")
            made = str(cursor.fetchall())
        return set(re.findall(r'(?:CONSTRAINT|KEY|INDEX) ["`](\w+)', made))


def _is_ours(table: str) -> bool:
    return table.startswith(("audit_", "contacts_", "buildings_", "legacy_"))


def _rows(cursor: Any, table: str) -> Table:
    cursor.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def narrowed(tables: dict[str, Table], like: dict[str, Table]) -> dict[str, Table]:
    """These tables without what `like` has no table or column for."""
    columns = {name: rows[0].keys() if rows else () for name, rows in like.items()}
    return {
        name: [{column: row[column] for column in columns[name]} for row in tables[name]]
        for name in like
    }


def migrate_back(program: Program) -> None:
    """Bring the database to where that tree had it."""
    for app, target in BEFORE.items():
        program.succeed("migrate", app, target, "--verbosity", "0")
    plan = program.succeed("showmigrations", "legacy", "buildings")
    assert "[ ] 0001_initial" in plan and "[X] 0003_quarantine" in plan


def check_that_nothing_is_lost(program: Program) -> dict[str, Table]:
    """Migrate back and forwards again; the rows that were there all the time."""
    database = Database(program)
    newest = database.tables()
    constraints = {table: database.names(table) for table in newest}
    found = program.run("check_data", "--json").stdout
    assert json.loads(found)["broken"] == []

    migrate_back(program)
    old = database.tables()
    assert old == narrowed(newest, like=old)
    for table, names in CONSTRAINTS.items():
        assert names <= database.names(table)

    program.succeed("migrate", "--verbosity", "0")
    known_again = database.tables()
    for row, before in zip(known_again["contacts_claim"], newest["contacts_claim"], strict=True):
        # Whoever held a contact before there was this column is known to hold it from then on.
        assert row.pop("recovers_from") > before.pop("recovers_from")
    assert known_again == newest
    assert {table: database.names(table) for table in newest} == constraints
    for table, names in CONSTRAINTS.items():
        assert names <= constraints[table]
    program.succeed("makemigrations", "--check", "--dry-run")
    assert program.run("check_data", "--json").stdout == found
    assert json.loads(program.succeed("audit_verify", "--json"))["whole"]
    return newest


def test_the_demo_community_outlives_the_migrations(program):
    program.succeed("demo")
    program.succeed("audit_seal", "--grace", "0")
    rows = check_that_nothing_is_lost(program)
    assert len(rows["contacts_user"]) == 8 and len(rows["buildings_apartment"]) == 22
    assert not json.loads(program.succeed("demo", "--json"))["made"]


@pytest.mark.skipif(bool(mariadb.missing()), reason=mariadb.missing())
def test_an_imported_legacy_database_outlives_the_migrations(program, legacy):
    # From where own ids are counted is set anew by each run: it does not outlive its table.
    program.succeed("import_legacy", legacy.url, "--own-ids-from", "0")
    program.succeed("audit_seal", "--grace", "0")
    rows = check_that_nothing_is_lost(program)
    assert rows["buildings_legacyrow"] and rows["buildings_quarantinedrow"]

    again = json.loads(
        program.succeed("import_legacy", legacy.url, "--own-ids-from", "0", "--json")
    )
    assert again["not_accounted_for"] == []
    for table, counts in again["tables"].items():
        assert counts["new"] == counts["changed"] == counts["parts"] == 0, table
        assert counts["unchanged"] + counts["quarantined"] == counts["read"], table


def test_folding_the_names_goes_on_where_a_killed_run_stopped(program):
    program.succeed("demo")
    names = Database(program).tables()
    for app, before in (("buildings", "0005"), ("contacts", "0007")):
        program.succeed("migrate", app, before, "--verbosity", "0")
    Database(program).run(
        "ALTER TABLE contacts_user ADD COLUMN folded varchar(400) DEFAULT '' NOT NULL",
        "UPDATE contacts_user SET folded = 'adel administrator' WHERE id = 1",
        "CREATE INDEX user_folded ON contacts_user (folded)",
        "ALTER TABLE buildings_building ADD COLUMN folded varchar(600) DEFAULT '' NOT NULL",
    )
    program.succeed("migrate", "--verbosity", "0")
    again = Database(program).tables()
    for table in ("contacts_user", "buildings_building", "buildings_block", "buildings_apartment"):
        assert again[table] == narrowed(names, like=again)[table], table
