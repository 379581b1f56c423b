"""Memberships of the user's blocks: current and former ones, and requests."""

from collections.abc import Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from buildings.models import Membership
from buildings.operations import lock_blocks
from buildings.request_notices import waiting_longer_than
from contacts.contact_operations import Contact
from contacts.models import Kind, Status, User
from omarty.backoffice.base import history
from omarty.backoffice.base.export import ExportingAdmin, local_time
from omarty.backoffice.base.filters import BlockFilter, EndedFilter, SignedInFilter
from omarty.backoffice.base.labels import listed_phrases, unit_in_block
from omarty.backoffice.base.row_actions import RowActionsAdmin
from omarty.backoffice.base.scoped_admin import scope
from omarty.backoffice.base.search import digits_of, people_matching
from omarty.backoffice.membership_actions import (
    ApproveRequest,
    Ban,
    ChangeRole,
    MoveOut,
    Readmit,
    RefuseRequest,
)
from omarty.backoffice.membership_requests import RequestsAdmin
from omarty.backoffice.office_actions import HandOver
from omarty.tables.columns import ContactColumn, ExportColumn


class WaitingFilter(admin.SimpleListFilter):
    """Requests by how long they have waited."""

    title = _("waiting for")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        words = _("More than %(hours)d hours")
        return [(str(hours), words % {"hours": hours}) for hours in (24, 48, 72)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        longer = waiting_longer_than(timedelta(hours=int(self.value() or 0)))
        return queryset.filter(longer, status=Status.PENDING, ended_at=None)


class FormerFilter(EndedFilter):
    """Current memberships, unless former ones are asked for."""

    title = _("current or former")
    parameter_name = "period"
    field = "ended_at"
    current, ended = _("Current"), ("past", _("Former"))


class MemberSignedInFilter(SignedInFilter):
    """Memberships by whether their people have come in yet."""

    path = "user"


@admin.register(Membership)
class MembershipAdmin(RequestsAdmin, ExportingAdmin, RowActionsAdmin):
    """The memberships of the user's blocks; only row actions change them."""

    when_empty = _("People who ask in the app to belong to one of your units will be listed here.")
    export_name = "memberships"
    export_columns = [
        ExportColumn[Membership](_("person"), lambda row: str(row.user)),
        ContactColumn[Membership](_("email"), lambda row: [Contact(row.user, Kind.EMAIL)]),
        ContactColumn[Membership](_("phone"), lambda row: [Contact(row.user, Kind.PHONE)]),
        ExportColumn[Membership](_("block"), lambda row: str(row.block)),
        ExportColumn[Membership](_("unit"), lambda row: str(row.apartment or "")),
        ExportColumn[Membership](_("role"), Membership.get_role_display),
        ExportColumn[Membership](_("status"), attrgetter("standing")),
        ExportColumn[Membership](_("since"), lambda row: local_time(row.started_at)),
        ExportColumn[Membership](_("until"), lambda row: local_time(row.ended_at)),
    ]

    row_actions = {
        "approve": ApproveRequest,
        "refuse": RefuseRequest,
        "role": ChangeRole,
        "hand-over": HandOver,
        "move-out": MoveOut,
        "ban": Ban,
        "readmit": Readmit,
    }
    bulk = ("approve", "refuse", "move-out", "ban", "readmit")
    list_display = ("user", "apartment", "block", "role", "standing", "started_at", "ended_at")
    list_select_related = ("user", "apartment", "block")
    list_filter = (
        "status",
        WaitingFilter,
        "role",
        BlockFilter,
        FormerFilter,
        MemberSignedInFilter,
    )
    search_fields = ("user__name",)
    search_help_text = _(
        "Words of a name, a phone or four digits of it, e-mail, or number of the unit"
    )
    ordering = ("-pk",)
    sortable_by = ("role", "standing", "started_at", "asked_at", "ended_at")
    fields = (
        "user",
        "block",
        "apartment",
        "role",
        "standing",
        "started_at",
        "ended_at",
        "entries",
    )
    readonly_fields = ("standing", "asked_at", "phones", "members", "entries")

    def phone_lines(self, row: Membership) -> tuple[str, str]:
        unit = unit_in_block(row.block, row.apartment)
        return "", listed_phrases([capfirst(unit), row.get_role_display(), row.standing])

    @admin.display(description=_("status"), ordering="status")
    def standing(self, row: Membership) -> str:
        return row.standing

    @admin.display(description=_("entries"))
    def entries(self, row: Membership) -> SafeString:
        return history.table(Entry.objects.filter(target_type="membership", target_id=row.pk))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        people = User.objects.filter(people_matching(term, scope(request).sees))
        found = Q(user__in=people)
        if number := digits_of(term):
            found |= Q(apartment__number__contains=number)
        return queryset.filter(found), False

    def lock(self, rows: Sequence[Membership]) -> None:
        lock_blocks(row.block_id for row in rows)
