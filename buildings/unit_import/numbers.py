"""Numbers that units of a table give up and get."""

from collections.abc import Iterator, Sequence

from buildings.unit_changes import NumberMove, refused_moves
from buildings.unit_import.rows import Unit


def changes_number(unit: Unit) -> bool:
    """Whether it is a registered unit that gets another number."""
    return bool(unit.rows and unit.stored) and "number" in unit.changes


def without_number(units: Sequence[Unit]) -> Iterator[Unit]:
    """The units that should get a number which another unit has and keeps, or gets."""
    moving = {unit.pk: unit for unit in units if unit.pk is not None and changes_number(unit)}
    moves = [
        NumberMove(pk, unit.key.block_id, unit.stored["number"], unit.reported["number"])
        for pk, unit in moving.items()
    ]
    taken = {(unit.key.block_id, unit.key.number) for unit in units if unit.rows}
    for move in refused_moves(moves, taken):
        yield moving[move.unit_id]
