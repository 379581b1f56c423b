"""One call of an api method: who asks, what they sent, and from where."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from audit.models import Action, Channel
from audit.operations import Origin
from buildings.permissions import AccessRefused, Caller
from contacts.refusals import record_refusal
from omarty.api.envelopes import CallRefused
from omarty.api.fields import LATITUDE, LONGITUDE
from omarty.client_address import client_ip, site_of


def origin_of(request: Any, data: Mapping[str, Any], actor: Any = None) -> Origin:
    """Who acts and from where, for the audit log.

    A malformed coordinate is an unknown place: nobody is locked out for it (answers.md, Location).
    """
    try:
        return _origin_at(_place(data), request, actor)
    except CallRefused:
        return _origin_at((None, None), request, actor)


def _place(data: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    return LONGITUDE.read(data), LATITUDE.read(data)


def _origin_at(place: tuple[Decimal | None, Decimal | None], request: Any, actor: Any) -> Origin:
    longitude, latitude = place
    return Origin(
        channel=Channel.API,
        actor=actor,
        ip=client_ip(request),
        longitude=longitude,
        latitude=latitude,
        site=site_of(request),
        request_id=request.request_id,
    )


@dataclass(frozen=True)
class Call:
    """What a handler gets. `data` holds the fields as they came; `fields.py` reads them."""

    request: Any
    who: Caller
    data: Mapping[str, Any]

    def origin(self) -> Origin:
        """Who acts and from where. Raises CallRefused for a malformed coordinate."""
        return _origin_at(_place(self.data), self.request, self.who.user)


@contextmanager
def refusals_recorded(origin: Origin, action: Action) -> Iterator[None]:
    """Within it, AccessRefused leaves an entry in the audit log before it climbs on (answers.md, Audit)."""
    try:
        yield
    except AccessRefused as error:
        record_refusal(
            origin=origin,
            action=action,
            refused=error.why.value,
            block=error.block,
            apartment=error.apartment,
        )
        raise
