"""The audit log: a read-only list of entries, newest first."""

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from buildings.models import Apartment, Block
from buildings.undo import lock_change
from contacts.entry_masking import CONTACTS, hide_contacts
from contacts.models import User
from contacts.text import clean
from omarty.backoffice.audit_archives import archives_page
from omarty.backoffice.audit_filters import (
    ActionFilter,
    OutcomeFilter,
    PersonFilter,
    RequestFilter,
)
from omarty.backoffice.audit_list import EntryList
from omarty.backoffice.base.active_filters import FilteredList
from omarty.backoffice.base.export import ExportingAdmin, local_time
from omarty.backoffice.base.filters import BlockFilter, DayFilter
from omarty.backoffice.base.history import NOTHING, changes, names_in
from omarty.backoffice.base.labels import (
    actor_name,
    isolated,
    listed,
    listed_phrases,
    map_link,
    moment,
    unit_in_block,
)
from omarty.backoffice.base.row_actions import RowActionsAdmin
from omarty.backoffice.base.scoped_admin import scope
from omarty.backoffice.base.search import people_named
from omarty.backoffice.undo_action import Undo
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
    gettext_noop("residents"),
    gettext_noop("audit"),
    gettext_noop("person"),
    gettext_noop("legacy"),
)
# Blocks that one line names.
MOST_PLACES = 3
# Of a search: every word adds conditions.
MOST_WORDS = 8


@admin.register(Entry)
class EntryAdmin(ExportingAdmin, RowActionsAdmin):
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
    row_actions = {"undo": Undo}
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

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(archives_page)
        return [path("archives/", view, name=self.address_name("archives")), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        archives = self.address("archives") if scope(request).sees.ids is None else ""
        return super().changelist_view(request, {"archives_link": archives})

    def lock(self, rows: Sequence[Entry]) -> None:
        for row in rows:
            lock_change(row.request_id)

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

    def phone_lines(self, entry: Entry) -> tuple[str, str]:
        where = unit_in_block(entry.block_label, entry.apartment_label) if entry.block_label else ""
        names = [actor_name(entry.actor_label), entry.target_label]
        refused = gettext("Refused") if entry.refused else ""
        told = [refused, *(isolated(name) for name in names if name), where]
        return self.did(entry), listed_phrases(filter(None, told))

    @admin.display(description=_("when"))
    def when(self, entry: Entry) -> SafeString:
        return moment(entry.at)

    @admin.display(description=_("who"))
    def who(self, entry: Entry) -> SafeString:
        return _person(entry.actor_id, actor_name(entry.actor_label))

    @admin.display(description=_("action"))
    def did(self, entry: Any) -> str:
        together = entry.together
        if together is None:
            return str(entry.get_action_display())
        return listed(together.done) or gettext("Many entries")

    @admin.display(description=_("record"))
    def what(self, entry: Any) -> SafeString:
        """What it was done to; in the list also what changed, or the way to the other entries."""
        label = _or_nothing(entry.target_label)
        together = getattr(entry, "together", None)
        if together is not None:
            return format_html(
                "<span>{}<br>{}</span>", label, _open_all(entry, together.counts.total())
            )
        if words := getattr(entry, "words", None):
            return format_html(
                '<span>{}<br><span class="changed">{}</span></span>', label, listed(words)
            )
        return label

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
        together = getattr(entry, "together", None)
        if together is not None:
            return _places(together.places)
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


def _open_all(entry: Entry, count: int) -> SafeString:
    """The link that opens a change of many entries."""
    text = gettext("All entries of this change")
    if count:
        text = ngettext("All %(count)d entry", "All %(count)d entries", count) % {"count": count}
    log = reverse("admin:audit_entry_changelist")
    return format_html('<a href="{}?request={}">{}</a>', log, entry.request_id, text)


def _places(places: set[tuple[str, str]]) -> SafeString:
    """Where a change was: its unit, or its block, or its blocks."""
    named = sorted(place for place in places if place[0])
    if len(named) > 1:
        named = [(block, "") for block in sorted({block for block, _unit in named})]
    shown = listed(unit_in_block(*place) for place in named[:MOST_PLACES])
    more = "…" if len(named) > MOST_PLACES else ""
    return format_html("<span>{}{}</span>", capfirst(shown) or NOTHING, more)


def _json(values: dict[str, Any] | None) -> str:
    return "" if values is None else json.dumps(values, ensure_ascii=False)


def _person(pk: int | None, name: str) -> SafeString:
    if pk is None:
        return _or_nothing(name)
    log = reverse("admin:audit_entry_changelist")
    return format_html('<a href="{}?person={}"><bdi>{}</bdi></a>', log, pk, name)


def _or_nothing(text: str) -> SafeString:
    return format_html("<bdi>{}</bdi>", text or NOTHING)
