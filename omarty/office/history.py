"""What the audit log knows of a row, for the row's own page."""

from typing import Any

from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from audit.models import Entry
from buildings.models import Apartment
from buildings.permissions import Blocks
from contacts.models import HIDDEN, User

SHOWN = 50


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
    return render_to_string(
        "office/history.html", {"entries": [(row, _changes(row)) for row in rows], "shown": SHOWN}
    )


def _changes(row: Entry) -> list[tuple[str, Any, Any]]:
    """Field, before and after. What a contact was is left out: it may be hidden by now."""
    before, after = row.before or {}, row.after or {}
    secret = row.action.startswith("contact.")
    names = dict.fromkeys([*before, *after])
    return [
        (name, HIDDEN, HIDDEN)
        if secret and name != "hidden"
        else (name, before.get(name), after.get(name))
        for name in names
    ]
