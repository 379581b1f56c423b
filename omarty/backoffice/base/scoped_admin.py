"""Which rows a request may see and change in the back-office; every list and form derives from it."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.admin import FieldListFilter
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import models
from django.forms.widgets import Media, Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.models import Channel
from audit.operations import Origin
from buildings.models import Block
from buildings.permissions import Blocks, Reach, reach
from contacts.models import User
from omarty.backoffice.base.active_filters import FilteredList
from omarty.backoffice.base.forms import (
    ANY_LANGUAGE,
    BlockField,
    FractionField,
    NumberInput,
    WholeNumberField,
)
from omarty.backoffice.base.request_limits import row_id
from omarty.client_address import client_ip, site_of

# All that a list needs of the scripts that Django puts before its first row.
LIST_MEDIA = Media(js=[Script("admin/js/actions.js", defer=True)])  # type: ignore[list-item]
# Of a row that has nothing to be shown on its second line.
EMPTY = "–"

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


def scope(request: HttpRequest) -> Reach:
    """The blocks that the request's user sees, and those that they change; one statement a request."""
    known: Reach | None = getattr(request, "_reach", None)
    if known is None:
        known = request._reach = reach(request.user)  # type: ignore[attr-defined]
    return known


def forget_scope(request: HttpRequest) -> None:
    """Ask for the user's rights again: others may have changed them while this request waited for a lock."""
    request._reach = None  # type: ignore[attr-defined]


def ask_again(request: HttpRequest) -> None:
    """Ask for the user's rights again after a wait for a lock, and whether their session serves still.

    Raises PermissionDenied.
    """
    forget_scope(request)
    user = request.user
    same = User.objects.filter(pk=user.pk or 0, session_stamp=getattr(user, "session_stamp", ""))
    if not same.exists():
        # What came in time is not done by whoever has lost the account meanwhile.
        raise PermissionDenied


def origin_of(request: HttpRequest, *, reason: str = "") -> Origin:
    """Who acts, from where and why, for the audit log: one request, one id."""
    return Origin(
        channel=Channel.BACK_OFFICE,
        actor=request.user if request.user.is_authenticated else None,
        reason=reason,
        ip=client_ip(request),
        site=site_of(request),
        request_id=request.request_id,  # type: ignore[attr-defined]
    )


def titled(title: Any, field: str) -> tuple[Any, dict[str, Any]]:
    """A section of a row's page that shows one field: its title stands in place of the field's label."""
    return title, {"fields": [field], "classes": ["titled"]}


class ScopedAdmin(ModelAdmin):
    """Shows and changes only what lies in the user's blocks; anything else answers as if unknown.

    A subclass says how a row leads to its block: `block_path`, a lookup that ends at a block's id,
    and, where that is not simply `block_id`, `within()` and `block_ids()`; and by `when_empty` what
    a list without rows says. Rows are read-only unless it sets `editable` or `addable`. Nothing is
    ever deleted.
    """

    block_path = "block_id"
    when_empty: Any = ""
    editable = False
    addable = False
    formfield_overrides = {
        models.IntegerField: {"form_class": WholeNumberField, "widget": NumberInput},
        models.DecimalField: {"form_class": FractionField, "widget": NumberInput},
        models.CharField: {"widget": AdminTextInputWidget(attrs=ANY_LANGUAGE)},
    }
    # An editable list of more rows would have more fields than Django reads from one form.
    list_per_page = list_max_show_all = 100
    show_full_result_count = False
    # Counting what each filter would find costs one statement for each choice.
    show_facets = admin.ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return FilteredList

    def page_title(self, row: Any) -> str:
        """The title of a row's own pages."""
        return str(row)

    def get_list_display(self, request: HttpRequest) -> Any:
        return [*super().get_list_display(request), "more"]

    def phone_lines(self, row: Any) -> tuple[str, str]:
        """What a phone shows of a row until it is opened: beside its title, and below that."""
        raise NotImplementedError

    @admin.display(description=_("More"))
    def more(self, row: Any) -> SafeString:
        beside, below = self.phone_lines(row)
        return format_html(
            '<span class="beside">{}</span>'
            '<details class="more"><summary><span>{}</span></summary></details>',
            beside,
            below or EMPTY,
        )

    def address_name(self, page: str) -> str:
        """The name of the address of one of the list's pages."""
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def address(self, page: str, *arguments: Any) -> str:
        """The address of one of the list's pages."""
        return reverse(f"admin:{self.address_name(page)}", args=arguments)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        if context["original"] is not None:
            context["subtitle"] = self.page_title(context["original"])
        return super().render_change_form(request, context, *args, **kwargs)

    def within(self, blocks: Blocks, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """The rows that lie in these blocks."""
        return blocks.only(rows, self.block_path)

    def block_ids(self, row: Any) -> list[int]:
        """The blocks that a row lies in."""
        return [row.block_id]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        # Django takes an empty `_to_field` for the name of a field.
        return super().get_object(request, object_id, from_field or None)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return self.within(scope(request).sees, super().get_queryset(request))

    def changeable(self, request: HttpRequest) -> models.QuerySet[Any]:
        """The rows that the user may change or add something to."""
        return self.within(scope(request).changes, self.get_queryset(request))

    def choosable(self, request: HttpRequest, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Those of the rows that a chooser offers."""
        return rows

    def choice_label(self, row: Any) -> str:
        """The row in a chooser."""
        return str(row)

    def may_change(self, request: HttpRequest, row: Any = None) -> bool:
        """Whether the user may change this row; without a row, any at all."""
        changes = scope(request).changes
        return bool(changes) if row is None else changes.meet(self.block_ids(row))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(scope(request).sees)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        sees = scope(request).sees
        return bool(sees) if obj is None else sees.meet(self.block_ids(obj))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.addable and self.may_change(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.editable and self.may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("queryset", self._choices(db_field.remote_field.model, request))
        if db_field.remote_field.model is Block:
            kwargs.setdefault("form_class", BlockField)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _choices(self, model: Any, request: HttpRequest) -> models.QuerySet[Any]:
        try:
            related = self.admin_site.get_model_admin(model)
        except NotRegistered:
            related = None
        if isinstance(related, ScopedAdmin):
            return related.changeable(request)
        none: models.QuerySet[Any] = model._default_manager.none()
        return none

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what a filter itself sends.

        Django allows any field, even a password's hash, and for a filter's field any lookup, even a
        regular expression that takes years.
        """
        return lookup in self._filter_parameters(request)

    def _filter_parameters(self, request: HttpRequest | None) -> set[str]:
        names: set[str] = set()
        filters: tuple[Any, ...] = tuple(self.list_filter)
        for each in filters:
            if isinstance(each, type):
                names.add(cast(Any, each).parameter_name)
                continue
            name, make = (each, FieldListFilter.create) if isinstance(each, str) else each
            field: Any = self.opts.get_field(name)
            spec: Any = make(field, cast(Any, request), {}, self.model, self, field_path=name)
            names.update(spec.expected_parameters())
        return names

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if any(row_id(each) is None for each in chosen):
            raise SuspiciousOperation("what was chosen are no ids")
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse):
            response.context_data = {**(response.context_data or {}), "media": LIST_MEDIA}
        return response

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """A row's page shows its entries in the audit log."""
        return HttpResponseRedirect(self.address("change", object_id))

    # Operations write the audit log; a second log is not needed.
    def log_addition(self, *args: Any) -> Any:
        return None

    def log_change(self, *args: Any) -> Any:
        return None

    def log_deletions(self, *args: Any) -> Any:
        return None
