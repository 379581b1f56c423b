"""A row's entries in the audit log, for the row's own page."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, cast

from django.apps import apps
from django.db import models
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext

from audit.models import Entry
from buildings.models import Apartment, NoticeChoice
from buildings.permissions import Blocks
from contacts.entry_masking import hide_contacts
from contacts.models import Kind, RequiredOf, User
from omarty.backoffice.base.labels import actor_name, isolated, listed
from omarty.backoffice.base.request_limits import row_id

MOST_SHOWN = 50
NOTHING = "–"


def of_unit(unit: Apartment) -> QuerySet[Entry]:
    """The entries of a unit, and of those that were merged into it."""
    units = [unit.pk, *unit.merged.values_list("pk", flat=True)]
    own = Q(apartment_id__in=units) | Q(target_type="apartment", target_id__in=units)
    return Entry.objects.filter(own, block_id=unit.block_id)


def of_person(person: User, sees: Blocks) -> QuerySet[Entry]:
    """The entries that concern a person in the blocks that the reader sees."""
    return sees.only(Entry.objects.filter(person_id=person.pk), "block_id")


def table(entries: QuerySet[Entry], *, most: int = MOST_SHOWN) -> SafeString:
    """The newest of them as a table."""
    return table_of(list(entries.order_by("-pk")[:most]), shown=most)


def table_of(rows: list[Entry], shown: int = 0) -> SafeString:
    """These entries as a table; with as many as `shown` it says that these are the newest."""
    hide_contacts(rows)
    names = names_in(rows)
    for row in rows:
        row.actor_label = actor_name(row.actor_label)
        row.refused = row.refused and gettext(row.refused)
    return render_to_string(
        "backoffice/history.html",
        {
            "entries": [(row, list(changes(row, names))) for row in rows],
            "shown": shown,
            "nothing": NOTHING,
        },
    )


# What records are called, by their model and id.
Names = dict[tuple[type[models.Model], int], str]


def names_in(entries: list[Entry]) -> Names:
    """What the records are called whose ids stand in these entries' `before` and `after`."""
    wanted: dict[type[models.Model], set[int]] = defaultdict(set)
    for entry in entries:
        known = _fields(entry.target_type)
        for values in (entry.before or {}, entry.after or {}):
            for name, value in values.items():
                field = known.get(name)
                if isinstance(field, models.ForeignKey) and row_id(str(value)) is not None:
                    wanted[cast(Any, field.related_model)].add(int(value))
    return {
        (model, pk): str(row)
        for model, pks in wanted.items()
        for pk, row in model._default_manager.in_bulk(pks).items()
    }


def changes(entry: Entry, names: Names) -> Iterator[tuple[str, str, str]]:
    """Each field that an entry has values of, in the reader's words: its name, before and after.

    `names` is what `names_in()` returned for the entry.
    """
    known = _fields(entry.target_type)
    before, after = entry.before or {}, entry.after or {}
    for name in dict.fromkeys((*before, *after)):
        field = known.get(name)
        was, now = (_value(name, field, each.get(name), names) for each in (before, after))
        yield capfirst(_label(name, field)) or "", was, now


def changes_in_words(entry: Entry, names: Names) -> list[str]:
    """What an entry changed, each field as "Floor 2 → 12"; of a new record what it has."""
    words = []
    for label, was, now in changes(entry, names):
        field = {"field": label, "before": isolated(was), "after": isolated(now)}
        if entry.before is not None and label:
            words.append(gettext("%(field)s %(before)s → %(after)s") % field)
        elif now != NOTHING:
            words.append(gettext("%(field)s %(after)s") % field)
    return words


# Of what no record's field names the words.
_CHOICES: dict[str, type[models.TextChoices]] = {
    "request_notices": NoticeChoice,
    "required_of": RequiredOf,
}


def _label(name: str, field: Any) -> str:
    if name in set(Kind):
        return str(Kind(name).label)
    return str(field.verbose_name) if field else gettext(name.replace("_", " "))


def _fields(target_type: str) -> dict[str, Any]:
    """The fields of the kind of record that an entry names: its labels and choices."""
    model = _model(target_type)
    fields = model._meta.concrete_fields if model else ()
    return {name: field for field in fields for name in (field.name, field.attname)}


def _model(name: str) -> type[models.Model] | None:
    return next((each for each in apps.get_models() if each._meta.model_name == name), None)


def _value(name: str, field: Any, value: Any, names: Names) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, dict):
        return listed(f"{key}: {each}" for key, each in value.items())
    if isinstance(field, models.ForeignKey) and row_id(str(value)) is not None:
        return names.get((cast(Any, field.related_model), int(value)), f"#{value}")
    if isinstance(field, models.DateTimeField):
        return _moment(str(value))
    if isinstance(field, models.Field) and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if field is None:
        return _word(name, value)
    return str(value)


def _word(name: str, value: Any) -> str:
    """A value of an entry that names no record, such as an export's."""
    # Entries of before name the list by its model.
    if name == "list" and (model := _model(str(value))):
        return capfirst(str(model._meta.verbose_name_plural)) or ""
    if (choices := _CHOICES.get(name)) and value in choices:
        return str(choices(value).label)
    if name == "format":
        return gettext("To print") if value == "print" else str(value).upper()
    if name == "what":
        return capfirst(gettext(str(value))) or ""
    return str(value)


def _moment(text: str) -> str:
    """A time as the entry stores it, in the reader's zone and format."""
    try:
        when = parse_datetime(text)
    except ValueError:
        when = None
    if when is None or timezone.is_naive(when):
        return text
    return date_format(timezone.localtime(when), "SHORT_DATETIME_FORMAT")
