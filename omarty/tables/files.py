"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class TargetProblem(Exception):
    """The path is none that a file can be written to; the text is for the operator."""


class WriteProblem(Exception):
    """The file could not be written; the text is for the operator."""


def check_target(path: Path) -> None:
    """Raises TargetProblem where no file can be written, or OSError, before any work is done."""
    if path.exists() and not path.is_file():
        raise TargetProblem(f"{path} is not a file.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise TargetProblem(f"{path.parent} is no directory that can be written to.")


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name when everything is in it; only its owner may read it.

    Raises TargetProblem, and WriteProblem where the system refuses.
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
        raise WriteProblem(f"{path} cannot be written: {error.strerror}.") from error
