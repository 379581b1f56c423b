"""How long `import_units` takes beside a bare bulk insert of the same units, and how much memory.

    python -m benchmarks.import_units 1000000 [--residents]

starts a throwaway MariaDB. The bare insert is mysqlclient's
`executemany()` into a table of the same columns, keys and checks, in batches of 2000, in one
transaction. The import is the command as an operator runs it, from start to end; with --residents
every third unit has one, so that people, contacts and memberships are written too.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests import environment, mariadb

UNITS_PER_BLOCK = 100
UNITS_PER_FLOOR = 4
BATCH = 2000
MOST_TIMES, MOST_MEGABYTES = 5, 150
HEADINGS = ("block", "number", "floor", "name", "occupancy", "resident", "phone", "email")

Row = tuple[int, int, int, str, str]


def units(count: int) -> Iterator[Row]:
    """Block, number, floor, name and occupancy of each unit, in an order of no index."""
    blocks = count // UNITS_PER_BLOCK
    for number in range(1, UNITS_PER_BLOCK + 1):
        for block in range(1, blocks + 1):
            floor = number // UNITS_PER_FLOOR
            occupancy = "lived_in" if number % 3 else "vacant"
            yield block, number, floor, f"شقة {number}", occupancy


def resident(row: Row) -> tuple[str, str, str]:
    """Name, phone and e-mail of the unit's resident: every third has one."""
    number = row[0] * UNITS_PER_BLOCK + row[1]
    if number % 3:
        return "", "", ""
    return f"ساكن {number}", f"+2010{number:08d}", f"resident{number}@example.org"


def main() -> int:
    """Print both times, their ratio and the peak memory; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("units", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--residents", action="store_true")
    options = parser.parse_args()
    with mariadb.throwaway() as url, tempfile.TemporaryDirectory() as directory:
        os.environ |= environment.ENVIRONMENT | {"DATABASE_URL": url, "DEBUG": "false"}
        database = connect(url)
        # MariaDB creates its test database before it reads the server's character set.
        database.cursor().execute("ALTER DATABASE test CHARACTER SET utf8mb4")
        manage("migrate", "--verbosity", "0")
        file = Path(directory) / "units.csv"
        write(file, options.units, with_residents=options.residents)
        insert_blocks(database, options.units // UNITS_PER_BLOCK)
        with timed(database) as bare:
            bare_insert(database, options.units)
        with timed(database) as took:
            own, megabytes = manage("import_units", str(file))
        took[1] += own
        check(database, options.units)
    ratio = took[0] / bare[0]
    print(f"units                {options.units}")
    print(f"bare bulk insert     {bare[0]:.1f} s, {bare[1]:.1f} processor seconds")
    print(f"import_units         {took[0]:.1f} s, {took[1]:.1f} processor seconds")
    print(f"ratio                {ratio:.2f} (bar: {MOST_TIMES}); of processor seconds", end=" ")
    print(f"{took[1] / bare[1]:.2f}, which is more reliable on a busy machine")
    print(f"peak memory          {megabytes:.0f} MB (bar: {MOST_MEGABYTES})")
    return int(ratio > MOST_TIMES or megabytes > MOST_MEGABYTES)


def write(file: Path, count: int, *, with_residents: bool) -> None:
    """Write the table of units as an operator would have it."""
    with file.open("w", newline="", encoding="utf-8") as text:
        out = csv.writer(text)
        out.writerow(HEADINGS)
        for row in units(count):
            out.writerow([*row, *(resident(row) if with_residents else ("", "", ""))])


def connect(url: str) -> Any:
    """The driver's own connection."""
    import MySQLdb  # noqa: PLC0415

    parts = urlsplit(url)
    socket = parse_qs(parts.query)["unix_socket"][0]
    return MySQLdb.connect(user="root", db=parts.path[1:], unix_socket=socket, charset="utf8mb4")


def insert_blocks(database: Any, count: int) -> None:
    """Insert the blocks of the units."""
    cursor = database.cursor()
    cursor.execute(
        "INSERT INTO buildings_building (id, name_ar, name_en, country, governorate, city, region,"
        " street) VALUES (1, '', 'Measured', '', '', '', '', '')"
    )
    cursor.executemany(
        "INSERT INTO buildings_block (id, building_id, number, name, status, created_at)"
        " VALUES (%s, 1, %s, '', 'active', now(6))",
        [(block, block) for block in range(1, count + 1)],
    )
    database.commit()


@contextmanager
def timed(database: Any) -> Iterator[list[float]]:
    """On exit, the list has elapsed seconds and processor seconds of this process and the server."""
    took: list[float] = []
    server, own, start = server_seconds(database), time.process_time(), time.perf_counter()
    yield took
    took.append(time.perf_counter() - start)
    took.append(time.process_time() - own + server_seconds(database) - server)


def server_seconds(database: Any) -> float:
    cursor = database.cursor()
    cursor.execute("SELECT @@pid_file")
    pid = Path(cursor.fetchone()[0]).read_text().strip()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bare_insert(database: Any, count: int) -> None:
    """Insert the units with the driver alone."""
    cursor = database.cursor()
    cursor.execute("CREATE TABLE bare LIKE buildings_apartment")
    cursor.execute("ALTER TABLE bare ADD FOREIGN KEY (block_id) REFERENCES buildings_block (id)")
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = ((*row, f"شقة {row[1]}", "", now) for row in units(count))
    while batch := list(islice(rows, BATCH)):
        cursor.executemany(
            "INSERT INTO bare (block_id, number, floor, name, occupancy, folded, note, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            batch,
        )
    database.commit()


def manage(*arguments: str) -> tuple[float, float]:
    """Run a command of manage.py; its own processor seconds and its peak memory in megabytes."""
    process = subprocess.Popen([sys.executable, "manage.py", *arguments])  # noqa: S603
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{arguments[0]} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def check(database: Any, count: int) -> None:
    """Every unit is there, with its entry."""
    cursor = database.cursor()
    cursor.execute(
        "SELECT count(DISTINCT apartment.id), count(*) FROM buildings_apartment apartment"
        " JOIN audit_entry entry ON entry.target_type = 'apartment'"
        " AND entry.target_id = apartment.id"
    )
    found = cursor.fetchone()
    if found != (count, count):
        sys.exit(f"units and entries: {found}, wanted {count} of each")


if __name__ == "__main__":
    sys.exit(main())
