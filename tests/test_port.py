"""`make run` on a port that is taken."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

PYTHON = Path(sys.executable)


def make_run(port: str) -> "subprocess.CompletedProcess[str]":
    """What the first step of `make run` says; nothing is installed or served."""
    return subprocess.run(
        [
            "make",
            # Make may have started the tests; then it prints the directories that it enters.
            "--no-print-directory",
            "-o",
            ".env",
            "-o",
            ".venv/installed",
            "run",
            f"PORT={port}",
            f"BIN={PYTHON.parent}",
        ],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )


def test_a_port_that_another_server_would_share_is_refused():
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        taken = server.getsockname()[1]
        done = make_run(str(taken))
    assert done.returncode != 0 and done.stdout == ""
    found = re.search(r"^Port (\d+) is taken\. Try: make run PORT=(\d+)$", done.stderr, re.M)
    assert found and found[1] == str(taken) != found[2]


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_what_is_no_port_is_refused(port):
    done = make_run(port)
    assert done.returncode != 0
    assert f"PORT must be a number from 1 to 65535, not '{port}'." in done.stderr
