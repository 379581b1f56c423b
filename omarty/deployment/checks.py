"""What an installation got wrong: all that `manage.py check --deploy` says besides Django's own.

Each warning has an id of its own, one sentence of what is wrong, and as its hint the remedy.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connection

from omarty.deployment import (
    backups,
    keys,
    mariadb,
    places,
    program,
    readable_files,
    remedies,
    routines,
    seal_files,
    serving_user,
    static_files,
    switches,
)
from omarty.deployment.commands import manage, paste, service
from omarty.health import OTHER_PLACE, missing_migrations, refusal

Check = Callable[[], Iterator[CheckMessage]]


def all_warnings() -> list[CheckMessage]:
    """Every warning about this installation."""
    checks: tuple[Check, ...] = (
        keys.warnings,
        serving_user.warnings,
        places.warnings,
        program.warnings,
        switches.warnings,
        static_files.warnings,
        # Before the database is opened: that takes an SQLite file's mode away from others.
        readable_files.warnings,
        backups.warnings,
        seal_files.warnings,
        _database_warnings,
    )
    found: list[CheckMessage] = []
    for check in checks:
        # Several may meet the same closed door.
        found += [each for each in _to_the_end(check) if each not in found]
    return found


def _to_the_end(check: Check) -> Iterator[CheckMessage]:
    """What a check says; what it cannot look at is one more thing that is wrong."""
    try:
        yield from check()
    except (OSError, RuntimeError) as error:
        yield remedies.closed_warning(error)
    except DatabaseError as error:
        sentence, remedy = refusal(error)
        yield Warning(
            f"The database cannot be used: {sentence}",
            hint=remedy or "Correct DATABASE_URL in .env; then run this check again.",
            id="omarty.W050",
        )


def _gone() -> CheckMessage:
    """No SQLite file is there, and none may be made by looking: it would be empty, and root's."""
    file = Path(connection.settings_dict["NAME"])
    if places.found(file.parent) is not None and places.writable(file.parent):
        hint = paste(
            manage("migrate"),
            why="Restore a backup (README, Saving and restoring), or correct DATABASE_URL in .env."
            " For a new installation:",
        )
    else:
        hint = OTHER_PLACE
    return Warning(f"The database is not there, or empty: {file}.", hint=hint, id="omarty.W050")


def _closed_files() -> list[Path]:
    """The SQLite file, those that it keeps beside it, and its folder, where the service may not write."""
    if connection.vendor != "sqlite":
        return []
    file = Path(connection.settings_dict["NAME"])
    beside = (Path(f"{file}{suffix}") for suffix in remedies.OF_SQLITE)
    there = [each for each in (file.parent, *beside) if places.found(each) is not None]
    return [each for each in there if not places.writable(each)]


def _closed(files: list[Path]) -> CheckMessage:
    # The program's folder stays root's, so that the server cannot change it.
    own = settings.BASE_DIR not in files and all(remedies.ours(each) for each in files)
    return Warning(
        f"The database cannot be used: {service().user} may not write"
        f" {', '.join(str(each) for each in files)}.",
        hint=paste(*(remedies.given(each) for each in files)) if own else OTHER_PLACE,
        id="omarty.W052",
    )


def _database_warnings() -> Iterator[CheckMessage]:
    if places.wrong("DATABASE_URL"):
        return
    if backups.database_is_gone():
        yield _gone()
        return
    if files := _closed_files():
        yield _closed(files)
        return
    if connection.vendor == "mysql":
        yield from mariadb.account_warnings()
    missing = missing_migrations()
    if missing:
        yield Warning(
            f"The database lacks {missing} migrations.",
            hint=paste(manage("migrate")),
            id="omarty.W051",
        )
        return
    yield from routines.warnings()
    yield from seal_files.warnings_of_the_database()
    if connection.vendor == "mysql":
        yield from mariadb.server_warnings()
