"""Whether somebody else than root can change the program, and whether the one who serves can read it.

Who can change it does whatever the server can, and whatever root does with it at the next update.
"""

import os
import pwd
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from omarty.deployment import places
from omarty.deployment.commands import (
    READING,
    WRITING,
    Service,
    allows,
    paste,
    quoted,
    root_looks_after_it,
    service,
)
from omarty.owner_only import ROOT

WRITING_FOR_ALL, WRITING_FOR_GROUP = 0o002, 0o020
# What is run or read of it by the server.
SERVED = ("audit", "buildings", "contacts", "locale", "omarty", ".venv")
# What is shown of it, and what root runs at an update. Beside it files of the service may lie.
PROGRAM = (*SERVED, "deploy", "requirements", "requirements.txt", "staticfiles", ".git")
# Several times what there is of a right one.
MOST_LOOKED_AT = 100_000


class _Piece(NamedTuple):
    """A file or folder, and the part of the program which it is or lies in, or the folder above."""

    file: Path
    part: Path
    is_served: bool = False
    is_above: bool = False


def warnings() -> Iterator[CheckMessage]:
    """About who can change the program, and who cannot read it."""
    for_all: list[_Piece] = []
    for_some: list[_Piece] = []
    closed: list[_Piece] = []
    # Kept in their order.
    people: dict[str, None] = {}
    who = service()
    for piece in islice(_program(), MOST_LOOKED_AT):
        # Of a symbolic link everybody may do everything; what counts is the file that it leads to.
        at = places.found(piece.file)
        if at is None:
            continue
        if piece.is_served and not _may(READING, who, piece.file, at):
            closed.append(piece)
        if piece.is_above and at.st_uid == ROOT and at.st_mode & stat.S_ISVTX:
            # As in /tmp, nobody moves away what is another's.
            continue
        if at.st_mode & WRITING_FOR_ALL:
            for_all.append(piece)
        elif somebody := _who_can_change(who, piece.file, at):
            for_some.append(piece)
            people[somebody] = None
    if for_all:
        yield _open_to_all(for_all)
    if for_some:
        yield Warning(
            f"{' and '.join(people)} can change the program: {_names(for_some)}.",
            hint=_given_to_root(for_some),
            id="omarty.W014",
        )
    if closed:
        yield Warning(
            f"{who.user}, as whom Omarty is served, cannot read the program: {_names(closed)}.",
            hint=_roots("", f"chmod -R o+rX {_words({each.part for each in closed})}"),
            id="omarty.W016",
        )


def _program() -> Iterator[_Piece]:
    """Every file and folder of it; first the folders that all lies in, in which each could be replaced."""
    parts = {name: places.real(settings.BASE_DIR / name) for name in PROGRAM}
    above = {folder for part in (settings.BASE_DIR, *parts.values()) for folder in part.parents}
    for folder in sorted(above - {settings.BASE_DIR}):
        yield _Piece(folder, folder, is_above=True)
    yield _Piece(settings.BASE_DIR, settings.BASE_DIR)
    for file in settings.BASE_DIR.glob("*.py"):
        yield _Piece(file, file, is_served=True)
    # An environment may be a link to one that lies elsewhere.
    for name, part in parts.items():
        yield _Piece(part, part, name in SERVED)
        for directory, folders, files in os.walk(part):
            # What Python keeps of a file it can do without.
            is_served = name in SERVED and Path(directory).name != "__pycache__"
            for each in (*folders, *files):
                yield _Piece(Path(directory) / each, part, is_served and each != "__pycache__")


def _may(rights: int, who: Service, file: Path, at: os.stat_result) -> bool:
    if who.uid == ROOT:
        return True
    if who.uid == os.geteuid():
        # A folder is read or written by entering it.
        return os.access(file, rights | (os.X_OK if stat.S_ISDIR(at.st_mode) else 0))
    return allows(rights, at, who)


def _who_can_change(who: Service, file: Path, at: os.stat_result) -> str:
    """Who else than root may write there; empty if nobody. An owner gives themselves the right."""
    if who.uid != ROOT and (at.st_uid == who.uid or _may(WRITING, who, file, at)):
        return f"{who.user}, as whom Omarty is served,"
    if settings.DEBUG:
        # Tried out, in a clone that is somebody's own.
        return ""
    owner = Service(at.st_uid, at.st_gid)
    if owner.uid != ROOT:
        return owner.user
    return (
        f"the group {owner.group}" if owner.gid != ROOT and at.st_mode & WRITING_FOR_GROUP else ""
    )


def _open_to_all(found: list[_Piece]) -> CheckMessage:
    elsewhere = {
        each.part
        for each in found
        if not each.is_above and not each.part.is_relative_to(settings.BASE_DIR)
    }
    closing = []
    if above := {each.file for each in found if each.is_above}:
        closing.append(f"chmod o-w {_words(above)}")
    if len(above) < len(found):
        closing.append(f"chmod -R o-w {_words([settings.BASE_DIR, *elsewhere])}")
    return Warning(
        f"Every user of this machine can change the program: {_names(found)}.",
        hint=paste(*closing),
        id="omarty.W011",
    )


def _given_to_root(found: list[_Piece]) -> str:
    """How it becomes root's; what else lies in its folder stays whose it is."""
    above = {each.file for each in found if each.is_above}
    kept = {folder for folder in above if _is_others(folder)}
    parts = {each.part for each in found} - above
    commands = []
    if single := (above - kept) | (parts & {settings.BASE_DIR}):
        commands.append(f"chown root: {_words(single)} && chmod go-w {_words(single)}")
    if below := parts - {settings.BASE_DIR}:
        commands.append(f"chown -R root: {_words(below)} && chmod -R go-w {_words(below)}")
    why = ""
    if kept:
        why = (
            f"Move the program to a folder that is root's, such as /srv/omarty (README, In production):"
            f" {_words(kept)} is others', or has other files, and stays as it is."
        )
    return _roots(why, *commands)


def _is_others(folder: Path) -> bool:
    """Whether it is not to become root's: a home, or a folder with others' or the service's files."""
    if folder.stat().st_uid == ROOT:
        return False
    named = {places.real(each).parent for each in places.named().values()}
    homes = {places.real(Path(user.pw_dir)) for user in pwd.getpwall()}
    return folder in named | homes or places.has_others(folder)


def _roots(why: str, *commands: str) -> str:
    """A hint of commands that are root's to paste whoever checks, also where the service has all there is."""
    if not commands:
        return why
    is_known = os.geteuid() == ROOT or root_looks_after_it()
    return paste(*commands, why=why if is_known else f"{why} As root:".strip())


def _words(paths: set[Path] | list[Path]) -> str:
    return " ".join(quoted(each) for each in sorted(paths))


def _names(found: list[_Piece]) -> str:
    return places.names([each.file for each in found])
