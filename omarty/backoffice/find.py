"""Find anything: one term looked for among people, units, blocks and entries, as their own lists do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import admin
from django.db.models import Case, Exists, F, Max, OuterRef, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.models import Entry
from buildings.models import Apartment, Block, Membership
from contacts.canonical import western_digits
from contacts.contact_operations import Contact
from contacts.entry_masking import hide_contacts
from contacts.masking import shown_contact, visible
from contacts.models import Claim, Kind, Status, User
from omarty.backoffice.base.labels import (
    actor_name,
    building_name,
    listed,
    listed_phrases,
    unit_in_block,
)
from omarty.backoffice.base.request_limits import MOST_CHARACTERS, whole_number
from omarty.backoffice.base.scoped_admin import ScopedAdmin, scope
from omarty.backoffice.base.search import (
    LEAST_DIGITS,
    digits_of,
    named,
    people_matching,
    units_matching,
)

# The field of the header; as in every list's own search.
TERM = "q"
# Of each group so many are shown. So many are counted: to count more would take longer than to find.
SHOWN, COUNTED = 6, 1_000
# Where nothing else is found, the texts of so many entries are searched: the newest.
SEARCHED_ENTRIES = 20_000


@dataclass(frozen=True)
class Hit:
    """Something that was found: what it is called, its page, and what tells it from others."""

    label: str
    address: str
    details: Sequence[str]
    phone: str = ""


@dataclass(frozen=True)
class Group:
    """What was found of one kind: the first hits, and the address of the list that has all."""

    title: str
    hits: Sequence[Hit]
    all_link: str
    all_label: str = ""
    help: str = ""


@require_safe
def find_anything(request: HttpRequest) -> HttpResponse:
    """The page. What it finds is what the user's own lists find, and nothing else."""
    term = request.GET.get(TERM, "").strip()
    groups = [] if not term or len(term) > MOST_CHARACTERS else _groups(request, term)
    context = {
        **admin.site.each_context(request),
        "title": _("Find"),
        "term": term[:MOST_CHARACTERS],
        "too_long": len(term) > MOST_CHARACTERS,
        "most": MOST_CHARACTERS,
        "groups": [group for group in groups if group.hits],
        "audit_link": _list_link(Entry, term),
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "backoffice/find.html", context)


def _groups(request: HttpRequest, term: str) -> list[Group]:
    matching = people_matching(term, scope(request).sees)
    people = _people(request, term, matching)
    units = _units(request, term, matching)
    blocks = _blocks(request, term)
    entries = _entries(request, term, people[:SHOWN], units[:SHOWN], blocks[:SHOWN])
    memberships = _memberships(request, people[:SHOWN], units[:SHOWN])
    return [
        _group(
            User,
            term,
            people,
            [_person_hit(each, memberships) for each in people[:SHOWN]],
        ),
        _group(
            Apartment,
            term,
            units,
            [_unit_hit(each, memberships) for each in units[:SHOWN]],
            # Retired units are found too; the list leaves them out unless asked.
            use="all",
        ),
        _group(Block, term, blocks, [_block_hit(each) for each in blocks[:SHOWN]]),
        Group(
            _title(Entry),
            [_entry_hit(each) for each in entries],
            _list_link(Entry, term),
            _("Search the whole audit log"),
            _("The newest entries about what stands above.") if people or units or blocks else "",
        ),
    ]


# --- What is looked for ----------------------------------------------------------------------------


def _people(request: HttpRequest, term: str, matching: Q) -> list[User]:
    """People in the order of their list; those whose phone ends with the term's digits come first."""
    own = _list_of(User)
    people = own.get_queryset(request).prefetch_related(None).filter(matching, erased_at=None)
    order = own.get_ordering(request)
    digits = digits_of(term)
    if len(digits) >= LEAST_DIGITS:
        phones = Claim.objects.filter(visible(), kind=Kind.PHONE, value__endswith=digits)
        ends = Exists(phones.filter(user=OuterRef("pk")))
        people, order = people.annotate(ends=ends), ("-ends", *order)
    return list(people.order_by(*order)[: COUNTED + 1])


def _units(request: HttpRequest, term: str, matching: Q) -> list[Apartment]:
    """Units by block and number; the very number comes first, what is retired last."""
    units = _list_of(Apartment).get_queryset(request).prefetch_related(None)
    number = whole_number(term)
    very = _whether(Q(number=number)) if number is not None else Value(0)
    return list(
        units.filter(units_matching(term, matching))
        .select_related("block__building")
        .annotate(very=very, retired=_whether(Q(closed_at__isnull=False)))
        .order_by("-very", "retired", "block_id", "number", "pk")[: COUNTED + 1]
    )


def _blocks(request: HttpRequest, term: str) -> list[Block]:
    """Blocks; the very number comes first."""
    blocks = _list_of(Block).get_queryset(request).filter(named(term))
    very = _whether(Q(number__iexact=term) | Q(number=western_digits(term)))
    found = blocks.select_related("building").annotate(very=very)
    return list(found.order_by("-very", "pk")[: COUNTED + 1])


def _memberships(
    request: HttpRequest, people: Sequence[User], units: Sequence[Apartment]
) -> list[Membership]:
    """The current memberships of these people, and those in these units; one statement."""
    if not people and not units:
        return []
    seen = scope(request).sees.only(Membership.objects.current(), "block_id")
    either = Q(user__in=people) | Q(apartment__in=units)
    return list(seen.filter(either).select_related("user", "block", "apartment").order_by("pk"))


def _entries(
    request: HttpRequest,
    term: str,
    people: Sequence[User],
    units: Sequence[Apartment],
    blocks: Sequence[Block],
) -> list[Entry]:
    """The newest entries about what was found, by index; if nothing was, those whose texts have the term.

    All entries' texts are searched by the audit log's own search alone: there may be tens of millions.
    """
    own = _list_of(Entry)
    entries = own.get_queryset(request)
    if people or units or blocks:
        about = Q(person_id__in=[each.pk for each in people])
        for kind, found in ("apartment", units), ("block", blocks):
            about |= Q(target_type=kind, target_id__in=[each.pk for each in found])
        entries = entries.filter(about)
    else:
        newest = Entry.objects.aggregate(newest=Max("pk"))["newest"] or 0
        entries = entries.filter(pk__gt=newest - SEARCHED_ENTRIES)
        entries, _may_repeat = own.get_search_results(request, entries, term)
    # By the id itself, databases would walk the whole log from its end for want of six.
    rows = list(entries.order_by((F("pk") + 0).desc())[:SHOWN])
    hide_contacts(rows)
    return rows


def _whether(condition: Q) -> Case:
    """1 where it holds, else 0: to order by."""
    return Case(When(condition, then=Value(1)), default=Value(0))


def _list_of(model: Any) -> ScopedAdmin:
    return cast(ScopedAdmin, admin.site.get_model_admin(model))


def _list_link(model: Any, term: str, **more: str) -> str:
    return f"{_list_of(model).address('changelist')}?{urlencode({TERM: term, **more})}"


# --- How it is shown -------------------------------------------------------------------------------


def _title(model: Any) -> str:
    return capfirst(str(model._meta.verbose_name_plural)) or ""


def _group(model: Any, term: str, rows: Sequence[Any], hits: Sequence[Hit], **more: str) -> Group:
    label = ""
    if len(rows) > COUNTED:
        label = _("All, more than %(count)s") % {"count": COUNTED}
    elif len(rows) > SHOWN:
        label = _("All %(count)s") % {"count": len(rows)}
    return Group(_title(model), hits, _list_link(model, term, **more), label)


def _person_hit(person: User, memberships: Iterable[Membership]) -> Hit:
    own = [each for each in memberships if each.user_id == person.pk]
    units = [_with_standing(unit_in_block(each.block, each.apartment), each) for each in own]
    return Hit(
        str(person),
        _list_of(User).address("change", person.pk),
        [listed_phrases(dict.fromkeys(units))],
        shown_contact(Contact(person, Kind.PHONE), in_full=True),
    )


def _unit_hit(unit: Apartment, memberships: Iterable[Membership]) -> Hit:
    own = [each for each in memberships if each.apartment_id == unit.pk]
    people = [_with_standing(str(each.user), each) for each in own]
    floor = "" if unit.floor is None else _("floor %(floor)s") % {"floor": unit.floor}
    return Hit(
        capfirst(unit_in_block(unit.block, unit)) or "",
        _list_of(Apartment).address("change", unit.pk),
        [
            building_name(unit.block.building),
            floor,
            _("Retired") if unit.closed_at else unit.get_occupancy_display(),
            listed(dict.fromkeys(people)),
        ],
    )


def _with_standing(label: str, membership: Membership) -> str:
    """Who merely asks, or is banned, does not stand as if they lived there."""
    if membership.status == Status.ACTIVE:
        return label
    return f"{label} ({membership.standing})"


def _block_hit(block: Block) -> Hit:
    standing = "" if block.status == Status.ACTIVE else block.get_status_display()
    return Hit(
        capfirst(unit_in_block(block)) or "",
        _list_of(Block).address("change", block.pk),
        [building_name(block.building), standing],
    )


def _entry_hit(entry: Any) -> Hit:
    return Hit(
        entry.get_action_display(),
        _list_of(Entry).address("change", entry.pk),
        [
            date_format(timezone.localtime(entry.at), "SHORT_DATETIME_FORMAT"),
            actor_name(entry.actor_label),
            entry.target_label,
            unit_in_block(entry.block_label, entry.apartment_label) if entry.block_label else "",
        ],
    )
