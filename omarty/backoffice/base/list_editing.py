"""A list that shows plain text until it is to be edited, and after a save the rows that changed."""

import re
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import BaseModelFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from omarty.backoffice.base.active_filters import FilteredList
from omarty.backoffice.base.request_limits import BACK_LINK, row_id

# What an address has of it: whether the list is edited, and the request whose changes it shows.
EDIT, CHANGED = "edit", "changed"
_ID = re.compile(r"form-(\d{1,4})-id")


def is_edited(request: HttpRequest) -> bool:
    """Whether the list shows fields, or they are sent."""
    return EDIT in request.GET or "_save" in request.POST


class EditedList(FilteredList):
    """A list that has fields where the address asks for them; refused, it shows the rows that were sent."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if not is_edited(request):
            self.list_editable: Any = ()

    def get_filters_params(self, params: Any = None) -> Any:
        lookups = super().get_filters_params(params)
        return {name: each for name, each in lookups.items() if name not in (EDIT, BACK_LINK)}

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = [(_ID.fullmatch(name), row_id(str(request.POST[name]))) for name in request.POST]
        sent = {int(each[1]): pk for each, pk in found if each}
        if "_save" in request.POST:
            # They may match the filters no longer, and the forms stand in this order.
            rows = self.root_queryset.in_bulk([pk for pk in sent.values() if pk is not None])
            ordered = [rows[pk] for _index, pk in sorted(sent.items()) if pk in rows]
            self.result_list: Any = ordered


class ChangedFilter(admin.SimpleListFilter):
    """The rows that one request changed, by its id; a list without that in its address does not offer it."""

    title = _("just changed")
    parameter_name = CHANGED

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        asked = request.GET.get(CHANGED)
        return [(asked, _("In one save"))] if asked else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        try:
            request_id = UUID(self.value() or "")
        except ValueError:
            return queryset.none() if self.value() else queryset
        changes = Entry.objects.filter(request_id=request_id, refused="")
        changes = changes.filter(target_type=queryset.model._meta.model_name)
        return queryset.filter(pk__in=changes.values("target_id"))


class EditedFormSet(BaseModelFormSet):  # type: ignore[type-arg]
    """The forms of an edited list. `refusal` is what was in the way after they had been found right."""

    refusal = ""

    def clean(self) -> None:
        super().clean()
        if self.refusal:
            raise ValidationError(self.refusal)
