"""Which places a command of a remedy may change, and what a remedy says of all others."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection

from omarty.deployment import backup_files, places
from omarty.deployment.commands import group_has_others, paste, quoted, service
from omarty.owner_only import ROOT

# What SQLite keeps beside its file.
OF_SQLITE = ("", "-wal", "-shm", "-journal")


def ours(path: Path) -> bool:
    """Whether a command may change this place and what lies in it.

    It lies in the program's folder, and no link leads there; or in one that a setting names, and nothing in
    it is others'.
    """
    program, place = places.real(settings.BASE_DIR), places.real(path)
    named = {each for each in places.own_folders() if not program.is_relative_to(each)}
    if any(place.is_relative_to(folder) for folder in named):
        is_inside = place.is_relative_to(program)
        return (is_inside or not places.is_systems(place)) and not _has_others(place)
    return place.is_relative_to(program) and place == Path(os.path.abspath(path))


def _has_others(place: Path) -> bool:
    """Whether something there, at any depth, is neither the service's nor by its name Omarty's."""
    own = {ROOT, os.geteuid(), service().uid}
    unseen: list[OSError] = []
    try:
        for each in _all_of(place, unseen):
            at = each.lstat()
            is_shared = not stat.S_ISLNK(at.st_mode) and group_has_others(at, service())
            if at.st_uid not in own or is_shared or at.st_mode & stat.S_ISVTX:
                return True
            if at.st_uid == ROOT and not stat.S_ISDIR(at.st_mode) and not _is_named(each):
                return True
    except OSError as error:
        unseen.append(error)
    # Where the service cannot look, only such a folder is taken for Omarty's that hardly is anybody else's.
    backups = places.named().get("BACKUP_DIRECTORY")
    known = place.is_relative_to(places.real(settings.BASE_DIR))
    return bool(unseen) and not known and (backups is None or place != places.real(backups))


def _all_of(place: Path, unseen: list[OSError]) -> Iterator[Path]:
    yield place
    # Of what is no folder there is nothing to walk through.
    for directory, folders, files in (
        os.walk(place, onerror=unseen.append) if place.is_dir() else ()
    ):
        yield from (Path(directory) / name for name in (*folders, *files))


def _is_named(file: Path) -> bool:
    """Whether root's file is one of those that settings name, and of those that Omarty keeps beside them."""
    backups = places.named().get("BACKUP_DIRECTORY")
    if backups and file.is_relative_to(places.real(backups)) and backup_files.is_named(file):
        return True
    seals = places.named()["AUDIT_SEAL_FILE"]
    folder = places.real(seals.parent)
    if file.is_relative_to(folder / "audit-archive"):
        return True
    named = {folder / seals.name, folder / f"{seals.name}.lock"}
    if connection.vendor == "sqlite":
        database = places.named()["DATABASE_URL"]
        named |= {places.real(database.parent) / f"{database.name}{each}" for each in OF_SQLITE}
    return file in named


def remedy(path: Path, *commands: str, why: str = "") -> str:
    """These commands, which change this place; what to do instead where it is not ours to change."""
    return paste(*commands, why=why) if ours(path) else instead([path])


def instead(paths: list[Path], *, of_program: bool = False) -> str:
    """What to do about places that no command may change: they stay as they are."""
    told = ", ".join(sorted({str(places.real(each)) for each in paths}))
    if of_program or all(_leads_out(each) for each in paths):
        return (
            "Move the program to a folder that is root's alone and that everybody may enter, such as"
            f" /srv/omarty, with no link that leads out of it (README, In production): {told} is not the"
            " program's own, and stays as it is."
        )
    # That which is the place itself comes before one that lies in it.
    real = places.real(paths[0])
    by_nearness = sorted(places.named().items(), key=lambda each: places.real(each[1]) != real)
    setting = next((name for name, place in by_nearness if _on_the_way(real, place)), "")
    if not setting:
        return "It is the system's, and not to be changed: correct the places that .env names."
    example = places.OWN_PLACE[setting].removeprefix("sqlite:///")
    # What is others' is no example of what is Omarty's alone.
    is_taken = any(_on_the_way(places.real(each), Path(example)) for each in paths)
    such_as = "" if is_taken else f", such as {places.OWN_PLACE[setting]}"
    return (
        f"{setting} in .env: another place, in a folder that is Omarty's alone{such_as}; {told} is the"
        " system's or others', and stays as it is."
    )


def _leads_out(path: Path) -> bool:
    """Whether it is written as if it lay in the program's folder, by no setting, and lies elsewhere."""
    program = places.real(settings.BASE_DIR)
    is_inside = Path(os.path.abspath(path)).is_relative_to(program)
    return (
        is_inside
        and path not in places.named().values()
        and not places.real(path).is_relative_to(program)
    )


def _on_the_way(path: Path, place: Path) -> bool:
    end = places.real(place)
    return end.is_relative_to(path) or path.is_relative_to(end) or path.parent == end.parent


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
            hint = _opened(places.real(path))
        elif path.is_symlink() and path.is_relative_to(settings.STATIC_ROOT):
            remove = f"rm {quoted(path)}"
            hint = remedy(path.parent, remove, why="And collect the static files after it.")
    return Warning(sentence, hint=hint, id="omarty.W012")


def _opened(path: Path) -> str:
    """The command that opens to the service what is closed to it, and to others no more than the way."""
    static = places.real(Path(settings.STATIC_ROOT))
    if path.is_relative_to(static):
        return remedy(Path(settings.STATIC_ROOT), f"chmod -R o+rX {quoted(static)}")
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
    backups = places.named().get("BACKUP_DIRECTORY")
    if backups and last == places.real(backups):
        return remedy(last, f"chgrp {group} {place} && chmod 750 {place}")
    own = {
        places.real(each.parent)
        for name, each in places.named().items()
        if name != "BACKUP_DIRECTORY"
    }
    if last in own - {places.real(settings.BASE_DIR)}:
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
