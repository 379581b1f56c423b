"""Omarty as it is served: granian on loopback, with the demo in a throwaway database."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.environment import ENVIRONMENT
from tests.program import ROOT

STARTS_WITHIN_SECONDS = 60
# Of everybody in the demo.
PASSWORD = "omarty-demo"


@dataclass(frozen=True)
class Served:
    """A running server: its address, and the file that it logs to."""

    url: str
    log: Path


@contextmanager
def served(workers: int = 2, **environment: str) -> Iterator[Served]:
    """A server of its own with these settings; it ends with the block."""
    with TemporaryDirectory() as directory:
        settings = os.environ | ENVIRONMENT | environment
        settings |= {"DATABASE_URL": f"sqlite:///{directory}/omarty.sqlite3", "DEBUG": "true"}
        for command in (["migrate", "--verbosity", "0"], ["demo"]):
            subprocess.run(
                [sys.executable, "manage.py", *command],
                cwd=ROOT,
                env=settings,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        path = Path(directory) / "log"
        with path.open("wb") as log, granian(settings, workers, log) as url:
            yield Served(url, path)


@contextmanager
def granian(settings: dict[str, str], workers: int, log: object) -> Iterator[str]:
    """A server with these settings, which writes to `log`; yields its address."""
    port = _free_port()
    options = f"--interface wsgi --http 1 --host 127.0.0.1 --port {port} --workers {workers}"
    command = [str(Path(sys.executable).with_name("granian")), *options.split()]
    command += ["--blocking-threads", "4", "--respawn-failed-workers", "omarty.wsgi:application"]
    process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=log, stderr=log)  # type: ignore[call-overload]
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(url: str) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(f"{url}/readyz", timeout=5):
            return
        time.sleep(0.2)
    raise TimeoutError(f"no answer from {url}")
