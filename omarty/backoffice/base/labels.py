"""How blocks, units, buildings and coordinates are called on the pages, in the reader's language."""

from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext as _

from buildings.models import Building
from contacts.models import Kind
from contacts.operations import WhyContactRefused

MAP = "https://www.openstreetmap.org/?mlat={0}&mlon={1}#map=18/{0}/{1}"


def place(block: Any, unit: Any = None) -> str:
    """A block, or a unit of it, in words: both are mostly called by a number."""
    if unit is None or unit == "":
        return _("block %(block)s") % {"block": _apart(block)}
    return _("block %(block)s, unit %(unit)s") % {"block": _apart(block), "unit": _apart(unit)}


def _apart(name: Any) -> str:
    """A name that letters are in, with marks that keep it whole among those of another direction."""
    text = str(name)
    return text if text.isdigit() else f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def listed(parts: Any) -> str:
    """Several things in one line, with the comma of the reader's language."""
    return gettext(", ").join(str(part) for part in parts)


def building_name(building: Building) -> str:
    """Its name in the reader's language, or the other if it has only that. `str()` is for the audit log."""
    arabic = (get_language() or "").startswith("ar")
    return (building.name_ar if arabic else building.name_en) or str(building)


def map_link(latitude: Decimal, longitude: Decimal) -> SafeString:
    """Coordinates with a link to a map, which opens only when it is pressed."""
    north, east = f"{latitude.normalize():f}", f"{longitude.normalize():f}"
    return format_html(
        '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a> <bdi dir="ltr">{}, {}</bdi>',
        MAP.format(north, east),
        gettext("Show on a map"),
        north,
        east,
    )


def objection(kind: Kind, why: WhyContactRefused) -> str:
    """Why a contact is refused: a sentence that stands beside the field."""
    phone = kind == Kind.PHONE
    match why:
        case WhyContactRefused.INVALID:
            return (
                _("This is not a phone number.") if phone else _("This is not an e-mail address.")
            )
        case WhyContactRefused.OWN:
            return _("This person has it already.")
        case WhyContactRefused.TAKEN:
            return _("Somebody holds it already.")
        case WhyContactRefused.LIMIT:
            return _("This person has as many as one can have.")


def nothing_changed() -> str:
    """What somebody is told who saved what was so already."""
    return _("Nothing was changed: it is so already.")
