"""The columns of the table of units, each declared once.

The reader, the preview, the saving and the exports of commands and back-office derive from COLUMNS:
a new field of a unit is one more column here.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from buildings.models import (
    HIGHEST_FLOOR,
    HIGHEST_NUMBER,
    LOWEST_FLOOR,
    LOWEST_NUMBER,
    Apartment,
    Occupancy,
)
from contacts.canonical import one_line, western_digits
from contacts.masking import is_masked
from contacts.models import Kind, User
from contacts.operations import Contact

# A contact as typed and canonical, where a row reports none.
NO_CONTACT = ("", "")

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_MINUS = str.maketrans("−", "-")
# What a spreadsheet shows where a formula failed; the file holds it as if it were the value.
_FAILED_FORMULAS = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"} | {
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


class CellProblem(ValueError):
    """A cell does not hold what its column wants; the text is for the operator."""


def as_line(value: Any) -> Any:
    """A stored value as a table can report it: a text is one line."""
    return one_line(value) if isinstance(value, str) else value


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the table: its headings, how its cells are read, and what they show.

    `key` heads it in the commands' files, `title` in the back-office's; `synonyms` are all further
    headings that it is read under, in English and Arabic. `read` makes of a cell's text what a
    UnitRow holds, an int or a text, and raises CellProblem; a column without it is not read back.

    `field` is the field of Apartment that reading fills; `show` makes a cell of its value. What is
    no field of a unit says by `of_unit` or `of_resident` what its cells show. With `contact` that is
    a Contact, to be masked on the way out.
    """

    key: str
    title: str | Promise
    synonyms: tuple[str, ...] = ()
    read: Callable[[str], Any] | None = None
    field: str = ""
    show: Callable[[Any], Any] = as_line
    of_unit: Callable[[Apartment], Any] | None = None
    of_resident: Callable[[User], Any] | None = None
    contact: bool = False
    # Few units have a value: the entry of a new unit does not mention a blank one.
    rare: bool = False

    @property
    def name(self) -> str:
        """What rows and problems call it, in any file."""
        return self.field or self.key

    @property
    def shows_unit(self) -> bool:
        """Whether its cells show something of a unit."""
        return bool(self.field or self.of_unit)

    def cell(self, unit: Apartment) -> Any:
        """What it shows of a unit: a text, a number or None."""
        if self.of_unit is not None:
            return self.of_unit(unit)
        return self.show(getattr(unit, self.field))


def read_integer(lowest: int, highest: int, text: str) -> int:
    """A whole number of this range, in any digits."""
    digits = text if text.isascii() else western_digits(text).translate(_MINUS)
    if not _INTEGER.fullmatch(digits) or not lowest <= int(digits) <= highest:
        raise CellProblem(
            _("is not a whole number from %(lowest)d to %(highest)d")
            % {"lowest": lowest, "highest": highest}
        )
    return int(digits)


def read_id(text: str) -> int:
    """The id of a record."""
    digits = western_digits(text)
    if not _INTEGER.fullmatch(digits) or int(digits) < 1:
        raise CellProblem(_("is not an id"))
    return int(digits)


def read_text(longest: int, text: str) -> str:
    """A text of so many characters at most."""
    if len(text) > longest:
        raise CellProblem(_("is longer than %d characters") % longest)
    if text in _FAILED_FORMULAS:
        raise CellProblem(_("is what a spreadsheet shows where a formula failed"))
    return text


def read_occupancy(text: str) -> str:
    """The stored code of an occupancy."""
    try:
        return _OCCUPANCY_OF[folded(text)]
    except KeyError:
        known = _("; ").join(str(each.label) for each in Occupancy)
        raise CellProblem(_("is none of: %s") % known) from None


def read_contact(kind: Kind, text: str) -> tuple[str, str]:
    """As typed, and canonical. What was masked or hidden when it was exported reports nothing."""
    if is_masked(text):
        return NO_CONTACT
    try:
        return kind.tidy(text), kind.canonical(text)
    except ValueError:
        known = {Kind.PHONE: _("is not a phone number"), Kind.EMAIL: _("is not an e-mail address")}
        raise CellProblem(known[kind]) from None


def folded(text: str) -> str:
    """One form for all spellings that mean the same: case, hamza, vowel signs, spaces and dashes."""
    # Twice: a sign may stand for capital letters, and a small letter for several.
    plain = unicodedata.normalize("NFKD", text).casefold()
    letters = unicodedata.normalize("NFKD", plain.translate(_ONE_LETTER))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _BETWEEN_WORDS.sub(" ", bare).strip()


# The words that occupancies are read by: the labels first, then what they were called and are known as.
_OCCUPANCY_WORDS = {
    Occupancy.VACANT: ("vacant", "خالية", "empty", "شاغرة", "شاغر", "فارغة"),
    Occupancy.OCCUPIED: ("occupied", "مشغولة", "lived in", "مسكونة", "ساكنة", "ساكن"),
    Occupancy.UNOCCUPIED: (
        "owned, unoccupied",
        "owned unoccupied",
        "مملوكة غير مشغولة",
        "closed",
        "مغلقة",
        "مغلق",
    ),
    Occupancy.BEING_FINISHED: ("being finished", "تحت التشطيب", "قيد التشطيب"),
}
_OCCUPANCY_OF = {
    folded(word): each.value for each, words in _OCCUPANCY_WORDS.items() for word in words
}


def _longest(model: type[Apartment] | type[User], field: str) -> int:
    return int(model._meta.get_field(field).max_length or 0)  # type: ignore[union-attr]


COLUMNS = (
    Column(
        "block",
        gettext_lazy("block id"),
        ("block id", "رقم العمارة", "العمارة", "معرف العمارة"),
        read=read_id,
        of_unit=lambda unit: unit.block_id,
    ),
    Column(
        "block name",
        gettext_lazy("block name"),
        ("block number", "اسم العمارة"),
        of_unit=lambda unit: one_line(str(unit.block)),
    ),
    Column(
        "unit",
        gettext_lazy("unit id"),
        ("unit id", "apartment id", "id", "معرف الوحدة", "المعرف"),
        read=read_id,
        of_unit=lambda unit: unit.pk,
    ),
    Column(
        "number",
        gettext_lazy("number"),
        (
            "unit number",
            "unit no",
            "apartment",
            "apt",
            "flat",
            "door",
            "villa",
            "shop",
            "رقم الوحدة",
        )
        + ("رقم الشقة", "الرقم", "رقم", "الشقة", "شقة", "وحدة", "محل", "فيلا", "باب"),
        read=partial(read_integer, LOWEST_NUMBER, HIGHEST_NUMBER),
        field="number",
    ),
    Column(
        "floor",
        gettext_lazy("floor"),
        ("floor number", "level", "storey", "story", "fl", "رقم الدور", "الدور", "الطابق"),
        read=lru_cache(partial(read_integer, LOWEST_FLOOR, HIGHEST_FLOOR)),
        field="floor",
    ),
    Column(
        "name",
        gettext_lazy("name"),
        (
            "unit name",
            "apartment name",
            "flat name",
            "unit title",
            "اسم الوحدة",
            "اسم الشقة",
            "الاسم",
        )
        + ("مسمى الوحدة", "كود الوحدة", "وصف الوحدة", "unit code", "unit description"),
        read=partial(read_text, _longest(Apartment, "name")),
        field="name",
    ),
    Column(
        "occupancy",
        gettext_lazy("occupancy"),
        ("status", "state", "unit status", "apartment status", "flat status", "occupancy status")
        + ("occupied", "الحالة", "حالة الوحدة", "حالة الشقة", "حالة الإشغال", "الإشغال")
        + ("حالة السكن", "موقف الوحدة", "موقف الشقة", "نوع الإشغال"),
        read=lru_cache(read_occupancy),
        field="occupancy",
        show=lambda code: str(Occupancy(code).label),
    ),
    Column(
        "resident",
        gettext_lazy("resident"),
        ("resident name", "resident's name", "residents", "full name", "tenant", "tenant name")
        + ("tenant's name", "renter", "lessee", "owner", "owner name", "owner's name", "landlord")
        + ("occupant", "occupant name", "occupier", "customer", "customer name", "client")
        + ("client name", "contact name", "contact person", "person", "person name")
        + ("الساكن", "اسم الساكن", "السكان", "المقيم", "اسم المقيم", "المالك", "اسم المالك")
        + ("صاحب الوحدة", "صاحب الشقة", "اسم صاحب الشقة", "المستأجر", "اسم المستأجر", "الشاغل")
        + ("اسم الشاغل", "شاغل الوحدة", "اسم شاغل الوحدة", "العميل", "اسم العميل", "القاطن")
        + (
            "اسم القاطن",
            "الاسم بالكامل",
            "الاسم ثلاثي",
            "الاسم الثلاثي",
            "الاسم رباعي",
            "الاسم كامل",
        ),
        read=partial(read_text, _longest(User, "name")),
        of_resident=lambda user: one_line(user.name) or one_line(user.user_name),
    ),
    Column(
        "phone",
        gettext_lazy("phone"),
        ("mobile", "mob", "cell", "cellphone", "cell phone", "phone number", "mobile phone", "tel")
        + ("telephone", "gsm", "contact", "contact number", "whatsapp", "whats app", "landline")
        + ("land line", "home phone", "work phone", "office phone", "fixed line")
        + (
            "الهاتف",
            "رقم الهاتف",
            "هاتف محمول",
            "الهاتف المحمول",
            "هاتف جوال",
            "التليفون",
            "التلفون",
        )
        + ("تليفون محمول", "تليفون أرضي", "هاتف أرضي", "خط أرضي", "الأرضي", "هاتف المنزل")
        + ("تليفون المنزل", "الموبايل", "موبيل", "المحمول", "الجوال", "النقال", "الخلوي", "واتساب")
        + ("واتس", "واتس اب", "واتس آب", "رقم التواصل", "التواصل", "رقم الاتصال", "الاتصال"),
        read=partial(read_contact, Kind.PHONE),
        of_resident=lambda user: Contact(user, Kind.PHONE),
        contact=True,
    ),
    Column(
        "email",
        gettext_lazy("email"),
        ("e-mail", "mail", "email address", "e-mail address", "mail address", "email id")
        + ("البريد", "البريد الإلكتروني", "عنوان البريد الإلكتروني", "بريد إلكتروني", "الإيميل")
        + ("ايميل", "الميل", "إميل"),
        read=partial(read_contact, Kind.EMAIL),
        of_resident=lambda user: Contact(user, Kind.EMAIL),
        contact=True,
    ),
    Column(
        "note",
        gettext_lazy("note"),
        ("notes", "remark", "remarks", "comment", "comments", "ملاحظة", "ملاحظات", "الملاحظات")
        + ("بيان", "تعليق", "تعليقات"),
        read=partial(read_text, _longest(Apartment, "note")),
        field="note",
        rare=True,
    ),
    # What `import_units --skip-bad` writes beside a row; there is nothing of it to read or to export.
    Column("problem", "problem", ("reason", "المشكلة", "السبب")),
)

# The fields of a unit that columns fill. The number names the unit; the others are its details.
FIELDS = tuple(column.field for column in COLUMNS if column.field)
DETAILS = tuple(field for field in FIELDS if field != "number")
