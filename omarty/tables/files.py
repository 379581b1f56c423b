"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from omarty.management.base import CommandRefused, UsageProblem


def check_target(path: Path) -> None:
    """Raises UsageProblem where no file can be written, or OSError, before any work is done."""
    if path.exists() and not path.is_file():
        raise UsageProblem(f"{path} is not a file.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageProblem(f"{path.parent} is no directory that can be written to.")


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name when everything is in it; only its owner may read it.

    Raises UsageProblem or CommandRefused where that cannot be.
    """
    check_target(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        part = Path(name)
        try:
            with open(name, "wb", opener=lambda *_anything: handle) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise CommandRefused(f"{path} cannot be written: {error.strerror}.") from error
