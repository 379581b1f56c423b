"""Is the audit log what was sealed? One pass over seal file, database and archives (docs/audit-proof.md)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit.bulk import Advance
from audit.ledger import LedgerProblem, archived, kept
from audit.models import Action, Seal
from audit.seal_file import Reading, SealFileProblem, readings, told
from audit.sealing import (
    EntryProblem,
    Line,
    Part,
    Ranges,
    Row,
    differences,
    digest,
    erased,
    is_erased,
    sealed,
    written,
)

# So many faults are kept one by one; the rest are counted.
FAULTS_KEPT = 1000

PARTS = tuple(Part)


@dataclass
class LogProblem:
    """Something that is not as it was sealed: with entries `first` to `last`, or with none of them."""

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
    """What a verification found. Counts are of entries, `erased` of erased parts of entries."""

    faults: list[LogProblem] = field(default_factory=list)
    untold: int = 0
    # Of the untold, that of the lowest entry: it may be the first of all.
    lowest_untold: LogProblem | None = None
    notes: list[str] = field(default_factory=list)
    seals: int = 0
    entries: int = 0
    unsealed: int = 0
    erased: int = 0
    digest: str = ""

    def blame(self, what: str, entry: int | None = None) -> None:
        """Keep the fault; the same one of the next entry goes with the one before."""
        last = self.faults[-1] if self.faults else None
        if last and entry and (last.what, last.last) == (what, entry - 1):
            last.last = entry
        elif len(self.faults) < FAULTS_KEPT:
            self.faults.append(LogProblem(what, entry, entry))
        else:
            self.untold += 1
            lowest = self.lowest_untold.first if self.lowest_untold else None
            if entry is not None and (lowest is None or entry < lowest):
                self.lowest_untold = LogProblem(what, entry, entry)

    @property
    def first(self) -> LogProblem | None:
        """The fault of the lowest entry; where no entry is bad, the first of the rest."""
        named = [fault for fault in self.faults if fault.first is not None]
        named += [self.lowest_untold] if self.lowest_untold else []
        return min(named or self.faults[:1], key=lambda fault: fault.first or 0, default=None)


class _Source:
    """Entries in ascending order, taken as far as an id."""

    def __init__(self, entries: Iterator[Row | int]) -> None:
        self._entries = entries
        self._next: Row | int | None = None

    def through(self, last: int | None) -> Iterator[Row | int]:
        """Those up to this id; all that are left for None."""
        while True:
            if self._next is None:
                self._next = next(self._entries, None)
            if self._next is None or (last is not None and _id(self._next) > last):
                return
            row, self._next = self._next, None
            yield row


def verify(path: Path, archives: Path, advance: Advance) -> Verdict:
    """Compare the entries with the seal file at `path`; archived ones are read from `archives`."""
    return _Verification(path, archives, advance).run()


class _Verification:
    def __init__(self, path: Path, archives: Path, advance: Advance) -> None:
        self.path = path
        self.archives = archives
        self.advance = advance
        self.verdict = Verdict()
        self.database = _Source(kept())
        self.archive = ("", _Source(iter(())))
        # Numbers of seals that only the file has.
        self.alone: list[int] = []
        self.erased: dict[Part, list[int]] = {part: [] for part in Part}
        self.recorded: dict[Part, Ranges] = {part: [] for part in Part}

    def run(self) -> Verdict:
        in_database = Seal.objects.order_by("number").iterator()
        seal = next(in_database, None)
        try:
            for reading in readings(self.path):
                if seal is not None and seal.number == reading.number:
                    self._seal(reading, seal)
                    seal = next(in_database, None)
                else:
                    self.alone.append(reading.number)
                    self._seal(reading, None)
        except (SealFileProblem, OSError) as error:
            self.verdict.blame(f"The seal file cannot be trusted: {error}")
        self._seals_alone(seal)
        self._rest_of_archive()
        for row in self.database.through(None):
            self.verdict.unsealed += self._digest_of(row) is not None
        self._erasures()
        return self.verdict

    def _seals_alone(self, in_database: Seal | None) -> None:
        """A killed `audit_seal` leaves its last seal in the file alone; no other way leads there."""
        if self.alone == [self.verdict.seals]:
            self.verdict.notes.append(
                f"Seal {self.alone[0]} is in the file and not in the database yet: run audit_seal."
            )
        elif self.alone:
            self.verdict.blame(f"The database lacks seal {self.alone[0]} of the file.")
        if in_database is not None:
            self.verdict.blame(f"{self.path} lacks the database's seal {in_database.number}.")

    def _seal(self, reading: Reading, seal: Seal | None) -> None:
        line = reading.line
        self.verdict.seals += 1
        if reading.changed:
            self.verdict.blame(told(reading, self.path))
        elif line is not None and seal is not None and not _same(line, seal):
            self.verdict.blame(f"Seal {line.number} in the database is not that of the file.")
        if line is not None and not reading.changed and line.previous != self.verdict.digest:
            # Only behind a changed line: its digest was taken from the database.
            self.verdict.blame(f"Seal {line.number} does not hang on the database's one before it.")
        # What a changed line says of its entries may be changed too.
        bounds = seal if reading.changed and seal is not None else line
        if bounds is None:
            return
        found = list(self._entries_of(bounds.last_id, seal.archive if seal else ""))
        self.advance(len(found))
        self.verdict.entries += len(found)
        if not reading.changed and line is not None:
            self.verdict.digest = line.digest
            if not line.covers(each for _, each in found):
                self._differences(line, found)
        elif seal is None or not _rebuilt(seal, self.verdict.digest, found):
            self._among(line, bounds, found)
        if reading.changed:
            self.verdict.digest = seal.digest if seal else ""

    def _differences(self, line: Line, found: Sequence[tuple[int, bytes]]) -> None:
        faults = list(differences(line, found))
        for number, wrong in faults:
            self.verdict.blame(wrong, number)
        if not faults:
            self.verdict.blame(f"The entries of seal {line.number} are not in their order.")

    def _among(
        self, line: Line | None, bounds: Line | Seal, found: Sequence[tuple[int, bytes]]
    ) -> None:
        """Some entry is not what was sealed, and the line that would tell which was changed as well."""
        if line is not None and line.covers(each for _, each in found):
            return
        faults = list(differences(line, found)) if line is not None else []
        for number, wrong in faults:
            self.verdict.blame(wrong, number)
        if not faults:
            self.verdict.faults.append(
                LogProblem(EntryProblem.AMONG_THEM, bounds.first_id, bounds.last_id)
            )

    def _entries_of(self, last: int, archive: str) -> Iterator[tuple[int, bytes]]:
        source = self._archive(archive) if archive else self.database
        try:
            for row in source.through(last):
                if (found := self._digest_of(row)) is not None:
                    yield _id(row), found
        except LedgerProblem as error:
            self.verdict.blame(str(error))
        if archive:
            for row in self.database.through(last):
                self.verdict.blame(EntryProblem.ADDED, _id(row))

    def _archive(self, name: str) -> _Source:
        if name != self.archive[0]:
            self._rest_of_archive()
            self.archive = (name, _Source(archived(self.archives / Path(name).name)))
        return self.archive[1]

    def _rest_of_archive(self) -> None:
        """What stands in an archive behind its last sealed entry was never moved there."""
        try:
            for row in self.archive[1].through(None):
                self.verdict.blame(EntryProblem.ADDED, _id(row))
        except LedgerProblem as error:
            self.verdict.blame(str(error))

    def _digest_of(self, row: Row | int) -> bytes | None:
        """None for an unreadable entry; notes on the way what was erased, and what it says was."""
        try:
            if isinstance(row, int):
                raise TypeError
            found = digest(row)
            self._note_erasures(row)
        except (TypeError, RecursionError):
            # Bytes where text belongs, and the like: SQLite keeps whatever it is given.
            self.verdict.blame(EntryProblem.UNREADABLE, _id(row))
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
                    self.verdict.blame(EntryProblem.ERASED_WRITTEN, row["id"])

    def _erasures(self) -> None:
        for part in Part:
            self.verdict.erased += len(self.erased[part])
            for number in _outside(self.erased[part], self.recorded[part]):
                self.verdict.blame(EntryProblem.ERASED_UNRECORDED, number)


def _id(row: Row | int) -> int:
    return row if isinstance(row, int) else int(row["id"])


def _same(line: Line, seal: Seal) -> bool:
    return (line.digest, line.first_id, line.last_id, line.entries, line.at, line.by) == (
        seal.digest,
        seal.first_id,
        seal.last_id,
        seal.entries,
        written(seal.at),
        seal.by,
    )


def _rebuilt(seal: Seal, previous: str, found: Sequence[tuple[int, bytes]]) -> bool:
    """Whether the database's seal is over these entries: the last word where its line was changed.

    The next line, which hangs on it, has its digest as well.
    """
    line = sealed(number=seal.number, at=seal.at, by=seal.by, previous=previous, digests=found)
    return line.digest == seal.digest


def _ranges(after: Any, part: Part) -> Ranges:
    """What an erasure names; nothing for what no operation wrote: not yet sealed, it may be anything."""
    named = after.get(part) if isinstance(after, dict) else None
    pairs = named if isinstance(named, list) else []
    return [
        pair for pair in pairs if isinstance(pair, list) and [type(n) for n in pair] == [int, int]
    ]


def _outside(ids: list[int], ranges: Ranges) -> Iterator[int]:
    """The ids, ascending, that lie in none of the ranges."""
    waiting = sorted(ranges, reverse=True)
    reach = None
    for number in ids:
        while waiting and waiting[-1][0] <= number:
            end = waiting.pop()[1]
            reach = end if reach is None else max(reach, end)
        if reach is None or number > reach:
            yield number
