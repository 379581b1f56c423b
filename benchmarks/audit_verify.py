"""How fast `audit_seal`, `audit_verify` and `audit_archive` are, and how much memory they take.

    python -m benchmarks.audit_verify [ENTRIES] [--mariadb]

writes an invented log to a throwaway database and runs the commands as an operator does, from
start to end. Bars: audit_verify at least 1,000,000 entries a minute, each at most 150 MB.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import environment, mariadb

LEAST_A_MINUTE, MOST_MEGABYTES = 1_000_000, 150
MANAGE = (sys.executable, "manage.py")
FILL = "import django; django.setup(); from benchmarks.invented_log import write; write({})"


def main() -> int:
    """Print what was measured; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("entries", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--mariadb", action="store_true")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="omarty-seals-") as name,
        database(Path(name), options.mariadb) as url,
    ):
        os.environ["DATABASE_URL"] = url
        return measured(Path(name), options.entries)


@contextmanager
def database(directory: Path, on_mariadb: bool) -> Iterator[str]:
    """The DATABASE_URL of an empty database, deleted at the end."""
    if not on_mariadb:
        yield f"sqlite:///{directory / 'omarty.sqlite3'}"
        return
    with mariadb.throwaway() as url:
        yield url


def measured(directory: Path, entries: int) -> int:
    """Fill, seal, verify, archive, verify again."""
    seals = f"--file={directory / 'seals.jsonl'}"
    run(*MANAGE, "migrate", "--verbosity=0")
    run(sys.executable, "-c", FILL.format(entries))
    steps = {
        "audit_seal": (*MANAGE, "audit_seal", seals),
        "audit_verify": (*MANAGE, "audit_verify", seals),
        "audit_archive": (*MANAGE, "audit_archive", "--before=2999-01-01", seals),
        "audit_verify, archived": (*MANAGE, "audit_verify", seals),
    }
    missed = False
    for name, command in steps.items():
        seconds, busy, megabytes = run(*command)
        pace = entries / seconds * 60
        figures = f"{seconds:.1f} s ({busy:.1f} s of its processor), {pace:,.0f} entries a minute"
        print(f"{name}: {figures}, {megabytes:.0f} MB at most", flush=True)
        slow = name.startswith("audit_verify") and pace < LEAST_A_MINUTE
        missed |= slow or megabytes > MOST_MEGABYTES
    print(f"Seal file: {(directory / 'seals.jsonl').stat().st_size / entries:.1f} bytes an entry")
    return int(missed)


def run(*command: str) -> tuple[float, float, float]:
    """Seconds, seconds of processor, and peak megabytes of the program; it must succeed."""
    start = time.monotonic()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet)  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    busy = usage.ru_utime + usage.ru_stime
    return time.monotonic() - start, busy, usage.ru_maxrss / 1024


if __name__ == "__main__":
    os.environ.update(environment.ENVIRONMENT)
    sys.exit(main())
