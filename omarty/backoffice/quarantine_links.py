"""The records here that rows of the quarantine are about."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from omarty.legacy.models import LegacyRow, QuarantinedRow
from omarty.legacy.source import BLOCKS, MEMBERSHIPS, PLACES, UNITS, USERS

# The pages of records, by legacy table. A further contact stands on its person's page.
_PAGES = {
    USERS: "admin:contacts_user_change",
    PLACES: "admin:buildings_building_change",
    BLOCKS: "admin:buildings_block_change",
    UNITS: "admin:buildings_apartment_change",
    MEMBERSHIPS: "admin:buildings_membership_change",
}
# Which columns lead to other rows, in the order in which somebody would look.
_REFERENCES = (
    ("ResidentID", USERS),
    ("UserID", USERS),
    ("ApartmentID", UNITS),
    ("BlockID", BLOCKS),
)

# Address and words of a link.
Link = tuple[str, str]


def links(rows: Iterable[QuarantinedRow]) -> dict[int, list[Link]]:
    """For each row, by its id, what leads to its record and to those that it names; one statement."""
    rows = list(rows)
    wanted: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for table, key in _named(row):
            wanted[table].add(key)
    of_these = Q()
    for table, keys in wanted.items():
        of_these |= Q(table=table, key__in=keys)
    known = LegacyRow.objects.filter(of_these, record_id__isnull=False) if wanted else ()
    ids = {(each.table, each.key): each.record_id for each in known}
    return {
        row.pk: [
            (reverse(_PAGES[name[0]], args=[ids[name]]), _words(name[0]))
            for name in dict.fromkeys(_named(row))
            if name in ids
        ]
        for row in rows
    }


def _named(row: QuarantinedRow) -> list[tuple[str, str]]:
    """The legacy rows that it is about, itself first if it has a page."""
    own = [(row.table, row.key)] if row.table in _PAGES else []
    others = [(table, row.source.get(column)) for column, table in _REFERENCES]
    return own + [(table, str(key)) for table, key in others if key]


def _words(table: str) -> str:
    match table:
        case "Resident_User":
            return _("Open the person")
        case "places":
            return _("Open the building")
        case "Block":
            return _("Open the block")
        case "Apartment":
            return _("Open the unit")
    return _("Open the membership")
