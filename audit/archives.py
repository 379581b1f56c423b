"""Archive files, which old entries are moved to: compressed, one line per entry, complete seals only."""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import Max, Min, Sum
from django.utils.dateparse import parse_datetime

from audit.erasing import Search, Traces
from audit.ledger import UNFINISHED, LedgerProblem, archived_entries, parse_row, write_archive
from audit.models import Action, Entry, Seal
from audit.seal_file import sync_directory
from audit.sealing import Row

PATTERN = "entries-from-seal-*.jsonl.gz"
# The suffix of an archive that was rewritten without a person and is not in use yet.
ERASING = ".erasing"


def name_for(first: Seal) -> str:
    """The name of the archive whose first seal is this one."""
    return f"entries-from-seal-{first.number:08}.jsonl.gz"


def files(directory: Path) -> list[Path]:
    """The archives in the order of their entries."""
    return sorted(directory.glob(PATTERN))


def directory_of(seal_file: Path) -> Path:
    """Where the archives lie unless a command is told otherwise: beside the seal file."""
    return seal_file.parent / "audit-archive"


@dataclass(frozen=True)
class Period:
    """What one archive holds: the entries from one moment to another."""

    archive: str
    since: datetime | None
    until: datetime
    entries: int


def periods() -> list[Period]:
    """The periods of all archives, the latest first; `since` is None for the earliest."""
    found = Seal.objects.exclude(archive="").values("archive").order_by()
    rows = found.annotate(first=Min("number"), until=Max("at"), count=Sum("entries")).order_by(
        "first"
    )
    known: list[Period] = []
    for row in rows:
        since = known[-1].until if known else None
        known.append(Period(row["archive"], since, row["until"], row["count"]))
    return known[::-1]


def look_up(archive: str, words: Sequence[str]) -> Iterator[Entry]:
    """The entries of an archive that have every word somewhere, unsaved. Raises LedgerProblem.

    Case does not matter. Only lines with the words are read as entries.
    """
    path = directory_of(settings.AUDIT_SEAL_FILE) / Path(archive).name
    wanted = [json.dumps(word, ensure_ascii=False)[1:-1].casefold() for word in words]
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            for text in file:
                line = text.casefold()
                if all(word in line for word in wanted):
                    yield _as_entry(parse_row(text))
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise LedgerProblem(f"{path.name} cannot be read as an archive: {error}") from error


def _as_entry(row: Row) -> Entry:
    return Entry(**{**row, "at": parse_datetime(row["at"]), "request_id": UUID(row["request_id"])})


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
