"""`manage.py export_audit`: the audit log."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from audit.models import Entry
from buildings.models import Block
from contacts.masking import masked_contacts
from omarty.management.exports import ExportCommand, moment


class Command(ExportCommand):
    help = (
        "Write the audit log to a table, one entry in a row, in the order that they were written.\n\n"
        "--since and --until look at the day of the entry. Before and after are JSON."
    )
    reads = "audit entries"
    what = "audit"
    headings = ["id", "at", "request id", "channel", "actor id", "actor", "action", "refused"] + [
        "reason",
        "target type",
        "target id",
        "target",
        "person id",
        "person",
        "block id",
        "block",
        "unit id",
        "unit",
        "before",
        "after",
        "longitude",
        "latitude",
        "ip",
    ]
    dated = "at"

    def selected(self, block: Block | None) -> QuerySet[Entry]:
        return Entry.objects.all() if block is None else Entry.objects.filter(block_id=block.pk)

    def cells(self, page: Sequence[Entry]) -> Iterator[Sequence[Any]]:
        for entry in page:
            yield [
                entry.pk,
                moment(entry.at),
                str(entry.request_id),
                entry.channel,
                entry.actor_id,
                self._text(entry.actor_label),
                entry.action,
                entry.refused,
                self._text(entry.reason),
                entry.target_type,
                entry.target_id,
                self._text(entry.target_label),
                entry.person_id,
                self._text(entry.person_label),
                entry.block_id,
                entry.block_label,
                entry.apartment_id,
                entry.apartment_label,
                self._json(entry.before),
                self._json(entry.after),
                _degrees(entry.longitude),
                _degrees(entry.latitude),
                entry.ip or "",
            ]

    def _text(self, text: str) -> str:
        return text if self.full else masked_contacts(text)

    def _json(self, facts: dict[str, Any] | None) -> str:
        return "" if facts is None else self._text(json.dumps(facts, ensure_ascii=False))


def _degrees(value: Any) -> str:
    return "" if value is None else str(value)
