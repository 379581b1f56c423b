"""A throwaway MariaDB on a Unix socket, and its DATABASE_URL."""

import getpass
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

# Debian installs the server in directories of root's PATH.
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
START_SECONDS = 60


def missing() -> str:
    """Why tests cannot run on MariaDB here; empty if they can."""
    if not shutil.which("mariadbd", path=PATH):
        return "mariadbd is not installed (apt-get install mariadb-server)"
    try:
        import MySQLdb  # noqa: F401, PLC0415
    except ImportError:
        return "mysqlclient is not installed (see requirements/mysql.in)"
    return ""


@contextmanager
def throwaway(*, durable: bool = False, options: Sequence[str] = ()) -> Iterator[str]:
    """Start a server in a directory of its own, yield its DATABASE_URL, stop it and delete its data.

    `durable` makes each commit reach the disk, as in production; tests do not need it. `options` are the
    server's own.
    """
    with tempfile.TemporaryDirectory(prefix="omarty-mariadb-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        me = f"--user={getpass.getuser()}"
        install = shutil.which("mariadb-install-db", path=PATH)
        server = shutil.which("mariadbd", path=PATH)
        assert install and server, missing()
        # Two installations at the same time would share temporary tables in a common directory.
        environment = os.environ | {"TMPDIR": name}
        subprocess.run(
            [
                install,
                "--no-defaults",
                me,
                f"--datadir={home}/data",
                "--auth-root-authentication-method=normal",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        log = (home / "log").open("wb")
        process = subprocess.Popen(
            [
                server,
                "--no-defaults",
                me,
                f"--datadir={home}/data",
                f"--socket={home}/socket",
                f"--pid-file={home}/pid",
                "--skip-networking",
                # A default that a server may have; Omarty asks for utf8mb4 itself.
                "--character-set-server=latin1",
                f"--innodb-flush-log-at-trx-commit={int(durable)}",
                f"--innodb-doublewrite={int(durable)}",
                "--innodb-buffer-pool-size=256M",
                *options,
            ],
            stdout=log,
            stderr=log,
            env=environment,
        )
        try:
            _wait_for(home / "socket", process, home / "log")
            yield f"mysql://root@localhost/test?unix_socket={home}/socket"
        finally:
            process.terminate()
            process.wait(timeout=START_SECONDS)
            log.close()


def _wait_for(socket: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("MariaDB did not start:\n" + log.read_text(errors="replace"))
        time.sleep(0.1)


def connect(url: str) -> Any:
    """A new connection to the server of this DATABASE_URL, as its user."""
    import MySQLdb  # noqa: PLC0415

    parts = urlsplit(url)
    return MySQLdb.connect(
        user=parts.username,
        host=parts.hostname,
        unix_socket=parse_qs(parts.query)["unix_socket"][0],
        charset="utf8mb4",
        autocommit=True,
    )


@contextmanager
def schema(url: str, name: str) -> Iterator[str]:
    """An empty schema of that name on the server of `url`; yields its DATABASE_URL; drops it at the end."""
    with closing(connect(url)) as connection:
        connection.query(f"DROP DATABASE IF EXISTS {name}")
        connection.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            yield re.sub(r"/[^/?]+\?", f"/{name}?", url, count=1)
        finally:
            connection.query(f"DROP DATABASE {name}")
