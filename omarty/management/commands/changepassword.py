"""`manage.py changepassword`: give a person a new password. It takes the place of Django's own."""

import secrets
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from audit.operations import Origin
from contacts.models import User
from contacts.operations import change_password, lock_person
from omarty.management.base import CommandRefused, DataCommand
from omarty.management.passwords import ask_password, check_password
from omarty.management.people import person

# Of a password that the command makes: 128 random bits.
RANDOM_BYTES = 16


class Command(DataCommand):
    help = (
        "Give a person a new password, which ends all their sessions. It is asked for twice; with\n"
        "--random the command makes one and prints it, for the person to change when they sign in."
    )
    reads = "the person, and what is typed"
    writes = "the password's hash, a new session stamp, and an audit entry"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="An e-mail, a phone, or an id.")
        parser.add_argument(
            "--random", action="store_true", help="Ask nothing: make a password, and print it."
        )

    def run(self, **options: Any) -> None:
        user = person(options["user"])
        if user.erased_at is not None:
            raise CommandRefused(f"{user} was anonymised and cannot sign in.")
        password = secrets.token_urlsafe(RANDOM_BYTES) if options["random"] else self._typed(user)
        with transaction.atomic(), self.rolled_back_if_dry():
            change_password(
                origin=Origin.of_command("changepassword"),
                user=lock_person(user),
                password=password,
            )
        facts: dict[str, Any] = {"person": user.pk}
        text = f"{user} has a new password; their sessions have ended."
        if options["random"] and not self.dry_run:
            facts["password"] = password
            text += f" It is: {password}"
        text += " (Dry run: nothing was written.)" if self.dry_run else ""
        self.report(facts, text)

    def _typed(self, user: User) -> str:
        password = ask_password(self.tell)
        check_password(password, user)
        return password
