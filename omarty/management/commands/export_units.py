"""`manage.py export_units`: the units and who lives in them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from buildings.models import Apartment, Block, Membership
from buildings.unit_import.columns import HEADINGS
from contacts.canonical import one_line
from contacts.models import Status, User
from omarty.management.exports import ExportCommand
from omarty.tables.batches import ROWS, in_batches


class Command(ExportCommand):
    help = (
        "Write the units in use and who lives in them to a table, by block and number.\n\n"
        "A unit with several active members makes several rows, an empty one makes one. A unit\n"
        "without a number is named by its id. import_units reads the file back to the same rows;\n"
        "into another database only if it was written with --full. --since and --until look at\n"
        "the day that a unit was registered."
    )
    reads = "units, memberships and people"
    what = "units"
    headings = [name for name in HEADINGS if name != "problem"]
    dated = "created_at"

    def selected(self, block: Block | None) -> QuerySet[Apartment]:
        units = Apartment.objects.filter(closed_at=None).select_related("block")
        return units if block is None else units.filter(block=block)

    def pages(self, rows: QuerySet[Apartment]) -> Iterator[Sequence[Apartment]]:
        """By block and number, those without a number at the end: each page is a walk along an index."""
        numbered = rows.filter(number__isnull=False).order_by("block", "number")
        block_id = number = 0
        while page := _next_page(numbered, block_id, number):
            yield page
            block_id, number = page[-1].block_id, page[-1].number or 0
        yield from in_batches(rows.filter(number=None))

    def cells(self, page: Sequence[Apartment]) -> Iterator[Sequence[Any]]:
        residents = _residents(page)
        for unit in page:
            facts = [
                unit.block_id,
                one_line(str(unit.block)),
                unit.pk if unit.number is None else None,
            ]
            facts += [
                unit.number,
                unit.floor,
                one_line(unit.name),
                unit.occupancy.replace("_", " "),
            ]
            for user in residents[unit.pk] or [None]:
                yield [*facts, *self._resident(user), one_line(unit.note)]

    def _resident(self, user: User | None) -> Sequence[str]:
        if user is None:
            return "", "", ""
        name = one_line(user.name) or one_line(user.user_name)
        return name, self.phone(user.phone), self.email(user.email)


def _next_page(rows: QuerySet[Apartment], block_id: int, number: int) -> list[Apartment]:
    """What follows after this unit: the rest of its block first, then of the blocks behind it.

    In one statement, databases do not find the place by the index.
    """
    page = list(rows.filter(block=block_id, number__gt=number)[:ROWS])
    if len(page) < ROWS:
        page += rows.filter(block__gt=block_id)[: ROWS - len(page)]
    return page


def _residents(units: Sequence[Apartment]) -> dict[int | None, list[User | None]]:
    """Who actively belongs to each unit, in the order of their coming."""
    found: dict[int | None, list[User | None]] = defaultdict(list)
    current = Membership.objects.current().filter(
        apartment__in=[unit.pk for unit in units], status=Status.ACTIVE
    )
    for each in current.select_related("user").order_by("pk"):
        # Somebody may hold several roles in his unit.
        if each.user not in found[each.apartment_id]:
            found[each.apartment_id].append(each.user)
    return found
