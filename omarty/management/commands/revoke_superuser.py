"""`manage.py revoke_superuser`: take the right to everything away from a person."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from audit.operations import Origin
from contacts.operations import revoke_superuser
from omarty.management.base import CommandRefused, DataCommand
from omarty.management.people import person, reason_of


class Command(DataCommand):
    help = (
        "Take the superuser's right away from a person and end their sessions. Their memberships, and\n"
        "what they may do by them, stay. The last superuser cannot be revoked."
    )
    reads = "the person, and who else is a superuser"
    writes = "the person without the right, and an audit entry; nothing if they do not have it"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="An e-mail, a phone, or an id.")
        parser.add_argument("--reason", help="Why; it stands in the entry.")

    def run(self, **options: Any) -> None:
        user = person(options["user"])
        origin = Origin.of_command("revoke_superuser", reason=reason_of(options["reason"]))
        try:
            with self.rolled_back_if_dry():
                changed = revoke_superuser(origin=origin, user=user)
        except ValidationError as error:
            raise CommandRefused(" ".join(error.messages)) from error
        text = f"{user} is a superuser no longer." if changed else "No changes."
        text += " (Dry run: nothing was written.)" if self.dry_run else ""
        self.report({"person": user.pk, "changed": changed}, text)
