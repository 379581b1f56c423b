"""One call of an api method: who asks, what they sent, and from where."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from audit.models import Action, Channel
from audit.operations import Origin
from buildings.permissions import AccessRefused, Caller
from contacts.refusals import record_refusal
from omarty.api.fields import LATITUDE, LONGITUDE
from omarty.client_address import client_ip


def origin_of(request: Any, data: Mapping[str, Any], actor: Any = None) -> Origin:
    """Who acts and from where, for the audit log. Raises CallRefused for a malformed coordinate."""
    return Origin(
        channel=Channel.API,
        actor=actor,
        ip=client_ip(request),
        longitude=LONGITUDE.read(data),
        latitude=LATITUDE.read(data),
        request_id=request.request_id,
    )


@dataclass(frozen=True)
class Call:
    """What a handler gets. `data` holds the fields as they came; `fields.py` reads them."""

    request: Any
    who: Caller
    data: Mapping[str, Any]

    def origin(self) -> Origin:
        """See `origin_of()`."""
        return origin_of(self.request, self.data, self.who.user)


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
