"""An installation of its own, made as the README says: a copy of the program with its `.env` and its files.

`python -m tests.installation` makes one and runs `manage.py check --deploy` there: what a right one is told.
"""

import os
import re
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from sysconfig import get_path
from typing import Any

import requests

from tests.program import ROOT, TIMEOUT_SECONDS

START_SECONDS = 60
OWN_PROGRAM = "omarty.W014"
PROGRAM = ("audit", "buildings", "contacts", "locale", "omarty", "manage.py", ".env.example")
WARNING = re.compile(r"\((omarty|security)\.(W\d+)\) (.*)\n\tHINT: (.*(?:\n    .*)*)")


class Installation:
    """A copy of the program in `home`; its settings are what its `.env` says, and nothing else is."""

    # Whom its commands run as: user and group; nobody else than who runs the tests if None.
    user: int | None = None
    python = sys.executable

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.settings = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": "register.example.org",
            "PROXIES": "1",
            "BACKUP_DIRECTORY": "backups",
            "SECURITY_CONTACT": "mailto:security@register.example.org",
            "DATABASE_URL": "sqlite:///data/omarty.sqlite3",
        } | settings

    def make(self) -> "Installation":
        """Copy the program and follow the README; returns itself."""
        for name in PROGRAM:
            source = ROOT / name
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, self.home / name, ignore=ignored)
            else:
                shutil.copy2(source, self.home / name)
        for name in ("data", "backups"):
            (self.home / name).mkdir(mode=0o700)
        self.set()
        self.succeed("migrate", "--verbosity", "0")
        database, backup = (
            self.home / "data" / "omarty.sqlite3",
            self.home / "backups" / "today.sqlite3",
        )
        with closing(sqlite3.connect(database)) as saved, closing(sqlite3.connect(backup)) as made:
            saved.backup(made)
        backup.chmod(0o600)
        self.succeed("collectstatic", "--no-input", "--verbosity", "0")
        return self

    def copied_to(self, home: Path) -> "Installation":
        """The same installation once more, to make something wrong in it."""
        shutil.copytree(self.home, home)
        return Installation(home, **self.settings)

    def set(self, **settings: str) -> None:
        """Write these settings into `.env`."""
        self.settings |= settings
        file = self.home / ".env"
        file.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()))
        file.chmod(0o600)

    @property
    def environment(self) -> dict[str, str]:
        """Where programs and packages are; nothing of ours."""
        packages = {} if self.python == sys.executable else {"PYTHONPATH": get_path("purelib")}
        return packages | {"PATH": os.environ["PATH"]}

    def start(self, *arguments: str, **streams: Any) -> "subprocess.Popen[str]":
        """`manage.py` of this installation, in an environment without settings."""
        environment = self.environment | {"HOME": str(self.home), "LANG": "C.UTF-8"}
        command = [self.python, "manage.py", *arguments]
        if self.user is not None:
            streams |= {"user": self.user, "group": self.user, "extra_groups": []}
        return subprocess.Popen(command, cwd=self.home, env=environment, text=True, **streams)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        pipe = subprocess.PIPE
        with self.start(*arguments, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
            out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def succeed(self, *arguments: str) -> str:
        """Run a command that must end with 0; what it wrote on standard output."""
        done = self.run(*arguments)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    @contextmanager
    def served(self) -> Iterator[str]:
        """The address of a server of this installation, which ends with the block."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        granian = Path(sys.executable).parent / "granian"
        options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
        with (self.home / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [granian, *options, "omarty.wsgi:application"],
                cwd=self.home,
                env={"PATH": os.environ["PATH"]},
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_for(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=TIMEOUT_SECONDS)

    def _wait_for(self, address: str, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                requests.get(f"{address}/readyz", timeout=5).raise_for_status()
                return
            except requests.RequestException:
                time.sleep(0.1)
        raise RuntimeError("No server:\n" + (self.home / "server.log").read_text())

    def paste(self, hint: str) -> None:
        """Carry out the commands of a hint, as whoever runs the tests."""
        first, *lines = hint.split("\n    ")
        for line in lines or [first]:
            subprocess.run(
                ["sh", "-c", line],
                cwd=self.home,
                env=self.environment,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # Without a terminal MariaDB's programs read the password from standard input.
                start_new_session=True,
            )

    def warnings(self) -> dict[str, tuple[str, str]]:
        """What `check --deploy` says here: sentence and remedy by id."""
        done = self.run("check", "--deploy", "--fail-level", "WARNING")
        found = {
            f"{area}.{number}": (sentence, hint)
            for area, number, sentence, hint in WARNING.findall(done.stderr)
        }
        assert done.returncode == bool(found), done.stderr
        if os.geteuid() != 0:
            # Who is not root owns the copy and serves it: that they can change it is true, and said.
            found.pop(OWN_PROGRAM, None)
        return found


def main() -> int:
    """Make an installation and check it; 0 if it is told nothing."""
    with tempfile.TemporaryDirectory(prefix="omarty-installation-") as home:
        found = Installation(Path(home)).make().warnings()
    for number, (sentence, hint) in found.items():
        print(f"({number}) {sentence}\n\tHINT: {hint}")
    print(f"A right installation is told {len(found)} warnings.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
