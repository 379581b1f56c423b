"""An invented audit log of any length, for measuring and trying."""

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
    """Entries as managers and residents leave them, with labels, places and values."""
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
        line = entry(
            origin=origin,
            action=Action.APARTMENT_REGISTERED,
            target=Unknown(number),
            block=Unknown(number % 100 + 1),
            apartment=Unknown(number),
            after={"number": number, "floor": number % 20},
        )
        line.at = START + timedelta(seconds=10 * number)
        yield line


def write(count: int) -> None:
    """Write so many entries, a batch in a transaction."""
    batch = []
    for line in invented(count):
        batch.append(line)
        if len(batch) == BATCH:
            _write(batch)
            batch = []
    _write(batch)


@transaction.atomic
def _write(batch: list[Entry]) -> None:
    Entry.objects.bulk_create(batch)
