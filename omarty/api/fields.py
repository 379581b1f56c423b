"""How a form field is read: once for urlencoded, multipart and JSON bodies.

A field is declared beside its handler. The declaration reads the value, refuses it, and documents both.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from contacts.canonical import tidy_number
from contacts.text import clean
from omarty.api.envelopes import CallRefused, StatusAndMessage

# Replaces what is not text: a file, a list, a NUL, half a character.
UNREADABLE = "\ufffd"
LARGEST_ID = 2**63 - 1
LARGEST_EXACT = 2**53

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_TENTH_OF_A_MICRODEGREE = Decimal("1E-7")


@dataclass(frozen=True)
class Text:
    """A text. `read()` gives it trimmed, nothing invisible in it, or None where it is missing or blank.

    Of a `contact` a blank before its first digit stays: it may be a plus that was not escaped.
    `required` is for the API pages: each handler answers an empty text itself.
    """

    name: str
    about: str = ""
    example: Any = None
    required: bool = False
    secret: bool = False
    contact: bool = False

    def read(self, data: Mapping[str, Any]) -> str | None:
        text = as_text(data.get(self.name))
        # A password is what it is: it may begin or end with a space.
        if self.secret:
            return text if text.strip() else None
        text = clean(text)
        return (text if self.contact else text.strip()) if text.strip() else None

    def schema(self) -> dict[str, Any]:
        """The field in OpenAPI's words."""
        known: dict[str, Any] = {"type": "string", "description": self.about}
        if self.secret:
            known["format"] = "password"
        return known | ({} if self.example is None else {"example": self.example})


@dataclass(frozen=True)
class Integer:
    """A whole number from `lowest` to `highest`. The refusals call it `label`, or else its name."""

    name: str
    lowest: int = 1
    highest: int = LARGEST_ID
    label: str = ""
    about: str = ""
    example: Any = None
    required: bool = False

    @property
    def _empty(self) -> StatusAndMessage:
        return 200, f"Please enter {self.label or self.name}."

    @property
    def _malformed(self) -> StatusAndMessage:
        return please_enter_valid(self.label or self.name)

    def refusals(self) -> dict[str, StatusAndMessage]:
        """What `read()` may raise, each by its title in the API pages."""
        empty = {f"{self.name} empty": self._empty} if self.required else {}
        return empty | {f"{self.name} malformed": self._malformed}

    def require(self, data: Mapping[str, Any]) -> None:
        """Raises CallRefused where it is empty."""
        if not clean(as_text(data.get(self.name))).strip():
            raise CallRefused(*self._empty)

    def read(self, data: Mapping[str, Any]) -> int | None:
        """The number, or None where it is empty and may be. Raises CallRefused for anything else."""
        if self.required:
            self.require(data)
        text = tidy_number(as_text(data.get(self.name)))
        if not text:
            return None
        if not _INTEGER.fullmatch(text) or not self.lowest <= int(text) <= self.highest:
            raise CallRefused(*self._malformed)
        return int(text)

    def schema(self) -> dict[str, Any]:
        """The field in OpenAPI's words."""
        return {
            "type": "integer",
            "minimum": self.lowest,
            "maximum": self.highest,
            "description": self.about,
            "example": self.example,
        }


@dataclass(frozen=True)
class Coordinate:
    """Degrees from -`limit` to `limit`; None where it is empty."""

    name: str
    limit: int
    example: Any
    required: bool = False

    def refusals(self) -> dict[str, StatusAndMessage]:
        """What `read()` may raise, by its title in the API pages."""
        return {f"{self.name} malformed": please_enter_valid(self.name)}

    def read(self, data: Mapping[str, Any]) -> Decimal | None:
        """The degrees, rounded to seven decimals: a centimetre. Raises CallRefused for anything else."""
        value = data.get(self.name)
        text = repr(value) if isinstance(value, float) else as_text(value)
        text = tidy_number(text).replace("٫", ".").replace("\N{MINUS SIGN}", "-")
        if not text:
            return None
        if not _DECIMAL.fullmatch(text) or abs(Decimal(text)) > self.limit:
            raise CallRefused(*please_enter_valid(self.name))
        return Decimal(text).quantize(_TENTH_OF_A_MICRODEGREE)

    def schema(self) -> dict[str, Any]:
        """The field in OpenAPI's words."""
        return {
            "type": "number",
            "minimum": -self.limit,
            "maximum": self.limit,
            "description": f"The device's {self.name} in degrees, kept in the audit log.",
            "example": self.example,
        }


Field = Text | Integer | Coordinate

LONGITUDE = Coordinate("longitude", 180, example=121.12221)
LATITUDE = Coordinate("latitude", 90, example=20.233)


def refusals_of(*fields: Integer | Coordinate) -> dict[str, StatusAndMessage]:
    """The refusals of all these fields, each by its title in the API pages."""
    return {title: each for field in fields for title, each in field.refusals().items()}


def please_enter_valid(name: str) -> StatusAndMessage:
    """For a field that holds something else than it should."""
    return 200, f"Please enter a valid {name}."


def as_text(value: Any) -> str:
    """The value as it was sent; UNREADABLE if it is not text, empty if it is missing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _NO_TEXT.sub(UNREADABLE, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    # JSON has one kind of number: 1.0 is 1. Larger ones may have been rounded on the way.
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_EXACT:
        return str(int(value))
    return UNREADABLE
