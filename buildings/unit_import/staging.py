"""Rows that have been read and await saving, in a temporary file: memory stays flat."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from types import TracebackType
from typing import Any, Self

from buildings.unit_import.columns import DETAILS
from buildings.unit_import.names import unit_key
from buildings.unit_import.rows import RowProblem, UnitRow
from contacts.bulk import ReportedContact
from contacts.models import Kind

# What one call of save_units() gets, at most twice: statements are rare then, and memory suffices.
ROWS, BLOCKS = 2000, 50
# A UnitRow as SQLite stores it: its details are columns of their own, the last ones.
_PLAIN = UnitRow._fields[:-2]
_COLUMNS = (*_PLAIN, "further", *(f"detail_{name}" for name in DETAILS))


class Staging:
    """The rows of one import in the order of their units, and what is wrong with the others.

    A context manager; the file vanishes with it.
    """

    def __init__(self) -> None:
        # Without a name, the file vanishes with the process that has it open, however that ends.
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.executescript(
            # Nothing here outlives the run.
            "PRAGMA temp_store=FILE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "PRAGMA cache_size=-8000;"
            f"CREATE TABLE unit ({', '.join(_COLUMNS)});"
            "CREATE TABLE problem (row, heading, sentence)"
        )
        self._file.create_function("unit_key", 1, unit_key, deterministic=True)
        values = ", ".join("?" * len(_COLUMNS))
        self._insert = f"INSERT INTO unit VALUES ({values})"  # noqa: S608

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add_rows(self, rows: Iterable[UnitRow]) -> None:
        """Store rows that await saving."""
        self._file.execute("BEGIN")
        self._file.executemany(self._insert, map(_stored, rows))
        self._file.execute("COMMIT")

    def add_problems(self, problems: Iterable[RowProblem]) -> None:
        """Store what is wrong."""
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT INTO problem VALUES (?, ?, ?)", (each[:3] for each in problems)
        )
        self._file.execute("COMMIT")

    def count(self) -> int:
        """How many rows await saving."""
        return int(self._file.execute("SELECT count(*) FROM unit").fetchone()[0])

    def has_contacts(self) -> bool:
        """Whether a row that awaits saving reports a contact."""
        found = self._file.execute(
            "SELECT count(*) FROM unit WHERE phone_value <> '' OR email_value <> '' OR further <> ''"
        )
        return bool(found.fetchone()[0])

    def numbers(self) -> list[tuple[int, int, int]]:
        """Row, block and number of each row that names its unit by number, in the file's order."""
        found = self._file.execute(
            "SELECT row, block_id, number FROM unit"
            " WHERE unit_id IS NULL AND number IS NOT NULL ORDER BY row"
        )
        return found.fetchall()

    def remove(self, rows: Iterable[int]) -> None:
        """Take rows out that are not to be saved."""
        self._file.executemany("DELETE FROM unit WHERE row = ?", [(row,) for row in rows])

    def blocks(self) -> set[int]:
        """The ids of the blocks that the rows name."""
        found = self._file.execute("SELECT DISTINCT block_id FROM unit")
        return {block_id for (block_id,) in found}

    def bad_rows(self) -> int:
        """How many rows have a problem, or several."""
        return int(self._file.execute("SELECT count(DISTINCT row) FROM problem").fetchone()[0])

    def problems(self) -> Iterator[RowProblem]:
        """All problems in the order of the rows."""
        found = self._file.execute("SELECT * FROM problem ORDER BY row, rowid")
        return (RowProblem(*each) for each in found)

    def batches(self) -> Iterator[list[UnitRow]]:
        """All rows by block and unit, in the file's order within.

        Rows of one unit come together, and those of one block of up to ROWS rows.
        """
        found = self._file.execute(
            "SELECT * FROM unit ORDER BY block_id, unit_id,"
            " CASE WHEN unit_id IS NULL THEN number END,"
            " CASE WHEN unit_id IS NULL AND number IS NULL THEN unit_key(detail_name) END, row"
        )
        batch: list[UnitRow] = []
        blocks: set[int] = set()
        for row in chain.from_iterable(iter(lambda: found.fetchmany(ROWS), [])):
            next_row = _restored(row)
            if batch and _is_full(batch, len(blocks), next_row):
                yield batch
                batch, blocks = [], set()
            batch.append(next_row)
            blocks.add(next_row.block_id)
        if batch:
            yield batch


def _is_full(batch: Sequence[UnitRow], blocks: int, next_row: UnitRow) -> bool:
    """Whether the batch, of so many blocks, ends before this row."""
    last = batch[-1]
    if next_row.block_id == last.block_id:
        # Units of a block trade numbers: it is cut only where it is too large for one batch.
        return len(batch) >= 2 * ROWS and next_row.unit != last.unit
    return len(batch) >= ROWS or blocks >= BLOCKS


def _stored(row: UnitRow) -> tuple[Any, ...]:
    further = json.dumps(row.further) if row.further else ""
    return (*row[:-2], further, *row.details)


def _restored(stored: tuple[Any, ...]) -> UnitRow:
    further = stored[len(_PLAIN)]
    contacts = json.loads(further) if further else ()
    return UnitRow._make(
        (
            *stored[: len(_PLAIN)],
            stored[len(_PLAIN) + 1 :],
            tuple([ReportedContact(Kind(kind), *value) for kind, *value in contacts]),
        )
    )
