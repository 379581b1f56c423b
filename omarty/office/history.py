"""What the audit log knows of a row, for the row's own page."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

from audit.models import Entry
from buildings.models import Apartment
from buildings.permissions import Blocks
from contacts.models import User
from omarty.office.masking import hide_contacts

SHOWN = 50
NOTHING = "–"


def of_unit(unit: Apartment) -> QuerySet[Entry]:
    """The entries of a unit, and of those that were merged into it."""
    units = [unit.pk, *unit.merged.values_list("pk", flat=True)]
    own = Q(apartment_id__in=units) | Q(target_type="apartment", target_id__in=units)
    return Entry.objects.filter(own, block_id=unit.block_id)


def of_person(person: User, sees: Blocks) -> QuerySet[Entry]:
    """The entries that concern a person in the blocks that the reader sees."""
    return sees.only(Entry.objects.filter(person_id=person.pk), "block_id")


def table(entries: QuerySet[Entry]) -> SafeString:
    """The newest of them as a table."""
    rows = list(entries.order_by("-pk")[:SHOWN])
    hide_contacts(rows)
    return render_to_string(
        "office/history.html",
        {"entries": [(row, changes(row)) for row in rows], "shown": SHOWN, "nothing": NOTHING},
    )


def changes(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """What an entry says of each field: its name, its value before and its value after."""
    known = _fields(entry.target_type)
    before, after = entry.before or {}, entry.after or {}
    for name in dict.fromkeys((*before, *after)):
        field = known.get(name)
        label = str(field.verbose_name) if field else gettext(name.replace("_", " "))
        yield capfirst(label) or "", _value(field, before.get(name)), _value(field, after.get(name))


def _fields(target_type: str) -> dict[str, Any]:
    """The fields of the kind of record that an entry names: its labels and choices."""
    for model in apps.get_models():
        if model._meta.model_name == target_type:
            return {field.name: field for field in model._meta.concrete_fields}
    return {}


def _value(field: Any, value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(field, models.Field) and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    return str(value)
