"""Checks that the audit log is what was sealed: seal file, database and archives in one pass.

docs/audit-proof.md says what it finds and what it cannot find.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit.bulk import Advance
from audit.ledger import LedgerProblem, archived_entries, stored_entries
from audit.models import Action, Seal
from audit.seal_file import Reading, SealFileProblem, changed_line_message, readings
from audit.sealing import (
    EntryProblem,
    Part,
    Ranges,
    Row,
    SealLine,
    differences,
    digest,
    erased,
    is_erased,
    seal_time,
    sealed,
)

# Problems listed one by one; further ones are only counted.
PROBLEMS_LISTED = 1000

PARTS = tuple(Part)


@dataclass
class LogProblem:
    """Something that is not as it was sealed: the entries `first` to `last`, or no entry (None)."""

    what: str
    first: int | None = None
    last: int | None = None

    def __str__(self) -> str:
        if self.first is None:
            return self.what
        if self.first == self.last:
            return f"Entry {self.first}: {self.what}."
        return f"Entries {self.first} to {self.last}: {self.what}."


@dataclass
class Verdict:
    """The result of a verification. Counts are of entries; `erased` counts erased parts of entries."""

    problems: list[LogProblem] = field(default_factory=list)
    unlisted: int = 0
    # The problem of the lowest entry among the unlisted: it may be the first of all.
    lowest_unlisted: LogProblem | None = None
    notes: list[str] = field(default_factory=list)
    seals: int = 0
    entries: int = 0
    unsealed: int = 0
    erased: int = 0
    digest: str = ""

    def add_problem(self, what: str, entry: int | None = None) -> None:
        """Add a problem; the same problem in consecutive entries becomes one."""
        last = self.problems[-1] if self.problems else None
        if last and entry and (last.what, last.last) == (what, entry - 1):
            last.last = entry
        elif len(self.problems) < PROBLEMS_LISTED:
            self.problems.append(LogProblem(what, entry, entry))
        else:
            self.unlisted += 1
            lowest = self.lowest_unlisted.first if self.lowest_unlisted else None
            if entry is not None and (lowest is None or entry < lowest):
                self.lowest_unlisted = LogProblem(what, entry, entry)

    @property
    def first(self) -> LogProblem | None:
        """The problem of the lowest entry; if no entry is affected, the first problem."""
        of_entries = [problem for problem in self.problems if problem.first is not None]
        of_entries += [self.lowest_unlisted] if self.lowest_unlisted else []
        candidates = of_entries or self.problems[:1]
        return min(candidates, key=lambda problem: problem.first or 0, default=None)


class _Source:
    """Entries by ascending id, read up to a given id at a time."""

    def __init__(self, entries: Iterator[Row | int]) -> None:
        self._entries = entries
        self._next: Row | int | None = None

    def through(self, last: int | None) -> Iterator[Row | int]:
        """The next entries with ids up to `last`; all remaining ones for None."""
        while True:
            if self._next is None:
                self._next = next(self._entries, None)
            if self._next is None or (last is not None and _id_of(self._next) > last):
                return
            row, self._next = self._next, None
            yield row


def _stored_seals() -> Generator[Seal, None, None]:
    yield from Seal.objects.order_by("number").iterator()


def verify(path: Path, archives: Path, advance: Advance) -> Verdict:
    """Compare the entries in the database, and those in `archives`, with the seal file at `path`."""
    return _Verification(path, archives, advance).run()


class _Verification:
    def __init__(self, path: Path, archives: Path, advance: Advance) -> None:
        self.path = path
        self.archives = archives
        self.advance = advance
        self.verdict = Verdict()
        self.database = _Source(stored_entries())
        self.archive = ("", _Source(iter(())))
        # Numbers of the seals that are in the file and not in the database.
        self.only_in_file: list[int] = []
        # Ids of the entries with an erased part, and the ranges of ids that erasures recorded.
        self.erased: dict[Part, list[int]] = {part: [] for part in Part}
        self.recorded: dict[Part, Ranges] = {part: [] for part in Part}

    def run(self) -> Verdict:
        in_database = _stored_seals()
        seal = next(in_database, None)
        try:
            for reading in readings(self.path):
                if seal is not None and seal.number == reading.number:
                    self._check_seal(reading, seal)
                    seal = next(in_database, None)
                else:
                    self.only_in_file.append(reading.number)
                    self._check_seal(reading, None)
        except PermissionError:
            # Says nothing of the log: whoever verifies gave a file that is not theirs to read.
            raise
        except (SealFileProblem, OSError) as error:
            self.verdict.add_problem(f"The seal file cannot be trusted: {error}")
        finally:
            # Left open, it would outlive the database's connection, and Python say so.
            in_database.close()
        self._check_ends(seal)
        self._check_rest_of_archive()
        for row in self.database.through(None):
            self.verdict.unsealed += self._digest_of(row) is not None
        self._check_erasures()
        return self.verdict

    def _check_ends(self, in_database: Seal | None) -> None:
        """File and database end with the same seal, unless `audit_seal` was killed between the two.

        `in_database` is a seal of the database that the file lacks.
        """
        if self.only_in_file == [self.verdict.seals] and not self.verdict.problems:
            self.verdict.notes.append(
                f"Seal {self.only_in_file[0]} is in the file and not in the database yet:"
                " run audit_seal."
            )
        elif self.only_in_file:
            self.verdict.add_problem(f"The database lacks seal {self.only_in_file[0]} of the file.")
        if in_database is not None:
            self.verdict.add_problem(f"{self.path} lacks the database's seal {in_database.number}.")

    def _check_seal(self, reading: Reading, seal: Seal | None) -> None:
        line = reading.line
        self.verdict.seals += 1
        if reading.changed:
            self.verdict.add_problem(changed_line_message(reading, self.path))
        elif line is not None and seal is not None and not _same(line, seal):
            self.verdict.add_problem(f"Seal {line.number} in the database is not that of the file.")
        if line is not None and not reading.changed and line.previous != self.verdict.digest:
            # Only after a changed line, whose digest was taken from the database.
            self.verdict.add_problem(
                f"Seal {line.number} does not continue the previous seal of the database."
            )
        # In a changed line, the ids may be changed too.
        bounds = seal if reading.changed and seal is not None else line
        if bounds is None:
            return
        found = list(self._entries_of(bounds.last_id, seal.archive if seal else ""))
        self.advance(len(found))
        self.verdict.entries += len(found)
        if not reading.changed and line is not None:
            self.verdict.digest = line.digest
            if not line.covers(each for _, each in found):
                self._add_differences(line, found)
        elif seal is None or not _is_over(seal, self.verdict.digest, found):
            self._add_differences_or_range(line, bounds, found)
        if reading.changed:
            self.verdict.digest = seal.digest if seal else ""

    def _add_differences(self, line: SealLine, found: Sequence[tuple[int, bytes]]) -> None:
        problems = list(differences(line, found))
        for entry_id, problem in problems:
            self.verdict.add_problem(problem, entry_id)
        if not problems:
            self.verdict.add_problem(f"The entries of seal {line.number} are not in their order.")

    def _add_differences_or_range(
        self, line: SealLine | None, bounds: SealLine | Seal, found: Sequence[tuple[int, bytes]]
    ) -> None:
        """Some entry is not what was sealed, and the line that could show which was changed as well."""
        if line is not None and line.covers(each for _, each in found):
            return
        problems = list(differences(line, found)) if line is not None else []
        for entry_id, problem in problems:
            self.verdict.add_problem(problem, entry_id)
        if not problems:
            self.verdict.problems.append(
                LogProblem(EntryProblem.ONE_OF_THEM, bounds.first_id, bounds.last_id)
            )

    def _entries_of(self, last: int, archive: str) -> Iterator[tuple[int, bytes]]:
        source = self._archive(archive) if archive else self.database
        try:
            for row in source.through(last):
                if (found := self._digest_of(row)) is not None:
                    yield _id_of(row), found
        except LedgerProblem as error:
            self.verdict.add_problem(str(error))
        if archive:
            for row in self.database.through(last):
                self.verdict.add_problem(EntryProblem.ADDED, _id_of(row))

    def _archive(self, name: str) -> _Source:
        if name != self.archive[0]:
            self._check_rest_of_archive()
            self.archive = (name, _Source(archived_entries(self.archives / Path(name).name)))
        return self.archive[1]

    def _check_rest_of_archive(self) -> None:
        """Entries after the last sealed one of an archive were never moved there."""
        try:
            for row in self.archive[1].through(None):
                self.verdict.add_problem(EntryProblem.ADDED, _id_of(row))
        except LedgerProblem as error:
            self.verdict.add_problem(str(error))

    def _digest_of(self, row: Row | int) -> bytes | None:
        """The entry's digest, None if it cannot be read. Also notes erased parts and recorded erasures."""
        try:
            if isinstance(row, int):
                raise TypeError
            found = digest(row)
            self._note_erasures(row)
        except (TypeError, RecursionError):
            # Bytes in a text column, for example: SQLite stores any type.
            self.verdict.add_problem(EntryProblem.UNREADABLE, _id_of(row))
            return None
        return found

    def _note_erasures(self, row: Row) -> None:
        if row["action"] == Action.USER_ERASED:
            for part in Part:
                self.recorded[part] += _ranges(row["after"], part)
        for part in PARTS:
            if is_erased(row, part):
                self.erased[part].append(row["id"])
                if any(row[name] != value for name, value in erased(row, part).items()):
                    self.verdict.add_problem(EntryProblem.ERASED_WRITTEN, row["id"])

    def _check_erasures(self) -> None:
        for part in Part:
            self.verdict.erased += len(self.erased[part])
            for entry_id in _outside(self.erased[part], self.recorded[part]):
                self.verdict.add_problem(EntryProblem.ERASED_UNRECORDED, entry_id)


def _id_of(row: Row | int) -> int:
    return row if isinstance(row, int) else int(row["id"])


def _same(line: SealLine, seal: Seal) -> bool:
    return (line.digest, line.first_id, line.last_id, line.entries, line.at, line.by) == (
        seal.digest,
        seal.first_id,
        seal.last_id,
        seal.entries,
        seal_time(seal.at),
        seal.by,
    )


def _is_over(seal: Seal, previous: str, found: Sequence[tuple[int, bytes]]) -> bool:
    """Whether the database's seal is over these entries; it decides where the seal's line was changed.

    The next line of the file confirms its digest.
    """
    line = sealed(number=seal.number, at=seal.at, by=seal.by, previous=previous, digests=found)
    return line.digest == seal.digest


def _ranges(after: Any, part: Part) -> Ranges:
    """The ranges that an erasure's entry names; empty if malformed, as an unsealed entry may be."""
    named = after.get(part) if isinstance(after, dict) else None
    pairs = named if isinstance(named, list) else []
    return [
        pair
        for pair in pairs
        if isinstance(pair, list) and [type(end) for end in pair] == [int, int]
    ]


def _outside(ids: list[int], ranges: Ranges) -> Iterator[int]:
    """Those of the ascending ids that lie in none of the ranges."""
    waiting = sorted(ranges, reverse=True)
    covered = None
    for entry_id in ids:
        while waiting and waiting[-1][0] <= entry_id:
            end = waiting.pop()[1]
            covered = end if covered is None else max(covered, end)
        if covered is None or entry_id > covered:
            yield entry_id
