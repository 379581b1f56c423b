"""The files that old entries are moved to: one line an entry, compressed, whole seals each."""

from pathlib import Path
from uuid import UUID

from audit.erasing import Search, Traces
from audit.ledger import UNFINISHED, archived, write_archive
from audit.models import Action, Entry, Seal
from audit.seal_file import sync_directory

PATTERN = "entries-from-seal-*.jsonl.gz"
ERASING = ".erasing"


def name_for(first: Seal) -> str:
    """The name of the archive that begins with this seal."""
    return f"entries-from-seal-{first.number:08}.jsonl.gz"


def files(directory: Path) -> list[Path]:
    """The archives in the order of their entries."""
    return sorted(directory.glob(PATTERN))


def search(path: Path, traces: Traces) -> Search:
    """What of the archive is the person's, and what may be. Raises LedgerProblem."""
    looking = Search(traces)
    for row in archived(path):
        looking.look_at(row)
    return looking


def prepare_erasure(path: Path, traces: Traces, request_id: UUID) -> None:
    """Write the archive anew without the person, beside the old one; `settle()` puts it in place."""
    without = (row | traces.erasure(row) for row in archived(path))
    write_archive(path.with_name(f"{path.name}.{request_id}{ERASING}"), without)


def settle(directory: Path) -> int:
    """Finish or undo what a killed command left; returns how many archives an erasure had prepared.

    What the erasure's entry records is done, what no entry records is dropped. Call it with nobody
    else at work on the archives.
    """
    for unfinished in directory.glob(PATTERN + "*" + UNFINISHED):
        unfinished.unlink()
    prepared = sorted(directory.glob(PATTERN + ".*" + ERASING))
    for path in prepared:
        name, request_id = path.name.removesuffix(ERASING).rsplit(".", 1)
        if Entry.objects.filter(request_id=request_id, action=Action.USER_ERASED).exists():
            path.replace(directory / name)
        else:
            path.unlink()
    if prepared:
        sync_directory(directory)
    return len(prepared)
