"""`manage.py import_legacy` on rows that no program should have written: none may stop it."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from audit.models import Channel, Entry
from omarty.legacy.source import PLACE_TABLES, REQUIRED
from tests import mariadb
from tests.legacy import ROWS, everything, run

pytestmark = pytest.mark.skipif(bool(mariadb.missing()), reason=mariadb.missing())

# Rows are identified by their ids, and buildings by the ids of six places.
CELLS = [
    (table, column)
    for table, columns in REQUIRED.items()
    for column in columns.split()
    if column != "ID" and column not in PLACE_TABLES.values()
]
HUGE = ["99999999999999999999", "1e999999", "-1e999999", "1e-999999", "9223372036854775808"]
ODD: "st.SearchStrategy[str | None]" = st.one_of(
    st.none(),
    st.sampled_from(
        [
            *HUGE,
            *("9223372036854775807", "-9223372036854775808", "1e9999999999999999999", "Infinity"),
            *("nan", "sNaN", "-0", "1_0", "٣", "0x10", "1.5", "2147483648", "1e3", "\0", " ", "İ"),
            *("0001-01-01 00:00:00", "9999-12-31 23-59-59pm", "2023-04-28 00:30:00", "+201" * 9),
            *("a@b.co", "A@B.CO", "ı@example.org", "Sara@Example.org", "01000001001", "1002"),
        ]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=255),
)


@pytest.fixture
def loose(legacy):
    """A legacy database whose columns hold any text at all, ids aside."""
    for table, column in CELLS:
        # Without the foreign keys, which hold on to their columns' types.
        for (name,) in legacy.run(
            "SELECT constraint_name FROM information_schema.key_column_usage WHERE table_schema ="
            " DATABASE() AND referenced_table_name IS NOT NULL AND table_name = %s",
            [table],
        ):
            legacy.run(f"ALTER TABLE {table} DROP FOREIGN KEY {name}")
        legacy.run(f"ALTER TABLE {table} MODIFY {column} varchar(255)")
    for table, key in legacy.run(
        "SELECT DISTINCT table_name, index_name FROM information_schema.statistics"
        " WHERE table_schema = DATABASE() AND non_unique = 0 AND index_name <> 'PRIMARY'"
    ):
        legacy.run(f"ALTER TABLE {table} DROP KEY {key}")
    return legacy


def cell(each: tuple[str, str]) -> "st.SearchStrategy[tuple[str, str, Any, str | None]]":
    table, column = each
    ids = st.sampled_from([row["ID"] for row in ROWS[table]])
    return st.tuples(st.just(table), st.just(column), ids, ODD)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(cells=st.lists(st.sampled_from(CELLS).flatmap(cell), min_size=4, max_size=16))
@example(cells=[("Logs", "LogRecordIdInActualTable", 2, text) for text in HUGE[:1]])
@example(cells=[("Logs", "LogRecordIdInActualTable", 4, text) for text in HUGE[1:2]])
@example(cells=[(*each, ROWS[each[0]][-1]["ID"], HUGE[0]) for each in CELLS])
@example(cells=[(*each, ROWS[each[0]][0]["ID"], HUGE[1]) for each in CELLS])
def test_no_row_stops_the_import(loose, cells):
    tables = {table for table, _, _, _ in cells}
    for table in tables:
        loose.run(f"CREATE TABLE saved_{table} AS SELECT * FROM {table}")  # noqa: S608
    try:
        for table, column, key, text in cells:
            loose.run(f"UPDATE {table} SET {column} = %s WHERE ID = %s", [text, key])  # noqa: S608
        with transaction.atomic():
            report, _ = run(loose.url)
            assert report["not_accounted_for"] == []
            before = everything()
            report, _ = run(loose.url)
            assert everything() == before
            assert report["not_accounted_for"] == []
            for table, counts in report["tables"].items():
                assert counts["new"] == counts["changed"] == counts["parts"] == 0, table
            transaction.set_rollback(True)
    finally:
        for table in tables:
            loose.run(f"DELETE FROM {table}")  # noqa: S608
            loose.run(f"INSERT INTO {table} SELECT * FROM saved_{table}")  # noqa: S608
            loose.run(f"DROP TABLE saved_{table}")


@pytest.mark.parametrize("text", HUGE)
def test_a_log_row_about_no_possible_id_comes_in_with_its_text(legacy, text):
    legacy.run("UPDATE Logs SET LogRecordIdInActualTable = %s WHERE ID IN (2, 4)", [text])
    report, _ = run(legacy.url)
    assert report["tables"]["Logs"]["new"] == 5
    legacy_entries: list[Any] = list(Entry.objects.filter(channel=Channel.LEGACY).order_by("pk"))
    for entry in (legacy_entries[1], legacy_entries[3]):
        assert entry.target_id is None
        assert entry.after["legacy"]["LogRecordIdInActualTable"] == text
        assert entry.target_label.endswith(f" {text}")
