"""Requests in the list of memberships, each answered in its row; and what their own pages show."""

from itertools import zip_longest
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from buildings.models import Membership
from contacts.contact_operations import (
    contacts_of,
)
from contacts.masking import shown_contact
from contacts.models import Kind, Status
from omarty.backoffice.base import history
from omarty.backoffice.base.active_filters import FilteredList
from omarty.backoffice.base.request_limits import row_id
from omarty.backoffice.base.row_actions import RowActionsAdmin
from omarty.backoffice.base.scoped_admin import titled
from omarty.backoffice.occupancy_field import vacant


class RequestList(FilteredList):
    """With `requests`: the rows that the user may answer, where the list is that of requests."""

    model_admin: "RequestsAdmin"
    requests: list[Any] = []

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if _are_requests(request):
            rows = [row for row in self.result_list if row.waits]
            self.requests = [row for row in rows if self.model_admin.may_change(request, row)]
        back = self.model_admin.get_preserved_filters(request)
        for row, following in zip_longest(self.requests, self.requests[1:]):
            row.answered_by = f"?{back}&next={following.pk if following else ''}"
            row.unit_is_vacant = bool(vacant([row.apartment]))


class RequestsAdmin(RowActionsAdmin):
    """The part of the list of memberships that is about requests."""

    change_list_template = "backoffice/membership_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        link = reverse("admin:own_notices") if self.may_change(request) else ""
        return super().changelist_view(request, {"notices_link": link, **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return RequestList

    def get_list_display(self, request: HttpRequest) -> Any:
        if not _are_requests(request):
            return super().get_list_display(request)
        answer = ["answer"] if self.may_change(request) else []
        return ["user", "apartment", "block", "role", "asked_at", *answer, "more"]

    def get_fieldsets(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        if obj is None or not obj.waits:
            return super().get_fieldsets(request, obj)
        asked = ["user", "phones", "block", "apartment", "role", "asked_at"]
        return [
            (None, {"fields": asked}),
            titled(_("Who is in the unit now"), "members"),
            titled(_("Entries"), "entries"),
        ]

    @admin.display(description=_("asked on"), ordering="started_at")
    def asked_at(self, row: Membership) -> str:
        if row.started_at is None:
            return history.NOTHING
        return date_format(timezone.localtime(row.started_at), "SHORT_DATETIME_FORMAT")

    @admin.display(description=_("answer"))
    def answer(self, row: Any) -> SafeString | str:
        if not hasattr(row, "answered_by"):
            return history.NOTHING
        return render_to_string("backoffice/answer.html", {"row": row})

    @admin.display(description=_("phone"))
    def phones(self, row: Membership) -> SafeString | str:
        """Those that the person does not hide."""
        shown = [
            (each.typed, shown_contact(each, in_full=True))
            for each in contacts_of(row.user)
            if each.kind == Kind.PHONE and not each.hidden
        ]
        link = '<a class="tap" href="tel:{}"><bdi dir="ltr">{}</bdi></a>'
        return format_html_join(" ", link, shown) or history.NOTHING

    @admin.display(description=_("Who is in the unit now"))
    def members(self, row: Membership) -> SafeString | str:
        if row.apartment is None:
            return history.NOTHING
        present = row.apartment.memberships.current().exclude(status=Status.PENDING)
        present = present.select_related("user", "block").order_by("pk")
        unit = format_html("<p>{}</p>", row.apartment.get_occupancy_display())
        return unit + render_to_string("backoffice/people.html", {"memberships": present})

    def back_from(self, request: HttpRequest, row: Any) -> str:
        """From an answer in the list to the next request there, which has the focus then."""
        if "next" not in request.GET:
            return super().back_from(request, row)
        filters = QueryDict(request.GET.get("_changelist_filters", ""), mutable=True)
        following = row_id(request.GET["next"])
        if following is None:
            # The page of the list that it was the last of may be there no more.
            filters.pop("p", None)
        place = f"#answer-{following}" if following is not None else ""
        return f"{self.address('changelist')}?{filters.urlencode()}{place}"


def _are_requests(request: HttpRequest) -> bool:
    """Whether the list is narrowed to requests."""
    return request.GET.get("status__exact") == Status.PENDING or "waiting" in request.GET
