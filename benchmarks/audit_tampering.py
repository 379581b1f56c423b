"""Is every tampering with a sealed log found? Many tries of each kind, at places chosen by chance.

    python -m benchmarks.audit_tampering [--entries 100000] [--tries 100] [--alone 10]

Of each kind, all `--tries` are made at once and must be named one by one, and nothing else; then so
many `--alone`, each verified by itself. Every try is taken back. The attacker writes the database
and the archives; the seal file he cannot reach.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import django

from tests import environment

SEED = 4
GAPS = 0.02


def main() -> int:
    """Print what was found of what was done; 1 if anything was missed, or found where nothing was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--alone", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="omarty-tampering-") as place:
        os.environ.update(environment.ENVIRONMENT)
        os.environ["DATABASE_URL"] = f"sqlite:///{place}/omarty.sqlite3"
        django.setup()
        from benchmarks.attacks import Attacks  # noqa: PLC0415

        attacks = Attacks(Path(place), random.Random(SEED))  # noqa: S311
        attacks.prepare(options.entries, GAPS)
        return tried(attacks, options.tries, options.alone)


def tried(attacks: Any, tries: int, alone: int) -> int:
    """Try every kind of attack."""
    missed = 0
    for kind, attack in attacks.kinds().items():
        start = time.monotonic()
        together = 0 if attack.only_alone else attacks.found(attack, tries)
        single = sum(attacks.found(attack, 1) for _ in range(alone))
        expected = (0 if attack.only_alone else tries, alone)
        missed += (together, single) != expected
        told = "" if attack.only_alone else f"{together} of {tries} at once, "
        seconds = time.monotonic() - start
        print(f"{kind}: {told}{single} of {alone} alone ({seconds:.0f} s)", flush=True)
    alarms = sum(attacks.alarm() for _ in range(max(1, alone)))
    print(f"nothing done: {alarms} alarms of {max(1, alone)}")
    return int(bool(missed or alarms))


if __name__ == "__main__":
    sys.exit(main())
