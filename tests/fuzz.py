"""`make fuzz`: more than ten thousand requests of every kind, alone and one after another.

Schemathesis reads the API's schema and asks a server of its own, as schemathesis.toml says. The last
lines are its figures; the exit code is 0 if every answer was right and there were cases enough.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.http import post_form
from tests.program import ROOT
from tests.server import PASSWORD, served

CONFIG = ROOT / "schemathesis.toml"
LEAST_CASES = 10_000
# Cases of the stateful phase that took a token from the answer before them.
FOLLOWED = "followed"


def command(url: str, token: str, *options: str, config: Path = CONFIG) -> list[str]:
    """The command that fuzzes the API at this address."""
    program = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)]
    program += ["run", "--no-color", "--seed", "1"]
    return [*program, "-H", f"Authorization: Bearer {token}", *options, f"{url}/omartyapis/schema/"]


def cases(report: Path) -> Counter[tuple[str, str]]:
    """How many cases there were, by operation and phase; those that went on with an answer as `FOLLOWED`."""
    counted: Counter[tuple[str, str]] = Counter()
    for line in report.read_text().splitlines():
        [(kind, event)] = json.loads(line).items()
        if kind == "ScenarioFinished":
            for case in event["recorder"].get("cases", {}).values():
                followed = FOLLOWED if case.get("is_transition_applied") else str(event["phase"])
                counted[_name(case), followed] += 1
    return counted


def _name(case: dict[str, Any]) -> str:
    value = case["value"]
    return str(value.get("path") or value.get("operation") or "?")


def show(counted: Counter[tuple[str, str]]) -> None:
    """Print the figures as a table."""
    phases = sorted({phase for _, phase in counted})
    print(f"\n{'cases':30}" + "".join(f"{phase:>12}" for phase in phases) + f"{'all':>12}")
    for name in sorted({name for name, _ in counted}):
        row = [counted[name, phase] for phase in phases]
        print(f"{name:30}" + "".join(f"{each:12}" for each in (*row, sum(row))))


def main() -> int:
    """Fuzz; 0 if all holds."""
    with (
        TemporaryDirectory() as directory,
        served(SIGN_IN_ATTEMPTS="10000", SIGN_IN_ATTEMPTS_PER_ADDRESS="10000") as server,
    ):
        login = f"{server.url}/omartyapis/Auth/Login/"
        token = post_form(login, email="manager@example.org", password=PASSWORD)["data"]["Token"]
        report = Path(directory) / "events.ndjson"
        asked = command(server.url, token, "--report-ndjson-path", str(report))
        failed = subprocess.run(asked, cwd=ROOT).returncode
        counted = cases(report)
    show(counted)
    enough = counted.total() >= LEAST_CASES
    followed = sum(number for (_, phase), number in counted.items() if phase == FOLLOWED)
    print(f"\nmake fuzz: {counted.total()} cases, {'FAILED' if failed else 'every answer right'}")
    if not enough:
        print(f"make fuzz: FAILED, fewer than {LEAST_CASES} cases")
    if not followed:
        print("make fuzz: FAILED, no call went on with the answer of another")
    return 1 if failed or not enough or not followed else 0


if __name__ == "__main__":
    sys.exit(main())
