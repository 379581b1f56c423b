"""`manage.py reset_second_factor`: for who lost their phone and recovery codes, the last superuser too."""

from typing import Any

from django.core.management.base import CommandParser

from audit.operations import Origin
from contacts.second_factor import NoSecondFactor, reset
from omarty.management.base import CommandRefused, DataCommand
from omarty.management.people import person, reason_of


class Command(DataCommand):
    help = (
        "Take the second factor off a person who has lost their phone and their recovery codes. Their\n"
        "sessions in the back-office end; they sign in by their password, and set up another."
    )
    reads = "the person, and whether they have a second factor"
    writes = "the person without it, and an audit entry"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="An e-mail, a phone, or an id.")
        parser.add_argument("--reason", help="Why; it stands in the entry.")

    def run(self, **options: Any) -> None:
        user = person(options["user"])
        origin = Origin.of_command("reset_second_factor", reason=reason_of(options["reason"]))
        try:
            with self.rolled_back_if_dry():
                reset(origin=origin, user=user)
        except NoSecondFactor as error:
            raise CommandRefused(f"{user} has no second factor.") from error
        text = f"{user} signs in to the back-office by the password alone now."
        text += " (Dry run: nothing was written.)" if self.dry_run else ""
        self.report({"person": user.pk}, text)
