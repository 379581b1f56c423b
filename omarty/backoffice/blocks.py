"""Blocks and buildings: superusers register and edit them, others see those of their blocks."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.models import Entry
from audit.operations import Origin
from buildings.models import Block, Building
from buildings.operations import (
    change_block,
    change_building,
    lock_blocks,
    refuse_taken_block_number,
    register_block,
    register_building,
)
from buildings.permissions import Blocks
from omarty.backoffice.base import history
from omarty.backoffice.base.export import ExportingAdmin
from omarty.backoffice.base.form_lock import FormLock, FormLockAdmin
from omarty.backoffice.base.forms import ModelForm, SeenForm, reason_field
from omarty.backoffice.base.labels import building_name, listed, map_link, unit_in_block
from omarty.backoffice.base.request_limits import row_id
from omarty.backoffice.base.row_actions import RowActionsAdmin
from omarty.backoffice.base.scoped_admin import ModelAdmin, scope, titled
from omarty.backoffice.base.search import named
from omarty.backoffice.block_actions import AddFloors
from omarty.backoffice.first_steps import register_block_step
from omarty.backoffice.hubs import BlockHub
from omarty.backoffice.invitation_actions import InviteBlock
from omarty.backoffice.office_actions import AppointManager
from omarty.tables.columns import ExportColumn

# On a block's page; the audit log has them all.
RECENT_ENTRIES = 10


class RegisteredForm(SeenForm, ModelForm):
    """A building or block on its own page."""

    reason = reason_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.seen_row() is None:
            self.fields.pop("reason", None)

    def seen_row(self) -> Any:
        return None if self.instance._state.adding else self.instance


class BlockForm(RegisteredForm):
    """A block; its number must be free in its building."""

    guarded = (
        "building",
        "number",
        "name",
        "floors",
        "units_planned",
        "longitude",
        "latitude",
        "status",
    )

    def clean(self) -> Any:
        cleaned = super().clean()
        building, number = (self.cleaned_data.get(name) for name in ("building", "number"))
        if building and number and {"building", "number"} & set(self.changed_data):
            refuse_taken_block_number(building, number, but=self.seen_row())
        return cleaned


class BuildingForm(RegisteredForm):
    """A building; it needs a name in one language at least."""

    guarded = ("name_ar", "name_en", "country", "governorate", "city", "region", "street")

    def clean(self) -> Any:
        cleaned = super().clean()
        names = (self.data.get(self.add_prefix(name), "") for name in ("name_ar", "name_en"))
        if not any(name.strip() for name in names):
            self.add_error("name_ar", _("A building needs a name, in either language."))
        return cleaned


class SuperusersAdmin(FormLockAdmin):
    """Rows that superusers add and change, and others at most look at."""

    editable = addable = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._everything(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._everything(request)

    def _everything(self, request: HttpRequest) -> bool:
        return scope(request).changes.ids is None


class NamedAdmin(ModelAdmin):
    """Rows that are searched by their names."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (queryset.filter(named(search_term)) if search_term.strip() else queryset), False


@admin.register(Block)
class BlockAdmin(NamedAdmin, SuperusersAdmin, ExportingAdmin, RowActionsAdmin):
    """The user's blocks, to look at and to add floors to; superusers register and edit them."""

    form = BlockForm

    when_empty = _("Register a building, then its blocks; then appoint each block's manager.")
    export_name = "blocks"
    export_columns = [
        ExportColumn[Block](_("id"), attrgetter("pk")),
        ExportColumn[Block](_("building"), lambda block: str(block.building)),
        ExportColumn[Block](_("number"), attrgetter("number")),
        ExportColumn[Block](_("name"), attrgetter("name")),
        ExportColumn[Block](_("floors"), attrgetter("floors")),
        ExportColumn[Block](_("units planned"), attrgetter("units_planned")),
        ExportColumn[Block](_("status"), Block.get_status_display),
    ]

    block_path = "pk"
    row_actions = {"appoint": AppointManager, "add-floors": AddFloors, "invite": InviteBlock}
    list_display = ("number", "name", "building_shown", "status")
    readonly_fields = (
        "managers",
        "figures",
        "building_shown",
        "coordinates",
        "created_at",
        "entries",
    )
    list_select_related = ("building",)
    search_fields = ("folded",)
    ordering = ("pk",)

    def get_fieldsets(self, request: HttpRequest, obj: Block | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": BlockForm.guarded})]
        fields = [*BlockForm.guarded, "reason", "created_at"]
        if not self.has_change_permission(request):
            fields = ["building_shown", "number", "name", "floors", "units_planned"]
            fields += ["coordinates", "status", "created_at"]
        return [
            titled(_("Managers"), "managers"),
            titled(_("At a glance"), "figures"),
            (_("The block"), {"fields": fields}),
            titled(_("Entries"), "entries"),
        ]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """The block, with what its page gathers for this user."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.hub = BlockHub(request, row)
        return row

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        row = context["original"]
        context["next_steps"] = [] if row is None else row.hub.next_steps()
        return super().render_change_form(request, context, *args, **kwargs)

    def response_post_save_add(self, request: HttpRequest, obj: Block) -> HttpResponseRedirect:
        """A new block's page says what it lacks to begin with."""
        return HttpResponseRedirect(self.address("change", obj.pk))

    @admin.display(description=_("Managers"))
    def managers(self, row: Any) -> SafeString:
        hub: BlockHub = row.hub
        return hub.managers_shown()

    @admin.display(description=_("At a glance"))
    def figures(self, row: Any) -> SafeString:
        hub: BlockHub = row.hub
        return hub.figures_shown()

    @admin.display(description=_("Entries"))
    def entries(self, row: Block) -> SafeString:
        return history.table(Entry.objects.filter(block_id=row.pk), most=RECENT_ENTRIES)

    def register_row(self, origin: Origin, typed: dict[str, Any]) -> Block:
        return register_block(origin=origin, **typed)

    def change_row(self, origin: Origin, row: Block, changes: dict[str, Any]) -> None:
        change_block(origin=origin, block=row, changes=changes)

    def form_lock(self, request: HttpRequest, row_ids: list[int]) -> FormLock:
        """The building chosen for the block, whose numbers are checked, and the block."""
        chosen = row_id(request.POST.get("building", ""))
        return FormLock(buildings=[] if chosen is None else [chosen], blocks=row_ids)

    def page_title(self, row: Block) -> str:
        return capfirst(unit_in_block(row)) or ""

    def phone_lines(self, row: Block) -> tuple[str, str]:
        named_and_status = filter(None, [row.name, row.get_status_display()])
        return listed(named_and_status), building_name(row.building)

    @admin.display(description=pgettext_lazy("heading", "building"))
    def building_shown(self, row: Block) -> SafeString:
        address = reverse("admin:buildings_building_change", args=[row.building_id])
        return format_html('<a href="{}"><bdi>{}</bdi></a>', address, building_name(row.building))

    @admin.display(description=_("coordinates"))
    def coordinates(self, row: Block) -> SafeString | str:
        if row.latitude is None or row.longitude is None:
            return history.NOTHING
        return map_link(row.latitude, row.longitude)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        field.label_from_instance = building_name
        return field

    def block_ids(self, row: Block) -> list[int]:
        return [row.pk]

    def lock(self, rows: Sequence[Block]) -> None:
        lock_blocks(row.pk for row in rows)


@admin.register(Building)
class BuildingAdmin(NamedAdmin, SuperusersAdmin):
    """The buildings that blocks stand in; superusers register and edit them."""

    form = BuildingForm
    when_empty = _("Register a building, then its blocks; then appoint each block's manager.")
    block_path = "blocks__pk"

    list_display = ("called", "name_en", "name_ar", "city", "region", "street")
    search_fields = ("folded",)
    ordering = ("pk",)
    readonly_fields = ("blocks_shown",)
    change_form_template = "backoffice/change_form.html"

    def page_title(self, row: Building) -> str:
        return building_name(row)

    def phone_lines(self, row: Building) -> tuple[str, str]:
        return "", listed(filter(None, [row.street, row.region, row.city]))

    @admin.display(description=pgettext_lazy("heading", "building"))
    def called(self, row: Building) -> str:
        return building_name(row)

    def within(self, blocks: Blocks, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The buildings of these blocks; for a superuser also those without a block yet."""
        return rows if blocks.ids is None else super().within(blocks, rows).distinct()

    def block_ids(self, row: Building) -> list[int]:
        return list(row.blocks.values_list("pk", flat=True))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """A manager gets here by a link; the header has what managers need daily."""
        return scope(request).sees.ids is None

    def get_fieldsets(self, request: HttpRequest, obj: Building | None = None) -> Any:
        reason = ["reason"] if obj is not None and self.has_change_permission(request) else []
        of_building = (None, {"fields": [*BuildingForm.guarded, *reason]})
        return [of_building] if obj is None else [titled(_("Blocks"), "blocks_shown"), of_building]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """The building, with the blocks that its page shows to this user."""
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.seen = list(scope(request).sees.only(row.blocks.order_by("pk"), "pk"))
        return row

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        row = context["original"]
        adds = row is not None and self.has_change_permission(request)
        context["next_steps"] = [register_block_step(row)] if adds else []
        return super().render_change_form(request, context, *args, **kwargs)

    def response_post_save_add(self, request: HttpRequest, obj: Building) -> HttpResponseRedirect:
        """A new building's page offers to register a block of it."""
        return HttpResponseRedirect(self.address("change", obj.pk))

    @admin.display(description=_("Blocks"))
    def blocks_shown(self, row: Any) -> SafeString:
        return render_to_string("backoffice/blocks.html", {"blocks": row.seen})

    def register_row(self, origin: Origin, typed: dict[str, Any]) -> Building:
        return register_building(origin=origin, **typed)

    def change_row(self, origin: Origin, row: Building, changes: dict[str, Any]) -> None:
        change_building(origin=origin, building=row, changes=changes)

    def form_lock(self, request: HttpRequest, row_ids: list[int]) -> FormLock:
        return FormLock(buildings=row_ids)
