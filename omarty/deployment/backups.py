"""Whether there is a fresh backup, on a place of its own; and the commands that make one."""

import os
import shlex
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection
from django.utils import timezone

from omarty.deployment import places
from omarty.deployment.commands import paste, quoted, root_looks_after_it, service

# As long as a timer may fail without being noticed.
SAVED_WITHIN = timedelta(days=7)
# How files end that somebody is still writing, or gave up.
UNFINISHED = (".part", ".part.gz", ".partial", ".tmp", ".temp", ".incomplete", "~")
# No dump of our tables is so small, but gzip's of nothing is.
SMALLEST = 100


def warnings() -> Iterator[CheckMessage]:
    """About BACKUP_DIRECTORY."""
    if not settings.BACKUP_DIRECTORY:
        yield Warning(
            "No place for backups is named.",
            hint="BACKUP_DIRECTORY=… in .env: where your backups of the database are put.",
            id="omarty.W022",
        )
        return
    directory = Path(settings.BASE_DIR / settings.BACKUP_DIRECTORY)
    if places.real(directory) == database_directory():
        yield Warning(
            "Backups lie in the database's own directory: what destroys one destroys both.",
            hint="BACKUP_DIRECTORY in .env: a directory on another disk.",
            id="omarty.W024",
        )
    places.found(directory)
    closed: list[OSError] = []
    times = [at.st_mtime for file, at in places.files_below(directory, closed) if _whole(file, at)]
    if datetime.now().timestamp() - max(times, default=0.0) <= SAVED_WITHIN.total_seconds():
        return
    # What cannot be read may be one.
    unseen = [error for error in closed if not isinstance(error, FileNotFoundError)]
    if unseen:
        yield places.closed_warning(unseen[0])
        return
    yield Warning(
        f"{directory} has no backup of the last {SAVED_WITHIN.days} days.",
        hint=paste(_save(directory)),
        id="omarty.W023",
    )


def database_directory() -> Path | None:
    """Where an SQLite file lies; a server's files are not ours to know."""
    if connection.vendor != "sqlite":
        return None
    return places.real(Path(connection.settings_dict["NAME"])).parent


def _whole(file: Path, at: os.stat_result) -> bool:
    """Whether this may be a backup: a file that is finished, and holds something."""
    named = not file.name.startswith(".") and not file.name.lower().endswith(UNFINISHED)
    return named and stat.S_ISREG(at.st_mode) and at.st_size >= SMALLEST


def _save(directory: Path) -> str:
    """The line that makes a backup: under another name until it is whole."""
    day = timezone.localdate().isoformat()
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        made, name = f"{day}.sqlite3.part", f"{day}.sqlite3"
        save = f"sqlite3 {quoted(config['NAME'])} {quoted(f'.backup {made}')} && mv {made} {name}"
    else:
        made, name = f"{day}.sql.part", f"{day}.sql.gz"
        dump = ["mariadb-dump", *_account(config), "--single-transaction", config["NAME"]]
        # No pipe: of that a shell reports only how its end went, and a dump cut off would look whole.
        save = f"{shlex.join(dump)} > {made} && gzip -f {made} && mv {made}.gz {name}"
    whole = f"{{ {save} || {{ rm -f {made}; false; }}; }}"
    return f"({_folder(directory)} && cd {quoted(directory)} && umask 077 && {whole})"


def _folder(directory: Path) -> str:
    """Make the folder if there is none; those above it get 755, so that the service passes through them."""
    owner = "-m 700"
    if root_looks_after_it():
        owner = f"-m 750 -o root -g {quoted(service().group)}"
    return f"test -d {quoted(directory)} || install -d {owner} {quoted(directory)}"


def _account(config: dict[str, Any]) -> Iterator[str]:
    """Where and as whom, for MariaDB's own programs; -p asks for the password."""
    host = config["HOST"]
    socket = host if host.startswith("/") else config["OPTIONS"].get("unix_socket")
    if socket:
        yield from ("-S", socket)
    elif host:
        yield from ("-h", host, "-P", str(config["PORT"] or 3306))
    if config["USER"]:
        yield from ("-u", config["USER"], "-p")
