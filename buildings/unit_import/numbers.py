"""Numbers that units of a table give up and get."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Q

from buildings.models import Apartment
from buildings.unit_import.rows import Unit


def changes_number(unit: Unit) -> bool:
    """Whether it is a registered unit that gets another number."""
    return bool(unit.rows and unit.stored) and "number" in unit.changes


def without_number(units: Sequence[Unit]) -> Iterator[Unit]:
    """The units that should get a number which another unit has and keeps, or gets.

    Units may trade their numbers: what one gives up another can have.
    """
    moving = list(filter(changes_number, units))
    if not moving:
        return
    taken = {(unit.key.block_id, unit.key.number) for unit in units if unit.rows}
    wanted: dict[int, list[int]] = defaultdict(list)
    for unit in moving:
        wanted[unit.key.block_id].append(unit.reported["number"])
    condition = Q(pk__in=[])
    for block_id, numbers in wanted.items():
        condition |= Q(block_id=block_id, number__in=numbers)
    others = Apartment.objects.filter(condition).exclude(pk__in=[unit.pk for unit in moving])
    taken |= set(others.values_list("block_id", "number"))
    while refused := _refused(moving, taken):
        moving.remove(refused)
        # It keeps its number, so whoever wanted that one is checked again.
        taken.add((refused.key.block_id, refused.stored["number"]))
        yield refused


def _refused(moving: Iterable[Unit], taken: set[tuple[int, int | None]]) -> Unit | None:
    """The first unit that wants a number which is taken, or which another wants before it."""
    wanted: set[tuple[int, int | None]] = set()
    for unit in moving:
        number = (unit.key.block_id, unit.reported["number"])
        if number in taken or number in wanted:
            return unit
        wanted.add(number)
    return None
