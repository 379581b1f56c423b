"""The seal file: one line a seal, outside the database, so that who forges the database is found out."""

import fcntl
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit.sealing import Line

# What is in it is for those who run the server; a file that is there keeps its mode.
OWNER_ONLY = 0o600


class BrokenFile(Exception):
    """The seal file cannot be what was written; the text is for the operator."""


def lines(path: Path) -> Iterator[Line]:
    """The seals in their order, each hanging on the one before; none if there is no file.

    A last line without its end is left out: a killed `audit_seal` was writing it.
    Raises BrokenFile, and OSError where the file cannot be read.
    """
    if not path.exists():
        return
    number, previous = 0, ""
    with path.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            if not text.endswith("\n"):
                return
            number += 1
            line = _line(text, number, previous, path)
            previous = line.digest
            yield line


def _line(text: str, number: int, previous: str, path: Path) -> Line:
    try:
        line = Line.from_json(text)
    except ValueError as error:
        raise BrokenFile(f"{path}: line {number} is not a seal.") from error
    if line.number != number:
        raise BrokenFile(f"{path}: line {number} holds seal {line.number}.")
    if line.previous != previous:
        raise BrokenFile(f"{path}: seal {number} does not hang on the one before it.")
    return line


def last_line(path: Path) -> Line | None:
    """The newest seal; None if there is none. Raises as `lines()` does."""
    return next(iter(deque(lines(path), maxlen=1)), None)


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Nobody else on this machine seals into the file meanwhile. Raises OSError."""
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def append(path: Path, line: Line) -> None:
    """Add the seal, on disk when this returns; drops a line that a killed run left torn."""
    new = not path.exists()
    path.touch(OWNER_ONLY)
    with path.open("ab") as file:
        file.truncate(_end_of_last_line(path))
        file.write(line.to_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_directory(path.parent)


def _end_of_last_line(path: Path) -> int:
    step = 1 << 16
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - step)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
    return 0


def sync_directory(path: Path) -> None:
    """A file made or renamed in the directory is still there after a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
