"""`manage.py unlock`: let somebody who waits after wrong passwords try again at once."""

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from audit.operations import Origin
from contacts.operations import PersonErased, unlock
from omarty.management.base import CommandRefused, DataCommand
from omarty.management.people import person


class Command(DataCommand):
    help = (
        "End the pause of a person after too many wrong passwords, wherever they try from. The pause of\n"
        "an address that tried too many accounts stays."
    )
    reads = "the person, their contacts and the addresses known of them"
    writes = "the counts of wrong passwords, and an audit entry"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="An e-mail, a phone, or an id.")

    def run(self, **options: Any) -> None:
        user = person(options["user"])
        with transaction.atomic(), self.rolled_back_if_dry():
            try:
                unlock(origin=Origin.of_command("unlock"), user=user)
            except PersonErased as error:
                raise CommandRefused(f"{user} was anonymised and cannot sign in.") from error
        text = f"{user} may try to sign in again."
        text += " (Dry run: nothing was written.)" if self.dry_run else ""
        self.report({"person": user.pk}, text)
