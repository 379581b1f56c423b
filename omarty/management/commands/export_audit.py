"""`manage.py export_audit`: the audit log."""

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import QuerySet

from audit.models import Action, Entry
from buildings.models import Block
from contacts.entry_masking import hide_contacts
from contacts.models import User
from omarty.management.base import UsageProblem
from omarty.management.exports import ExportCommand, moment
from omarty.tables.columns import ExportColumn, TextColumn


class Command(ExportCommand):
    help = (
        "Write the audit log to a table, one entry in a row, in the order that they were written.\n\n"
        "--since and --until look at the day of the entry. Before and after are JSON. A contact that\n"
        "is hidden or gone by now stays hidden, also with --full."
    )
    reads = "audit entries, and the contacts of the people that they concern"
    what = "audit"
    columns = [
        ExportColumn[Entry]("id", attrgetter("pk")),
        ExportColumn[Entry]("at", lambda entry: moment(entry.at)),
        ExportColumn[Entry]("request id", lambda entry: str(entry.request_id)),
        ExportColumn[Entry]("channel", attrgetter("channel")),
        ExportColumn[Entry]("actor id", attrgetter("actor_id")),
        TextColumn[Entry]("actor", attrgetter("actor_label")),
        ExportColumn[Entry]("action", attrgetter("action")),
        ExportColumn[Entry]("refused", attrgetter("refused")),
        TextColumn[Entry]("reason", attrgetter("reason")),
        ExportColumn[Entry]("target type", attrgetter("target_type")),
        ExportColumn[Entry]("target id", attrgetter("target_id")),
        TextColumn[Entry]("target", attrgetter("target_label")),
        ExportColumn[Entry]("person id", attrgetter("person_id")),
        TextColumn[Entry]("person", attrgetter("person_label")),
        ExportColumn[Entry]("block id", attrgetter("block_id")),
        ExportColumn[Entry]("block", attrgetter("block_label")),
        ExportColumn[Entry]("unit id", attrgetter("apartment_id")),
        ExportColumn[Entry]("unit", attrgetter("apartment_label")),
        TextColumn[Entry]("before", lambda entry: _json(entry.before)),
        TextColumn[Entry]("after", lambda entry: _json(entry.after)),
        ExportColumn[Entry]("longitude", lambda entry: _degrees(entry.longitude)),
        ExportColumn[Entry]("latitude", lambda entry: _degrees(entry.latitude)),
        ExportColumn[Entry]("ip", lambda entry: entry.ip or ""),
    ]
    dated = "at"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--action",
            choices=Action.values,
            metavar="ACTION",
            help="Of this action only, as the column has it: data.exported tells who exported what.",
        )
        parser.add_argument(
            "--person", type=int, metavar="ID", help="What this person did only, by their id."
        )

    def run(self, **options: Any) -> None:
        self._action, self._person = options["action"], _person(options["person"])
        super().run(**options)

    def selected(self, block: Block | None) -> QuerySet[Entry]:
        entries = Entry.objects.all()
        if self._action:
            entries = entries.filter(action=self._action)
        if self._person:
            entries = entries.filter(actor_id=self._person.pk)
        return entries if block is None else entries.filter(block_id=block.pk)

    def rows(self, batch: Sequence[Entry]) -> Sequence[Entry]:
        # Other numbers and addresses are masked by the columns, unless in full.
        hide_contacts(batch, in_full=True)
        return batch


def _person(person_id: int | None) -> User | None:
    if person_id is None:
        return None
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise UsageProblem(f"There is no person {person_id}.")
    return person


def _json(values: dict[str, Any] | None) -> str:
    return "" if values is None else json.dumps(values, ensure_ascii=False)


def _degrees(value: Any) -> str:
    return "" if value is None else str(value)
