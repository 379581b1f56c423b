"""The first page of the back-office: how the user's blocks stand, and what waits for him.

Every figure is counted by the statement whose rows its link lists; the number of statements does
not depend on how many blocks there are.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from buildings.models import Apartment, Block, Membership, Occupancy
from buildings.permissions import Blocks
from contacts.entry_masking import hide_contacts
from contacts.models import Status
from omarty.backoffice.data_quality import NEEDS_CORRECTION

DAYS = 14
LATELY = 10
# Further blocks are in the list of blocks; the sums count them all.
MOST_BLOCKS = 30


@dataclass(frozen=True)
class Figure:
    """A number with its name, and the list of what it counts."""

    label: Any
    count: int
    link: str
    due: bool = False


@dataclass(frozen=True)
class BlockLine:
    """A block's units, those lived in, and its active members."""

    block: Block
    units: int
    occupied: int
    members: int

    @property
    def share(self) -> int:
        """Units lived in, in percent."""
        return round(100 * self.occupied / self.units) if self.units else 0

    @property
    def units_link(self) -> str:
        return _list("buildings_apartment", block=self.block.pk)

    @property
    def occupied_link(self) -> str:
        return _list(
            "buildings_apartment", block=self.block.pk, occupancy__exact=Occupancy.OCCUPIED
        )

    @property
    def members_link(self) -> str:
        return _list("buildings_membership", block=self.block.pk, status__exact=Status.ACTIVE)


@dataclass(frozen=True)
class DayLine:
    """How many entries a day has."""

    day: date
    entries: int

    @property
    def link(self) -> str:
        day = self.day.isoformat()
        return _list("audit_entry", at__range__gte=day, at__range__lte=day)


def overview(blocks: Blocks) -> dict[str, Any]:
    """What the page shows of these blocks, in eight statements."""
    lines = _block_lines(blocks)
    days = _days(blocks)
    lately = list(blocks.only(Entry.objects.order_by("-pk"), "block_id")[:LATELY])
    hide_contacts(lately)
    shown = lines[:MOST_BLOCKS]
    return {
        "figures": _figures(blocks, lines),
        "mending": _mending(blocks),
        "blocks": shown,
        "further_blocks": len(lines) - len(shown),
        "days": days,
        "lately": lately,
        "charts": {
            "activity": {
                "labels": [date_format(each.day, "MONTH_DAY_FORMAT") for each in days],
                "values": [each.entries for each in days],
            },
            "occupancy": {
                "labels": [str(each.block) for each in shown],
                "values": [each.share for each in shown],
            },
        },
    }


def _figures(blocks: Blocks, lines: list[BlockLine]) -> list[Figure]:
    waiting = Membership.objects.current().filter(status=Status.PENDING)
    return [
        Figure(
            _("Requests waiting"),
            blocks.only(waiting, "block_id").count(),
            _list("buildings_membership", status__exact=Status.PENDING),
            due=True,
        ),
        Figure(_("Blocks"), len(lines), _list("buildings_block")),
        Figure(_("Units"), sum(each.units for each in lines), _list("buildings_apartment")),
        Figure(
            _("Units lived in"),
            sum(each.occupied for each in lines),
            _list("buildings_apartment", occupancy__exact=Occupancy.OCCUPIED),
        ),
    ]


def _mending(blocks: Blocks) -> list[Figure]:
    """Units that want somebody to look after them, by what is wrong."""
    units = blocks.only(Apartment.objects.filter(closed_at=None), "block_id")
    rules = {name: Count("pk", filter=rule) for name, (rule, _label) in NEEDS_CORRECTION.items()}
    counts = units.aggregate(**rules)
    return [
        Figure(label, counts[name], _list("buildings_apartment", mending=name))
        for name, (_rule, label) in NEEDS_CORRECTION.items()
    ]


def _block_lines(blocks: Blocks) -> list[BlockLine]:
    in_use = blocks.only(Apartment.objects.filter(closed_at=None), "block_id")
    units = {
        row["block_id"]: row
        for row in in_use.values("block_id").annotate(
            units=Count("pk"), occupied=Count("pk", filter=Q(occupancy=Occupancy.OCCUPIED))
        )
    }
    active = Membership.objects.current().filter(status=Status.ACTIVE)
    members = dict(
        blocks.only(active, "block_id").values_list("block_id").annotate(members=Count("pk"))
    )
    nothing = {"units": 0, "occupied": 0}
    return [
        BlockLine(
            block,
            units.get(block.pk, nothing)["units"],
            units.get(block.pk, nothing)["occupied"],
            members.get(block.pk, 0),
        )
        for block in blocks.only(Block.objects.order_by("pk"), "pk")
    ]


def _days(blocks: Blocks) -> list[DayLine]:
    """The last days of the viewer's calendar; counted by their bounds, as no database need know zones."""
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    starts = [_midnight(day) for day in (*days, today + timedelta(days=1))]
    recent = Entry.objects.filter(at__gte=starts[0])
    # Blocks are found by their own index, which is ordered by id: from where on is worth a question.
    first = recent.aggregate(first=Min("pk"))["first"] or 0
    counts = blocks.only(recent.filter(pk__gte=first), "block_id").aggregate(
        **{
            f"day{n}": Count("pk", filter=Q(at__gte=start, at__lt=end))
            for n, (start, end) in enumerate(pairwise(starts))
        }
    )
    return [DayLine(day, counts[f"day{n}"]) for n, day in enumerate(days)]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _list(name: str, **query: Any) -> str:
    link = reverse(f"admin:{name}_changelist")
    return f"{link}?{urlencode(query)}" if query else link
