"""How the legacy log is imported: each row becomes an audit entry with its own time and its original text."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import models

from audit.models import Action, Channel, Entry
from audit.operations import Named, Origin, Unknown, entry, record_all
from buildings.models import Apartment, Block, Membership
from contacts.models import SecondaryEmail, SecondaryPhone, User
from omarty.legacy.dates import moment
from omarty.legacy.importer import LegacyTable, imported_ids
from omarty.legacy.models import QuarantineReason as Reason
from omarty.legacy.parsing import Incoming, Remark, coordinate, digest, reference, whole
from omarty.legacy.source import (
    BLOCKS,
    EMAILS,
    LOGS,
    MEMBERSHIPS,
    PHONES,
    UNITS,
    USERS,
    SourceRow,
)

ACTIONS = {
    1: Action.USER_REGISTERED,
    2: Action.BLOCK_REGISTERED,
    3: Action.LEGACY_INSERTED,
    4: Action.LEGACY_VIEWED,
    5: Action.SIGNED_IN,
    6: Action.APARTMENT_REGISTERED,
    7: Action.LEGACY_MEETING,
    8: Action.LEGACY_EVENT,
    9: Action.LEGACY_DECISION,
    10: Action.LEGACY_NEWS,
    11: Action.LEGACY_OFFER,
    12: Action.LEGACY_SERVICE,
    13: Action.LEGACY_FAVOURITE,
    14: Action.LEGACY_UNIT_ASKED,
    15: Action.LEGACY_UPDATED,
    16: Action.PASSWORD_CHANGED,
    17: Action.LEGACY_COMMENT,
    18: Action.LEGACY_COMPLAINT,
    19: Action.LEGACY_SUGGESTION,
    20: Action.LEGACY_PAYMENT,
    21: Action.LEGACY_ACCOUNT,
    22: Action.LEGACY_DELETED,
    23: Action.LEGACY_CHAT,
}
# The legacy tables whose rows became records here, under the same ids.
MODELS: dict[str, type[models.Model]] = {
    USERS: User,
    BLOCKS: Block,
    UNITS: Apartment,
    MEMBERSHIPS: Membership,
    EMAILS: SecondaryEmail,
    PHONES: SecondaryPhone,
}

_LIMITS = {"Longitude": 180, "Latitude": 90}

# The records that a batch refers to, by legacy table and id.
Found = dict[tuple[str, int], Any]


class LogTable(LegacyTable):
    """The legacy server's log. An imported row is an audit entry, which is never changed."""

    name = LOGS
    select = (
        "SELECT ID, UserID, ApartmentID, BlockID, LogTypeID, Action, LogRecordIdInActualTable,"
        " LogActualTable, Longitude, Latitude, Date, CreatedAt, UpdatedAt, UpdatedBy"
        " FROM Logs ORDER BY ID"
    )
    model = changeable = None

    def read(self, row: SourceRow) -> Incoming:
        incoming = Incoming(self.name, row)
        # Without a column that earlier versions did not read: what they imported has not changed.
        incoming.put("row", "", digest({name: row[name] for name in row if name != "UpdatedBy"}))
        for column, limit in _LIMITS.items():
            try:
                coordinate(row[column], limit)
            except ValueError:
                incoming.remarks[column] = Remark.COORDINATES_UNKNOWN
        return incoming

    def people(self, row: SourceRow) -> set[int | None]:
        people = {reference(row["UserID"]), reference(row["UpdatedBy"])}
        if row["LogActualTable"] == USERS:
            people.add(reference(row["LogRecordIdInActualTable"]))
        return people

    def relate(self, rows: Sequence[Incoming]) -> None:
        for row in rows:
            if _at(row.source) is None:
                row.refused = Reason.NO_DATE

    def create(self, origin: Origin, rows: Sequence[Incoming]) -> Mapping[str, None]:
        found = _named(rows)
        record_all(_entry(origin, row.source, found) for row in rows)
        return dict.fromkeys(row.key for row in rows)


def _at(row: SourceRow) -> Any:
    return moment(row["Date"]) or moment(row["CreatedAt"]) or moment(row["UpdatedAt"])


def _named(rows: Sequence[Incoming]) -> Found:
    """The imported records that the rows refer to: two statements for each table."""
    wanted: dict[str, set[int | None]] = defaultdict(set)
    for row in rows:
        wanted[USERS].add(reference(row.source["UserID"]))
        wanted[BLOCKS].add(reference(row.source["BlockID"]))
        wanted[UNITS].add(reference(row.source["ApartmentID"]))
        if (table := row.source["LogActualTable"] or "") in MODELS:
            wanted[table].add(reference(row.source["LogRecordIdInActualTable"]))
    found: Found = {}
    for table, ids in wanted.items():
        records = MODELS[table]._default_manager.all()
        if table == MEMBERSHIPS:
            records = records.select_related("user")
        for pk, record in records.in_bulk(imported_ids(table, ids)).items():
            found[table, pk] = record
    return found


def _entry(origin: Origin, row: SourceRow, found: Found) -> Entry:
    def named(table: str, column: str) -> Named | None:
        return found.get((table, reference(row[column]) or 0))

    actor = named(USERS, "UserID")
    made = entry(
        origin=replace(
            origin,
            channel=Channel.LEGACY,
            actor=actor,
            actor_label="" if actor else f"#{row['UserID']}" if row["UserID"] else "",
            longitude=_degrees(row, "Longitude"),
            latitude=_degrees(row, "Latitude"),
        ),
        action=ACTIONS.get(whole(row["LogTypeID"]) or 0, Action.LEGACY_OTHER),
        person=actor,
        block=named(BLOCKS, "BlockID"),
        apartment=named(UNITS, "ApartmentID"),
        after={"legacy": {column: text for column, text in row.items() if text is not None}},
    )
    made.at = _at(row)
    _set_target(made, row, found)
    return made


def _set_target(made: Entry, row: SourceRow, found: Found) -> None:
    table, number = row["LogActualTable"] or "", reference(row["LogRecordIdInActualTable"])
    record = found.get((table, number or 0))
    made.target_type = (MODELS[table].__name__ if table in MODELS else table).lower()[:40]
    # The id of a record here only if that record was imported; else another record may have the id.
    target = record if table in MODELS else Unknown(number) if number else None
    made.target_id = target.pk if target else None
    made.target_label = (
        str(record) if record else f"{table} {row['LogRecordIdInActualTable']}"[:255]
    )


def _degrees(row: SourceRow, column: str) -> Decimal | None:
    try:
        return coordinate(row[column], _LIMITS[column])
    except ValueError:
        return None
