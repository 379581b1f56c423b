"""An invented audit log of any length, to measure and try things with."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from audit.models import Action, Channel, Entry
from audit.operations import Origin, Unknown, entry

BATCH = 2000
START = datetime(2026, 1, 1, tzinfo=UTC)


def invented(count: int) -> Iterator[Entry]:
    """Unsaved entries like those of managers and residents, with labels, coordinates and values."""
    for number in range(count):
        origin = Origin(
            channel=Channel.API,
            actor=Unknown(number % 497 + 1),
            actor_label=f"Mona Manager {number % 497}",
            ip=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            longitude=Decimal("31.2357000") + Decimal(number % 1000) / 10**6,
            latitude=Decimal("30.0444000"),
            request_id=uuid.UUID(int=number, version=4),
            reason="سُجّلت الوحدة" if number % 5 == 0 else "",
        )
        made = entry(
            origin=origin,
            action=Action.APARTMENT_REGISTERED,
            target=Unknown(number),
            block=Unknown(number % 100 + 1),
            apartment=Unknown(number),
            after={"number": number, "floor": number % 20},
        )
        made.at = START + timedelta(seconds=10 * number)
        yield made


def write(count: int) -> None:
    """Write this many entries, each batch in a transaction."""
    batch = []
    for each in invented(count):
        batch.append(each)
        if len(batch) == BATCH:
            _write(batch)
            batch = []
    _write(batch)


@transaction.atomic
def _write(batch: list[Entry]) -> None:
    Entry.objects.bulk_create(batch)
