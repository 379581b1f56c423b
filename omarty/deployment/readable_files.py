"""Private files that other users of the machine can read or write."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection

from omarty.deployment import places, remedies
from omarty.deployment.commands import paste, quoted, root_looks_after_it, service
from omarty.owner_only import ANYTHING_FOR_OTHERS, ROOT, rights_too_many_on_settings

# All but that its group looks into a folder.
MORE_THAN_LOOKING_BY_ITS_GROUP = 0o027
# They have "env" in their names, and no keys.
NO_COPIES = {".envrc", *(f".env.{each}" for each in ("dist", "example", "sample", "template"))}


def warnings() -> Iterator[CheckMessage]:
    """About modes of files."""
    open_files: list[tuple[Path, os.stat_result]] = []
    # Of another kind, they are not what is to be closed.
    misnamed = [place for setting, place in places.named().items() if places.wrong(setting)]
    for file in _private_files():
        if file in misnamed:
            continue
        try:
            at = places.found(file)
        except OSError as error:
            yield remedies.closed_warning(error)
            continue
        if at is not None and at.st_mode & _too_many(file, at):
            open_files.append((file, at))
    own = [each for each in open_files if remedies.ours(each[0])]
    if own:
        yield _readable([file for file, _at in own], paste("; ".join(_closing(*at) for at in own)))
    for file, _at in open_files:
        if not remedies.ours(file):
            yield _readable([file], remedies.remedy(file))


def _readable(files: list[Path], remedy: str) -> CheckMessage:
    return Warning(
        f"Other users of this machine can read {places.names(files)}.",
        hint=remedy,
        id="omarty.W010",
    )


def _settings_file() -> Path:
    return settings.BASE_DIR / ".env"


def _copies_of_settings() -> list[Path]:
    """What editors and people leave beside it: .env.bak, .env~, ..env.swp."""
    found = {each for each in settings.BASE_DIR.glob("*.env*") if each.name not in NO_COPIES}
    return sorted(each for each in found - {_settings_file()} if each.is_file())


def _backups() -> Path | None:
    return settings.BASE_DIR / settings.BACKUP_DIRECTORY if settings.BACKUP_DIRECTORY else None


def _private_files() -> Iterator[Path]:
    seal_file = Path(settings.AUDIT_SEAL_FILE)
    yield from (
        _settings_file(),
        *_copies_of_settings(),
        seal_file,
        seal_file.parent / "audit-archive",
    )
    if connection.vendor == "sqlite":
        database = connection.settings_dict["NAME"]
        yield from (Path(f"{database}{suffix}") for suffix in ("", "-wal", "-shm"))
    if backups := _backups():
        yield backups


def _too_many(file: Path, at: os.stat_result) -> int:
    """What others may not do with it; into backups of somebody else's making the group looks."""
    if file == _settings_file() or file in _copies_of_settings():
        return rights_too_many_on_settings(file)
    given = at.st_uid != service().uid or (at.st_uid == ROOT and at.st_gid != ROOT)
    return MORE_THAN_LOOKING_BY_ITS_GROUP if file == _backups() and given else ANYTHING_FOR_OTHERS


def _closing(file: Path, at: os.stat_result) -> str:
    """The command that closes it to others and leaves it open to the service."""
    who, place = service(), quoted(file)
    if file in _copies_of_settings():
        # Nobody needs it but who made it.
        return f"chmod 600 {place}"
    if not root_looks_after_it() or at.st_uid == who.uid:
        # Of a directory, to read it is to enter it.
        return f"chmod {(0o777 if file.is_dir() else 0o666) & ~_too_many(file, at):o} {place}"
    if file == _settings_file():
        return f"chown root:{quoted(who.group)} {place} && chmod 640 {place}"
    if file == _backups():
        return f"chgrp {quoted(who.group)} {place} && chmod 750 {place}"
    mode = "700" if file.is_dir() else "600"
    return f"chown {quoted(f'{who.user}:{who.group}')} {place} && chmod {mode} {place}"
