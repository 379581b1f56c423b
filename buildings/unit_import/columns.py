"""The table of units: its headings in Arabic and English, and how a row of it is read.

The back-office and the commands read and write the same one.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

from django.utils.translation import gettext as _

from buildings.models import (
    HIGHEST_FLOOR,
    HIGHEST_NUMBER,
    LOWEST_FLOOR,
    LOWEST_NUMBER,
    Apartment,
    Occupancy,
)
from buildings.unit_import.rows import NO_CONTACT, RowProblem, UnitRow
from contacts.canonical import western_digits
from contacts.masking import is_masked
from contacts.models import Kind, User

# The columns as export_units writes them, and what else they are known by on the way in.
HEADINGS = {
    "block": ("block", "block id", "block_id", "رقم العمارة", "العمارة", "معرف العمارة"),
    "block name": ("block name", "block number", "اسم العمارة"),
    "unit": ("unit", "unit id", "apartment id", "id", "معرف الوحدة", "المعرف"),
    "number": ("number", "unit number", "apartment", "apartment number", "apt", "no", "رقم الوحدة")
    + ("رقم الشقة", "الرقم", "رقم", "الشقة", "شقة"),
    "floor": ("floor", "floor number", "رقم الدور", "الدور", "دور", "الطابق", "طابق"),
    "name": ("name", "unit name", "apartment name", "اسم الوحدة", "اسم الشقة", "الاسم"),
    "occupancy": (
        "occupancy",
        "status",
        "state",
        "الحالة",
        "حالة الوحدة",
        "حالة الإشغال",
        "الإشغال",
    ),
    "resident": ("resident", "resident name", "resident's name", "الساكن", "اسم الساكن", "المقيم")
    + ("اسم المقيم",),
    "phone": ("phone", "mobile", "phone number", "الهاتف", "رقم الهاتف", "التليفون", "الموبايل")
    + ("رقم الموبايل", "المحمول", "تليفون", "موبايل"),
    "email": ("email", "e-mail", "mail", "البريد", "البريد الإلكتروني", "الإيميل", "ايميل"),
    "note": ("note", "notes", "ملاحظة", "ملاحظات"),
    "problem": ("problem", "reason", "المشكلة", "السبب"),
}
# Written for the reader's sake and not read back.
_UNREAD = {"block name", "problem"}

_OCCUPANCIES = {
    Occupancy.VACANT: ("vacant", "empty", "شاغرة", "شاغر", "خالية", "فارغة"),
    Occupancy.OCCUPIED: ("lived in", "occupied", "ساكنة", "مسكونة", "مشغولة", "ساكن"),
    Occupancy.UNOCCUPIED: ("closed", "مغلقة", "مغلق"),
    Occupancy.BEING_FINISHED: ("being finished", "تحت التشطيب", "قيد التشطيب"),
}

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_MINUS = str.maketrans("−", "-")
# What a spreadsheet shows where a formula failed; it stands in the file as if it were the value.
_FAILED = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"} | {
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
    "#CONNECT!",
    "#BUSY!",
    "#UNKNOWN!",
    "#GETTING_DATA",
}
# Spellings that Arabic writers take for one.
_ONE_LETTER = str.maketrans("أإآٱىة", "اااايه", "ـ")
_BETWEEN_WORDS = re.compile(r"[\s_'’-]+")


class HeadingsProblem(Exception):
    """The first row does not say what the columns are; the text is for the operator."""


class CellProblem(ValueError):
    """A cell does not hold what its column wants; the text is for the operator."""


def _same(text: str) -> str:
    """One form for all spellings that mean the same: case, hamza, vowel signs, spaces and dashes."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_ONE_LETTER))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _BETWEEN_WORDS.sub(" ", bare).strip()


_COLUMN_OF = {_same(name): column for column, names in HEADINGS.items() for name in names}
_OCCUPANCY_OF = {_same(word): each for each, words in _OCCUPANCIES.items() for word in words}


def is_problem(heading: str) -> bool:
    """Whether the column tells what was wrong with a row: what `import_units --skip-bad` writes."""
    return _COLUMN_OF.get(_same(heading)) == "problem"


class UnitReader:
    """Reads the rows under one file's headings. `block_id` is meant where a row names no block."""

    def __init__(self, headings: Sequence[str], *, block_id: int | None) -> None:
        """Raises HeadingsProblem."""
        places = _places(headings)
        if "number" not in places and "unit" not in places:
            raise HeadingsProblem(_("There is no column of unit numbers."))
        if "block" not in places and block_id is None:
            raise HeadingsProblem(
                _("There is no column of block ids: add one, or choose the block.")
            )
        self._headings = headings
        self._block_id = block_id
        readers = self._readers()
        self._columns = [
            (place, column, readers[column])
            for column, place in places.items()
            if column not in _UNREAD
        ]
        self._nameless = [place for place, name in enumerate(headings) if not name]

    @property
    def columns(self) -> list[str]:
        """The headings of the columns that are read, in the order of `places`."""
        return [self._headings[place] for place, _column, _how in self._columns]

    @property
    def places(self) -> dict[str, int]:
        """Where each column that is read stands in a row."""
        return {column: place for place, column, _how in self._columns}

    def heading(self, column: str) -> str:
        """How the file itself calls a column."""
        place = self.places.get(column)
        return "" if place is None else self._headings[place]

    def read(self, row: int, cells: Sequence[str]) -> UnitRow | list[RowProblem]:
        """What the row says of a unit, or everything that is wrong with it."""
        found: dict[str, Any] = {} if self._block_id is None else {"block": self._block_id}
        problems: list[RowProblem] = []
        for place, column, read in self._columns:
            text = cells[place] if place < len(cells) else ""
            if text:
                try:
                    found[column] = read(text)
                except CellProblem as error:
                    problems.append(RowProblem(row, self._headings[place], str(error)))
        if self._nameless or len(cells) > len(self._headings):
            problems += self._beyond(row, cells)
        if "block" not in found or "number" not in found:
            problems += self._lacking(row, found, problems)
        if problems:
            return problems
        phone: tuple[str, str] = found.get("phone", NO_CONTACT)
        email: tuple[str, str] = found.get("email", NO_CONTACT)
        return UnitRow(
            row,
            found["block"],
            found.get("number"),
            found.get("unit"),
            found.get("floor"),
            found.get("name", ""),
            found.get("occupancy", ""),
            found.get("resident", ""),
            *phone,
            *email,
            note=found.get("note", ""),
        )

    def _readers(self) -> dict[str, Callable[[str], Any]]:
        return {
            "block": lru_cache(4096)(self._block),
            "unit": _id,
            "number": partial(_integer, LOWEST_NUMBER, HIGHEST_NUMBER),
            "floor": lru_cache(partial(_integer, LOWEST_FLOOR, HIGHEST_FLOOR)),
            "name": partial(_text, _length_of(Apartment, "name")),
            "occupancy": lru_cache(_occupancy),
            "resident": partial(_text, _length_of(User, "name")),
            "phone": partial(_contact, Kind.PHONE),
            "email": partial(_contact, Kind.EMAIL),
            "note": partial(_text, _length_of(Apartment, "note")),
        }

    def _block(self, text: str) -> int:
        block_id = _id(text)
        if self._block_id not in {None, block_id}:
            raise CellProblem(_("is another block than the one chosen"))
        return block_id

    def _lacking(
        self, row: int, found: dict[str, Any], problems: list[RowProblem]
    ) -> Iterator[RowProblem]:
        wrong = {problem.column for problem in problems}
        if "number" not in found and "unit" not in found and self.heading("number") not in wrong:
            yield RowProblem(row, self.heading("number"), _("is empty"))
        if "block" not in found and self.heading("block") not in wrong:
            yield RowProblem(row, self.heading("block"), _("is empty"))

    def _beyond(self, row: int, cells: Sequence[str]) -> Iterator[RowProblem]:
        nameless = [at for at in self._nameless if at < len(cells)]
        if any(cells[at] for at in nameless) or any(cells[len(self._headings) :]):
            yield RowProblem(row, "", _("a value stands in a column without a heading"))


def _places(headings: Sequence[str]) -> dict[str, int]:
    """Where each known column stands. Raises HeadingsProblem for an unknown or a repeated one."""
    places: dict[str, int] = {}
    unknown = [name for name in headings if name and _same(name) not in _COLUMN_OF]
    if unknown:
        raise HeadingsProblem(
            _("Unknown headings: %(unknown)s. Known are: %(known)s.")
            % {"unknown": ", ".join(name[:40] for name in unknown), "known": ", ".join(HEADINGS)}
        )
    for place, name in enumerate(headings):
        if not name:
            continue
        column = _COLUMN_OF[_same(name)]
        if column in places:
            raise HeadingsProblem(
                _("Two columns mean the same: %(one)s and %(other)s.")
                % {"one": headings[places[column]], "other": name}
            )
        places[column] = place
    return places


def _integer(lowest: int, highest: int, text: str) -> int:
    digits = text if text.isascii() else western_digits(text).translate(_MINUS)
    if not _INTEGER.fullmatch(digits) or not lowest <= int(digits) <= highest:
        raise CellProblem(
            _("is not a whole number from %(lowest)d to %(highest)d")
            % {"lowest": lowest, "highest": highest}
        )
    return int(digits)


def _id(text: str) -> int:
    digits = western_digits(text)
    if not _INTEGER.fullmatch(digits) or int(digits) < 1:
        raise CellProblem(_("is not an id"))
    return int(digits)


def _text(longest: int, text: str) -> str:
    if len(text) > longest:
        raise CellProblem(_("is longer than %d characters") % longest)
    if text in _FAILED:
        raise CellProblem(_("is what a spreadsheet shows where a formula failed"))
    return text


def _occupancy(text: str) -> str:
    try:
        return _OCCUPANCY_OF[_same(text)]
    except KeyError:
        known = ", ".join(words[0] for words in _OCCUPANCIES.values())
        raise CellProblem(_("is none of: %s") % known) from None


def _contact(kind: Kind, text: str) -> tuple[str, str]:
    """As typed, and canonical. Hidden when it was exported: not told."""
    if is_masked(text):
        return NO_CONTACT
    try:
        return kind.tidy(text), kind.canonical(text)
    except ValueError:
        known = {Kind.PHONE: _("is not a phone number"), Kind.EMAIL: _("is not an e-mail address")}
        raise CellProblem(known[kind]) from None


def _length_of(model: type[Apartment] | type[User], field: str) -> int:
    return int(model._meta.get_field(field).max_length or 0)  # type: ignore[union-attr]
