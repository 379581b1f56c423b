"""A page of the audit log: newest first, never counted whole, each change of many entries in one line."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from audit.models import Action, Channel, Entry
from contacts.entry_masking import hide_contacts
from omarty.backoffice.audit_filters import RequestFilter
from omarty.backoffice.base.active_filters import FilteredList
from omarty.backoffice.base.history import changes_in_words, names_in
from omarty.backoffice.base.request_limits import row_id
from omarty.backoffice.base.scoped_admin import ScopedAdmin
from omarty.backoffice.undo_action import undo_link

OLDER, NEWER = "older", "newer"
# Of the changes on one page so many entries are read to say what they did: a table of a million rows is one
# change as well.
MOST_COUNTED = 10_000


@dataclass
class Together:
    """Of a change with several entries in the list: how often it did what, in which blocks and units.

    `counts` is empty where the entries were too many to be counted.
    """

    counts: Counter[str] = field(default_factory=Counter)
    places: set[tuple[str, str]] = field(default_factory=set)

    @property
    def done(self) -> list[str]:
        """What was done, in words, and how often."""
        return [f"{Action(action).label} ({count})" for action, count in self.counts.most_common()]


class EntryList(FilteredList):
    """A page of entries, newest first. It never counts them: there may be tens of millions.

    Of each change the newest entry stands for all of it, in the list as it is filtered; with a filter
    for one change all its entries are listed. `older=7` starts below entry 7, `newer=7` ends above it;
    both walk the primary key.
    """

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Entry]:
        self.older, self.newer = (row_id(self.params.pop(name, "")) for name in (OLDER, NEWER))
        for name in (OLDER, NEWER):
            self.filter_params.pop(name, None)
        found: QuerySet[Entry] = super().get_queryset(request, exclude_parameters)
        return found.order_by("-pk")

    def get_results(self, request: HttpRequest) -> None:
        size = self.list_per_page
        self.opened = RequestFilter.parameter_name in request.GET
        lines = self.queryset if self.opened else _newest_of_each_change(self.queryset)
        ascending = self.newer is not None
        if ascending:
            rows = list(lines.filter(pk__gt=self.newer).order_by("pk")[: size + 1])
        elif self.older is not None:
            rows = list(lines.filter(pk__lt=self.older)[: size + 1])
        else:
            rows = list(lines[: size + 1])
        more = len(rows) > size
        self.result_list = rows[:size][::-1] if ascending else rows[:size]
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = False
        has_newer = more if ascending else self.older is not None
        has_older = True if ascending else more
        self._describe(self.result_list)
        address = cast(ScopedAdmin, self.model_admin).address
        self.undo_link = undo_link(request, self.result_list, address) if self.opened else ""
        page = self.result_list
        self.newer_link = self._link(NEWER, page[0].pk) if page and has_newer else ""
        self.older_link = self._link(OLDER, page[-1].pk) if page and has_older else ""
        self.newest_link = self.get_query_string()

    def _describe(self, page: list[Any]) -> None:
        """Give each line `words`, what its entry changed, and `together` if it stands for others too."""
        hide_contacts(page)
        names = names_in(page)
        heads = [each for each in page if not self.opened and _stands_for_others(each)]
        together = _together(self.queryset, {each.request_id for each in heads})
        for each in page:
            each.together = together[each.request_id] if each in heads else None
            each.words = [] if each.together else changes_in_words(each, names)

    def _link(self, name: str, pk: int) -> str:
        link: str = self.get_query_string({name: pk})
        return link


def _stands_for_others(entry: Any) -> bool:
    return bool(entry.has_others) and entry.channel != Channel.LEGACY


def _newest_of_each_change(entries: QuerySet[Entry]) -> QuerySet[Any]:
    """Of those that share a request only the newest; `has_others` says whether there are any.

    All entries from the legacy server's log came with one run of a command, and are a change each.
    """
    others = entries.order_by().filter(request_id=OuterRef("request_id"))
    own = Q(channel=Channel.LEGACY)
    newest = entries.filter(own | ~Exists(others.filter(pk__gt=OuterRef("pk")).exclude(own)))
    return newest.annotate(
        has_others=Exists(others.filter(pk__lt=OuterRef("pk")).exclude(own)),
    )


def _together(entries: QuerySet[Entry], requests: set[UUID]) -> dict[UUID, Together]:
    """What these changes did, as far as the list has it."""
    if not requests:
        return {}
    found = entries.order_by().filter(request_id__in=requests).exclude(channel=Channel.LEGACY)
    values = found.values_list("request_id", "action", "block_label", "apartment_label")[
        : MOST_COUNTED + 1
    ]
    rows = list(values)
    together = {request: Together() for request in requests}
    if len(rows) > MOST_COUNTED:
        return together
    for request, action, *place in rows:
        together[request].counts[action] += 1
        together[request].places.add((place[0], place[1]))
    return together
