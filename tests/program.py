"""`manage.py` as the operator runs it: a program of its own, on a database of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_SECONDS = 120


class Program:
    """`manage.py` on the database of this DATABASE_URL, with its seal file in `directory`."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url = url
        self.environment = os.environ | {
            "DATABASE_URL": url,
            "AUDIT_SEAL_FILE": str(directory / "seals.jsonl"),
            "COLUMNS": "100",
            "TERM": "xterm",
        }

    def start(self, *arguments: str, **streams: Any) -> "subprocess.Popen[str]":
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, text=True, **streams)

    def start_piped(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the command without a terminal; `ended()` gives what it wrote."""
        pipe = subprocess.PIPE
        return self.start(*arguments, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command to its end; what it wrote, and its exit code."""
        return ended(self.start_piped(*arguments))

    def succeed(self, *arguments: str) -> str:
        """Run a command that must end with 0; what it wrote on standard output."""
        done = self.run(*arguments)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout


def ended(process: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
    """Wait for the end of a started command, which must not show a traceback."""
    with process:
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
