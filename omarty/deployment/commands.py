"""How a remedy spells a command: to be pasted into a shell, and by whom."""

import grp
import os
import pwd
import shlex
import stat
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from omarty.owner_only import ROOT

READING, WRITING = 0o4, 0o2


class Service(NamedTuple):
    """The user that the service runs as, and their group."""

    uid: int
    gid: int

    @property
    def user(self) -> str:
        """The user's name, or their number where nobody has it."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    @property
    def group(self) -> str:
        """The group's name, or its number."""
        try:
            return grp.getgrgid(self.gid).gr_name
        except KeyError:
            return str(self.gid)

    @property
    def groups(self) -> frozenset[int]:
        """The numbers of all groups that they are in."""
        return _groups(self.user, self.gid)


@cache
def _groups(user: str, group: int) -> frozenset[int]:
    # Once for the many files that are looked at.
    return frozenset(os.getgrouplist(user, group))


def service() -> Service:
    """Who serves: the one who runs this check, or whom root has given files to (README, In production).

    What the service wrote tells it better than who may read `.env`, which a copy gets wrong.
    """
    me = Service(os.geteuid(), os.getegid())
    if me.uid != ROOT:
        return me
    reader = reader_of_settings()
    return keeper_of_files(reader) or reader or me


def reader_of_settings() -> Service | None:
    """Whom root's `.env` is given to, by its owner or its group; None if it is root's alone."""
    try:
        found = (settings.BASE_DIR / ".env").stat()
    except OSError:
        return None
    if found.st_uid != ROOT:
        return Service(found.st_uid, found.st_gid)
    of_group = [
        Service(user.pw_uid, user.pw_gid)
        for user in pwd.getpwall()
        if user.pw_gid == found.st_gid and found.st_gid != ROOT
    ]
    # A service has a group of its own, of its name.
    return min(
        of_group, key=lambda user: (user.user != user.group, user.uid != user.gid), default=None
    )


def keeper_of_files(reader: Service | None) -> Service | None:
    """Whose the database's or the seals' folder is, if not root's, and `reader` may not write there."""
    files = [Path(settings.AUDIT_SEAL_FILE)]
    if connection.vendor == "sqlite":
        files.insert(0, Path(connection.settings_dict["NAME"]))
    for folder in (Path(os.path.realpath(file.parent)) for file in files):
        try:
            at = folder.stat()
        except OSError:
            continue
        # Where the program lies nothing of the service's should.
        if at.st_uid == ROOT or folder == settings.BASE_DIR:
            continue
        if reader is None or not allows(WRITING, at, reader):
            return Service(at.st_uid, at.st_gid)
    return None


def allows(rights: int, at: os.stat_result, who: Service) -> bool:
    """Whether the modes let this user read or write there; a folder is to be entered too."""
    rights |= 0o1 if stat.S_ISDIR(at.st_mode) else 0
    rights <<= {"u": 6, "g": 3, "o": 0}[counted_as(at, who)]
    return at.st_mode & rights == rights


def counted_as(at: os.stat_result, who: Service) -> str:
    """As what this user is counted there, in the letters of chmod: its user, of its group, or another."""
    if at.st_uid == who.uid:
        return "u"
    return "g" if at.st_gid in who.groups else "o"


def group_has_others(at: os.stat_result, who: Service) -> bool:
    """Whether a group may write there that somebody else than root and this user is in.

    Of a number without a name nobody knows whose it was or will be.
    """
    if not at.st_mode & stat.S_IWGRP or at.st_gid in {ROOT, who.gid}:
        return False
    members = _members(at.st_gid)
    return members is None or bool(members - {who.user, "root"})


@cache
def _members(group: int) -> frozenset[str] | None:
    try:
        named = grp.getgrgid(group).gr_mem
    except KeyError:
        return None
    return frozenset([*named, *(user.pw_name for user in pwd.getpwall() if user.pw_gid == group)])


def root_looks_after_it() -> bool:
    """Whether remedies are root's to paste: the service's user is another, or may not change the settings."""
    if os.geteuid() == ROOT:
        return service().uid != ROOT
    try:
        return (settings.BASE_DIR / ".env").stat().st_uid != os.geteuid()
    except OSError:
        return False


def manage(*words: str, by_root: bool = False) -> str:
    """`manage.py` as the service's user; by root what writes into the program's own folder."""
    other = [] if by_root or not root_looks_after_it() else ["runuser", "-u", service().user, "--"]
    python, program = _from_here(Path(sys.executable)), _from_here(settings.BASE_DIR / "manage.py")
    return shlex.join([*other, python, program, *words])


def paste(*commands: str, why: str = "") -> str:
    """A hint of whole lines for a shell, under what is to be known before."""
    before = why
    if root_looks_after_it() and os.geteuid() != ROOT:
        before = f"{why[:-1]}, as root:" if why.endswith(":") else f"{why} As root:".strip()
    if not before and len(commands) == 1:
        return commands[0]
    return "\n    ".join([before or "One after the other:", *commands])


def quoted(path: Path | str) -> str:
    """A path as one word of a shell."""
    return shlex.quote(str(path))


def _from_here(path: Path) -> str:
    """As short as it can be typed where the check was run."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
