"""Is every tampering with a sealed log found? Many tries of each kind, on random entries.

    python -m benchmarks.audit_tampering [--entries 100000] [--tries 100] [--alone 100] [--processes 2]

Of each kind, all `--tries` are made at once, and exactly these must be named; then `--alone` single
tries are made, each verified by itself. Every try is undone. The attacker can write the database, the
archives, or the seal file, and not two of them that must agree.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import django

from tests import environment

SEED = 4
GAPS = 0.02
NOTHING = "nothing done"
# Tries of each kind between two reports.
ROUND = 10


def main() -> int:
    """Print what was found of what was done; 1 if anything was missed, or found where nothing was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--alone", type=int, default=10)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--directory", help="Where to put the databases: /dev/shm, for example.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omarty-tampering-", dir=options.directory) as name:
        os.environ.update(environment.ENVIRONMENT)
        os.environ["DATABASE_URL"] = f"sqlite:///{name}/0/omarty.sqlite3"
        django.setup()
        from benchmarks.attacks import Attacks  # noqa: PLC0415

        Path(name, "0").mkdir()
        attacks = Attacks(Path(name, "0"), random.Random(SEED))  # noqa: S311
        attacks.prepare(options.entries, GAPS)
        kinds = [*attacks.kinds(), NOTHING]
        shares = [kinds[number :: options.processes] for number in range(options.processes)]
        return sum(run_in_processes(attacks, Path(name), shares, options.tries, options.alone))


def run_in_processes(
    attacks: Any, directory: Path, shares: list[list[str]], tries: int, alone: int
) -> list[int]:
    """Try each share of the kinds in its own process, on its own copy. Returns the exit codes."""
    from django.db import connection  # noqa: PLC0415

    connection.close()
    processes = []
    for number, share in enumerate(shares, 1):
        copy = directory / str(number)
        shutil.copytree(directory / "0", copy)
        arguments = (attacks, copy, share, tries, alone)
        processes.append(
            multiprocessing.get_context("fork").Process(target=try_kinds, args=arguments)
        )
        processes[-1].start()
    for process in processes:
        process.join()
    return [process.exitcode or 0 for process in processes]


def try_kinds(attacks: Any, directory: Path, share: list[str], tries: int, alone: int) -> None:
    """Try these kinds of attack on the copy in `directory`; exits with 1 if one was not found."""
    from django.db import connection  # noqa: PLC0415

    connection.settings_dict["NAME"] = str(directory / "omarty.sqlite3")
    attacks.use_copy(directory)
    kinds, together, single = attacks.kinds(), {}, dict.fromkeys(share, 0)
    for kind in share:
        if kind != NOTHING and not kinds[kind].only_alone:
            together[kind] = attacks.found(kinds[kind], tries)
            print(f"{kind}: {together[kind]} of {tries} at once", flush=True)
    for done in range(ROUND, alone + ROUND, ROUND):
        for kind in share:
            for _ in range(min(ROUND, alone - done + ROUND)):
                single[kind] += (
                    attacks.alarm() if kind == NOTHING else attacks.found(kinds[kind], 1)
                )
            print(f"{kind}: {single[kind]} of {min(done, alone)} alone", flush=True)
    missed = [kind for kind, found in together.items() if found != tries]
    missed += [kind for kind in share if single[kind] != (0 if kind == NOTHING else alone)]
    sys.exit(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
