"""The seal file: one line per seal, outside the database, so that a forged database is detected."""

import fcntl
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.sealing import SealLine

# The mode of a new file; an existing file keeps its own.
OWNER_ONLY = 0o600


class SealFileProblem(Exception):
    """The seal file is not as it was written; the text is for the operator."""


@dataclass(frozen=True)
class Reading:
    """The line with this number, as read: `line` is None if it cannot be parsed."""

    number: int
    line: SealLine | None
    changed: bool


def seal_lines(path: Path) -> Iterator[SealLine]:
    """The seals in order. Raises SealFileProblem for a changed line, and as `readings()` does."""
    for reading in readings(path):
        if reading.line is None or reading.changed:
            raise SealFileProblem(changed_line_message(reading, path))
        yield reading.line


def changed_line_message(reading: Reading, path: Path) -> str:
    """What the operator reads about a changed line."""
    return f"The seal file's line {reading.number} was changed: {path}"


def readings(path: Path) -> Iterator[Reading]:
    """The lines in order, changed ones included; none if there is no file.

    An incomplete last line is left out: an `audit_seal` was killed while it wrote it.
    Raises SealFileProblem if a line is missing or out of order, OSError if the file cannot be read.
    """
    if not path.exists():
        return
    number = 0
    # None after a changed line: its original digest is unknown.
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
        line = SealLine.from_json(text)
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
        raise SealFileProblem(f"{path}: seal {line.number} does not continue the previous one.")


def last_seal_line(path: Path) -> SealLine | None:
    """The newest seal; None if there is none. Raises as `seal_lines()` does."""
    return next(iter(deque(seal_lines(path), maxlen=1)), None)


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """No other process on this machine uses the seal file meanwhile. Raises OSError."""
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def append(path: Path, line: SealLine) -> None:
    """Add the seal; it is on disk when this returns. Drops an incomplete last line of a killed run."""
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
    """Make sure that a file created or renamed in the directory survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
