"""Parses legacy rows: how columns are read, and what of a row cannot be imported."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from contacts.canonical import one_line
from contacts.text import clean, is_lost, repaired
from omarty.legacy.dates import moment
from omarty.legacy.models import QuarantineReason as Reason
from omarty.legacy.source import SourceRow

SECRETS = frozenset({"Password"})
# The highest 64-bit number: no column of ours holds more.
HIGHEST = 2**63 - 1

T = TypeVar("T")


class Remark(StrEnum):
    """What the report counts of values that came in otherwise than they stood in the source."""

    REPAIRED = "repaired"
    COORDINATES_UNKNOWN = "coordinates_unknown"
    FURTHER_PHONE = "further_phones"


def whole(text: str | None) -> int | None:
    """A whole number, also one from a double column; None for anything else.

    None too for a number beyond 64 bits, compared before it is expanded ("1e999999").
    """
    try:
        number = Decimal((text or "").strip())
        if not number.copy_abs() <= HIGHEST or number != number.to_integral_value():
            return None
    except InvalidOperation:
        return None
    return int(number)


def reference(text: str | None) -> int | None:
    """The id of another row; None for 0 and below, which the legacy server writes for no row."""
    number = whole(text)
    return number if number and number > 0 else None


def coordinate(text: str | None, limit: int) -> Decimal | None:
    """Degrees from -limit to limit; None (unknown) for empty and 0. Raises ValueError for anything else."""
    tidy = (text or "").strip()
    try:
        degrees = Decimal(tidy or "0")
        if not abs(degrees) <= limit:
            raise ValueError(tidy)
    except InvalidOperation as error:
        raise ValueError(tidy) from error
    return degrees.quantize(Decimal("1e-7")) if degrees else None


def digest(value: Any) -> str:
    """A short hash: enough to see whether two values differ, without showing them."""
    text = "" if value is None else f"={value}"
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


@dataclass
class Incoming:
    """A source row and what it becomes: `values` and their source `columns`, by our field names."""

    table: str
    source: SourceRow
    values: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    # Columns whose value is not imported, and why.
    parts: dict[str, Reason] = field(default_factory=dict)
    # Our fields whose value cannot be stored yet; each run tries again.
    waiting: set[str] = field(default_factory=set)
    # Why the whole row is not imported.
    refused: Reason | None = None
    # By column, what the report is to tell of values that are imported.
    remarks: dict[str, Remark] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The row's id in the source, as text."""
        return str(self.source["ID"])

    @property
    def id(self) -> int:
        """The row's id as a number; 0 if it is not one."""
        return whole(self.key) or 0

    def put(self, name: str, column: str, value: Any) -> None:
        """Our field `name` gets `value`, read from `column`."""
        self.values[name] = value
        self.columns[name] = column

    def wait(self, name: str, why: Reason) -> None:
        """The value of our field `name` cannot be stored now."""
        self.parts[self.columns[name]] = why
        self.waiting.add(name)

    def cleaned(self, column: str) -> str:
        """The column's text, repaired if it can be, without what no reader sees."""
        raw = self.source[column] or ""
        text = repaired(raw)
        if text != raw:
            self.remarks[column] = Remark.REPAIRED
        return clean(text).strip()

    def text(self, name: str, column: str, limit: int, otherwise: str = "") -> None:
        """A name of at most `limit` characters; a longer one is cut, and goes to quarantine.

        So does one whose letters were lost. In its place, as in that of an empty one, the text of the
        column `otherwise` is taken, if one is named.
        """
        text = one_line(self.cleaned(column))
        if is_lost(text):
            self.parts[column] = Reason.LOST
            text = ""
        if not text and otherwise:
            other = one_line(self.cleaned(otherwise))
            text = "" if is_lost(other) else other
        if len(text) > limit:
            self.parts[column] = Reason.TOO_LONG
        self.put(name, column, text[:limit].rstrip())

    def number(self, name: str, column: str, lowest: int, highest: int) -> None:
        """A whole number from `lowest` to `highest`, or unknown."""
        number = whole(self.source[column])
        if number is not None and not lowest <= number <= highest:
            self.parts[column] = Reason.OUT_OF_RANGE
            number = None
        self.put(name, column, number)

    def choice(self, name: str, column: str, known: Mapping[int, T], otherwise: T) -> None:
        """One of the `known` values by legacy id; an unknown id goes to quarantine, read as `otherwise`."""
        number = whole(self.source[column])
        if number not in known:
            self.parts[column] = Reason.STATUS_UNKNOWN
        self.put(name, column, otherwise if number is None else known.get(number, otherwise))

    def coordinates(self) -> None:
        """Longitude and latitude."""
        for column, limit in (("Longitude", 180), ("Latitude", 90)):
            try:
                degrees = coordinate(self.source[column], limit)
            except ValueError:
                self.parts[column] = Reason.NOT_A_PLACE
                degrees = None
            self.put(column.lower(), column, degrees)

    def created(self) -> None:
        """When the record was made; if unknown, it gets the time of the import."""
        if (at := moment(self.source["CreatedAt"])) is not None:
            self.put("created_at", "CreatedAt", at)

    def shown(self) -> SourceRow:
        """The source row without its secrets."""
        return {
            column: "•••" if column in SECRETS and value else value
            for column, value in self.source.items()
        }
