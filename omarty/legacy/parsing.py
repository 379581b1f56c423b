"""Parses legacy rows: how columns are read, and what of a row cannot be imported."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from omarty.legacy.models import QuarantineReason as Reason
from omarty.legacy.source import SourceRow

CAIRO = ZoneInfo("Africa/Cairo")
SECRETS = frozenset({"Password"})
# The highest 64-bit number: no column of ours holds more.
HIGHEST = 2**63 - 1

# The legacy server wrote 2023-05-04 16:05:06, 2023-05-04 04:05:06pm, 2023-05-04 04-05-06pm and
# 2023:05:04 04-05-06pm. People and tools wrote others that are unambiguous: 2023-05-04T16:05:06Z,
# 2023/05/04 16:05, 2023-05-04. A date with the year last is not: its day or month may come first.
_MOMENT = re.compile(
    r"(\d{4})([-:/])(\d\d)\2(\d\d)"
    r"(?:[ T](\d\d)([-:])(\d\d)(?:\6(\d\d)(?:\.\d+)?)?\s*([ap]m)?(Z|[+-]\d\d:?\d\d)?)?",
    re.I | re.ASCII,
)

T = TypeVar("T")


def moment(text: str | None) -> datetime | None:
    """A legacy date in UTC; without a zone it is Cairo time. None for an empty, zero or unreadable one."""
    found = _MOMENT.fullmatch((text or "").strip())
    if found is None:
        return None
    year, month, day = map(int, found.group(1, 3, 4))
    hour, minute, second = (int(each or 0) for each in found.group(5, 7, 8))
    half = (found[9] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        zone = datetime.strptime(found[10].upper(), "%z").tzinfo if found[10] else CAIRO
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


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

    def text(self, name: str, column: str, limit: int) -> None:
        """A text of at most `limit` characters; a longer one is cut, and goes to quarantine."""
        text = (self.source[column] or "").strip()
        if len(text) > limit:
            self.parts[column] = Reason.TOO_LONG
        self.put(name, column, text[:limit])

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
