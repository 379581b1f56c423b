"""What rows of a table report of units, while many are saved at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from buildings.models import unit_label
from buildings.unit_import.columns import DETAILS, as_line
from buildings.unit_import.names import unit_key
from contacts.bulk import ReportedContact
from contacts.models import Kind, User

_NAME = DETAILS.index("name")


def details_of(reported: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of DETAILS in their order; None for what is not reported."""
    return tuple(map(reported.get, DETAILS))


class UnitRow(NamedTuple):
    """What one row of a table reports of a unit and one of its residents; empty is not reported."""

    row: int
    block_id: int
    # A row with the unit's id means that unit, and may give it another number.
    unit_id: int | None
    number: int | None
    resident: str
    # As typed, and canonical.
    phone: str
    phone_value: str
    email: str
    email_value: str
    # The values of DETAILS, as `details_of()` gives them.
    details: tuple[Any, ...]
    # Beside the first phone and the first e-mail.
    further: tuple[ReportedContact, ...] = ()

    @property
    def unit(self) -> "UnitKey":
        """Which unit is meant: rows of several residents mean the same one."""
        if self.unit_id is not None:
            return UnitKey(self.block_id, None, self.unit_id)
        if self.number is None:
            return UnitKey(self.block_id, None, None, unit_key(self.details[_NAME]))
        return UnitKey(self.block_id, self.number, None)

    @property
    def contacts(self) -> list[ReportedContact]:
        """The resident's contacts that are reported: the first phone and e-mail, then the further ones."""
        first = (
            ReportedContact(Kind.PHONE, self.phone, self.phone_value),
            ReportedContact(Kind.EMAIL, self.email, self.email_value),
        )
        return [*(contact for contact in first if contact.value), *self.further]

    @property
    def has_resident(self) -> bool:
        """Whether it reports a resident, by name or contact."""
        return bool(self.resident or self.phone or self.email)

    @property
    def fields(self) -> dict[str, Any]:
        """What it reports of the unit, by the unit's fields."""
        reported = {
            name: value
            for name, value in zip(DETAILS, self.details, strict=True)
            if value is not None
        }
        if self.unit_id is not None and self.number is not None:
            reported["number"] = self.number
        return reported


class UnitKey(NamedTuple):
    """A unit by block and number, by block and id, or by block and the `unit_key()` of its name."""

    block_id: int
    number: int | None
    unit_id: int | None
    name: str = ""


class RowProblem(NamedTuple):
    """Why a row cannot be saved; `column` is the name of a Column, or a heading; or empty.

    Where the sentence speaks of an `earlier` row, its "%(place)s" is for that row's place.
    """

    row: int
    column: str
    sentence: str
    earlier: int = 0


class Effect(Enum):
    """What rows did to a unit."""

    NEW = "new"
    CHANGED = "changed"
    LEFT = "left"


@dataclass(slots=True)
class Unit:
    """A unit that rows report: what they say together, and what the database has stored."""

    key: UnitKey
    rows: list[UnitRow]
    # Values by the unit's fields.
    reported: dict[str, Any]
    pk: int | None = None
    stored: dict[str, Any] = field(default_factory=dict)
    retired: bool = False
    effect: Effect = Effect.LEFT
    # Who each row's resident is, and the rows whose resident was not here before.
    residents: dict[int, User] = field(default_factory=dict)
    arriving: set[int] = field(default_factory=set)
    # The further contacts that rows bring somebody, as typed.
    enlarging: dict[int, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.label

    @property
    def called(self) -> str:
        """What the rows call it."""
        return (
            str(self.key.number) if self.key.number is not None else self.reported.get("name", "")
        )

    @property
    def changes(self) -> dict[str, Any]:
        """The reported values that differ from the stored ones."""
        return {
            name: value
            for name, value in self.reported.items()
            if as_line(self.stored[name]) != value
        }

    @property
    def label(self) -> str:
        """How entries call it."""
        is_now = {"number": self.key.number, "name": ""} | self.stored | self.reported
        return unit_label(self.pk, is_now["number"], is_now["name"])
