"""Filters of the audit log: what was done, how it ended, to whom, in which change."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.models import Action, Entry
from omarty.backoffice.base.request_limits import row_id
from omarty.backoffice.base.scoped_admin import scope
from omarty.legacy.models import LegacyRow

# Actions whose entries name no block.
WITHOUT_BLOCK = {
    Action.SIGNED_IN,
    Action.SIGNED_OUT,
    Action.SESSION_RENEWED,
    Action.SESSION_ENDED,
    Action.USER_REGISTERED,
    Action.PASSWORD_CHANGED,
    Action.STATUS_CHANGED,
    Action.BUILDING_REGISTERED,
    Action.BUILDING_CHANGED,
    Action.USER_ERASED,
    Action.ENTRIES_ARCHIVED,
    Action.LEGACY_QUARANTINED,
    Action.LEGACY_DONE,
    Action.LEGACY_REOPENED,
}
# Those of them whose entries from the legacy server's log may name one.
LEGACY_WITH_BLOCK = {Action.SIGNED_IN, Action.USER_REGISTERED, Action.PASSWORD_CHANGED}


class ActionFilter(admin.SimpleListFilter):
    """What was done: the actions that can be among the reader's entries."""

    title = _("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        missing = set() if scope(request).sees.ids is None else set(WITHOUT_BLOCK)
        if LegacyRow.objects.exists():
            missing -= LEGACY_WITH_BLOCK
        else:
            missing |= {each for each in Action if each.startswith("legacy.")}
        return [(each.value, each.label) for each in Action if each not in missing]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        return queryset if self.value() is None else queryset.filter(action=self.value())


class OutcomeFilter(admin.SimpleListFilter):
    """Done, or refused."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("done", _("Done")), ("refused", _("Refused"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        if self.value() == "done":
            return queryset.filter(refused="")
        if self.value() == "refused":
            return queryset.exclude(refused="")
        return queryset


class PersonFilter(admin.SimpleListFilter):
    """What one person did, or what was done to them: `person=<id>`, reached by links."""

    title = pgettext_lazy("heading", "person")
    parameter_name = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = request.GET.get(self.parameter_name, "")
        number = row_id(chosen)
        if number is None:
            return [(chosen, chosen)] if chosen else []
        seen = model_admin.get_queryset(request).order_by("-pk")
        entry = seen.filter(person_id=number).first() or seen.filter(actor_id=number).first()
        if entry is None:
            return [(str(number), f"#{number}")]
        name = entry.person_label if entry.person_id == number else entry.actor_label
        return [(str(number), name)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        if self.value() is None:
            return queryset
        number = row_id(self.value() or "")
        return (
            queryset.filter(Q(person_id=number) | Q(actor_id=number)) if number else queryset.none()
        )


class RequestFilter(admin.SimpleListFilter):
    """All entries of one request, or of one run of a command: `request=<uuid>`, reached by links."""

    title = _("change")
    parameter_name = "request"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        chosen = request.GET.get(self.parameter_name)
        return [(chosen, _("All entries of one change"))] if chosen else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        if self.value() is None:
            return queryset
        try:
            return queryset.filter(request_id=uuid.UUID(self.value()))
        except ValueError:
            return queryset.none()
