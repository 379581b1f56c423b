"""`make audit`: asks the database of known vulnerabilities about each package that requirements/ pins.

Ends with 0 if it knows of none, 1 if it knows of some, 2 if it cannot be asked from here.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SETS = ("base", "mysql", "dev", "audit")
CLEAN, VULNERABLE, UNREACHABLE = 0, 1, 2
# pip-audit waits for every package by itself.
TIMEOUT_SECONDS = 600


class Unreachable(Exception):
    """The database cannot be asked; the text says why."""


def audited(program: str, name: str) -> list[dict[str, Any]]:
    """What is known of each package of one set, as pip-audit reports it. Raises Unreachable."""
    file = f"--requirement={ROOT}/requirements/{name}.txt"
    options = ["--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json"]
    try:
        done = subprocess.run(
            [program, *options, file], capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Unreachable(str(error)) from error
    # It ends with 1 both for what it found and for what went wrong; a report tells them apart.
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError as error:
        raise Unreachable("".join(done.stderr.strip().splitlines()[-1:])) from error
    return packages


def main(program: str) -> int:
    """Ask about every set, say in a line what came of it, and return the exit code."""
    try:
        packages = {
            (each["name"], each.get("version", "")): each
            for name in SETS
            for each in audited(program, name)
        }.values()
    except Unreachable as why:
        print(f"make audit: the database of vulnerabilities cannot be asked from here. {why}")
        return UNREACHABLE
    # What it could not look up is no proof of anything.
    if skipped := [each for each in packages if "skip_reason" in each]:
        some = f"{skipped[0]['name']}: {skipped[0]['skip_reason']}"
        print(
            "make audit: the database of vulnerabilities cannot be asked from here about"
            f" {len(skipped)} of {len(packages)} packages ({some})."
        )
        return UNREACHABLE
    found = [each for each in packages if each["vulns"]]
    for each in found:
        for known in each["vulns"]:
            fixed = ", ".join(known["fix_versions"]) or "no version yet"
            print(f"{each['name']} {each['version']}: {known['id']}, repaired in {fixed}")
    print(f"make audit: {len(packages)} packages, {len(found)} with known vulnerabilities")
    return VULNERABLE if found else CLEAN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
