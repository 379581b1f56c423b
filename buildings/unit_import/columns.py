"""The columns of the table of units, each declared once.

The reader, the preview, the saving and the exports of commands and back-office derive from COLUMNS:
a new field of a unit is one more column here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from buildings.models import Apartment, Occupancy
from buildings.unit_import.cells import (
    read_contacts,
    read_id,
    read_number,
    read_occupancy,
    read_text,
    read_words,
)
from buildings.unit_import.floors import read_floor
from buildings.unit_import.names import read_person
from contacts.canonical import one_line
from contacts.contact_operations import Contact
from contacts.models import Kind, User

# A contact as typed and canonical, where a row reports none.
NO_CONTACT = ("", "")


def as_line(value: Any) -> Any:
    """A stored value as a table can report it: a text is one line."""
    return one_line(value) if isinstance(value, str) else value


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the table: its headings, how its cells are read, and what they show.

    `key` heads it in the commands' files, `title` in the back-office's; `synonyms` are all further
    headings that it is read under, in English and Arabic. `read` makes of a cell's text what a
    UnitRow holds, an int or a text (of `contact` columns, of which a file may have several, a list),
    and raises CellProblem; a column without it is not read back.

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


# What headed the columns of `export_units` while its "block" and "unit" were ids.
_FORMER_EXPORT = ("block", "block name", "unit", "number", "floor", "name", "occupancy") + (
    "resident",
    "phone",
    "email",
    "note",
)
_FORMER_IDS = {"block": "block id", "unit": "unit id"}
# A block's number and its name, and what people write before them.
_LONGEST_BLOCK = 200


def without_former_ids(headings: Sequence[str]) -> list[str]:
    """The headings as an export of ours has them today, where a former version wrote the file.

    It is known by all its headings in their order, behind those that `import_units --skip-bad` adds.
    """
    ours = [name for name in headings if name != "problem"]
    if tuple(ours) != _FORMER_EXPORT:
        return list(headings)
    return [_FORMER_IDS.get(name, name) for name in headings]


def _longest(model: type[Apartment] | type[User], field: str) -> int:
    return int(model._meta.get_field(field).max_length or 0)  # type: ignore[union-attr]


# Of a resident's name, in however many columns it stands.
LONGEST_NAME = _longest(User, "name")
# Also what stands in place of a number may be a name.
read_unit_name = partial(read_words, _longest(Apartment, "name"))

COLUMNS = (
    Column(
        "block id",
        gettext_lazy("block id"),
        ("معرف العمارة", "معرف البلوك", "معرف البرج"),
        read=read_id,
        of_unit=lambda unit: unit.block_id,
    ),
    # By the number or name that people call it by; where it has both, each in a column.
    Column(
        "block",
        pgettext_lazy("heading", "block"),
        (
            "block number",
            "building",
            "bldg",
            "bld",
            "blk",
            "tower",
            "العمارة",
            "بلوك",
            "برج",
            "مبنى",
        )
        + ("بناية", "العقار"),
        read=partial(read_text, _LONGEST_BLOCK),
    ),
    Column(
        "block name",
        gettext_lazy("block name"),
        ("building name", "tower name", "اسم العمارة", "اسم البلوك", "اسم البرج", "اسم المبنى")
        + ("اسم البناية",),
        read=partial(read_text, _LONGEST_BLOCK),
        of_unit=lambda unit: one_line(str(unit.block)),
    ),
    Column(
        "unit id",
        gettext_lazy("unit id"),
        ("apartment id", "flat id", "id", "معرف الوحدة", "معرف الشقة", "المعرف", "معرف"),
        read=read_id,
        of_unit=lambda unit: unit.pk,
    ),
    Column(
        "number",
        gettext_lazy("number"),
        (
            "unit",
            "unit number",
            "unit no",
            "apartment",
            "apt",
            "flat",
            "door",
            "villa",
            "shop",
            "suite",
        )
        + ("رقم الوحدة", "الوحدة", "وحدة", "رقم الشقة", "الشقة", "شقة", "محل", "فيلا", "باب")
        + ("الرقم", "رقم"),
        read=read_number,
        field="number",
    ),
    Column(
        "floor",
        gettext_lazy("floor"),
        (
            "floor number",
            "floor level",
            "level",
            "storey",
            "story",
            "fl",
            "flr",
            "رقم الدور",
            "الدور",
        )
        + ("الأدوار", "الطابق", "الطوابق"),
        read=read_floor,
        field="floor",
    ),
    Column(
        "name",
        gettext_lazy("name"),
        ("unit name", "apartment name", "flat name", "unit title", "unit code", "unit description")
        + ("اسم الوحدة", "اسم الشقة", "الاسم", "مسمى الوحدة", "كود الوحدة", "وصف الوحدة"),
        read=read_unit_name,
        field="name",
    ),
    Column(
        "occupancy",
        gettext_lazy("occupancy"),
        ("status", "state", "unit status", "apartment status", "flat status", "occupancy status")
        + ("occupied", "الحالة", "حالة الوحدة", "حالة الشقة", "حالة الإشغال", "الإشغال")
        + ("حالة السكن", "موقف الوحدة", "موقف الشقة", "نوع الإشغال"),
        read=read_occupancy,
        field="occupancy",
        show=lambda code: str(Occupancy(code).label),
    ),
    Column(
        "resident",
        gettext_lazy("resident"),
        ("resident name", "resident's name", "residents", "full name", "head of family")
        + (
            "head of household",
            "family head",
            "رب الأسرة",
            "اسم رب الأسرة",
            "رب العائلة",
            "tenant",
            "tenant name",
        )
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
            "الاسم الأول",
            "first name",
            "given name",
        ),
        read=partial(read_person, LONGEST_NAME),
        of_resident=lambda user: one_line(user.name) or one_line(user.user_name),
    ),
    # Where a table has the resident's name in two columns.
    Column(
        "last name",
        gettext_lazy("last name"),
        ("surname", "family name", "second name", "اسم العائلة", "اللقب")
        + ("الاسم الأخير", "الاسم الثاني", "لقب العائلة"),
        read=partial(read_person, LONGEST_NAME),
    ),
    Column(
        "phone",
        gettext_lazy("phone"),
        ("mobile", "mob", "cell", "cellphone", "cell phone", "phone number", "mobile phone", "tel")
        + ("telephone", "gsm", "contact", "contact number", "contacts")
        + (
            "phones",
            "mobiles",
            "telephones",
            "phone numbers",
            "home tel",
            "work tel",
            "home telephone",
        )
        + (
            "contact details",
            "contact info",
            "contact information",
            "whatsapp",
            "whats app",
            "landline",
        )
        + ("land line", "home phone", "work phone", "office phone", "fixed line")
        + ("الهاتف", "رقم الهاتف", "هاتف محمول", "الهاتف المحمول", "هاتف جوال", "التليفون")
        + ("التلفون", "تليفون محمول", "تليفون أرضي", "هاتف أرضي", "خط أرضي", "الأرضي")
        + ("هاتف المنزل", "تليفون المنزل", "الموبايل", "موبيل", "المحمول", "الجوال", "النقال")
        + ("الخلوي", "واتساب", "واتس", "واتس اب", "واتس آب", "رقم التواصل", "التواصل")
        + ("التليفونات", "التلفونات", "الهواتف", "الموبايلات", "المحمولات", "الجوالات", "خط")
        + ("وسيلة الاتصال", "وسائل الاتصال", "بيانات الاتصال", "وسيلة التواصل", "بيانات التواصل")
        + ("رقم الاتصال", "الاتصال"),
        read=partial(read_contacts, Kind.PHONE),
        of_resident=lambda user: Contact(user, Kind.PHONE),
        contact=True,
    ),
    Column(
        "email",
        gettext_lazy("email"),
        ("e-mail", "mail", "email address", "e-mail address", "mail address", "email id")
        + ("البريد", "البريد الإلكتروني", "عنوان البريد الإلكتروني", "بريد إلكتروني", "الإيميل")
        + ("ايميل", "الميل", "إميل"),
        read=partial(read_contacts, Kind.EMAIL),
        of_resident=lambda user: Contact(user, Kind.EMAIL),
        contact=True,
    ),
    Column(
        "note",
        gettext_lazy("note"),
        ("notes", "remark", "remarks", "comment", "comments", "ملاحظة", "ملاحظات", "الملاحظات")
        + ("بيان", "تعليق", "تعليقات"),
        read=partial(read_words, _longest(Apartment, "note")),
        field="note",
        rare=True,
    ),
    # What `import_units --skip-bad` writes beside a row; there is nothing of it to read or to export.
    Column("problem", "problem", ("reason", "المشكلة", "السبب")),
)

# The fields of a unit that columns fill. The number names the unit; the others are its details.
FIELDS = tuple(column.field for column in COLUMNS if column.field)
DETAILS = tuple(field for field in FIELDS if field != "number")
