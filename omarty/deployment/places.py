"""Looking at files and folders that may be missing, of another kind, or closed to the service's user."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection

from omarty.deployment.commands import WRITING, allows, paste, quoted, service
from omarty.owner_only import ROOT

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
    if place and wanted == "a folder" and len(real(place).parts) <= 2 and _is_systems(place):
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


def warnings() -> Iterator[CheckMessage]:
    """About places of the wrong kind."""
    for setting in named():
        if sentence := wrong(setting):
            yield Warning(
                f"{setting}: {sentence}.",
                hint=f"Correct {setting} in .env, such as {OWN_PLACE[setting]}.",
                id="omarty.W013",
            )


def ours(path: Path) -> bool:
    """Whether a remedy may change owner or mode there: nobody else's place, and named by a setting."""
    path = real(path)
    if path.is_relative_to(real(settings.BASE_DIR)):
        return True
    first, *below = path.parts[1:] or ("",)
    if not below or first in SYSTEM or not any(_belongs(path, place) for place in named().values()):
        return False
    if not path.is_dir():
        return True
    return not (first in SHARED and len(below) == 1) and not has_others(path)


def _is_systems(place: Path) -> bool:
    return not {*real(place).parts[1:2]}.difference(SYSTEM, SHARED)


def _belongs(path: Path, place: Path) -> bool:
    return path.is_relative_to(real(place).parent) or path.is_relative_to(real(place.parent))


def has_others(folder: Path) -> bool:
    """Whether the folder, or something in it, is neither root's nor the service's."""
    own = {ROOT, os.geteuid(), service().uid}
    try:
        return any(each.lstat().st_uid not in own for each in (folder, *folder.iterdir()))
    except OSError:
        return folder.stat().st_uid not in own


def remedy(path: Path, *commands: str, why: str = "") -> str:
    """These commands, which change this place; another place where it is not ours to change."""
    if ours(path):
        return paste(*commands, why=why)
    # That which is the place itself comes before one that lies in it.
    by_nearness = sorted(named().items(), key=lambda each: real(each[1]) != real(path))
    setting = next((name for name, place in by_nearness if _on_the_way(path, place)), "")
    if not setting:
        return "It is the system's, and not to be changed: correct the places that .env names."
    return (
        f"{setting} in .env: another place, in a folder that is Omarty's alone, such as"
        f" {OWN_PLACE[setting]}; {real(path)} is the system's or others', and stays as it is."
    )


def _on_the_way(path: Path, place: Path) -> bool:
    path, end = real(path), real(place)
    return end.is_relative_to(path) or path.is_relative_to(end) or path.parent == end.parent


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


def closed_warning(error: OSError | RuntimeError) -> CheckMessage:
    """That a place could not be looked at, and how it can."""
    if isinstance(error, RuntimeError):
        # Of `Path.resolve()`: links that lead in a circle.
        sentence, hint = f"A place cannot be looked at: {error}.", "Remove the link."
    else:
        path = Path(os.fsdecode(error.filename or "."))
        sentence = f"{path} cannot be looked at by {service().user}: {error.strerror}."
        hint = "Mount its disk, or correct its name in .env."
        if isinstance(error, PermissionError):
            hint = _opened(real(path))
        elif path.is_symlink() and path.is_relative_to(settings.STATIC_ROOT):
            hint = paste(f"rm {quoted(path)}", why="And collect the static files after it.")
    return Warning(sentence, hint=hint, id="omarty.W012")


def _opened(path: Path) -> str:
    """The command that opens to the service what is closed to it, and to others no more than the way."""
    static = real(Path(settings.STATIC_ROOT))
    if path.is_relative_to(static):
        return paste(f"chmod -R o+rX {quoted(static)}")
    who, last = service(), path
    for last in (path, *path.parents):
        try:
            at = last.stat()
        except OSError:
            continue
        break
    place, group = quoted(last), quoted(who.group)
    if at.st_uid == who.uid:
        return remedy(last, f"chmod u+rwX {place}")
    backups = named().get("BACKUP_DIRECTORY")
    if backups and last == real(backups):
        return remedy(last, f"chgrp {group} {place} && chmod 750 {place}")
    own = {real(each.parent) for name, each in named().items() if name != "BACKUP_DIRECTORY"}
    if last in own - {real(settings.BASE_DIR)}:
        return remedy(last, given(last))
    if last != path:
        # To pass through is not to read: nobody sees what lies there.
        return remedy(last, f"chmod o+x {place}")
    return remedy(last, f"chgrp {group} {place} && chmod g+rX {place}")


def given(place: Path) -> str:
    """The command that lets the service's user write there, where they may not."""
    who = service()
    if place.stat().st_uid == who.uid:
        return f"chmod u+rwX {quoted(place)}"
    return f"chown {quoted(f'{who.user}:{who.group}')} {quoted(place)}"


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
