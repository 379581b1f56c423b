"""What an installation got wrong: all that `manage.py check --deploy` says besides Django's own.

Each warning has an id of its own, one sentence of what is wrong, and as its hint the remedy.
"""

from collections.abc import Iterator

from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connection

from omarty.deployment import keys, mariadb, readable_files, routines, static_files, switches
from omarty.health import missing_migrations


def all_warnings() -> list[CheckMessage]:
    """Every warning about this installation."""
    return [
        *keys.warnings(),
        *switches.warnings(),
        *static_files.warnings(),
        # Before the database is opened: that takes an SQLite file's mode away from others.
        *readable_files.warnings(),
        *routines.backup_warnings(),
        *routines.seal_file_warnings(),
        *_database_warnings(),
    ]


def _database_warnings() -> Iterator[CheckMessage]:
    if connection.vendor == "mysql":
        yield from mariadb.account_warnings()
    try:
        missing = missing_migrations()
    except DatabaseError as error:
        yield Warning(
            f"The database cannot be reached: {error}.",
            hint="Start its server, or correct DATABASE_URL; then run this check again.",
            id="omarty.W050",
        )
        return
    if missing:
        yield Warning(
            f"The database lacks {missing} migrations.", hint="manage.py migrate", id="omarty.W051"
        )
        return
    yield from routines.warnings()
    if connection.vendor == "mysql":
        yield from mariadb.server_warnings()
