"""Reads entries as rows, by ascending id, from the database and from archive files; writes archives."""

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast

from audit.models import Entry
from audit.seal_file import OWNER_ONLY, sync_directory
from audit.sealing import FIELDS, PROOF, Row, portable

BATCH = 1000
# The suffix of an archive that is still being written.
UNFINISHED = ".part"


class LedgerProblem(Exception):
    """A row of the database, or an archive file, cannot be read as entries."""


def stored_entries(after: int | None = None, through: int | None = None) -> Iterator[Row | int]:
    """The database's entries with `after` < id <= `through`; for an unreadable one, only its id."""
    while batch := list(_next_batch(_between(after, through))):
        yield from batch
        last = batch[-1]
        after = last if isinstance(last, int) else last["id"]


def _between(after: int | None, through: int | None) -> "QuerySet[Entry]":
    entries = Entry.objects.order_by("pk")
    if after is not None:
        entries = entries.filter(pk__gt=after)
    return entries if through is None else entries.filter(pk__lte=through)


def _next_batch(entries: "QuerySet[Entry]") -> Iterator[Row | int]:
    try:
        yield from rows(entries[:BATCH])
    except LedgerProblem:
        for entry_id in entries.values_list("pk", flat=True)[:BATCH]:
            try:
                yield from rows(Entry.objects.filter(pk=entry_id))
            except LedgerProblem:
                yield entry_id


# JSON columns as text: different texts may parse to the same value.
_COLUMNS = [Cast(name, TextField()) if name in {"before", "after"} else F(name) for name in FIELDS]


def rows(entries: "QuerySet[Entry]") -> list[Row]:
    """These entries as rows. Raises LedgerProblem if one of them has values that no operation writes."""
    try:
        return [portable(values) for values in entries.values_list(*_COLUMNS)]
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise LedgerProblem from error


def archived_entries(path: Path) -> Iterator[Row]:
    """The entries of an archive file. Raises LedgerProblem."""
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            for text in file:
                yield parse_row(text)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise LedgerProblem(f"{path} cannot be read as an archive: {error}") from error


def parse_row(text: str) -> Row:
    """The entry on this line of an archive file. Raises ValueError, RecursionError."""
    row = json.loads(text)
    if not isinstance(row, dict) or row.keys() != set(FIELDS) or not isinstance(row["id"], int):
        raise ValueError("a line is not an entry")
    if not all(isinstance(row[name], str) for name in PROOF.values()):
        raise ValueError("a line is not an entry")
    if _as_text(row) != text:
        raise ValueError("a line is not as it was written")
    return row


def _as_text(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def write_archive(path: Path, entries: Iterable[Row]) -> None:
    """Write the archive file. It is on disk when this returns, and has its name only once complete.

    It holds personal data: only its owner may read it.
    """
    path.parent.mkdir(mode=0o700, exist_ok=True)
    unfinished = path.with_name(path.name + UNFINISHED)
    unfinished.touch(OWNER_ONLY)
    with unfinished.open("wb") as raw:
        with gzip.open(raw, "wt", encoding="utf-8", compresslevel=6) as file:
            for row in entries:
                file.write(_as_text(row))
        raw.flush()
        os.fsync(raw.fileno())
    unfinished.replace(path)
    sync_directory(path.parent)
