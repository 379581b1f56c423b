"""Changes of many units at once: which numbers they may trade, and the writes.

The back-office's list, its change of many units and imports all go by the rules here.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Q

from audit.models import Action
from audit.operations import Origin, as_json, entry, record_all
from buildings.models import Apartment, Block
from buildings.operations import ApartmentExists, refuse, why_unit_refused

BlockAndNumber = tuple[int, int | None]


class NumberMove(NamedTuple):
    """A registered unit gives up one number of its block and gets another; None is no number."""

    unit_id: int
    block_id: int
    given_up: int | None
    wanted: int | None


def refused_moves(
    moves: Iterable[NumberMove], taken: Iterable[BlockAndNumber] = ()
) -> Iterator[NumberMove]:
    """The moves to a number that another unit has and keeps, or gets; `taken` are spoken for besides.

    Units may trade their numbers: what one gives up another can have.
    """
    moving = list(moves)
    if not moving:
        return
    wanted: dict[int, list[int]] = defaultdict(list)
    for move in moving:
        if move.wanted is not None:
            wanted[move.block_id].append(move.wanted)
    condition = Q(pk__in=[])
    for block_id, numbers in wanted.items():
        condition |= Q(block_id=block_id, number__in=numbers)
    others = Apartment.objects.filter(condition).exclude(pk__in=[move.unit_id for move in moving])
    spoken_for = {*taken, *others.values_list("block_id", "number")}
    while refused := _refused(moving, spoken_for):
        moving.remove(refused)
        # It keeps its number, so whoever wanted that one is checked again.
        spoken_for.add((refused.block_id, refused.given_up))
        yield refused


def _refused(moves: Iterable[NumberMove], taken: set[BlockAndNumber]) -> NumberMove | None:
    """The first move to a number which is taken, or which another wants before it."""
    wanted: set[BlockAndNumber] = set()
    for move in moves:
        number = (move.block_id, move.wanted)
        if move.wanted is not None and (number in taken or number in wanted):
            return move
        wanted.add(number)
    return None


def write_units(
    units: Sequence[Apartment], fields: Sequence[str], *, moving: Collection[int]
) -> None:
    """Store these fields of locked units; those `moving`, by their ids, get other numbers.

    Raises IntegrityError if a number is taken.
    """
    if moving:
        # First nobody has the numbers that are traded, for the database looks at row after row.
        Apartment.objects.filter(pk__in=moving).update(number=None)
    Apartment.objects.bulk_update(units, fields, batch_size=500)


@transaction.atomic
def change_apartments(*, origin: Origin, changes: Mapping[int, Mapping[str, Any]]) -> int:
    """Give units, by their ids, other numbers, floors, occupancies, names or notes: all of them or none.

    They may trade numbers. Returns how many differed; each leaves an entry. Raises ApartmentExists, or
    ValidationError if units are retired.
    """
    units = Apartment.objects.select_for_update().filter(pk__in=changes).order_by("pk")
    differing = [(unit, _differences(unit, changes[unit.pk])) for unit in units]
    refuse(why_unit_refused(unit) for unit, _changed in differing)
    changed = [(unit, new) for unit, new in differing if new]
    blocks = Block.objects.in_bulk({unit.block_id for unit, _new in changed})
    entries = []
    for unit, new in changed:
        before = {name: getattr(unit, name) for name in new}
        for name, value in new.items():
            setattr(unit, name, value)
        entries.append(
            entry(
                origin=origin,
                action=Action.APARTMENT_CHANGED,
                target=unit,
                block=blocks[unit.block_id],
                apartment=unit,
                before=as_json(before),
                after=as_json(new),
            )
        )
    _write([unit for unit, _new in changed], [new for _unit, new in changed])
    record_all(entries)
    return len(changed)


def _differences(unit: Apartment, changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if getattr(unit, name) != value}


def _write(units: Sequence[Apartment], changes: Sequence[Mapping[str, Any]]) -> None:
    """Store what changes of each unit. Raises ApartmentExists."""
    fields = sorted({name for new in changes for name in new})
    if not fields:
        return
    moving = [unit.pk for unit, new in zip(units, changes, strict=True) if "number" in new]
    try:
        # A savepoint: the caller's transaction can go on after the refusal.
        with transaction.atomic():
            write_units(units, fields, moving=moving)
    except IntegrityError as error:
        raise ApartmentExists from error
