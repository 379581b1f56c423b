"""The first page of the back-office: the figures of the user's blocks, and what waits for them.

Every figure is counted under the same conditions as the list that it links to; the number of
statements does not depend on how many blocks there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from buildings.models import Apartment, Block, Membership, Occupancy, Role
from buildings.permissions import Blocks
from buildings.request_notices import OVERDUE_AFTER
from contacts.entry_masking import hide_contacts
from contacts.models import Status
from omarty.backoffice.base.labels import actor_name
from omarty.backoffice.data_quality import NEEDS_CORRECTION
from omarty.backoffice.figures import Figure, list_link
from omarty.backoffice.first_steps import Begun, with_managed
from omarty.backoffice.waiting import Waiting
from omarty.days import midnight

DAYS = 14
RECENT_ENTRIES = 10
# Further blocks are in the list of blocks; the totals include them all.
MOST_BLOCKS = 30


@dataclass(frozen=True)
class BlockFigures:
    """How many units in use a block has, how many of them are occupied, its active members, and how many of
    these do not manage it.
    """

    block: Block
    units: int
    occupied: int
    members: int
    residents: int

    @property
    def occupancy_rate(self) -> int:
        """Occupied units, in percent."""
        return round(100 * self.occupied / self.units) if self.units else 0

    @property
    def link(self) -> str:
        return reverse("admin:buildings_block_change", args=[self.block.pk])

    @property
    def units_link(self) -> str:
        return list_link("buildings_apartment", block=self.block.pk)

    @property
    def occupied_link(self) -> str:
        return list_link(
            "buildings_apartment", block=self.block.pk, occupancy__exact=Occupancy.OCCUPIED
        )

    @property
    def members_link(self) -> str:
        return list_link("buildings_membership", block=self.block.pk, status__exact=Status.ACTIVE)


@dataclass(frozen=True)
class DayFigures:
    """How many entries a day has."""

    day: date
    entries: int

    @property
    def link(self) -> str:
        day = self.day.isoformat()
        return list_link("audit_entry", at__range__gte=day, at__range__lte=day)


def dashboard_context(blocks: Blocks, waiting: Waiting) -> dict[str, Any]:
    """What the page shows of these blocks, from eight statements; `waiting` is of these blocks too."""
    each_block = _each_block(blocks)
    days = _days(blocks)
    shown = each_block[:MOST_BLOCKS]
    return {
        "figures": [*_requests(blocks, waiting), *_figures(each_block)],
        "corrections": _corrections(blocks, any(each.units for each in each_block)),
        "blocks": shown,
        "every_block": each_block,
        "further_blocks": len(each_block) - len(shown),
        "days": days,
        "recent_entries": _recent_entries(blocks),
        "charts": {
            "activity": {
                "labels": [date_format(each.day, "MONTH_DAY_FORMAT") for each in days],
                "values": [each.entries for each in days],
            },
            "occupancy": {
                "labels": [str(each.block) for each in shown],
                "values": [each.occupancy_rate for each in shown],
            },
        },
    }


def begun(each_block: Iterable[BlockFigures]) -> Begun:
    """What there is in these blocks, of those of `dashboard_context()`."""
    own = list(each_block)
    blocks: list[Any] = [each.block for each in own]
    return Begun(
        first=next(iter(blocks), None),
        unmanaged=next((block for block in blocks if not block.managed), None),
        units=any(each.units for each in own),
        residents=any(each.residents for each in own),
    )


def _requests(blocks: Blocks, waiting: Waiting) -> list[Figure]:
    """How many wait; superusers are told too of those that no manager has answered in time."""
    pending = {"status__exact": Status.PENDING.value}
    figures = [
        Figure(
            _("Requests waiting"),
            waiting.count,
            list_link("buildings_membership", **pending),
            due=True,
        )
    ]
    if blocks.ids is None and waiting.overdue:
        hours = OVERDUE_AFTER // timedelta(hours=1)
        label = _("Requests waiting for more than %(hours)d hours") % {"hours": hours}
        link = list_link("buildings_membership", **pending, waiting=hours)
        figures.append(Figure(label, waiting.overdue, link, due=True))
    return figures


def _figures(each_block: list[BlockFigures]) -> list[Figure]:
    return [
        Figure(_("Blocks"), len(each_block), list_link("buildings_block")),
        Figure(
            _("Units"), sum(each.units for each in each_block), list_link("buildings_apartment")
        ),
        Figure(
            _("Occupied units"),
            sum(each.occupied for each in each_block),
            list_link("buildings_apartment", occupancy__exact=Occupancy.OCCUPIED),
        ),
    ]


def _corrections(blocks: Blocks, any_units: bool) -> list[Figure]:
    """Units that need correction, by what is wrong with them."""
    units = blocks.only(Apartment.objects.filter(closed_at=None), "block_id")
    rules = {name: Count("pk", filter=rule) for name, (rule, _label) in NEEDS_CORRECTION.items()}
    counts = units.aggregate(**rules) if any_units else dict.fromkeys(rules, 0)
    return [
        Figure(label, counts[name], list_link("buildings_apartment", correction=name))
        for name, (_rule, label) in NEEDS_CORRECTION.items()
    ]


def _each_block(blocks: Blocks) -> list[BlockFigures]:
    in_use = blocks.only(Apartment.objects.filter(closed_at=None), "block_id")
    units = {
        row["block_id"]: row
        for row in in_use.values("block_id").annotate(
            units=Count("pk"), occupied=Count("pk", filter=Q(occupancy=Occupancy.OCCUPIED))
        )
    }
    active = blocks.only(Membership.objects.active(), "block_id")
    members = {
        row["block_id"]: row
        for row in active.values("block_id").annotate(
            members=Count("pk"), residents=Count("pk", filter=~Q(role=Role.MANAGER))
        )
    }
    nothing = dict.fromkeys(("units", "occupied", "members", "residents"), 0)
    return [
        BlockFigures(
            block,
            units.get(block.pk, nothing)["units"],
            units.get(block.pk, nothing)["occupied"],
            members.get(block.pk, nothing)["members"],
            members.get(block.pk, nothing)["residents"],
        )
        for block in with_managed(blocks.only(Block.objects.order_by("pk"), "pk"))
    ]


def _recent_entries(blocks: Blocks) -> list[Entry]:
    entries = list(blocks.only(Entry.objects.order_by("-pk"), "block_id")[:RECENT_ENTRIES])
    hide_contacts(entries)
    for entry in entries:
        entry.actor_label = actor_name(entry.actor_label)
    return entries


def _days(blocks: Blocks) -> list[DayFigures]:
    """The last days, oldest first; counted between midnights, for databases may know no time zones."""
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    starts = [midnight(day) for day in (*days, today + timedelta(days=1))]
    recent = Entry.objects.filter(at__gte=starts[0])
    # The index on blocks is ordered by id: asking for the first id first spares reading older entries.
    first = recent.aggregate(first=Min("pk"))["first"] or 0
    counts = blocks.only(recent.filter(pk__gte=first), "block_id").aggregate(
        **{
            f"day{n}": Count("pk", filter=Q(at__gte=start, at__lt=end))
            for n, (start, end) in enumerate(pairwise(starts))
        }
    )
    return [DayFigures(day, counts[f"day{n}"]) for n, day in enumerate(days)]
