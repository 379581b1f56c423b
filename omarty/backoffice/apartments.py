"""Units: list, forms and filters. Their row actions are in apartment_actions.py."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Prefetch, QuerySet
from django.forms import modelform_factory
from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from rangefilter.filters import NumericRangeFilter

from audit.operations import Origin
from buildings.models import HIGHEST_FLOOR, LOWEST_FLOOR, Apartment, Block, Membership
from buildings.operations import (
    change_apartment,
    lock_blocks,
    refuse,
    register_apartment,
    why_unit_refused,
)
from buildings.unit_changes import change_apartments
from buildings.unit_import.columns import COLUMNS
from contacts.text import clean
from omarty.backoffice.apartment_actions import (
    MergeApartment,
    MoveEverybodyOut,
    MoveIn,
    ReinstateApartment,
    RetireApartment,
)
from omarty.backoffice.apartment_changes import ChangeApartments
from omarty.backoffice.apartment_import import ApartmentImportAdmin
from omarty.backoffice.apartment_list import ApartmentFormSet, ApartmentListForm
from omarty.backoffice.base import history
from omarty.backoffice.base.filters import BlockFilter, EndedFilter
from omarty.backoffice.base.form_lock import FormLock, FormLockAdmin
from omarty.backoffice.base.forms import (
    ModelForm,
    SeenForm,
    WholeNumberField,
    reason_field,
)
from omarty.backoffice.base.labels import (
    distinct_labels,
    isolated,
    listed,
    unit_in_block,
    with_standing,
)
from omarty.backoffice.base.list_editing import ChangedFilter, is_edited
from omarty.backoffice.base.request_limits import BACK_LINK, row_id
from omarty.backoffice.base.row_actions import RowActionsAdmin
from omarty.backoffice.base.scoped_admin import scope, titled
from omarty.backoffice.base.search import people_matching, units_matching
from omarty.backoffice.data_quality import NEEDS_CORRECTION
from omarty.backoffice.hubs import unit_people
from omarty.backoffice.residents_sheet import ResidentsSheetAdmin
from omarty.tables.columns import ExportColumn


class NumberTakenForm(SeenForm, ModelForm):
    """Shows beside the number that the block has it already."""

    def _post_clean(self) -> None:
        if self.has_changed() or self.seen_row() is None:
            super()._post_clean()  # type: ignore[misc]

    def _get_validation_exclusions(self) -> set[str]:
        exclude: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        if self.instance.block_id is not None:
            # The block cannot be changed on any page; the number must be free in it.
            exclude.discard("block")
        return exclude

    def _update_errors(self, errors: Any) -> None:
        of_form = errors.error_dict.pop(NON_FIELD_ERRORS, [])
        if of_form:
            errors.error_dict["number"] = [*errors.error_dict.get("number", []), *of_form]
        super()._update_errors(errors)  # type: ignore[misc]

    def seen_row(self) -> Any:
        return None if self.instance._state.adding else self.instance


class ApartmentForm(NumberTakenForm):
    """A unit on its own page."""

    guarded = ("number", "floor", "name", "occupancy", "note")
    reason = reason_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.seen_row() is None:
            # Legacy units may lack them, new ones may not.
            for name in {"number", "floor"} & set(self.fields):
                self.fields[name].required = True


class NeedsCorrectionFilter(admin.SimpleListFilter):
    """Units in use without a number or floor, or whose occupancy contradicts their memberships."""

    title = _("needs correction")
    parameter_name = "correction"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [
            ("yes", _("Yes")),
            *((name, label) for name, (_rule, label) in NEEDS_CORRECTION.items()),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        value = self.value()
        if value is None:
            return queryset
        rules = [
            rule for name, (rule, _label) in NEEDS_CORRECTION.items() if value in ("yes", name)
        ]
        return queryset.filter(reduce(or_, rules), closed_at=None) if rules else queryset.none()


class FloorFilter(NumericRangeFilter):  # type: ignore[misc]
    """Floors from one to another."""

    def _get_form_fields(self) -> dict[str, WholeNumberField]:
        # The library's own fields take no Arabic digits.
        return {
            name: WholeNumberField(required=False, min_value=LOWEST_FLOOR, max_value=HIGHEST_FLOOR)
            for name in (self.lookup_kwarg_gte, self.lookup_kwarg_lte)
        }


class RetiredFilter(EndedFilter):
    """Units in use, unless retired ones are asked for."""

    title = _("in use or retired")
    parameter_name = "use"
    field = "closed_at"
    current, ended = _("In use"), ("closed", _("Retired"))


@admin.register(Apartment)
class ApartmentAdmin(FormLockAdmin, ApartmentImportAdmin, ResidentsSheetAdmin, RowActionsAdmin):
    """The units of the user's blocks."""

    when_empty = _("Add a unit, import units from a file, or add floors with units to a block.")
    export_name = "units"
    # Under headings that an import reads back, the unit's id first: corrected, the file can come in again.
    export_columns = [
        ExportColumn(column.title, column.cell)
        for column in sorted(COLUMNS, key=lambda column: column.key != "unit id")
        if column.shows_unit
    ]

    editable = addable = True
    form = ApartmentForm
    change_list_template = "backoffice/unit_list.html"
    row_actions = {
        "move-in": MoveIn,
        "everybody-out": MoveEverybodyOut,
        "merge": MergeApartment,
        "close": RetireApartment,
        "reopen": ReinstateApartment,
        "change-values": ChangeApartments,
    }
    bulk = ("change-values",)
    list_display = ("unit", "number", "floor", "occupancy", "people", "block")
    list_display_links = ("unit",)
    list_editable = ("number", "floor", "occupancy")
    list_select_related = ("block",)
    list_filter = (
        BlockFilter,
        ("floor", FloorFilter),
        "occupancy",
        NeedsCorrectionFilter,
        RetiredFilter,
        ChangedFilter,
    )
    search_fields = ("number",)
    search_help_text = _("Number, floor, name of a unit or resident, phone, or e-mail")
    ordering = ("block_id", "number", "pk")
    sortable_by = ("number", "floor", "occupancy")
    readonly_fields = ("current_people", "former_people", "entries", "closed_at", "merged_into")

    def get_fieldsets(self, request: HttpRequest, obj: Apartment | None = None) -> Any:
        typed = [*ApartmentForm.guarded, "reason"]
        if obj is None:
            return [(None, {"fields": ["block", *typed]})]
        shown = typed if self.has_change_permission(request, obj) else typed[:-1]
        retired = {
            "fields": ["closed_at", "merged_into"] if obj.merged_into_id else ["closed_at"],
            "description": _("It is no longer in use. To change anything, reinstate it first."),
        }
        return [
            *([(_("Retired"), retired)] if obj.closed_at else []),
            titled(_("People"), "current_people"),
            (None, {"fields": ["block", *shown]}),
            titled(_("Former people"), "former_people"),
            titled(_("Entries"), "entries"),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A retired unit is read-only; it offers to be reinstated."""
        in_use = obj is None or obj.closed_at is None
        return in_use and super().has_change_permission(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new unit is in the block that the list was filtered by, or in the user's only one."""
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        filtered_by = QueryDict(request.GET.get("_changelist_filters", "")).get("block")
        changes = scope(request).changes.ids or ()
        if filtered_by or len(changes) == 1:
            initial.setdefault("block", filtered_by or next(iter(changes)))
        return initial

    def get_readonly_fields(self, request: HttpRequest, obj: Apartment | None = None) -> Any:
        return self.readonly_fields if obj is None else ("block", *self.readonly_fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        people = Membership.objects.current().select_related("user").order_by("pk")
        return (
            super()
            .get_queryset(request)
            .prefetch_related(Prefetch("memberships", queryset=people, to_attr="current"))
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """The unit, and whether its page offers to change something."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.changeable = self.may_change(request, row)
        return row

    def phone_lines(self, row: Any) -> tuple[str, str]:
        floor = "" if row.floor is None else _("floor %(floor)s") % {"floor": isolated(row.floor)}
        beside = filter(None, [floor, row.get_occupancy_display()])
        people = dict.fromkeys(isolated(each.user) for each in row.current)
        return capfirst(listed(beside)) or "", listed(people)

    @admin.display(description=pgettext_lazy("heading", "unit"), ordering="number")
    def unit(self, row: Apartment) -> str:
        return str(row)

    @admin.display(description=_("people"))
    def people(self, row: Any) -> str:
        return listed(dict.fromkeys(with_standing(each.user, each) for each in row.current))

    @admin.display(description=_("People"))
    def current_people(self, row: Any) -> SafeString:
        return unit_people(row, changeable=row.changeable)

    @admin.display(description=_("Former people"))
    def former_people(self, row: Apartment) -> SafeString:
        former = row.memberships.filter(ended_at__isnull=False)
        rows = list(former.select_related("user").order_by("-pk"))
        return render_to_string("backoffice/people.html", {"memberships": rows, "ended": True})

    @admin.display(description=_("Entries"))
    def entries(self, row: Apartment) -> SafeString:
        return history.table(history.of_unit(row))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = clean(search_term).strip()
        if not term:
            return queryset, False
        people = people_matching(term, scope(request).sees)
        return queryset.filter(units_matching(term, people)), False

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        row = type("ApartmentListForm", (ApartmentListForm,), {"changes": scope(request).changes})
        return modelform_factory(Apartment, form=row, fields=self.list_editable, **kwargs)

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_formset(request, formset=ApartmentFormSet, **kwargs)

    def get_actions(self, request: HttpRequest) -> Any:
        # An action would lose what is typed beside it.
        return {} if is_edited(request) else super().get_actions(request)

    def register_row(self, origin: Origin, typed: dict[str, Any]) -> Apartment:
        return register_apartment(origin=origin, **typed)

    def change_row(self, origin: Origin, row: Apartment, changes: dict[str, Any]) -> None:
        change_apartment(origin=origin, apartment=row, changes=changes)

    def change_rows(self, origin: Origin, changes: dict[int, dict[str, Any]]) -> None:
        change_apartments(origin=origin, changes=changes)

    def page_title(self, row: Apartment) -> str:
        return capfirst(unit_in_block(row.block, row)) or ""

    def lock(self, rows: Sequence[Apartment]) -> None:
        lock_blocks(row.block_id for row in rows)

    def form_lock(self, request: HttpRequest, row_ids: list[int]) -> FormLock:
        """The blocks of these units; of a new one, the block chosen for it."""
        units = self.get_queryset(request).filter(pk__in=row_ids)
        blocks = set(units.order_by().values_list("block_id", flat=True).distinct())
        chosen = row_id(request.POST.get("block", ""))
        if chosen is not None and chosen in scope(request).changes:
            blocks.add(chosen)
        return FormLock(blocks=blocks)

    def refuse_form(self, request: HttpRequest, row_ids: list[int]) -> None:
        """A form that was opened before somebody retired the unit."""
        retired = self.get_queryset(request).filter(pk__in=row_ids).exclude(closed_at=None)
        refuse(why_unit_refused(unit) for unit in retired)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        changes = scope(request).changes
        # A superuser has too many blocks for buttons: they go by the list of blocks.
        blocks = Block.objects.select_related("building").order_by("pk")
        offered = [] if changes.ids is None else distinct_labels(changes.only(blocks, "pk"))
        context = {
            "blocks_for_floors": offered,
            "may_edit": self.has_change_permission(request),
            "back_link": request.GET.get(BACK_LINK, ""),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)
