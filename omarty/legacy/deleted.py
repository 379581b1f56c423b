"""What was deleted at the source since it was imported: what stands here of it, and ending memberships."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from audit.operations import Origin
from buildings.membership_operations import end_memberships
from buildings.models import Building, Membership
from contacts.models import SecondaryContact, User
from omarty.legacy.buildings import ROLES
from omarty.legacy.importer import LegacyTable
from omarty.legacy.logs import MODELS
from omarty.legacy.models import LegacyRow, QuarantinedRow, QuarantineReason
from omarty.legacy.operations import mark_gone
from omarty.legacy.parsing import whole
from omarty.legacy.source import BATCH, MEMBERSHIPS, PLACES, Source

Row = TypeVar("Row", LegacyRow, QuarantinedRow)

_RECORDS: dict[str, type[models.Model]] = {**MODELS, PLACES: Building}


@dataclass(frozen=True)
class DeletedRow:
    """An imported row that the source has no more, and what of it stands here; "" for nothing."""

    table: str
    key: str
    here: str
    record: Any

    @property
    def membership(self) -> Membership | None:
        """The current membership that it became, if it is one."""
        record = self.record
        return record if isinstance(record, Membership) and record.ended_at is None else None

    def facts(self) -> dict[str, Any]:
        """As the report has it."""
        return {"table": self.table, "key": self.key, "here": self.here}

    def __str__(self) -> str:
        return f"{self.table} {self.key}: deleted at the source; here: {self.here or 'nothing'}"


def is_complete(table: LegacyTable, total: int) -> bool:
    """Whether all that is stored here of a table of so many rows, all of them read, is there too."""
    rows = QuarantinedRow.objects.filter(table=table.name)
    whole = rows.filter(column="").count()
    return LegacyRow.objects.filter(table=table.name).count() + whole == total


def deleted_rows(table: LegacyTable, source: Source) -> Iterator[list[DeletedRow]]:
    """The imported rows of the table that the source has no more, in batches."""
    for rows in _gone(LegacyRow.objects.filter(table=table.name), table, source):
        records: dict[int, Any] = {}
        if (model := _RECORDS.get(table.name)) is not None:
            ids = [row.record_id for row in rows if row.record_id is not None]
            records = model._default_manager.in_bulk(ids)
        found = [(row, records.get(row.record_id or 0)) for row in rows]
        yield [DeletedRow(table.name, row.key, _here(each), each) for row, each in found]


def mark_gone_rows(table: LegacyTable, source: Source, tell: Callable[[str], None]) -> int:
    """Mark rows in quarantine that the source has no more. Returns how many there are."""
    count = 0
    for rows in _gone(QuarantinedRow.objects.filter(table=table.name), table, source):
        count += len(rows)
        for row in rows:
            tell(f"{row} (deleted at the source since)")
        mark_gone(rows=[row for row in rows if row.gone_at is None])
    return count


def end_deleted(
    *, origin: Origin, deleted: list[DeletedRow], tell: Callable[[str], None]
) -> list[DeletedRow]:
    """End the current memberships among these rows; returns those that were ended.

    Not one that the source still has under another id, nor a block's last manager's.
    """
    ended = []
    for row in deleted:
        membership = row.membership
        if membership is None:
            continue
        if other := _same_there(membership):
            tell(f"{row}; it is there as {other.key} too, and stays")
            continue
        try:
            end_memberships(origin=origin, memberships=[membership])
        except ValidationError as refused:
            tell(f"{row}; not ended: {' '.join(refused.messages)}")
        else:
            ended.append(row)
            tell(f"{row}; ended")
    return ended


def _same_there(membership: Membership) -> QuarantinedRow | None:
    """The row that says the same under another id, and was not imported for that."""
    doubles = QuarantinedRow.objects.filter(
        table=MEMBERSHIPS,
        column="",
        gone_at=None,
        reason=QuarantineReason.OWN,
        source__ResidentID=str(membership.user_id),
        source__BlockID=str(membership.block_id),
    )
    unit = None if membership.apartment_id is None else str(membership.apartment_id)
    for row in doubles:
        # A manager who is a resident there too is no manager for that.
        role = ROLES.get(whole(row.source.get("RoleID")) or 0)
        if row.source.get("ApartmentID") == unit and role == membership.role:
            return row
    return None


def _gone(
    stored: "models.QuerySet[Row]", table: LegacyTable, source: Source
) -> Iterator[list[Row]]:
    last = 0
    while rows := list(stored.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = rows[-1].pk
        present = source.present(table.rows, {row.key for row in rows})
        if gone := [row for row in rows if row.key not in present]:
            yield gone


def _here(record: Any) -> str:
    """The record in words."""
    if record is None:
        return ""
    if isinstance(record, User):
        current = Membership.objects.current().filter(user=record).count()
        return f"{record} (#{record.pk}), current memberships: {current}"
    if isinstance(record, Membership):
        since = "ended" if record.ended_at else "current"
        where = f"block {record.block_id}, unit {record.apartment_id}"
        return f"{record.get_role_display()} {record.user} in {where}, {since}"
    if isinstance(record, SecondaryContact):
        return f"{record.kind} {record.pk} of {record.user} (#{record.user_id})"
    return f"{record} (#{record.pk})"
