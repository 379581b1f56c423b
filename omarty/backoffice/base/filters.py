"""Filters that lists share: one block, current or ended rows, days."""

from typing import Any

from django.contrib import admin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from rangefilter.filters import DateRangeFilter

from buildings.models import Block
from buildings.permissions import Blocks
from contacts.invitations import never_signed_in
from contacts.models import User
from omarty.backoffice.base.labels import distinct_labels
from omarty.backoffice.base.request_limits import EARLIEST, LATEST, row_id
from omarty.backoffice.base.scoped_admin import ScopedAdmin, scope


class BlockFilter(admin.SimpleListFilter):
    """One of the user's own blocks."""

    title = pgettext_lazy("heading", "block")
    parameter_name = "block"
    # More would make the filter longer than the list; the search finds a block by its number.
    most = 50

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        blocks = Block.objects.select_related("building").order_by("pk")
        seen = scope(request).sees.only(blocks, "pk")
        return [(str(block.pk), label) for block, label in distinct_labels(seen[: self.most])]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        value = self.value()
        if value is None:
            return queryset
        block = row_id(value)
        if block is None or block not in scope(request).sees:
            return queryset.none()
        return self.model_admin.within(Blocks(frozenset([block])), queryset)

    def __init__(
        self, request: HttpRequest, params: Any, model: Any, model_admin: ScopedAdmin
    ) -> None:
        self.model_admin = model_admin
        super().__init__(request, params, model, model_admin)


class SignedInFilter(admin.SimpleListFilter):
    """People by whether they have come in yet: who never did may be invited."""

    title = _("sign-in")
    parameter_name = "signed_in"
    # A lookup that ends at the person.
    path = "pk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("never", _("Never signed in")), ("yes", _("Signed in, or has a password"))]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        never = never_signed_in()
        if self.path != "pk":
            never = models.Q(**{f"{self.path}__in": User.objects.filter(never)})
        chosen = {"never": never, "yes": ~never}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


class EndedFilter(admin.SimpleListFilter):
    """Current rows, unless ended ones are asked for: those that have a time in `field`.

    `current` is the label of the first choice, `ended` the value and label of the second.
    """

    field: str
    current: Any
    ended: tuple[str, Any]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [self.ended, ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": self.current}, *others]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        if self.value() == "all":
            return queryset
        return queryset.filter(**{f"{self.field}__isnull": self.value() != self.ended[0]})


class DayFilter(DateRangeFilter):  # type: ignore[misc]
    """From one day to another. The title comes from the list's `get_rangefilter_<field>_title()`."""

    def _get_form_fields(self) -> Any:
        fields = super()._get_form_fields()
        for field in fields.values():
            field.validators += [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
        return fields
