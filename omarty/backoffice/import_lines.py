"""One line for each row of a file of units: which unit it means, whom, and what it changes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from buildings.models import Block, Occupancy, unit_label
from buildings.permissions import Blocks, members_within
from buildings.unit_import.columns import Column
from buildings.unit_import.rows import Effect, RowProblem, Unit
from buildings.unit_import.save import Outcome
from buildings.unit_import.unit_table import UnitTable
from contacts.canonical import western_digits
from contacts.models import User
from contacts.text import clean
from omarty.backoffice.base.labels import building_name, listed, listed_phrases, unit_in_block

# A page shows thousands of cells.
LONGEST_CELL = 200
# Of somebody who lives in many units a few tell who it is.
_MOST_HOMES = 3


class Lines:
    """The lines of a table whose rows have been saved, with what came of it, and may be taken back.

    What is told of people stays `within` these blocks. However many rows there are, it takes two
    statements.
    """

    def __init__(self, table: UnitTable, done: Sequence[Outcome], within: Blocks) -> None:
        self.done = done
        self._table = table
        self._unit_of = {row.row: unit for each in done for unit in each.units for row in unit.rows}
        self._newcomers = set[int]().union(*(each.newcomers for each in done))
        self._blocks = Block.objects.select_related("building").in_bulk(
            {unit.key.block_id for unit in self._unit_of.values()}
        )
        self._label_of = {unit.pk: _label(unit) for unit in self._unit_of.values()}
        self._homes = self._known_homes(within)

    def _known_homes(self, within: Blocks) -> dict[int, list[str]]:
        """Where the people live whom the rows name and who were registered before."""
        arrived = {
            (unit.residents[row].pk, unit.pk)
            for unit in self._unit_of.values()
            for row in unit.arriving
            if row in unit.residents
        }
        known = {
            user.pk for unit in self._unit_of.values() for user in unit.residents.values()
        } - self._newcomers
        homes: dict[int, list[str]] = defaultdict(list)
        if not known:
            return homes
        members = members_within(within).filter(user__in=known).order_by("user_id", "pk")
        for each in members.select_related("apartment", "block__building"):
            if (each.user_id, each.apartment_id) not in arrived:
                # A unit that the table renames is called as it was.
                unit = self._label_of.get(each.apartment_id, each.apartment)
                homes[each.user_id].append(_place(each.block, unit))
        return homes

    def of(self, problems: Sequence[RowProblem]) -> Iterator[dict[str, Any]]:
        """Each row's place, kind, unit, people, cells with what they replace, and what is wrong."""
        wrong: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for problem in problems:
            wrong[problem.row].append((problem.column, problem.sentence))
        for number, texts in self._table.rows():
            unit = None if number in wrong else self._unit_of.get(number)
            sheet, shown = self._table.where(number)
            yield {
                "number": shown,
                "sheet": sheet,
                "kind": "problem" if unit is None else _kind(unit, number),
                "cells": [
                    _cell(column, texts[index] if index < len(texts) else "", unit, number)
                    for index, column in self._table.reader.columns
                ],
                "errors": wrong.get(number, []),
                **self._unit(unit),
                "people": list(self._people(unit, number)) if unit is not None else [],
            }

    def _unit(self, unit: Unit | None) -> dict[str, Any]:
        """The unit as people know it now, or will; its page; whether somebody has to give it a number;
        and how it will be used where the table does not say.
        """
        if unit is None:
            return {"unit": "", "page": "", "unnumbered": False, "occupancy": ""}
        new = unit.effect is Effect.NEW
        told = {column.field for _index, column in self._table.reader.columns}
        guessed = new and "occupancy" not in told
        return {
            "unit": _place(self._blocks[unit.key.block_id], _label(unit)),
            "page": "" if new else reverse("admin:buildings_apartment_change", args=[unit.pk]),
            "unnumbered": new and unit.key.number is None,
            "occupancy": str(Occupancy(unit.reported["occupancy"]).label) if guessed else "",
        }

    def _people(self, unit: Unit, row: int) -> Iterator[str]:
        """Who the row's resident is, whether they move in, and what contacts they get."""
        user = unit.residents.get(row)
        if user is None:
            return
        yield self._known_or_new(user)
        if row in unit.arriving:
            yield _("moves in")
        if row in unit.enlarging:
            yield _("further contacts: %s") % listed(unit.enlarging[row])

    def _known_or_new(self, user: User) -> str:
        if user.pk in self._newcomers:
            # By what the file says: an id would be another one each time.
            return _("new person: %s") % (user.name or user.phone or user.email)
        homes = self._homes[user.pk]
        if not homes:
            return _("known: %s") % user
        shown = homes[:_MOST_HOMES] + ["…"] * (len(homes) > _MOST_HOMES)
        return _("known: %(name)s, now in %(homes)s") % {
            "name": user,
            "homes": listed_phrases(shown),
        }


def _place(block: Block, unit: Any) -> str:
    """A unit with its block and building, as people know them."""
    return listed([building_name(block.building), unit_in_block(block, unit)])


def _label(unit: Unit) -> str:
    """What a unit is called before the table changes it; a new one, what the table calls it."""
    known = unit.stored if unit.effect is not Effect.NEW else unit.reported
    number, name = known.get("number", unit.key.number), known.get("name", "")
    # The id of a unit that is registered only to be seen would be another one each time.
    by_name = unit.effect is Effect.NEW and number is None
    return name if by_name else unit_label(unit.pk, number, name)


def _kind(unit: Unit, row: int) -> str:
    if unit.effect is Effect.NEW:
        return "new"
    changed = unit.effect is Effect.CHANGED or row in unit.arriving or row in unit.enlarging
    return "update" if changed else "skip"


def _cell(column: Column, text: str, unit: Unit | None, row: int) -> dict[str, Any]:
    """A cell's value as it is understood, what it replaces, and the file's text where that is another.

    What is longer than a page can show is cut.
    """
    text = _cut(text)
    cell = {"now": text, "was": "", "changed": False, "text": ""}
    if unit is None or not text:
        return cell
    if column.of_resident is not None:
        arrives = row in unit.arriving and unit.effect is not Effect.NEW
        return cell | {"changed": arrives or (column.contact and row in unit.enlarging)}
    if (value := _reported(unit, column)) is not None:
        now = _cut(str(column.show(value)))
        same = now.casefold() == western_digits(clean(text)).strip().casefold()
        cell |= {"now": now, "text": "" if same else text}
    if unit.effect is Effect.CHANGED and column.field in unit.changes:
        was = column.show(unit.stored[column.field])
        cell |= {"was": "" if was is None else str(was), "changed": True}
    return cell


def _cut(text: str) -> str:
    # Not Django's Truncator, which composes all of the text first.
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _reported(unit: Unit, column: Column) -> Any:
    """What the rows say of a field of the unit, as it is understood."""
    return unit.reported.get(column.field, unit.key.number if column.field == "number" else None)
