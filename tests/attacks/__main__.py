"""Carry out every attack against a server of its own; a line each, 0 only if all held."""

import sys
import time

from tests.attacks import at_the_door, by_files, by_requests, by_strangers
from tests.attacks.tools import ATTACKS, Attack
from tests.server import Served, served

MODULES = (by_strangers, by_files, by_requests, at_the_door)


def held(attack: Attack, server: Served) -> bool:
    """Carry it out and print its line."""
    start = time.monotonic()
    try:
        outcome, figure = "held", attack(server)
    except Exception as error:
        # Whatever it is: an attack that cannot be carried out has shown nothing.
        outcome, figure = "BROKEN", " ".join(f"{type(error).__name__}: {error}".split())[:300]
    name = attack.__name__.replace("_", " ")
    print(f"{outcome:6} {name:36} {time.monotonic() - start:6.1f} s  {figure}", flush=True)
    return outcome == "held"


def main(wanted: list[str]) -> int:
    """All attacks, or those of these names."""
    order = [module.__name__ for module in MODULES]
    attacks = sorted(ATTACKS, key=lambda each: order.index(each.__module__))
    chosen = [each for each in attacks if not wanted or each.__name__ in wanted]
    with served(PROXIES="1") as server:
        outcomes = [held(each, server) for each in chosen]
    print(f"make attack: {sum(outcomes)} of {len(outcomes)} held")
    return 0 if outcomes and all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
