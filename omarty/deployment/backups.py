"""Whether there is a fresh backup, on a place of its own; and the commands that make one."""

import shlex
import stat
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection

from omarty.deployment import backup_files, places, remedies
from omarty.deployment.commands import quoted, root_looks_after_it, service

# As long as a timer may fail without being noticed.
SAVED_WITHIN = timedelta(days=7)
# As far as clocks may differ; what is later shows a wrong one, and would be fresh for ever.
AHEAD = timedelta(days=1)


def warnings() -> Iterator[CheckMessage]:
    """About BACKUP_DIRECTORY."""
    if not settings.BACKUP_DIRECTORY:
        yield Warning(
            "No place for backups is named.",
            hint="BACKUP_DIRECTORY=… in .env: where your backups of the database are put.",
            id="omarty.W022",
        )
        return
    if places.wrong("BACKUP_DIRECTORY"):
        return
    directory = Path(settings.BASE_DIR / settings.BACKUP_DIRECTORY)
    yield from _place_warnings(directory)
    closed: list[OSError] = []
    now = datetime.now().timestamp()
    earliest, latest = now - SAVED_WITHIN.total_seconds(), now + AHEAD.total_seconds()
    fresh = [
        (file, at)
        for file, at in places.files_below(directory, closed)
        if earliest <= at.st_mtime <= latest
    ]
    # A dump is read to its end: the newest first, and no more once one counts.
    fresh.sort(key=lambda each: each[1].st_mtime, reverse=True)
    if any(backup_files.is_whole(file, at) for file, at in fresh):
        return
    # What cannot be read may be one.
    unseen = [error for error in closed if not isinstance(error, FileNotFoundError)]
    if unseen:
        yield remedies.closed_warning(unseen[0])
        return
    yield Warning(
        f"{directory} has no backup of the last {SAVED_WITHIN.days} days.",
        hint=remedies.remedy(directory, _save(directory))
        if not database_is_gone()
        else "Once the database is there: this check names the line that makes one.",
        id="omarty.W023",
    )


def _place_warnings(directory: Path) -> Iterator[CheckMessage]:
    """Whether what destroys the database, or whoever breaks into the service, destroys the backups too."""
    place, database = places.real(directory), database_directory()
    if database and (place.is_relative_to(database) or database.is_relative_to(place)):
        yield Warning(
            "Backups lie in the database's own directory, or it in theirs: what destroys one destroys both.",
            hint="BACKUP_DIRECTORY in .env: a directory on another disk.",
            id="omarty.W024",
        )
        return
    if places.found(directory) and root_looks_after_it() and places.writable(directory):
        who, named = service(), quoted(place)
        yield Warning(
            f"{who.user}, as whom Omarty is served, can change and delete the backups in {directory}.",
            hint=remedies.remedy(
                directory,
                f"chown -R root:{quoted(who.group)} {named} && chmod -R g-w,o= {named} && chmod 750 {named}",
            ),
            id="omarty.W038",
        )


def database_directory() -> Path | None:
    """Where an SQLite file lies; a server's files are not ours to know."""
    if connection.vendor != "sqlite":
        return None
    return places.real(Path(connection.settings_dict["NAME"])).parent


def database_is_gone() -> bool:
    """Whether the SQLite file is missing or empty: to open it would make one."""
    if connection.vendor != "sqlite":
        return False
    at = places.found(Path(connection.settings_dict["NAME"]))
    return at is None or (stat.S_ISREG(at.st_mode) and at.st_size == 0)


def _save(directory: Path) -> str:
    """The line that makes a backup of the day on which it is run: under another name until it is whole."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        made, name = "$day.sqlite3.part", "$day.sqlite3"
        save = f'sqlite3 {quoted(config["NAME"])} ".backup {made}" && mv {made} {name}'
    else:
        made, name = "$day.sql.part", "$day.sql.gz"
        # The account comes by a pipe: no timer can type a password, and nobody sees one there. Who dumps may
        # have options of their own, for another account.
        options = [sys.executable, str(settings.BASE_DIR / "manage.py"), "database_options"]
        dump = ["mariadb-dump", "--defaults-file=/dev/stdin", "--single-transaction"]
        save = f"{shlex.join(options)} | {shlex.join([*dump, config['NAME']])} > {made}"
        # No pipe into gzip: a shell reports only how its end went, and a dump cut off would look whole.
        save = f"{save} && gzip -f {made} && mv {made}.gz {name}"
    whole = f"{{ {save} || {{ rm -f {made}; false; }}; }}"
    return f"({_folder(directory)} && cd {quoted(directory)} && umask 077 && day=$(date +%F) && {whole})"


def _folder(directory: Path) -> str:
    """Make the folder if there is none; those above it get 755, so that the service passes through them."""
    owner = "-m 700"
    if root_looks_after_it():
        owner = f"-m 750 -o root -g {quoted(service().group)}"
    return f"test -d {quoted(directory)} || install -d {owner} {quoted(directory)}"
