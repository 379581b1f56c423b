"""How long searches of the back-office take, of a superuser and of a manager, on both databases.

    python -m benchmarks.search [units people entries]

makes a large community on SQLite and on a throwaway MariaDB. Each page is asked for several times; shown are
the processor milliseconds of one answer, the database's among them, and how many rows were found. The
bar is for superusers' searches for people, which go over everybody.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests import environment, mariadb

MOST_MILLISECONDS = 300
TIMES = 5
PEOPLE, UNITS, MEMBERSHIPS = "contacts/user/", "buildings/apartment/", "buildings/membership/"
SEARCHES = {
    PEOPLE: (
        "",
        "احمد",
        "السيد احمد",
        "عبد الرحمن",
        "hassan laila",
        "nobodyatall",
        "person1234",
        "01500012345",
        "12345",
        "0150001",
        "laila 12345",
    ),
    MEMBERSHIPS: ("", "احمد", "01500012345", "42"),
    UNITS: ("", "احمد السيد", "01500012345", "42", "شقة 42"),
    "buildings/block/": ("برج", "42"),
    "audit/entry/": ("", "احمد", "nobodyatall"),
}


def main() -> int:
    """Print a table for each database; 1 if a superuser's search is above the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", metavar="N")
    parser.add_argument("--measure", action="store_true", help="measure the database as it is")
    options = parser.parse_args()
    sizes = options.sizes or [100_000, 200_000, 200_000]
    if len(sizes) != 3:
        parser.error("units, people and entries, or none of them")
    if options.measure:
        return measure()
    with tempfile.TemporaryDirectory() as directory, mariadb.throwaway() as url:
        urls = [f"sqlite:///{Path(directory) / 'large.sqlite3'}", url]
        return max(measured(each, sizes) for each in urls)


def measured(url: str, sizes: list[int]) -> int:
    """Make the community on this database and measure in a process of its own."""
    os.environ |= environment.ENVIRONMENT | {"DATABASE_URL": url, "DEBUG": "true"}
    large = [
        f"--{name}={size}" for name, size in zip(("units", "people", "entries"), sizes, strict=True)
    ]
    for command in (["migrate", "--verbosity=0"], ["demo"], ["demo", *large, "--no-progress"]):
        subprocess.run([sys.executable, "manage.py", *command], check=True)  # noqa: S603
    print(url.partition(":")[0])
    return subprocess.run([sys.executable, "-m", "benchmarks.search", "--measure"]).returncode  # noqa: S603, PLW1510


def measure() -> int:
    """Ask for each page; 1 if a superuser's takes too long."""
    import django  # noqa: PLC0415

    django.setup()
    from django.test.utils import setup_test_environment  # noqa: PLC0415

    # Answers say what they show; and without DEBUG not every statement is kept.
    setup_test_environment(debug=False)
    slowest = [_measure(name) for name in ("admin", "manager")]
    return int(slowest[0] > MOST_MILLISECONDS)


def _measure(name: str) -> float:
    from tests.backoffice import Desk  # noqa: PLC0415

    desk = Desk(name)
    slowest = 0.0
    for path, terms in SEARCHES.items():
        for term in terms:
            before = _seconds()
            for _time in range(TIMES):
                answer = desk.get(f"/admin/{path}", {"q": term} if term else {})
            took = (_seconds() - before) * 1000 / TIMES
            slowest = max(slowest, took if path == PEOPLE else 0)
            changes = answer.context["cl"]
            found = getattr(changes, "result_count", len(changes.result_list))
            print(f"  {name:8} {path:22} {term:14} {took:7.0f} ms  {found}", flush=True)
    return slowest


def _seconds() -> float:
    """Processor seconds so far of this process and of its database."""
    from django.db import connection  # noqa: PLC0415

    own = time.process_time()
    if connection.vendor == "sqlite":
        return own
    from benchmarks.import_units import server_seconds  # noqa: PLC0415

    return own + server_seconds(connection)


if __name__ == "__main__":
    sys.exit(main())
