"""`make test`: the whole suite on SQLite, then on a throwaway MariaDB; a last line says what ran.

With EVERYTHING=1 a part that cannot run is a failure.
"""

import os
import shutil
import subprocess
import sys

from tests import mariadb


def main(arguments: list[str]) -> int:
    """Run both suites; 0 if all that could run passed."""
    everything = bool(os.environ.get("EVERYTHING"))
    ran: list[str] = []
    failed: list[str] = []
    left_out: list[str] = []

    def suite(name: str, url: str) -> None:
        command = [sys.executable, "-m", "pytest", "-n", "2", *arguments]
        print(f"\n=== {name} ===", flush=True)
        code = subprocess.run(command, env=os.environ | {"DATABASE_URL": url}).returncode
        (failed if code else ran).append(name)

    suite("SQLite", "sqlite:///build/tests.sqlite3")
    if why := mariadb.missing():
        left_out.append(f"MariaDB: {why}")
    else:
        with mariadb.throwaway() as url:
            suite("MariaDB", url)
    if not shutil.which("chromium"):
        left_out.append("browser tests: chromium is not installed (apt-get install chromium)")

    outcomes = [f"passed on {' and '.join(ran)}"] if ran else []
    outcomes += [f"FAILED on {' and '.join(failed)}"] if failed else []
    outcomes += [f"not run: {why}" for why in left_out]
    print("\nmake test: " + "; ".join(outcomes), flush=True)
    return 1 if failed or (everything and left_out) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
