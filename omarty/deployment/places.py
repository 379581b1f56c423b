"""Looking at files and folders that may be missing, or closed to the service's user."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.core.checks import CheckMessage, Warning

from omarty.deployment.commands import paste, quoted, service


def found(path: Path) -> os.stat_result | None:
    """What is there; None if nothing is. Raises OSError where one may not look."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def real(path: Path) -> Path:
    """Where links lead to; as it stands where they lead in a circle, of which `Path.resolve()` dies."""
    return Path(os.path.realpath(path))


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


def closed_warning(error: OSError) -> CheckMessage:
    """That a place could not be looked at, and how it can."""
    path = Path(os.fsdecode(error.filename or "."))
    return Warning(
        f"{path} cannot be looked at by {service().user}: {error.strerror}.",
        hint=_opened(path)
        if isinstance(error, PermissionError)
        else "Mount its disk, or correct its name in .env.",
        id="omarty.W012",
    )


def _opened(path: Path) -> str:
    """The command that opens to the service what is closed to it, and to others no more than the way."""
    for each in (path, *path.parents):
        try:
            each.stat()
        except OSError:
            continue
        if each != path:
            # To pass through is not to read: nobody sees what lies there.
            return paste(f"chmod o+x {quoted(each)}")
        break
    group, place = quoted(service().group), quoted(path)
    return paste(f"chgrp {group} {place} && chmod g+rX {place}")


def writable(path: Path) -> bool:
    """Whether the service's user may write there. Raises OSError where one may not look."""
    who = service()
    if who.uid == os.geteuid():
        # A folder is written by entering it.
        return os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0))
    at = path.stat()
    rights = 0o3 if path.is_dir() else 0o2
    if at.st_uid == who.uid:
        rights <<= 6
    elif at.st_gid in os.getgrouplist(who.user, who.gid):
        rights <<= 3
    return at.st_mode & rights == rights
