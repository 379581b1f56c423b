"""Files that are nobody's but their owner's."""

import os
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
    _take(file, rights_too_many_on_settings(file))


def rights_too_many_on_settings(file: Path) -> int:
    """What others may not do with `.env`; one that root gave to the group of a service is read by that."""
    try:
        found = file.stat()
    except OSError:
        return ANYTHING_FOR_OTHERS
    given = found.st_uid == ROOT and found.st_gid != ROOT
    return MORE_THAN_READING_BY_ITS_GROUP if given else ANYTHING_FOR_OTHERS


def _take(file: Path, rights: int) -> None:
    try:
        found = file.stat()
    except OSError:
        return
    if found.st_mode & rights and found.st_uid == os.geteuid():
        file.chmod(0o600 | (found.st_mode & 0o040 & ~rights))
