"""The seal file: one line a seal, outside the database, so that who forges the database is found out."""

import fcntl
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.sealing import Line

# What is in it is for those who run the server; a file that is there keeps its mode.
OWNER_ONLY = 0o600


class SealFileProblem(Exception):
    """The seal file cannot be what was written; the text is for the operator."""


@dataclass(frozen=True)
class Reading:
    """What stands in place of a seal: `line` is None where it cannot be read at all."""

    number: int
    line: Line | None
    changed: bool


def lines(path: Path) -> Iterator[Line]:
    """The seals in their order, as they were written. Raises as `readings()`, and for a changed line."""
    for reading in readings(path):
        if reading.line is None or reading.changed:
            raise SealFileProblem(told(reading, path))
        yield reading.line


def told(reading: Reading, path: Path) -> str:
    """What is to be said of a line that is not as it was written."""
    return f"The seal file's line {reading.number} was changed: {path}"


def readings(path: Path) -> Iterator[Reading]:
    """The lines in their order, each hanging on the one before; none if there is no file.

    A last line without its end is left out: a killed `audit_seal` was writing it.
    Raises SealFileProblem where lines are missing or exchanged, and OSError where the file cannot be read.
    """
    if not path.exists():
        return
    number = 0
    # None behind a line that was changed: what its digest was, nobody knows here.
    previous: str | None = ""
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for text in file:
            if not text.endswith("\n"):
                return
            number += 1
            reading = _read(text.removesuffix("\n"), number)
            _check(reading, previous, path)
            previous = None if reading.line is None or reading.changed else reading.line.digest
            yield reading


def _read(text: str, number: int) -> Reading:
    try:
        line = Line.from_json(text)
    except ValueError:
        return Reading(number, None, changed=True)
    return Reading(number, line, changed=line.changed(text))


def _check(reading: Reading, previous: str | None, path: Path) -> None:
    line = reading.line
    if line is None or reading.changed:
        return
    if line.number != reading.number:
        raise SealFileProblem(f"{path}: line {reading.number} holds seal {line.number}.")
    if previous is not None and line.previous != previous:
        raise SealFileProblem(f"{path}: seal {line.number} does not hang on the one before it.")


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
