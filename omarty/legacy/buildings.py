"""How legacy places, blocks, units and memberships are imported."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from audit.operations import Origin
from buildings.models import (
    HIGHEST_FLOOR,
    HIGHEST_NUMBER,
    LOWEST_FLOOR,
    LOWEST_NUMBER,
    Apartment,
    Block,
    Building,
    Membership,
    Occupancy,
    Role,
)
from contacts.models import Status, User
from omarty.legacy.importer import LegacyTable, imported_ids
from omarty.legacy.models import LegacyRow
from omarty.legacy.models import QuarantineReason as Reason
from omarty.legacy.operations import (
    adopt_apartments,
    adopt_blocks,
    adopt_building,
    adopt_memberships,
    change_adopted,
)
from omarty.legacy.parsing import Incoming, reference, whole
from omarty.legacy.people import STATUSES
from omarty.legacy.source import (
    BLOCKS,
    MEMBERSHIPS,
    PLACE_TABLES,
    PLACES,
    UNITS,
    USERS,
    SourceRow,
)

# The highest value of MySQL's int, which legacy columns have.
HIGHEST_COUNT = 2**31 - 1

ROLES = {
    1: Role.MANAGER,
    2: Role.CASHIER,
    3: Role.BOARD,
    4: Role.VENDOR,
    5: Role.CLIENT,
    6: Role.RESIDENT,
    7: Role.WATCHMAN,
}
# 1 and 2 are statuses of a request for the unit; a unit without a status is new.
OCCUPANCIES = {
    1: Occupancy.VACANT,
    2: Occupancy.OCCUPIED,
    8: Occupancy.OCCUPIED,
    9: Occupancy.UNOCCUPIED,
    10: Occupancy.BEING_FINISHED,
}

# The column of PlaceTable.select that has the name of each place.
_PLACE_NAMES = {
    "Country": "CountryName",
    "Governate": "GovernateName",
    "City": "CityName",
    "Region": "RegionName",
    "Compound": "CompundName",
    "Street": "StreetName",
}


class _PlainTable(LegacyTable):
    """A table whose records all change by `change_adopted()`."""

    def change(self, origin: Origin, record: Any, row: Incoming, changes: dict[str, Any]) -> None:
        change_adopted(origin=origin, changed=record, changes=changes)


class PlaceTable(_PlainTable):
    """Buildings: one for each distinct combination of compound, street and so on that blocks have."""

    name = PLACES
    select = (
        "SELECT stands.*, Country.name AS CountryName,"
        " GOVName AS GovernateName, GOVNameEN AS GovernateNameEN,"
        " City.Name AS CityName, City.NameEN AS CityNameEN, RegionName, RegionNameEN,"
        " CompundName, CompoundNameEN, StreetName,"
        " Country.ID AS Country, Governate.ID AS Governate, City.ID AS City, Region.ID AS Region,"
        " Compound.ID AS Compound, Street.ID AS Street"
        " FROM (SELECT DISTINCT CountryID, GovernateID, CityID, RegionID, CompoundID, StreetID,"
        " CONCAT_WS('/', CountryID, GovernateID, CityID, RegionID, CompoundID, StreetID) AS ID"
        " FROM Block) stands"
        " LEFT JOIN Country ON Country.ID = stands.CountryID"
        " LEFT JOIN Governate ON Governate.ID = stands.GovernateID"
        " LEFT JOIN City ON City.ID = stands.CityID"
        " LEFT JOIN Region ON Region.ID = stands.RegionID"
        " LEFT JOIN Compound ON Compound.ID = stands.CompoundID"
        " LEFT JOIN Street ON Street.ID = stands.StreetID"
        " ORDER BY stands.ID"
    )
    model = None
    changeable = Building

    @property
    def rows(self) -> str:
        return f"({self.select}) stands"

    def read(self, row: SourceRow) -> Incoming:
        incoming = Incoming(self.name, row)
        incoming.text("name_ar", "CompundName", 255)
        incoming.text("name_en", "CompoundNameEN", 255)
        incoming.text("country", "CountryName", 128)
        incoming.text("governorate", "GovernateName", 128, "GovernateNameEN")
        incoming.text("city", "CityName", 128, "CityNameEN")
        incoming.text("region", "RegionName", 128, "RegionNameEN")
        incoming.text("street", "StreetName", 128)
        for table, column in PLACE_TABLES.items():
            # A row without a name is a placeholder: the text that it gives is empty.
            if reference(row[column]) is not None and row[table] is None:
                incoming.parts[_PLACE_NAMES[table]] = Reason.NO_PLACE
        return incoming

    def create(self, origin: Origin, rows: Sequence[Incoming]) -> Mapping[str, Building]:
        return {row.key: adopt_building(origin=origin, **row.values) for row in rows}


class BlockTable(_PlainTable):
    """Blocks, each in the building that its place columns stand for."""

    name = BLOCKS
    select = (
        "SELECT ID, BlockNum, BlockName, NumberOfAppartments, NumberOfFloors, Longitude, Latitude,"
        " CountryID, GovernateID, CityID, RegionID, CompoundID, StreetID, StatusID, CreatedAt"
        " FROM Block ORDER BY ID"
    )
    model = changeable = Block

    def read(self, row: SourceRow) -> Incoming:
        incoming = Incoming(self.name, row)
        incoming.text("number", "BlockNum", 32)
        incoming.text("name", "BlockName", 128)
        incoming.number("floors", "NumberOfFloors", 0, HIGHEST_COUNT)
        incoming.number("units_planned", "NumberOfAppartments", 0, HIGHEST_COUNT)
        for name in ("floors", "units_planned"):
            # The legacy server wrote 0 for unknown.
            incoming.values[name] = incoming.values[name] or None
        incoming.coordinates()
        incoming.choice("status", "StatusID", STATUSES, Status.PENDING)
        incoming.created()
        return incoming

    def relate(self, rows: Sequence[Incoming]) -> None:
        keys = {
            row.key: "/".join(row.source[column] or "" for column in PLACE_TABLES.values())
            for row in rows
        }
        known = LegacyRow.objects.filter(table=PLACES, key__in=set(keys.values()))
        buildings = dict(known.values_list("key", "record_id"))
        for row in rows:
            row.put("building_id", "CompoundID", buildings.get(keys[row.key]))
            if row.values["building_id"] is None:
                row.refused = Reason.NO_PLACE

    def create(self, origin: Origin, rows: Sequence[Incoming]) -> Mapping[str, Block]:
        blocks = {row.key: Block(pk=row.id, **row.values) for row in rows}
        adopt_blocks(origin=origin, blocks=list(blocks.values()))
        return blocks


class ApartmentTable(LegacyTable):
    """Units of the imported blocks."""

    name = UNITS
    select = (
        "SELECT ID, FloorNum, ApartmentNumber, ApartmentName, BlockID, StatusID, CreatedAt"
        " FROM Apartment ORDER BY ID"
    )
    model = changeable = Apartment

    def read(self, row: SourceRow) -> Incoming:
        incoming = Incoming(self.name, row)
        incoming.put("block_id", "BlockID", reference(row["BlockID"]))
        incoming.number("number", "ApartmentNumber", LOWEST_NUMBER, HIGHEST_NUMBER)
        incoming.number("floor", "FloorNum", LOWEST_FLOOR, HIGHEST_FLOOR)
        incoming.text("name", "ApartmentName", 32)
        incoming.choice("occupancy", "StatusID", OCCUPANCIES, Occupancy.VACANT)
        if row["StatusID"] is None:
            del incoming.parts["StatusID"]
        incoming.created()
        return incoming

    def relate(self, rows: Sequence[Incoming]) -> None:
        blocks = imported_ids(BLOCKS, (row.values["block_id"] for row in rows))
        for row in rows:
            if row.values["block_id"] not in blocks:
                row.refused = Reason.NO_BLOCK

    def create(self, origin: Origin, rows: Sequence[Incoming]) -> Mapping[str, Apartment]:
        blocks = Block.objects.in_bulk({row.values["block_id"] for row in rows})
        units = {row.key: _unit(row, blocks) for row in rows}
        without_number = adopt_apartments(origin=origin, units=list(units.values()))
        for row in rows:
            if row.id in without_number:
                row.wait("number", Reason.NUMBER_TAKEN)
        return units

    def change(self, origin: Origin, record: Any, row: Incoming, changes: dict[str, Any]) -> None:
        number = changes.get("number")
        others = Apartment.objects.filter(block_id=record.block_id, number=number)
        if number is not None and others.exclude(pk=record.pk).exists():
            row.wait("number", Reason.NUMBER_TAKEN)
            # The unit has given up its old number: another unit may be waiting for it.
            changes = changes | {"number": None}
        change_adopted(origin=origin, changed=record, changes=changes)


def _unit(row: Incoming, blocks: Mapping[int, Block]) -> Apartment:
    values = {name: value for name, value in row.values.items() if name != "block_id"}
    unit = Apartment(pk=row.id, block=blocks[row.values["block_id"]], **values)
    if "ApartmentNumber" in row.parts:
        unit.note = _("Legacy number %s.") % row.source["ApartmentNumber"]
    return unit


class MembershipTable(_PlainTable):
    """Memberships: relations of people to blocks and units."""

    name = MEMBERSHIPS
    select = (
        "SELECT ID, ResidentID, ApartmentID, BlockID, RoleID, StatusID"
        " FROM RES_APART_BLOCK_ROLE ORDER BY ID"
    )
    model = changeable = Membership

    def read(self, row: SourceRow) -> Incoming:
        incoming = Incoming(self.name, row)
        incoming.put("user_id", "ResidentID", reference(row["ResidentID"]))
        incoming.put("block_id", "BlockID", reference(row["BlockID"]))
        incoming.put("apartment_id", "ApartmentID", reference(row["ApartmentID"]))
        incoming.put("role", "RoleID", ROLES.get(whole(row["RoleID"]) or 0))
        incoming.choice("status", "StatusID", STATUSES, Status.PENDING)
        return incoming

    def people(self, row: SourceRow) -> set[int | None]:
        return {reference(row["ResidentID"])}

    def relate(self, rows: Sequence[Incoming]) -> None:
        people = imported_ids(USERS, (row.values["user_id"] for row in rows))
        blocks = imported_ids(BLOCKS, (row.values["block_id"] for row in rows))
        units = imported_ids(UNITS, (row.values["apartment_id"] for row in rows))
        block_of = dict(Apartment.objects.filter(pk__in=units).values_list("pk", "block_id"))
        for row in rows:
            unit = row.values["apartment_id"]
            if row.values["user_id"] not in people:
                row.refused = Reason.NO_PERSON
            elif row.values["block_id"] not in blocks:
                row.refused = Reason.NO_BLOCK
            elif unit is not None and unit not in units:
                row.refused = Reason.NO_UNIT
            elif unit is not None and block_of.get(unit) != row.values["block_id"]:
                row.refused = Reason.UNIT_ELSEWHERE
            elif row.values["role"] is None:
                row.refused = Reason.ROLE_UNKNOWN

    def create(self, origin: Origin, rows: Sequence[Incoming]) -> Mapping[str, Membership]:
        people = User.objects.in_bulk({row.values["user_id"] for row in rows})
        blocks = Block.objects.in_bulk({row.values["block_id"] for row in rows})
        wanted = {row.values["apartment_id"] for row in rows} - {None}
        units: dict[int | None, Apartment] = {**Apartment.objects.in_bulk(wanted)}
        memberships = {
            row.key: Membership(
                pk=row.id,
                user=people[row.values["user_id"]],
                block=blocks[row.values["block_id"]],
                apartment=units.get(row.values["apartment_id"]),
                role=row.values["role"],
                status=row.values["status"],
            )
            for row in rows
        }
        left_out = adopt_memberships(origin=origin, memberships=list(memberships.values()))
        for row in rows:
            if row.id in left_out:
                row.refused = Reason.ENDED if left_out[row.id] else Reason.OWN
        return memberships
