"""What rows of a table say of units, while many are saved at once."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from buildings.models import unit_label
from contacts.canonical import one_line
from contacts.models import Kind

# A contact as typed and canonical.
NO_CONTACT = ("", "")


class UnitRow(NamedTuple):
    """What one row of a table says of a unit and one of its residents; empty is not told."""

    row: int
    block_id: int
    number: int | None
    # Who tells it means this unit, and may give it another number.
    unit_id: int | None
    floor: int | None
    name: str
    occupancy: str
    resident: str
    phone: str
    phone_value: str
    email: str
    email_value: str
    note: str = ""

    @property
    def unit(self) -> "UnitKey":
        """Which unit is meant: rows of several residents mean the same one."""
        return UnitKey(self.block_id, self.number if self.unit_id is None else None, self.unit_id)

    @property
    def contacts(self) -> dict[Kind, str]:
        """The resident's contacts that are told, canonical."""
        values = {Kind.PHONE: self.phone_value, Kind.EMAIL: self.email_value}
        return {kind: value for kind, value in values.items() if value}

    @property
    def tells_resident(self) -> bool:
        return bool(self.resident or self.phone or self.email)


class UnitKey(NamedTuple):
    """A unit by block and number, or by block and id."""

    block_id: int
    number: int | None
    unit_id: int | None


class RowProblem(NamedTuple):
    """Why a row cannot be saved; `column` is a field of UnitRow, or a heading; or empty."""

    row: int
    column: str
    sentence: str


class Effect(Enum):
    """What rows did to a unit."""

    NEW = "new"
    CHANGED = "changed"
    LEFT = "left"


@dataclass(slots=True)
class Unit:
    """A unit that rows tell of: what they say together, and what stands in the database."""

    key: UnitKey
    rows: list[UnitRow]
    told: dict[str, Any]
    pk: int | None = None
    stands: dict[str, Any] = field(default_factory=dict)
    closed: bool = False
    effect: Effect = Effect.LEFT
    # The rows whose resident was not here before.
    arriving: set[int] = field(default_factory=set)

    @property
    def changes(self) -> dict[str, Any]:
        return {name: value for name, value in self.told.items() if self._stands(name) != value}

    def _stands(self, name: str) -> Any:
        """What stands in the database as a table can tell it."""
        value = self.stands[name]
        return one_line(value) if isinstance(value, str) else value

    @property
    def label(self) -> str:
        is_now = {"number": self.key.number, "name": ""} | self.stands | self.told
        return unit_label(self.pk, is_now["number"], is_now["name"])
