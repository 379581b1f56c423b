"""`manage.py export_units`: the units and who lives in them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db.models import QuerySet

from buildings.models import Apartment, Block, Membership
from buildings.unit_import.columns import COLUMNS, Column
from contacts.models import Status, User
from omarty.management.exports import ExportCommand
from omarty.tables.batches import ROWS, in_batches
from omarty.tables.columns import ContactColumn, ExportColumn


class UnitAndResident(NamedTuple):
    """A row of the file: a unit with one of its residents, or with none."""

    unit: Apartment
    resident: User | None


def _export_column(column: Column) -> ExportColumn[UnitAndResident]:
    of_resident = column.of_resident
    if of_resident is None:
        return ExportColumn(column.key, lambda row: column.cell(row.unit))
    if column.contact:
        return ContactColumn(
            column.key, lambda row: [of_resident(row.resident)] if row.resident else []
        )
    return ExportColumn(column.key, lambda row: of_resident(row.resident) if row.resident else "")


def _id_without_number(row: UnitAndResident) -> int | None:
    """Ids are of this database alone: the file names units by them only where it must."""
    return row.unit.pk if row.unit.number is None else None


class Command(ExportCommand):
    help = (
        "Write the registered units and who lives in them to a table, by block and number.\n\n"
        "A unit with several active members makes several rows, an empty one makes one. A unit\n"
        "without a number is named by its id. Retired units are left out. import_units reads the\n"
        "file back to the same rows; into another database only if it was written with --full, and\n"
        "then without the contacts that their holders hide. --since and --until look at the day that\n"
        "a unit was registered."
    )
    reads = "units, memberships and people"
    what = "units"
    columns = [
        ExportColumn(column.key, _id_without_number)
        if column.key == "unit id"
        else _export_column(column)
        for column in COLUMNS
        if column.shows_unit or column.of_resident
    ]
    dated = "created_at"

    def selected(self, block: Block | None) -> QuerySet[Apartment]:
        units = Apartment.objects.filter(closed_at=None).select_related("block")
        return units if block is None else units.filter(block=block)

    def batches(self, selected: QuerySet[Apartment]) -> Iterator[Sequence[Apartment]]:
        """By block and number, those without a number at the end: each batch is a walk along an index."""
        numbered = selected.filter(number__isnull=False).order_by("block", "number")
        block_id = number = 0
        while batch := _next_batch(numbered, block_id, number):
            yield batch
            block_id, number = batch[-1].block_id, batch[-1].number or 0
        yield from in_batches(selected.filter(number=None))

    def rows(self, batch: Sequence[Apartment]) -> Iterator[UnitAndResident]:
        residents = _residents(batch)
        for unit in batch:
            for user in residents[unit.pk] or [None]:
                yield UnitAndResident(unit, user)


def _next_batch(units: QuerySet[Apartment], block_id: int, number: int) -> list[Apartment]:
    """What follows after this unit: the rest of its block first, then of the blocks behind it.

    In one statement, databases would not start from the index.
    """
    batch = list(units.filter(block=block_id, number__gt=number)[:ROWS])
    if len(batch) < ROWS:
        batch += units.filter(block__gt=block_id)[: ROWS - len(batch)]
    return batch


def _residents(units: Sequence[Apartment]) -> dict[int | None, list[User | None]]:
    """Who actively belongs to each unit, in the order of their coming."""
    found: dict[int | None, list[User | None]] = defaultdict(list)
    current = Membership.objects.current().filter(
        apartment__in=[unit.pk for unit in units], status=Status.ACTIVE
    )
    for each in current.select_related("user").order_by("pk"):
        # Somebody may have several roles in one unit.
        if each.user not in found[each.apartment_id]:
            found[each.apartment_id].append(each.user)
    return found
