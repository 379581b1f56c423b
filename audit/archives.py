"""Archive files, which old entries are moved to: compressed, one line per entry, complete seals only."""

from pathlib import Path
from uuid import UUID

from audit.erasing import Search, Traces
from audit.ledger import UNFINISHED, archived_entries, write_archive
from audit.models import Action, Entry, Seal
from audit.seal_file import sync_directory

PATTERN = "entries-from-seal-*.jsonl.gz"
# The suffix of an archive that was rewritten without a person and is not in use yet.
ERASING = ".erasing"


def name_for(first: Seal) -> str:
    """The name of the archive whose first seal is this one."""
    return f"entries-from-seal-{first.number:08}.jsonl.gz"


def files(directory: Path) -> list[Path]:
    """The archives in the order of their entries."""
    return sorted(directory.glob(PATTERN))


def search(path: Path, traces: Traces) -> Search:
    """Search the archive for the person. Raises LedgerProblem."""
    found = Search(traces)
    for row in archived_entries(path):
        found.add(row)
    return found


def prepare_erasure(path: Path, traces: Traces, request_id: UUID) -> None:
    """Write a copy of the archive without the person beside it; `finish_or_undo()` puts it into use."""
    without = (row | traces.erasure(row) for row in archived_entries(path))
    write_archive(path.with_name(f"{path.name}.{request_id}{ERASING}"), without)


def finish_or_undo(directory: Path) -> int:
    """Put prepared archives into use, or delete them. Returns how many an erasure had prepared.

    If the erasure's entry was committed, its archives replace the old ones; otherwise, as after a
    kill, they are deleted. Call it while no other command works on the archives.
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
