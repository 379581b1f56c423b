"""How many requests wait for the user's blocks, for the menu and the dashboard."""

from dataclasses import dataclass

from django.db.models import Count
from django.http import HttpRequest

from buildings.models import Membership
from buildings.request_notices import OVERDUE_AFTER, waiting_longer_than
from omarty.backoffice.base.scoped_admin import scope


@dataclass(frozen=True)
class Waiting:
    """How many requests wait, and how many of them longer than they should."""

    count: int
    overdue: int


def waiting(request: HttpRequest) -> Waiting:
    """Those that the user sees; one statement a request."""
    known: Waiting | None = getattr(request, "_waiting", None)
    if known is None:
        rows = scope(request).sees.only(Membership.objects.waiting(), "block_id")
        overdue = Count("pk", filter=waiting_longer_than(OVERDUE_AFTER))
        known = Waiting(**rows.aggregate(count=Count("pk"), overdue=overdue))
        request._waiting = known  # type: ignore[attr-defined]
    return known
