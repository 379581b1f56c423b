"""What a timer or an operator should have done by now: seals, backups, sweeping; and the demo removed."""

import shlex
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection
from django.utils import timezone

from audit.models import Entry, Seal
from contacts.models import AppSession, BackofficeSession, User
from omarty.demo import small

# As long as a timer may fail without being noticed.
SEALED_WITHIN = SWEPT_WITHIN = timedelta(days=2)
SAVED_WITHIN = timedelta(days=7)


def backup_warnings() -> Iterator[CheckMessage]:
    """Whether there is a fresh backup, on a place of its own."""
    if not settings.BACKUP_DIRECTORY:
        yield Warning(
            "No place for backups is named.",
            hint="BACKUP_DIRECTORY=… in .env: where your backups of the database are put.",
            id="omarty.W022",
        )
        return
    directory = Path(settings.BASE_DIR / settings.BACKUP_DIRECTORY)
    newest = max((each.stat().st_mtime for each in _files(directory)), default=0.0)
    if datetime.now().timestamp() - newest > SAVED_WITHIN.total_seconds():
        yield Warning(
            f"{directory} has no backup of the last {SAVED_WITHIN.days} days.",
            hint=_save(directory),
            id="omarty.W023",
        )
    if directory.resolve() == _database_directory():
        yield Warning(
            "Backups lie in the database's own directory: what destroys one destroys both.",
            hint="BACKUP_DIRECTORY in .env: a directory on another disk.",
            id="omarty.W024",
        )


def seal_file_warnings() -> Iterator[CheckMessage]:
    """Whether the seal file lies apart from the database."""
    seal_file = Path(settings.AUDIT_SEAL_FILE)
    if seal_file.resolve().parent == _database_directory():
        yield Warning(
            f"{seal_file} lies in the database's own directory: who can change one can change both,"
            " and forge the audit log.",
            hint="AUDIT_SEAL_FILE in .env: a file in another directory, best on another machine's disk;"
            " move the file, its .lock and audit-archive there (docs/audit-proof.md).",
            id="omarty.W027",
        )


def _database_directory() -> Path | None:
    """Where an SQLite file lies; a server's files are not ours to know."""
    if connection.vendor != "sqlite":
        return None
    return Path(connection.settings_dict["NAME"]).resolve().parent


def _files(directory: Path) -> list[Path]:
    return [each for each in directory.rglob("*") if each.is_file()] if directory.is_dir() else []


def _save(directory: Path) -> str:
    """The commands that make a backup, to be pasted into a shell."""
    target = directory / timezone.localdate().isoformat()
    make = f"umask 077 && mkdir -p {shlex.quote(str(directory))} && "
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        backup = shlex.quote(f".backup '{target}.sqlite3'")
        return f"({make}sqlite3 {shlex.quote(config['NAME'])} {backup})"
    dump = ["mariadb-dump", *_account(config), "--single-transaction", config["NAME"]]
    # No pipe: of that a shell reports only how its end went, and a dump cut off would look like a whole one.
    file = shlex.quote(f"{target}.sql")
    return f"({make}{shlex.join(dump)} > {file} && gzip {file})"


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


def warnings() -> Iterator[CheckMessage]:
    """About what the database says was done."""
    yield from _seal_warnings()
    long_ago = timezone.now() - SWEPT_WITHIN
    unused = long_ago - timedelta(days=settings.REFRESH_TOKEN_DAYS)
    expired = BackofficeSession.objects.filter(expire_date__lt=long_ago).count()
    expired += AppSession.objects.filter(renewed_at__lt=unused).count()
    if expired:
        yield Warning(
            f"{expired} sessions expired more than {SWEPT_WITHIN.days} days ago and are still stored.",
            hint="manage.py clearsessions: once a day, from a timer (deploy/omarty-daily.timer).",
            id="omarty.W025",
        )
    admin = User.objects.filter(
        email=f"{small.PEOPLE[0][0]}@example.org", is_superuser=True
    ).first()
    if admin is not None and admin.check_password(small.PASSWORD):
        yield Warning(
            "The demo's superuser is here, whose password stands in the README.",
            hint=f"manage.py revoke_superuser {admin.email}; manage.py changepassword --random {admin.email}",
            id="omarty.W026",
        )


def _seal_warnings() -> Iterator[CheckMessage]:
    remedy = "manage.py audit_seal: from a timer (deploy/omarty-daily.timer, docs/audit-proof.md)."
    last = Seal.objects.order_by("-number").first()
    if last is None:
        if Entry.objects.exists():
            yield Warning("The audit log was never sealed.", hint=remedy, id="omarty.W020")
        return
    waiting = Entry.objects.filter(pk__gt=last.last_id, at__lt=timezone.now() - SEALED_WITHIN)
    if waiting.exists():
        yield Warning(
            f"Audit entries wait for their seal since more than {SEALED_WITHIN.days} days.",
            hint=remedy,
            id="omarty.W021",
        )
