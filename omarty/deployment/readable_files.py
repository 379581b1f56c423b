"""Files that other users of the machine can read or write."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection

from omarty.owner_only import ANYTHING_FOR_OTHERS, rights_too_many_on_settings

WRITING_FOR_ALL = 0o002
# Where the program itself lies.
PROGRAM = ("", "audit", "buildings", "contacts", "omarty")


def warnings() -> Iterator[CheckMessage]:
    """About modes of files."""
    open_files = [file for file in _private_files() if _mode(file) & _too_many(file)]
    if open_files:
        # Of a directory, to read it is to enter it.
        fixes = [
            f"chmod {(0o777 if file.is_dir() else 0o666) & ~_too_many(file):o} {file}"
            for file in open_files
        ]
        yield Warning(
            f"Other users of this machine can read {_names(open_files)}.",
            hint="; ".join(fixes),
            id="omarty.W010",
        )
    writable = [each for each in _program() if _mode(each) & WRITING_FOR_ALL]
    if writable:
        yield Warning(
            f"Every user of this machine can change the program: {_names(writable)}.",
            hint=f"chmod -R o-w {settings.BASE_DIR}",
            id="omarty.W011",
        )


def _private_files() -> Iterator[Path]:
    seal_file = Path(settings.AUDIT_SEAL_FILE)
    candidates = [settings.BASE_DIR / ".env", seal_file, seal_file.parent / "audit-archive"]
    if connection.vendor == "sqlite":
        database = connection.settings_dict["NAME"]
        candidates += [Path(f"{database}{suffix}") for suffix in ("", "-wal", "-shm")]
    if settings.BACKUP_DIRECTORY:
        candidates.append(settings.BASE_DIR / settings.BACKUP_DIRECTORY)
    return (each for each in candidates if each.exists())


def _too_many(file: Path) -> int:
    if file == settings.BASE_DIR / ".env":
        return rights_too_many_on_settings(file)
    return ANYTHING_FOR_OTHERS


def _program() -> Iterator[Path]:
    for name in PROGRAM:
        folder = settings.BASE_DIR / name
        yield folder
        yield from (folder.glob("*.py") if not name else folder.rglob("*"))


def _mode(file: Path) -> int:
    # Of a symbolic link everybody may do everything; what counts is the file that it leads to.
    return file.stat().st_mode


def _names(files: list[Path]) -> str:
    shown = ", ".join(str(file) for file in files[:3])
    return shown if len(files) <= 3 else f"{shown} and {len(files) - 3} more"
