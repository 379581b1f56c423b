"""Whether somebody else than root can change the program: every user of the machine, or the one who serves.

Who can change it does whatever the server can, and whatever root does with it at the next update.
"""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from omarty.deployment import places
from omarty.deployment.commands import Service, paste, quoted, root_looks_after_it, service
from omarty.owner_only import ROOT

WRITING_FOR_ALL = 0o002
# What is run, read or shown of it, and what root runs at an update. Beside it files of the service may lie.
PROGRAM = (
    "audit",
    "buildings",
    "contacts",
    "deploy",
    "locale",
    "omarty",
    "requirements",
    "requirements.txt",
    "staticfiles",
    ".git",
    ".venv",
)
# Several times what there is of a right one.
MOST_LOOKED_AT = 100_000


class _Open(NamedTuple):
    """What can be changed, and that part of the program which it is or lies in."""

    file: Path
    part: Path


def warnings() -> Iterator[CheckMessage]:
    """About who can change the program."""
    for_all: list[_Open] = []
    for_service: list[_Open] = []
    who = service()
    groups = os.getgrouplist(who.user, who.gid)
    for file, part in islice(_program(), MOST_LOOKED_AT):
        # Of a symbolic link everybody may do everything; what counts is the file that it leads to.
        at = places.found(file)
        if at is None:
            continue
        if at.st_mode & WRITING_FOR_ALL:
            for_all.append(_Open(file, part))
        elif who.uid != ROOT and _can_change(who, groups, file, at):
            for_service.append(_Open(file, part))
    if for_all:
        elsewhere = {
            each.part for each in for_all if not each.part.is_relative_to(settings.BASE_DIR)
        }
        yield Warning(
            f"Every user of this machine can change the program: {_names(for_all)}.",
            hint=paste(f"chmod -R o-w {_words([settings.BASE_DIR, *elsewhere])}"),
            id="omarty.W011",
        )
    if for_service:
        yield Warning(
            f"{who.user}, as whom Omarty is served, can change the program: {_names(for_service)}.",
            # Root's to paste whoever checks, also where the service has been given all there is.
            hint=paste(
                *_given_to_root(for_service), why="" if _is_roots_to_paste() else "As root:"
            ),
            id="omarty.W014",
        )


def _program() -> Iterator[_Open]:
    """Every file and folder of it; first the folder that all lies in, in which each could be replaced."""
    yield _Open(settings.BASE_DIR, settings.BASE_DIR)
    for file in settings.BASE_DIR.glob("*.py"):
        yield _Open(file, file)
    for name in PROGRAM:
        # An environment may be a link to one that lies elsewhere.
        part = places.real(settings.BASE_DIR / name)
        yield _Open(part, part)
        for folder, folders, files in os.walk(part):
            yield from (_Open(Path(folder) / each, part) for each in (*folders, *files))


def _can_change(who: Service, groups: list[int], file: Path, at: os.stat_result) -> bool:
    """Whether they may write there; an owner gives themselves the right."""
    if at.st_uid == who.uid:
        return True
    if who.uid == os.geteuid():
        return places.writable(file)
    return places.allows_writing(at, who, groups)


def _given_to_root(found: list[_Open]) -> Iterator[str]:
    """The commands that make it root's; what else lies in its folder stays whose it is."""
    parts = {each.part for each in found}
    if settings.BASE_DIR in parts:
        place = quoted(settings.BASE_DIR)
        yield f"chown root: {place} && chmod go-w {place}"
    if below := parts - {settings.BASE_DIR}:
        yield f"chown -R root: {_words(below)} && chmod -R go-w {_words(below)}"


def _is_roots_to_paste() -> bool:
    return os.geteuid() == ROOT or root_looks_after_it()


def _words(paths: set[Path] | list[Path]) -> str:
    return " ".join(quoted(each) for each in sorted(paths))


def _names(found: list[_Open]) -> str:
    return places.names([each.file for each in found])
