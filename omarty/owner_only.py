"""Files that are nobody's but their owner's."""

import grp
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

ROOT = 0
ANYTHING_FOR_OTHERS = 0o077
# All but that its group reads it.
MORE_THAN_READING_BY_ITS_GROUP = 0o037


def keep_to_owner(file: Path) -> None:
    """Take from everybody else what they may do with the file, if it is there and ours."""
    _take(file, ANYTHING_FOR_OTHERS)


def keep_settings(file: Path) -> None:
    """Take from everybody else what they may not do with `.env`, if it is there and ours."""
    if _take(file, rights_too_many_on_settings(file)) and os.geteuid() == ROOT:
        sys.stderr.write(
            f"omarty: Others than root could read {file}, and can no longer. If the service runs as a user of"
            f" its own: chown root:omarty {file} && chmod 640 {file}\n"
        )


def malformed_line(file: Path) -> int:
    """The number of the first line of `.env` that sets nothing and is no comment; 0 if there is none.

    A comment begins with its #, and no line has a NUL, which no variable holds.

    django-environ writes such a line into the log, with the key that may stand in it, and goes on.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError:
        return 0
    return next((number for number, line in enumerate(lines, 1) if not _is_understood(line)), 0)


def _is_understood(line: str) -> bool:
    name, sets, _value = line.removeprefix("export ").partition("=")
    if line.startswith("#") or not line.strip():
        return True
    return "\0" not in line and bool(sets and name.isascii() and name.replace("_", "0").isalnum())


def why_unreadable(file: Path) -> str:
    """A sentence about a file that is there and closed to this user, with the remedy; empty if it is not."""
    try:
        file.open("rb").close()
    except FileNotFoundError:
        return ""
    except OSError as error:
        if not isinstance(error, PermissionError):
            return (
                f"{file} is no file that can be read: {error.strerror}. Put the file with your keys there"
                " again (README, In production)."
            )
        group = str(os.getegid())
        with suppress(KeyError):
            group = grp.getgrgid(os.getegid()).gr_name
        return (
            f"{file} cannot be read by this user: {error.strerror}. The keys in it stay as they are."
            f" As root: chown root:{group} {file} && chmod 640 {file}"
        )
    return ""


def rights_too_many_on_settings(file: Path) -> int:
    """What others may not do with `.env`; one that root gave to the group of a service is read by that."""
    try:
        found = file.stat()
    except OSError:
        return ANYTHING_FOR_OTHERS
    given = found.st_uid == ROOT and found.st_gid != ROOT
    return MORE_THAN_READING_BY_ITS_GROUP if given else ANYTHING_FOR_OTHERS


def _take(file: Path, rights: int) -> bool:
    """Whether somebody could read it, and nobody but the owner can now."""
    try:
        found = file.stat()
    except OSError:
        return False
    # Of a folder or a device that was named for a file, nothing is changed.
    if not stat.S_ISREG(found.st_mode):
        return False
    if not found.st_mode & rights or found.st_uid != os.geteuid():
        return False
    left = 0o600 | (found.st_mode & 0o040 & ~rights)
    file.chmod(left)
    return bool(found.st_mode & 0o044) and not left & 0o040
