"""Whether somebody else than root can change the program, and whether the one who serves can read it.

Who can change it does whatever the server can, and whatever root does with it at the next update.
"""

import os
import stat
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from omarty.deployment import places, remedies
from omarty.deployment.commands import (
    READING,
    WRITING,
    Service,
    allows,
    counted_as,
    group_has_others,
    paste,
    quoted,
    root_looks_after_it,
    service,
)
from omarty.owner_only import ROOT

WRITING_FOR_ALL = 0o002
# What is run or read of it by the server.
SERVED = ("audit", "buildings", "contacts", "locale", "omarty", ".venv")
# What is shown of it, and what root runs at an update. Beside it files of the service may lie.
PROGRAM = (*SERVED, "deploy", "requirements", "requirements.txt", "staticfiles", ".git")
# What the server opens of that; all else may be closed, such as what an editor keeps of an open file.
NEEDED = {".css", ".html", ".js", ".json", ".mo", ".py", ".so", ".svg"}
# Several times what there is of a right one.
MOST_LOOKED_AT = 100_000
MOST_NAMED = 20


class _Piece(NamedTuple):
    """A file or folder, and the part of the program which it is or lies in, or the folder above."""

    file: Path
    # As its name stands in the program's folder, though a link may lead elsewhere.
    part: Path
    is_served: bool = False
    is_above: bool = False

    def is_ours(self) -> bool:
        """Whether a command may change it: no link leads to it."""
        return not self.is_above and not self.file.is_symlink()


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
        # To come to it, a folder above is entered.
        if piece.is_served and not _may(0 if piece.is_above else READING, who, piece.file, at):
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
        yield Warning(
            f"Every user of this machine can change the program: {_names(for_all)}.",
            hint=_kept_from_others(for_all, paste, "chmod {all}o-w {names}"),
            id="omarty.W011",
        )
    if for_some:
        yield Warning(
            f"{' and '.join(people)} can change the program: {_names(for_some)}.",
            hint=_kept_from_others(
                for_some, _roots, "chown {all}root: {names} && chmod {all}go-w {names}"
            ),
            id="omarty.W014",
        )
    if closed:
        yield Warning(
            f"{who.user}, as whom Omarty is served, cannot read the program: {_names(closed)}.",
            hint=_opened(closed, who),
            id="omarty.W016",
        )


def _program() -> Iterator[_Piece]:
    """Every file and folder of it; first the folders that all lies in, in which each could be replaced."""
    parts = {name: places.real(settings.BASE_DIR / name) for name in PROGRAM}
    served = {name: part for name, part in parts.items() if name in SERVED}
    above = {folder for part in (settings.BASE_DIR, *parts.values()) for folder in part.parents}
    way = {folder for part in (settings.BASE_DIR, *served.values()) for folder in part.parents}
    for folder in sorted(above - {settings.BASE_DIR}):
        yield _Piece(folder, folder, folder in way, is_above=True)
    yield _Piece(settings.BASE_DIR, settings.BASE_DIR, is_served=True)
    for file in settings.BASE_DIR.glob("*.py"):
        yield _Piece(file, file, is_served=not file.name.startswith("."))
    # An environment may be a link to one that lies elsewhere.
    for name, real in parts.items():
        part = settings.BASE_DIR / name
        yield _Piece(real, part, name in SERVED)
        for directory, folders, files in os.walk(real):
            folder = Path(directory)
            is_served = name in SERVED and not _is_kept_aside(folder.relative_to(real))
            # What a link leads to in the same part is looked at itself: of lib64, lib.
            folders = [each for each in folders if not _leads_within(folder / each, real)]
            for each in folders:
                is_open = is_served and not _is_kept_aside(Path(each))
                yield _Piece(folder / each, part, is_open)
            for each in files:
                yield _Piece(folder / each, part, is_served and _is_needed(folder, each))


def _leads_within(file: Path, part: Path) -> bool:
    return file.is_symlink() and places.real(file).is_relative_to(part)


def _is_kept_aside(folder: Path) -> bool:
    """Whether the server can do without it: hidden, or what Python keeps of a file."""
    return any(name.startswith(".") or name == "__pycache__" for name in folder.parts)


def _is_needed(folder: Path, name: str) -> bool:
    if name.startswith("."):
        return False
    suffix = os.path.splitext(name)[1]
    if suffix == ".txt":
        return "templates" in folder.parts
    # The programs of an environment have no suffix.
    return suffix in NEEDED or (not suffix and folder.name == "bin") or name == "pyvenv.cfg"


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
    return f"the group {owner.group}" if group_has_others(at, Service(ROOT, ROOT)) else ""


def _kept_from_others(found: list[_Piece], hint: Callable[..., str], command: str) -> str:
    """How it becomes root's alone to change; what else lies in its folder stays whose it is."""
    below = {each.part for each in found if not each.is_above}
    written = {part for part in below if _is_written_in(part)}
    left = [each for each in found if each.part not in written]
    own, others = _sorted_out(left)
    why = []
    if written:
        to = " and ".join(f"{name}={places.OWN_PLACE[name]}" for name in _moving(written))
        why.append(
            f"First move the database and the seals out of it, to folders of their own: {to} in .env"
            f" (README, In production); until then {_words(written)} stays as it is, and can be written."
        )
    if others:
        why.append(remedies.instead(others, of_program=True))
    parts = {each.part for each in own}
    commands = []
    for names, recursive in (
        (parts & {settings.BASE_DIR}, ""),
        (parts - {settings.BASE_DIR}, "-R "),
    ):
        if names:
            commands.append(command.format(all=recursive, names=_words(names)))
    return hint(*commands, why=" ".join(why)) if commands else " ".join(why)


def _sorted_out(found: list[_Piece]) -> tuple[list[_Piece], list[Path]]:
    """Those that a command may change, and the places of the others."""
    ours = {part for part in {each.part for each in found} if remedies.ours(part)}
    own = [each for each in found if each.part in ours and each.is_ours()]
    others = {
        (each.file if each.part in ours or each.is_above else each.part): None
        for each in found
        if each.part not in ours or not each.is_ours()
    }
    return own, [*others]


def _moving(parts: set[Path]) -> list[str]:
    """The settings of the files that the service writes there, and that are to lie elsewhere."""
    return [
        name
        for name, place in places.named().items()
        if name != "BACKUP_DIRECTORY"
        and any(
            places.real(place.parent) == part
            or (part != settings.BASE_DIR and places.real(place).is_relative_to(part))
            for part in parts
        )
    ]


def _is_written_in(part: Path) -> bool:
    """Whether root's part of the program would keep the service from the database or the seals in it."""
    return service().uid != ROOT and bool(_moving({part}))


def _opened(closed: list[_Piece], who: Service) -> str:
    """How exactly these are opened to the service, and no private file beside them."""
    own, others = _sorted_out(closed)
    why = [remedies.instead(others, of_program=True)] if others else []
    if len(own) > MOST_NAMED:
        why.append(f"And {len(own) - MOST_NAMED} more: run this check again afterwards.")
    modes: dict[str, list[Path]] = {}
    for each in own[:MOST_NAMED]:
        at = each.file.stat()
        entered = "x" if stat.S_ISDIR(at.st_mode) else ""
        modes.setdefault(f"{counted_as(at, who)}+r{entered}", []).append(each.file)
    commands = [f"chmod {mode} {_words(files)}" for mode, files in modes.items()]
    return _roots(*commands, why=" ".join(why))


def _roots(*commands: str, why: str = "") -> str:
    """A hint of commands that are root's to paste whoever checks, also where the service has all there is."""
    if not commands:
        return why
    is_known = os.geteuid() == ROOT or root_looks_after_it()
    return paste(*commands, why=why if is_known else f"{why} As root:".strip())


def _words(paths: set[Path] | list[Path]) -> str:
    return " ".join(quoted(each) for each in sorted(paths))


def _names(found: list[_Piece]) -> str:
    return places.names([each.file for each in found])
