"""How many rows a second `demo` writes, beside a bare bulk insert of as many, and how much memory.

    python -m benchmarks.demo [units people entries]

starts a throwaway MariaDB for each of the two. Units, people and entries are asked for; their audit
entries, contacts and memberships are written too. The bare insert is mysqlclient's
`executemany()` of as many rows as were written, into a table of the columns and keys of the audit
log, which most of them belong to. The demo is the command as an operator runs it, start to end.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from benchmarks.import_units import BATCH, connect, manage, timed
from tests import environment, mariadb

LEAST_A_SECOND = 20_000
TABLES = (
    "buildings_building",
    "buildings_block",
    "buildings_apartment",
    "buildings_membership",
    "contacts_user",
    "contacts_claim",
    "audit_entry",
)


def main() -> int:
    """Print rows per second, the ratio and the peak memory; 1 if the demo is below the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", metavar="N")
    sizes = parser.parse_args().sizes or [100_000, 50_000, 300_000]
    if len(sizes) != 3:
        parser.error("units, people and entries, or none of them")
    units, people, entries = map(str, sizes)
    with _migrated() as database, timed(database) as took:
        own, megabytes = manage("demo", "--units", units, "--people", people, "--entries", entries)
        asked, written = sum(sizes), count(database)
    took[1] += own
    # On another server: the first one still has pages of the demo to write.
    with _migrated() as database, timed(database) as bare:
        bare_insert(database, written)
    print(f"asked for            {asked} rows, {asked / took[0]:.0f} a second", end=" ")
    print(f"(bar: {LEAST_A_SECOND})")
    print(f"written              {written} rows, {written / took[0]:.0f} a second")
    print(f"demo                 {took[0]:.1f} s, {took[1]:.1f} processor seconds")
    print(f"bare bulk insert     {bare[0]:.1f} s, {bare[1]:.1f} processor seconds")
    print(f"ratio                {took[0] / bare[0]:.2f}; of processor seconds", end=" ")
    print(f"{took[1] / bare[1]:.2f}, which is more reliable on a busy machine")
    print(f"peak memory          {megabytes:.0f} MB")
    return int(asked / took[0] < LEAST_A_SECOND)


@contextmanager
def _migrated() -> Iterator[Any]:
    """A connection to a fresh server with Omarty's tables, which `manage.py` then speaks to."""
    with mariadb.throwaway() as url:
        os.environ |= environment.ENVIRONMENT | {"DATABASE_URL": url, "DEBUG": "true"}
        database = connect(url)
        # MariaDB creates its test database before it reads the server's character set.
        database.cursor().execute("ALTER DATABASE test CHARACTER SET utf8mb4")
        manage("migrate", "--verbosity", "0")
        yield database


def count(database: Any) -> int:
    """The rows of the register and its log."""
    cursor = database.cursor()
    cursor.execute(" UNION ALL ".join(f"SELECT count(*) FROM {table}" for table in TABLES))  # noqa: S608
    return sum(number for (number,) in cursor.fetchall())


def bare_insert(database: Any, count: int) -> None:
    """Insert this many entries with the driver alone."""
    cursor = database.cursor()
    cursor.execute("CREATE TABLE bare LIKE audit_entry")
    rows = _rows(count)
    while batch := list(islice(rows, BATCH)):
        cursor.executemany(
            "INSERT INTO bare (at, request_id, channel, actor_id, actor_label, action, refused,"
            " reason, target_type, target_id, target_label, person_id, person_label, block_id,"
            " block_label, apartment_label, actor_proof, subject_proof) VALUES (now(6),"
            " '00000000-0000-0000-0000-000000000001', 'api', %s, %s, 'user.signed_in', '', '',"
            " 'user', %s, %s, %s, %s, %s, %s, '', %s, %s)",
            batch,
        )
    database.commit()


def _rows(count: int) -> Iterator[tuple[Any, ...]]:
    for number in range(count):
        who, proof = (number % 1000, "أحمد المصري حسن"), f"{number:032x}"
        yield (*who, *who, *who, number % 100, "12 برج 12", proof, proof)


if __name__ == "__main__":
    sys.exit(main())
