"""Rows that have been read and await writing, in a temporary file: memory stays flat."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import chain
from types import TracebackType
from typing import Self

from buildings.unit_import.rows import RowProblem, UnitRow

# What one call of save_units() gets: enough to make statements rare, little enough to be held.
ROWS, BLOCKS = 2000, 50


class Staging:
    """The rows of one import in the order of their units, and what is wrong with the others.

    A context manager; the file goes with it.
    """

    def __init__(self) -> None:
        # Without a name, the file vanishes with the process that has it open, however that ends.
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.executescript(
            # Nothing here outlives the run.
            "PRAGMA temp_store=FILE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
            "PRAGMA cache_size=-8000;"
            f"CREATE TABLE unit ({', '.join(UnitRow._fields)});"
            "CREATE TABLE problem (row, place, sentence)"
        )
        places = ", ".join("?" * len(UnitRow._fields))
        self._insert = f"INSERT INTO unit VALUES ({places})"  # noqa: S608

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, rows: Iterable[UnitRow]) -> None:
        """Keep rows that await writing."""
        self._file.execute("BEGIN")
        self._file.executemany(self._insert, rows)
        self._file.execute("COMMIT")

    def object_to(self, problems: Iterable[RowProblem]) -> None:
        """Keep what is wrong."""
        self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO problem VALUES (?, ?, ?)", problems)
        self._file.execute("COMMIT")

    def count(self) -> int:
        """How many rows await writing."""
        return int(self._file.execute("SELECT count(*) FROM unit").fetchone()[0])

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
        """All rows by block and unit, in the file's order within; rows of one unit come together."""
        found = self._file.execute(
            "SELECT * FROM unit ORDER BY block_id, unit_id,"
            " CASE WHEN unit_id IS NULL THEN number END, row"
        )
        batch: list[UnitRow] = []
        blocks: set[int] = set()
        for row in chain.from_iterable(iter(lambda: found.fetchmany(ROWS), [])):
            next_row = UnitRow._make(row)
            full = len(batch) >= ROWS or len(blocks) >= BLOCKS
            if full and next_row.unit != batch[-1].unit:
                yield batch
                batch, blocks = [], set()
            batch.append(next_row)
            blocks.add(next_row.block_id)
        if batch:
            yield batch
