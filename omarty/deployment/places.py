"""Looking at files and folders that may be missing, of another kind, or closed to the service's user."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection

from omarty.deployment.commands import WRITING, allows, service

# Folders of the system, whatever lies in them; and those whose own folders are shared by its programs.
SYSTEM = {"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "usr"}
SHARED = {"home", "var"}
KINDS = ((stat.S_ISREG, "a file"), (stat.S_ISDIR, "a folder"), (lambda _mode: True, "a device"))
OWN_PLACE = {
    "AUDIT_SEAL_FILE": "/var/lib/omarty-seals/audit-seals.jsonl",
    "BACKUP_DIRECTORY": "/mnt/elsewhere/backups",
    "DATABASE_URL": "sqlite:////var/lib/omarty/omarty.sqlite3",
}


def found(path: Path) -> os.stat_result | None:
    """What is there; None if nothing is. Raises OSError where one may not look."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def real(path: Path) -> Path:
    """Where links lead to; as it stands where they lead in a circle, of which `Path.resolve()` dies."""
    return Path(os.path.realpath(path))


def named() -> dict[str, Path]:
    """The places that settings name, by the setting."""
    places = {"AUDIT_SEAL_FILE": Path(settings.AUDIT_SEAL_FILE)}
    if settings.BACKUP_DIRECTORY:
        places["BACKUP_DIRECTORY"] = settings.BASE_DIR / settings.BACKUP_DIRECTORY
    if connection.vendor == "sqlite":
        places["DATABASE_URL"] = Path(connection.settings_dict["NAME"])
    return places


def wrong(setting: str) -> str:
    """What the setting names is of the wrong kind: a sentence's end; empty if it is right or not there."""
    wanted = "a folder" if setting == "BACKUP_DIRECTORY" else "a file"
    place = named().get(setting)
    if place and wanted == "a folder" and len(real(place).parts) <= 2 and _is_known(place):
        return f"{place} is the system's, and no folder of backups alone"
    for each in (place, *place.parents) if place else ():
        try:
            at = found(each)
        except OSError:
            # Said as closed.
            return ""
        if at is None:
            wanted = "a folder"
            continue
        kind = next(name for is_one, name in KINDS if is_one(at.st_mode))
        return "" if kind == wanted else f"{each} is {kind}, and no{wanted.removeprefix('a')}"
    return ""


def _is_known(place: Path) -> bool:
    return not {*real(place).parts[1:2]}.difference(SYSTEM, SHARED)


def warnings() -> Iterator[CheckMessage]:
    """About places of the wrong kind."""
    for setting in named():
        if sentence := wrong(setting):
            yield Warning(
                f"{setting}: {sentence}.",
                hint=f"Correct {setting} in .env, such as {OWN_PLACE[setting]}.",
                id="omarty.W013",
            )


def own_folders() -> set[Path]:
    """The folders that settings name: of backups, and those of the database's and the seals' files."""
    return {
        real(place if setting == "BACKUP_DIRECTORY" else place.parent)
        for setting, place in named().items()
    }


def is_systems(place: Path) -> bool:
    """Whether it is a folder of the system, or one that its programs share."""
    first, *below = real(place).parts[1:] or ("",)
    return not below or first in SYSTEM or (first in SHARED and len(below) == 1)


def files_below(folder: Path, closed: list[OSError]) -> Iterator[tuple[Path, os.stat_result]]:
    """The files in a folder and below; what may not be looked at goes to `closed`."""
    for directory, _folders, names in os.walk(folder, onerror=closed.append):
        for name in names:
            file = Path(directory) / name
            try:
                at = found(file)
            except OSError as error:
                closed.append(error)
                continue
            if at is not None:
                yield file, at


def writable(path: Path) -> bool:
    """Whether the service's user may write there. Raises OSError where one may not look."""
    who = service()
    if who.uid == os.geteuid():
        # A folder is written by entering it.
        return os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0))
    return allows(WRITING, path.stat(), who)


def names(files: list[Path]) -> str:
    """The first of them, and how many more there are."""
    shown = ", ".join(str(file) for file in files[:3])
    return shown if len(files) <= 3 else f"{shown} and {len(files) - 3} more"
