"""Moving one legacy table in, batch by batch: what is new, what changed since, what stays out."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from django.db import models, transaction

from audit.operations import Origin
from omarty.legacy.models import LegacyRow, QuarantinedRow
from omarty.legacy.models import QuarantineReason as Reason
from omarty.legacy.operations import quarantine, remember
from omarty.legacy.parsing import Incoming, digest
from omarty.legacy.source import SourceRow

# Whom or what a record belongs to: a later move there is not followed, for our own history hangs on it.
BELONGS = frozenset({"user_id", "block_id", "apartment_id"})
USERS = "Resident_User"
# In place of the mark of a legacy value that was not taken: whatever comes differs from it.
WAITING = ""


@dataclass
class Tally:
    """How many rows of a table were read, and what became of each."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    # Of people who were erased here: nothing of them comes in again.
    erased: int = 0
    # Values of single columns that went into quarantine in this run; their rows count above.
    parts: int = 0

    @property
    def adds_up(self) -> bool:
        settled = self.new + self.changed + self.unchanged + self.quarantined + self.erased
        return self.read == settled

    def facts(self) -> dict[str, int]:
        return asdict(self)


class LegacyTable:
    """A legacy table: how its rows are read, and by which operations they come in."""

    name: ClassVar[str]
    select: ClassVar[str]
    # Ours, whose ids are those of the source; None where ids are not kept.
    model: ClassVar[type[models.Model] | None]
    # Ours that a later run may change; None where what came in is never changed.
    changeable: ClassVar[type[models.Model] | None]

    @property
    def count(self) -> str:
        """The SELECT that says how many rows there are."""
        return f"SELECT COUNT(*) FROM ({self.select}) counted"  # noqa: S608

    def read(self, row: SourceRow) -> Incoming:
        """What the row says, in our words; asks no database."""
        raise NotImplementedError

    def people(self, row: SourceRow) -> set[int | None]:
        """The legacy ids of those whom the row tells of."""
        return set()

    def relate(self, rows: Sequence[Incoming]) -> None:
        """Find what the rows refer to; refuse those that refer to nothing."""

    def create(self, origin: Origin, rows: Sequence[Incoming]) -> Mapping[str, Any]:
        """Write the rows, or refuse them, or have values wait. Returns the records by key."""
        raise NotImplementedError

    def change(self, origin: Origin, record: Any, row: Incoming, changes: dict[str, Any]) -> None:
        """Write the changes to a record that came in before, or have them wait."""
        raise NotImplementedError


def came_in(table: str, ids: Iterable[int | None]) -> set[int]:
    """Which of these ids of a legacy table came in: only they may be referred to.

    That a record of ours has the id is not enough: it may be somebody else.
    """
    keys = [str(each) for each in set(ids) if each is not None]
    rows = LegacyRow.objects.filter(table=table, key__in=keys)
    return {each for each in rows.values_list("record_id", flat=True) if each is not None}


def erased(ids: Iterable[int | None]) -> set[int]:
    """Which of these legacy people were erased here: of them no mark is left to compare with."""
    keys = [str(each) for each in set(ids) if each is not None]
    rows = LegacyRow.objects.filter(table=USERS, key__in=keys).values_list("key", "imported")
    return {int(key) for key, imported in rows if not imported}


@dataclass
class Batch:
    """Some rows of one table and what is known of them; `move()` does the work."""

    table: LegacyTable
    origin: Origin
    rows: list[Incoming]
    tally: Tally
    tell: Callable[[str], None]
    remembered: list[LegacyRow] = field(default_factory=list)
    amended: list[LegacyRow] = field(default_factory=list)
    kept_out: list[QuarantinedRow] = field(default_factory=list)
    released: list[QuarantinedRow] = field(default_factory=list)

    @transaction.atomic
    def move(self) -> None:
        """Bring the rows in. All or nothing, the notes for the next run included."""
        mine = {"table": self.table.name, "key__in": [row.key for row in self.rows]}
        known = {each.key: each for each in LegacyRow.objects.filter(**mine)}
        self._held: dict[str, list[QuarantinedRow]] = defaultdict(list)
        for held in QuarantinedRow.objects.filter(**mine):
            self._held[held.key].append(held)
        rows = self._without_erased(known)
        self.table.relate(rows)
        # What changed first: it may set a phone free that a new row brings.
        self._bring_up([(row, known[row.key]) for row in rows if row.key in known])
        self._bring_in([row for row in rows if row.key not in known])
        remember(new=self.remembered, changed=self.amended)
        quarantine(origin=self.origin, new=self.kept_out, released=self.released)
        self.tally.read += len(self.rows)
        for each in self.kept_out:
            self.tell(str(each))

    def _without_erased(self, known: Mapping[str, LegacyRow]) -> list[Incoming]:
        """The rows of whom nobody erased; of the others it is only noted that they are there."""
        people = {row.key: self.table.people(row.source) for row in self.rows}
        gone = erased(set().union(*people.values()))
        left = []
        for row in self.rows:
            noted = known.get(row.key)
            if not people[row.key] & gone and (noted is None or noted.imported):
                left.append(row)
                continue
            self.tally.erased += 1
            self._settle(row, {})
            if noted is None:
                self.remembered.append(LegacyRow(table=row.table, key=row.key, imported={}))
        return left

    def _bring_in(self, rows: list[Incoming]) -> None:
        self._refuse_ids(rows)
        records = self.table.create(self.origin, [row for row in rows if row.refused is None])
        for row in rows:
            if row.refused is not None:
                self._settle(row, {"": row.refused})
                self.tally.quarantined += 1
                continue
            record = records[row.key]
            imported = {
                name: [_mark(row, name), digest(getattr(record, name, value))]
                for name, value in row.values.items()
            }
            self.remembered.append(
                LegacyRow(
                    table=self.table.name,
                    key=row.key,
                    record_id=getattr(record, "pk", None),
                    imported=imported,
                )
            )
            self._settle(row, row.parts)
            self.tally.new += 1

    def _refuse_ids(self, rows: list[Incoming]) -> None:
        if self.table.model is None:
            return
        taken = set(
            self.table.model._default_manager.filter(
                pk__in=[row.id for row in rows if row.id > 0]
            ).values_list("pk", flat=True)
        )
        for row in rows:
            if row.id <= 0:
                row.refused = Reason.ID_UNUSABLE
            elif row.id in taken:
                row.refused = Reason.ID_TAKEN

    def _bring_up(self, pairs: list[tuple[Incoming, LegacyRow]]) -> None:
        moved = [(row, legacy) for row, legacy in pairs if _differs(row, legacy)]
        records = {}
        if self.table.changeable is not None:
            ids = [legacy.record_id for _, legacy in moved]
            records = self.table.changeable._default_manager.in_bulk(ids)
        for row, legacy in pairs:
            if not _differs(row, legacy):
                self._settle(row, {}, only={""})
                self.tally.unchanged += 1
            elif row.refused is not None:
                self._settle(row, {"": row.refused}, only={""})
                self.tally.quarantined += 1
            elif self._change(row, legacy, records.get(legacy.record_id)):
                self.tally.changed += 1
            else:
                self.tally.unchanged += 1

    def _change(self, row: Incoming, legacy: LegacyRow, record: Any) -> bool:
        """Take the changes that do not meet a change of ours. Returns whether any was taken."""
        touched = {name for name in row.values if _changed_there(row, legacy, name)}
        parts = {row.columns[name] for name in touched}
        said, row.parts = row.parts, {}
        changes = {}
        for name in touched:
            theirs, ours = digest(row.values[name]), digest(getattr(record, name, ""))
            as_imported = legacy.imported[name][1]
            if name in BELONGS:
                row.parts[row.columns[name]] = Reason.MOVED
            elif ours == as_imported and record is not None:
                changes[name] = row.values[name]
            elif ours != theirs:
                row.parts[row.columns[name]] = Reason.CHANGED_HERE
            legacy.imported[name] = [theirs, ours if ours == theirs else as_imported]
        before = {name: getattr(record, name) for name in changes}
        if changes:
            self.table.change(self.origin, record, row, changes)
        for name in changes:
            legacy.imported[name] = [_mark(row, name), digest(getattr(record, name))]
        self.amended.append(legacy)
        told = {column: why for column, why in said.items() if column in parts}
        self._settle(row, told | row.parts, only=parts | {""})
        return any(
            name not in row.waiting or getattr(record, name) != before[name] for name in changes
        )

    def _settle(
        self, row: Incoming, parts: Mapping[str, Reason], only: set[str] | None = None
    ) -> None:
        """Have just these parts of the row in quarantine; of the columns `only`, if given."""
        parts = dict(parts)
        shown = row.shown()
        for held in self._held[row.key]:
            if only is not None and held.column not in only:
                continue
            if parts.get(held.column) == held.reason and held.source == shown:
                del parts[held.column]
            else:
                self.released.append(held)
        for column, why in parts.items():
            self.tally.parts += bool(column)
            self.kept_out.append(
                QuarantinedRow(
                    table=row.table, key=row.key, column=column, reason=why, source=shown
                )
            )


def _mark(row: Incoming, name: str) -> str:
    return WAITING if name in row.waiting else digest(row.values[name])


def _changed_there(row: Incoming, legacy: LegacyRow, name: str) -> bool:
    # A field that was never taken, or has been forgotten since, is left alone.
    marks = legacy.imported.get(name)
    return marks is not None and marks[0] != digest(row.values[name])


def _differs(row: Incoming, legacy: LegacyRow) -> bool:
    return any(_changed_there(row, legacy, name) for name in row.values)
