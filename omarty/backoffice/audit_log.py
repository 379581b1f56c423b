"""The audit log: a read-only list of entries, newest first."""

import json
import uuid
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from audit.models import Action, Entry
from buildings.models import Apartment, Block
from contacts.entry_masking import CONTACTS, hide_contacts
from contacts.models import User
from contacts.text import clean
from omarty.backoffice.base.active_filters import FilteredList
from omarty.backoffice.base.export import ExportingAdmin, local_time
from omarty.backoffice.base.filters import BlockFilter, DayFilter
from omarty.backoffice.base.history import NOTHING, changes, names_in
from omarty.backoffice.base.labels import actor_name, map_link, unit_in_block
from omarty.backoffice.base.request_limits import row_id
from omarty.backoffice.base.scoped_admin import scope
from omarty.backoffice.base.search import people_named
from omarty.legacy.models import LegacyRow
from omarty.tables.columns import ExportColumn, TextColumn

# Texts that entries store and pages translate: why something was refused, names in `after`. "list" and
# "phones in full" stand in entries of before. `WhyAccessRefused` and `CONTACT_TAKEN` name their own.
STORED_TEXTS = (
    gettext_noop("contacts"),
    gettext_noop("pending"),
    gettext_noop("banned"),
    gettext_noop("no office"),
    gettext_noop("list"),
    gettext_noop("rows"),
    gettext_noop("format"),
    gettext_noop("filter"),
    gettext_noop("phones in full"),
    gettext_noop("what"),
    gettext_noop("full"),
    gettext_noop("units"),
    gettext_noop("people"),
    gettext_noop("audit"),
    gettext_noop("person"),
    gettext_noop("legacy"),
)
OLDER, NEWER = "older", "newer"
# Of a search: every word adds conditions.
MOST_WORDS = 8


class EntryList(FilteredList):
    """A page of entries, newest first. It never counts them: there may be tens of millions.

    `older=7` starts below entry 7, `newer=7` ends above it; both walk the primary key.
    """

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Entry]:
        self.older, self.newer = (row_id(self.params.pop(name, "")) for name in (OLDER, NEWER))
        for name in (OLDER, NEWER):
            self.filter_params.pop(name, None)
        found: QuerySet[Entry] = super().get_queryset(request, exclude_parameters)
        return found.order_by("-pk")

    def get_results(self, request: HttpRequest) -> None:
        size = self.list_per_page
        ascending = self.newer is not None
        if ascending:
            rows = list(self.queryset.filter(pk__gt=self.newer).order_by("pk")[: size + 1])
        elif self.older is not None:
            rows = list(self.queryset.filter(pk__lt=self.older)[: size + 1])
        else:
            rows = list(self.queryset[: size + 1])
        more = len(rows) > size
        self.result_list = rows[:size][::-1] if ascending else rows[:size]
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = False
        has_newer = more if ascending else self.older is not None
        has_older = True if ascending else more
        page = self.result_list
        hide_contacts(page)
        self.newer_link = self._link(NEWER, page[0].pk) if page and has_newer else ""
        self.older_link = self._link(OLDER, page[-1].pk) if page and has_older else ""
        self.newest_link = self.get_query_string()

    def _link(self, name: str, pk: int) -> str:
        link: str = self.get_query_string({name: pk})
        return link


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


@admin.register(Entry)
class EntryAdmin(ExportingAdmin):
    """The entries of the user's blocks."""

    when_empty = _("Whatever is done in your blocks, in the app or here, will be listed.")
    list_display = ("when", "who", "did", "what", "where", "outcome")
    list_display_links = ("when",)
    list_filter = (
        BlockFilter,
        PersonFilter,
        RequestFilter,
        ("at", DayFilter),
        OutcomeFilter,
        "channel",
        ActionFilter,
    )
    # There is a search; where it looks, get_search_results() says.
    search_fields = ("actor_label", "person_label", "apartment_label", "reason")
    search_help_text = _("Part of the name of a person, a unit or a record, or of a reason.")
    export_name = "audit"
    export_columns = [
        ExportColumn[Entry](_("when"), lambda entry: local_time(entry.at)),
        ExportColumn[Entry](_("channel"), Entry.get_channel_display),
        TextColumn[Entry](_("who"), attrgetter("actor_label")),
        ExportColumn[Entry](_("action"), Entry.get_action_display),
        TextColumn[Entry](
            _("refused because"), lambda entry: entry.refused and gettext(entry.refused)
        ),
        TextColumn[Entry](_("reason"), attrgetter("reason")),
        TextColumn[Entry](_("record"), attrgetter("target_label")),
        TextColumn[Entry](_("person"), attrgetter("person_label")),
        TextColumn[Entry](_("block"), attrgetter("block_label")),
        TextColumn[Entry](_("unit"), attrgetter("apartment_label")),
        TextColumn[Entry](_("before"), lambda entry: _json(entry.before)),
        TextColumn[Entry](_("after"), lambda entry: _json(entry.after)),
        ExportColumn[Entry](_("latitude"), attrgetter("latitude")),
        ExportColumn[Entry](_("longitude"), attrgetter("longitude")),
        ExportColumn[Entry](_("IP address"), attrgetter("ip")),
        ExportColumn[Entry](_("change id"), lambda entry: str(entry.request_id)),
    ]
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER
    actions = None
    change_list_template = "backoffice/audit_log.html"
    fields = (
        ("when", "who", "outcome"),
        ("what", "concerned", "where"),
        "compared",
        ("why", "coordinates"),
        ("channel_shown", "ip_address", "together"),
    )
    readonly_fields = (
        "when",
        "who",
        "outcome",
        "what",
        "concerned",
        "where",
        "compared",
        "why",
        "coordinates",
        "channel_shown",
        "ip_address",
        "together",
    )

    def get_rangefilter_at_title(self, request: HttpRequest, field_path: str) -> Any:
        return _("day")

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        entry: Any = super().get_object(request, *args, **kwargs)
        if entry is not None:
            hide_contacts([entry])
            wanted = {User: entry.person_id, Block: entry.block_id, Apartment: entry.apartment_id}
            entry.pages = {model: self._page(request, model, pk) for model, pk in wanted.items()}
        return entry

    def _page(self, request: HttpRequest, model: Any, pk: int | None) -> str:
        """The address of this record's page; empty if the reader sees no such record."""
        seen = self.admin_site.get_model_admin(model).get_queryset(request)
        if pk is None or not seen.filter(pk=pk).exists():
            return ""
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Entries with every word in a name or the reason. Contacts are not searched: they may be hidden."""
        for word in clean(search_term).split()[:MOST_WORDS]:
            found = Q(target_label__icontains=word) & ~Q(target_type__in=CONTACTS)
            found |= Q(person_label__icontains=word) | Q(apartment_label__icontains=word)
            found |= Q(actor_label__icontains=word) & ~Q(actor_id=None)
            # Pages mask contacts in these: a search that finds a part of one would tell it bit by bit.
            # MariaDB takes ① for 1.
            if not any(map(str.isnumeric, word)) and "@" not in word:
                for name in ("reason", "actor_label"):
                    addresses = Q(**{f"{name}__contains": "@"}) | Q(**{f"{name}__contains": "＠"})
                    found |= Q(**{f"{name}__icontains": word}) & ~addresses
            # In other spellings people are found by the names that they have today.
            people = people_named(word, scope(request).sees).values("pk")
            found |= Q(person_id__in=people) | Q(actor_id__in=people)
            queryset = queryset.filter(found)
        return queryset, False

    def page_title(self, row: Entry) -> str:
        """None: the page's heading names the action."""
        return ""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[FilteredList]:
        return EntryList

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        context["title"] = kwargs["obj"].get_action_display()
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("when"))
    def when(self, entry: Entry) -> SafeString:
        local = timezone.localtime(entry.at)
        return format_html(
            '<time datetime="{}">{}</time>',
            entry.at.isoformat(),
            date_format(local, "SHORT_DATETIME_FORMAT"),
        )

    @admin.display(description=_("who"))
    def who(self, entry: Entry) -> SafeString:
        return _person(entry.actor_id, actor_name(entry.actor_label))

    @admin.display(description=_("action"))
    def did(self, entry: Entry) -> str:
        return entry.get_action_display()

    @admin.display(description=_("record"))
    def what(self, entry: Entry) -> SafeString:
        return _or_nothing(entry.target_label)

    @admin.display(description=_("person concerned"))
    def concerned(self, entry: Any) -> SafeString:
        page = entry.pages[User]
        if not page:
            return _person(entry.person_id, entry.person_label)
        return format_html(
            '<a href="{}"><bdi>{}</bdi></a> · <a href="{}?person={}">{}</a>',
            page,
            entry.person_label,
            reverse("admin:audit_entry_changelist"),
            entry.person_id,
            gettext("All entries"),
        )

    @admin.display(description=_("block, unit"))
    def where(self, entry: Any) -> SafeString:
        if not entry.block_label:
            return _or_nothing(entry.apartment_label)
        # The list has no links to them: each row would need statements of its own.
        pages = getattr(entry, "pages", {})
        page = pages.get(Apartment) or pages.get(Block)
        label = capfirst(unit_in_block(entry.block_label, entry.apartment_label))
        if not page:
            return format_html("<span>{}</span>", label)
        return format_html('<a href="{}">{}</a>', page, label)

    @admin.display(description=_("outcome"))
    def outcome(self, entry: Entry) -> SafeString:
        if not entry.refused:
            return format_html('<span class="badge good">{}</span>', gettext("Done"))
        return format_html(
            '<span class="badge bad">{}</span> {}', gettext("Refused"), gettext(entry.refused)
        )

    @admin.display(description=_("reason"))
    def why(self, entry: Entry) -> SafeString:
        return _or_nothing(entry.reason)

    @admin.display(description=_("before and after"))
    def compared(self, entry: Entry) -> SafeString | str:
        rows = list(changes(entry, names_in([entry])))
        if not rows:
            return NOTHING
        cells = (
            '<tr><th scope="row">{}</th><td><del dir="auto">{}</del></td>'
            '<td><ins dir="auto">{}</ins></td></tr>'
        )
        return format_html(
            '<table class="changes"><thead><tr><th scope="col">{}</th><th scope="col">{}</th>'
            '<th scope="col">{}</th></tr></thead><tbody>{}</tbody></table>',
            gettext("Field"),
            gettext("Before"),
            gettext("After"),
            format_html_join("", cells, rows),
        )

    @admin.display(description=_("coordinates"))
    def coordinates(self, entry: Entry) -> SafeString | str:
        if entry.latitude is None or entry.longitude is None:
            return NOTHING
        return map_link(entry.latitude, entry.longitude)

    @admin.display(description=_("IP address"))
    def ip_address(self, entry: Entry) -> SafeString:
        return format_html('<bdi dir="ltr">{}</bdi>', entry.ip or NOTHING)

    @admin.display(description=_("channel"))
    def channel_shown(self, entry: Entry) -> str:
        return entry.get_channel_display()

    def before_export(self, rows: list[Entry]) -> None:
        hide_contacts(rows)

    @admin.display(description=_("change"))
    def together(self, entry: Entry) -> SafeString:
        return format_html(
            '<a href="{}?request={}">{}</a>',
            reverse("admin:audit_entry_changelist"),
            entry.request_id,
            gettext("All entries of this change"),
        )


def _json(values: dict[str, Any] | None) -> str:
    return "" if values is None else json.dumps(values, ensure_ascii=False)


def _person(pk: int | None, name: str) -> SafeString:
    if pk is None:
        return _or_nothing(name)
    log = reverse("admin:audit_entry_changelist")
    return format_html('<a href="{}?person={}"><bdi>{}</bdi></a>', log, pk, name)


def _or_nothing(text: str) -> SafeString:
    return format_html("<bdi>{}</bdi>", text or NOTHING)
