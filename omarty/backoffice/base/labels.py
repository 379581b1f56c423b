"""Labels of blocks, units, buildings, contacts and coordinates, in the reader's language."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext as _

from buildings.models import Block, Building, Membership
from contacts.canonical import with_hint
from contacts.contact_operations import WhyContactRefused
from contacts.models import Kind, Status
from omarty.lockout import NEITHER

MAP = "https://www.openstreetmap.org/?mlat={0}&mlon={1}#map=18/{0}/{1}"


def unit_in_block(block: Any, unit: Any = None) -> str:
    """A block, or a unit of it, in words: most names of both are mere numbers."""
    if unit is None or unit == "":
        return _("block %(block)s") % {"block": isolated(block)}
    names = {"block": isolated(block), "unit": isolated(unit)}
    return _("block %(block)s, unit %(unit)s") % names


def with_standing(label: Any, membership: Membership) -> str:
    """A person or unit of a membership; who is pending or banned does not stand as if living there."""
    if membership.status == Status.ACTIVE:
        return str(label)
    words = {"label": label, "status": membership.get_status_display()}
    return _("%(label)s (%(status)s)") % words


def isolated(name: Any) -> str:
    """A name with letters, between marks that keep its direction apart from the text around it."""
    text = str(name)
    return text if text.isdigit() else f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def listed(parts: Any) -> str:
    """Several things in one sentence, with the comma of the reader's language."""
    return gettext(", ").join(str(part) for part in parts)


def listed_phrases(phrases: Any) -> str:
    """Several phrases that have commas of their own."""
    return gettext("; ").join(str(phrase) for phrase in phrases)


def moment(at: datetime) -> SafeString:
    """A moment in the reader's zone and language, and as browsers and other programs read it."""
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}">{}</time>',
        # HTML takes three digits of a second's parts at most.
        local.isoformat(timespec="seconds"),
        date_format(local, "SHORT_DATETIME_FORMAT"),
    )


def actor_name(label: str) -> str:
    """An entry's actor; in the reader's words if it names nobody."""
    return gettext(label) if label == NEITHER else label


def contact_line(kind: Kind, text: str) -> SafeString:
    """A contact with its kind, in one line; a phone reads from left to right in every language."""
    return format_html('{}: <bdi dir="ltr">{}</bdi>', kind.label, text)


def building_name(building: Building) -> str:
    """Its name in the reader's language, or its only one; without one its street and city.

    `str()` of it is for the audit log.
    """
    arabic = (get_language() or "").startswith("ar")
    names = [building.name_ar, building.name_en] if arabic else [building.name_en, building.name_ar]
    return next(filter(None, names), "") or listed(building.address) or str(building)


def distinct_labels(blocks: Iterable[Block]) -> list[tuple[Block, str]]:
    """Each block with its label; with its building's name too, if they stand in several buildings."""
    blocks = list(blocks)
    several = len({block.building_id for block in blocks}) > 1
    return [
        (block, f"{building_name(block.building)} / {block}" if several else str(block))
        for block in blocks
    ]


def map_link(latitude: Decimal, longitude: Decimal) -> SafeString:
    """Coordinates with a link to a map, which loads only when it is pressed."""
    north, east = f"{latitude.normalize():f}", f"{longitude.normalize():f}"
    return format_html(
        '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a> <bdi dir="ltr">{}, {}</bdi>',
        MAP.format(north, east),
        gettext("Show on a map"),
        north,
        east,
    )


def contact_refusal(kind: Kind, why: WhyContactRefused, hint: str = "") -> str:
    """Why a contact is refused: a sentence for the field's error."""
    phone = kind == Kind.PHONE
    match why:
        case WhyContactRefused.INVALID:
            return with_hint(
                _("This is not a phone number.") if phone else _("This is not an e-mail address."),
                hint,
            )
        case WhyContactRefused.OWN:
            return _("This person has it already.")
        case WhyContactRefused.TAKEN:
            return _("Somebody holds it already.")
        case WhyContactRefused.LIMIT:
            return _("This person has as many contacts as allowed.")


def nothing_changed() -> str:
    """The message after saving a form that changed nothing."""
    return _("No changes.")
