"""Rows that could not come in from the legacy server. Only superusers read them: they are in no block."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from omarty.backoffice.base import history
from omarty.backoffice.base.active_filters import FilteredList
from omarty.backoffice.base.row_actions import OfficeAdmin
from omarty.backoffice.quarantine_actions import MarkDone, Reopen
from omarty.backoffice.quarantine_links import links
from omarty.backoffice.quarantine_words import ADVICE, TABLES, facts, in_words, kind
from omarty.legacy.models import QuarantinedRow, QuarantineReason, harmless


class StateFilter(admin.SimpleListFilter):
    """What is to be done, unless another state is asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [
            ("harmless", _("Nothing to do")),
            ("done", _("Done")),
            ("gone", _("Deleted at the source since")),
            ("all", _("All")),
        ]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": _("To be done")}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "all":
                return queryset
            case "done":
                return queryset.exclude(done_at=None)
            case "harmless":
                return queryset.filter(harmless(), done_at=None)
            case "gone":
                return queryset.filter(done_at=None).exclude(gone_at=None)
        return queryset.filter(done_at=None).exclude(harmless())


class KindFilter(admin.SimpleListFilter):
    """Rows of one legacy table."""

    title = _("kind")
    parameter_name = "table"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return list(TABLES.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset if self.value() is None else queryset.filter(table=self.value())


class QuarantineList(FilteredList):
    """Rows with the links to their records, fetched for the whole page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: Any = list(self.result_list)
        found = links(rows)
        for row in rows:
            row.links = found[row.pk]
        self.result_list = rows


@admin.register(QuarantinedRow)
class QuarantineAdmin(OfficeAdmin):
    """Each legacy row in words, with the reason, what to do about it, and whether somebody did."""

    when_empty = _(
        "Rows that the import from the legacy server cannot take in will be listed here."
    )
    row_actions = {"done": MarkDone, "reopen": Reopen}
    bulk = ("done",)
    list_display = ("row", "said", "reason", "advice", "record", "done")
    list_filter = (StateFilter, KindFilter, "reason")
    list_select_related = ("done_by",)
    sortable_by = ()
    search_fields = ("=key", "source")
    search_help_text = _("Legacy id, or a word of the row")
    ordering = ("table", "pk")
    readonly_fields = ("row", "advice", "record", "done", "said_in_full", "gone")

    def get_fieldsets(self, request: HttpRequest, obj: QuarantinedRow | None = None) -> Any:
        main = ["row", "reason", "advice", "record", "done", "at", "gone"]
        return [
            (None, {"fields": main}),
            (_("Legacy row"), {"fields": ["said_in_full"], "classes": ["titled"]}),
            (_("As it was read"), {"fields": ["table", "key", "column", "source"]}),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return QuarantineList

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.links = links([row])[row.pk]
        return row

    def page_title(self, row: QuarantinedRow) -> str:
        return f"{kind(row)} {row.key}"

    def phone_lines(self, row: QuarantinedRow) -> tuple[str, str]:
        return row.get_reason_display(), in_words(row)

    @admin.display(description=_("legacy row"))
    def row(self, row: QuarantinedRow) -> str:
        return self.page_title(row)

    @admin.display(description=_("what it says"))
    def said(self, row: QuarantinedRow) -> SafeString:
        return format_html("<bdi>{}</bdi>", in_words(row) or history.NOTHING)

    @admin.display(description=_("what it says"))
    def said_in_full(self, row: QuarantinedRow) -> SafeString:
        rows = format_html_join(
            "",
            '<tr><th scope="row">{}</th><td dir="auto">{}</td></tr>',
            facts(row, whole=True),
        )
        return format_html('<table class="changes"><tbody>{}</tbody></table>', rows)

    @admin.display(description=_("what to do"))
    def advice(self, row: QuarantinedRow) -> str:
        return str(ADVICE[QuarantineReason(row.reason)])

    @admin.display(description=_("record"))
    def record(self, row: Any) -> SafeString | str:
        if not row.links:
            return history.NOTHING
        return format_html_join(" · ", '<a href="{}">{}</a>', row.links)

    @admin.display(description=_("done"))
    def done(self, row: QuarantinedRow) -> SafeString | str:
        if row.done_at is None:
            return gettext("Nothing to do") if row.is_harmless else history.NOTHING
        day = date_format(localtime(row.done_at), "SHORT_DATETIME_FORMAT")
        return format_html("<bdi>{}</bdi>, {}", row.done_by or history.NOTHING, day)

    @admin.display(description=_("deleted at the source"))
    def gone(self, row: QuarantinedRow) -> str:
        if row.gone_at is None:
            return history.NOTHING
        return date_format(localtime(row.gone_at), "SHORT_DATETIME_FORMAT")
