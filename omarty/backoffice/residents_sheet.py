"""The sheet that managers work with: each unit with its residents and their phones, as a file or on paper."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext_lazy, pgettext_lazy

from buildings.models import Apartment
from contacts.contact_operations import Contact
from contacts.masking import AnyContact
from contacts.models import Kind, Status, User
from omarty.backoffice.base.export import ExportingAdmin, Sheet
from omarty.backoffice.base.labels import building_name, listed, unit_in_block
from omarty.tables.columns import ContactColumn, ExportColumn


class ResidentRow(NamedTuple):
    """A row of the sheet: a unit with one of its residents, or with none."""

    unit: Apartment
    resident: User | None


def _rows_of(unit: Any) -> Iterator[ResidentRow]:
    """A row for each active member, whatever their roles; one for a unit without any."""
    people = [each.user for each in unit.current if each.status == Status.ACTIVE]
    for person in dict.fromkeys(people) or [None]:
        yield ResidentRow(unit, person)


def _number(row: ResidentRow) -> int | str:
    return str(row.unit) if row.unit.number is None else row.unit.number


def _phones(row: ResidentRow) -> list[AnyContact]:
    if row.resident is None:
        return []
    further = sorted(row.resident.secondaryphone_set.all(), key=lambda each: each.pk)
    every: list[AnyContact] = [Contact(row.resident, Kind.PHONE), *further]
    return [each for each in every if each.typed]


def _block_title(unit: Apartment) -> str:
    """What a unit's block is called at the head of its page: its building and itself."""
    return listed([building_name(unit.block.building), unit_in_block(unit.block)])


# What the head of a printed page says.
OF_BLOCK = [
    ExportColumn[ResidentRow](
        pgettext_lazy("heading", "building"), lambda row: building_name(row.unit.block.building)
    ),
    ExportColumn[ResidentRow](pgettext_lazy("heading", "block"), lambda row: str(row.unit.block)),
]
OF_UNIT = [
    ExportColumn[ResidentRow](pgettext_lazy("heading", "unit"), _number),
    ExportColumn[ResidentRow](pgettext_lazy("unit", "name"), lambda row: row.unit.name),
    ExportColumn[ResidentRow](gettext_lazy("floor"), lambda row: row.unit.floor),
    ExportColumn[ResidentRow](
        gettext_lazy("occupancy"), lambda row: row.unit.get_occupancy_display()
    ),
    ExportColumn[ResidentRow](
        gettext_lazy("resident"), lambda row: str(row.resident) if row.resident else ""
    ),
    ContactColumn[ResidentRow](gettext_lazy("phone"), _phones),
]
RESIDENTS = Sheet(
    "residents",
    gettext_lazy("Residents and phones"),
    [*OF_BLOCK, *OF_UNIT],
    rows_of=_rows_of,
    head_of=_block_title,
    printed=OF_UNIT,
)


class ResidentsSheetAdmin(ExportingAdmin):
    """The part of the list of units that gives this sheet out."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.residents_view)
        return [path("residents/", view, name=self.address_name("residents")), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        query = request.GET.urlencode()
        link = self.address("residents") + (f"?{query}" if query else "")
        return super().changelist_view(request, {"residents_link": link, **(extra_context or {})})

    def residents_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for kind and reason, then gives the units as the list's filters narrow them."""
        return self.give_out(request, RESIDENTS)

    def before_export(self, rows: list[Any]) -> None:
        """Reads what the sheet shows beside the list's own columns, for all of these rows at once."""
        super().before_export(rows)
        prefetch_related_objects(rows, "block__building")
        people = [each.user for unit in rows for each in unit.current]
        prefetch_related_objects(people, "secondaryphone_set")
