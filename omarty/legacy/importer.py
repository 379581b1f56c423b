"""Imports one legacy table, batch by batch: new rows, rows that changed since, and the quarantine."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.db import models, transaction

from audit.operations import Origin
from omarty.legacy.models import LegacyRow, QuarantinedRow
from omarty.legacy.models import QuarantineReason as Reason
from omarty.legacy.operations import quarantine, remember
from omarty.legacy.parsing import Incoming, Remark, digest
from omarty.legacy.source import USERS, SourceRow

# Whom or what a record belongs to. Later ownership changes go to quarantine: history here depends on it.
OWNERSHIP_FIELDS = frozenset({"user_id", "block_id", "apartment_id"})
# Stored instead of the digest of a value that could not be imported: it differs from any digest.
WAITING = ""


@dataclass
class Tally:
    """How many rows of a table were read, and with which outcome."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    # Rows of people who were erased here: these are not imported again.
    erased: int = 0
    # Values of single columns that this run put in quarantine; their rows are counted above.
    parts: int = 0
    # Values of rows that this run imported which came in otherwise than they stood there.
    remarks: Counter[Remark] = field(default_factory=Counter)

    @property
    def adds_up(self) -> bool:
        return self.read == (
            self.new + self.changed + self.unchanged + self.quarantined + self.erased
        )

    def facts(self) -> dict[str, int]:
        """The counts of rows, and of values that are in quarantine."""
        return {name: value for name, value in vars(self).items() if name != "remarks"}


class LegacyTable:
    """A legacy table: how its rows are parsed, and which operations import them."""

    name: ClassVar[str]
    select: ClassVar[str]
    # Our model whose records get the source's ids; None if they get new ids.
    model: ClassVar[type[models.Model] | None]
    # Our model whose records a later run may change; None if it changes none.
    changeable: ClassVar[type[models.Model] | None]

    @property
    def rows(self) -> str:
        """What a SELECT of the rows' ids names after FROM."""
        return self.name

    @property
    def count(self) -> str:
        """The SELECT that counts the rows."""
        return f"SELECT COUNT(*) FROM ({self.select}) counted"  # noqa: S608

    def read(self, row: SourceRow) -> Incoming:
        """Parse the row; without queries."""
        raise NotImplementedError

    def people(self, row: SourceRow) -> set[int | None]:
        """The legacy ids of the people that the row concerns."""
        return set()

    def relate(self, rows: Sequence[Incoming]) -> None:
        """Look up what the rows refer to; refuse those that refer to nothing."""

    def create(self, origin: Origin, rows: Sequence[Incoming]) -> Mapping[str, Any]:
        """Save the rows, refuse them, or let single values wait. Returns the records by key."""
        raise NotImplementedError

    def change(self, origin: Origin, record: Any, row: Incoming, changes: dict[str, Any]) -> None:
        """Save the changes to an imported record, or let them wait."""
        raise NotImplementedError

    def only_renewed(self, record: Any, name: str) -> bool:
        """Whether our field, which is written otherwise than it was imported, means the same."""
        return False


def imported_ids(table: str, ids: Iterable[int | None]) -> set[int]:
    """Those of these ids of a legacy table that were imported: only they may be referred to.

    A record here with such an id may be another one.
    """
    keys = [str(each) for each in set(ids) if each is not None]
    rows = LegacyRow.objects.filter(table=table, key__in=keys)
    return {each for each in rows.values_list("record_id", flat=True) if each is not None}


def erased_ids(ids: Iterable[int | None]) -> set[int]:
    """Those of these legacy people who were erased here: their imported rows have no digests left."""
    keys = [str(each) for each in set(ids) if each is not None]
    rows = LegacyRow.objects.filter(table=USERS, key__in=keys).values_list("key", "imported")
    return {int(key) for key, imported in rows if not imported}


@dataclass
class Batch:
    """A batch of rows of one table; `move()` imports it."""

    table: LegacyTable
    origin: Origin
    rows: list[Incoming]
    tally: Tally
    tell: Callable[[str], None]
    new: list[LegacyRow] = field(default_factory=list)
    changed: list[LegacyRow] = field(default_factory=list)
    quarantined: list[QuarantinedRow] = field(default_factory=list)
    released: list[QuarantinedRow] = field(default_factory=list)

    @transaction.atomic
    def move(self) -> None:
        """Import the rows, with what the next run needs to know, in one transaction."""
        of_batch = {"table": self.table.name, "key__in": [row.key for row in self.rows]}
        known = {each.key: each for each in LegacyRow.objects.filter(**of_batch)}
        self._in_quarantine: dict[str, list[QuarantinedRow]] = defaultdict(list)
        for each in QuarantinedRow.objects.filter(**of_batch):
            self._in_quarantine[each.key].append(each)
        rows = self._without_erased(known)
        self.table.relate(rows)
        # Changes first: they may release a phone that a new row has.
        self._update([(row, known[row.key]) for row in rows if row.key in known])
        self._create([row for row in rows if row.key not in known])
        remember(new=self.new, changed=self.changed)
        quarantine(origin=self.origin, new=self.quarantined, released=self.released)
        self.tally.read += len(self.rows)
        for each in self.quarantined:
            self.tell(str(each))

    def _without_erased(self, known: Mapping[str, LegacyRow]) -> list[Incoming]:
        """The rows that concern nobody who was erased; of the others only their ids are stored."""
        people = {row.key: self.table.people(row.source) for row in self.rows}
        gone = erased_ids(set().union(*people.values()))
        rows = []
        for row in self.rows:
            legacy = known.get(row.key)
            if not people[row.key] & gone and (legacy is None or legacy.imported):
                rows.append(row)
                continue
            self.tally.erased += 1
            self._set_quarantine(row, {})
            if legacy is None:
                self.new.append(LegacyRow(table=row.table, key=row.key, imported={}))
        return rows

    def _create(self, rows: list[Incoming]) -> None:
        self._refuse_ids(rows)
        records = self.table.create(self.origin, [row for row in rows if row.refused is None])
        for row in rows:
            if row.refused is not None:
                self._set_quarantine(row, {"": row.refused})
                self.tally.quarantined += 1
                continue
            record = records[row.key]
            imported = {
                name: [_digest_of(row, name), digest(getattr(record, name, value))]
                for name, value in row.values.items()
            }
            self.new.append(
                LegacyRow(
                    table=self.table.name,
                    key=row.key,
                    record_id=getattr(record, "pk", None),
                    imported=imported,
                )
            )
            self._set_quarantine(row, row.parts)
            self._remark(row)
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

    def _update(self, pairs: list[tuple[Incoming, LegacyRow]]) -> None:
        differing = [(row, legacy) for row, legacy in pairs if _differs(row, legacy)]
        records = {}
        if self.table.changeable is not None:
            ids = [legacy.record_id for _, legacy in differing]
            records = self.table.changeable._default_manager.in_bulk(ids)
        for row, legacy in pairs:
            if not _differs(row, legacy):
                self._set_quarantine(row, {}, only={""})
                self.tally.unchanged += 1
            elif row.refused is not None:
                self._set_quarantine(row, {"": row.refused}, only={""})
                self.tally.quarantined += 1
            elif self._change(row, legacy, records.get(legacy.record_id)):
                self._remark(row)
                self.tally.changed += 1
            else:
                self.tally.unchanged += 1

    def _change(self, row: Incoming, legacy: LegacyRow, record: Any) -> bool:
        """Import the changes to fields that did not change here. Returns whether any was imported."""
        changed = {name for name in row.values if _changed_there(row, legacy, name)}
        columns = {row.columns[name] for name in changed}
        parts, row.parts = row.parts, {}
        changes = {}
        for name in changed:
            theirs, ours = digest(row.values[name]), digest(getattr(record, name, ""))
            as_imported = legacy.imported[name][1]
            if name in OWNERSHIP_FIELDS:
                row.parts[row.columns[name]] = Reason.MOVED
            elif record is not None and (
                ours == as_imported or self.table.only_renewed(record, name)
            ):
                changes[name] = row.values[name]
            elif ours != theirs:
                row.parts[row.columns[name]] = Reason.CHANGED_HERE
            legacy.imported[name] = [theirs, ours if ours == theirs else as_imported]
        before = {name: getattr(record, name) for name in changes}
        if changes:
            self.table.change(self.origin, record, row, changes)
        for name in changes:
            legacy.imported[name] = [_digest_of(row, name), digest(getattr(record, name))]
        self.changed.append(legacy)
        parts = {column: why for column, why in parts.items() if column in columns}
        self._set_quarantine(row, parts | row.parts, only=columns | {""})
        return any(
            name not in row.waiting or getattr(record, name) != before[name] for name in changes
        )

    def _remark(self, row: Incoming) -> None:
        self.tally.remarks.update(row.remarks.values())
        for column, remark in row.remarks.items():
            if remark is Remark.REPAIRED:
                self.tell(f"{row.table} {row.key} {column}: repaired")

    def _set_quarantine(
        self, row: Incoming, parts: Mapping[str, Reason], only: set[str] | None = None
    ) -> None:
        """Have exactly these parts of the row in quarantine; with `only`, leave other columns alone."""
        parts = dict(parts)
        shown = row.shown()
        for present in self._in_quarantine[row.key]:
            if only is not None and present.column not in only:
                continue
            known = parts.get(present.column) == present.reason and present.source == shown
            if known and present.gone_at is None:
                del parts[present.column]
            else:
                self.released.append(present)
        for column, why in parts.items():
            self.tally.parts += bool(column)
            self.quarantined.append(
                QuarantinedRow(
                    table=row.table, key=row.key, column=column, reason=why, source=shown
                )
            )


def _digest_of(row: Incoming, name: str) -> str:
    return WAITING if name in row.waiting else digest(row.values[name])


def _changed_there(row: Incoming, legacy: LegacyRow, name: str) -> bool:
    # A field that was not read then, or whose digests were erased since, is left alone.
    digests = legacy.imported.get(name)
    return digests is not None and digests[0] != digest(row.values[name])


def _differs(row: Incoming, legacy: LegacyRow) -> bool:
    return any(_changed_there(row, legacy, name) for name in row.values)
