"""`manage.py end_sessions`: sign a person out everywhere, or everybody."""

from typing import Any

from django.core.management.base import CommandParser

from audit.operations import Origin
from contacts.models import User
from contacts.operations import end_sessions
from omarty.management.base import DataCommand, UsageProblem, counted
from omarty.management.people import person, reason_of
from omarty.tables.batches import in_batches


class Command(DataCommand):
    help = (
        "End every session of a person, or with --all of everybody, in the app and in the back-office.\n"
        "They sign in again with their password."
    )
    in_steps = True
    reads = "the person, or everybody"
    writes = "a new session stamp for each of them, and an audit entry for each"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", nargs="?", help="An e-mail, a phone, or an id.")
        parser.add_argument("--all", action="store_true", help="Everybody.")
        parser.add_argument("--reason", help="Why; it stands in the entries.")

    def run(self, **options: Any) -> None:
        if bool(options["user"]) == options["all"]:
            raise UsageProblem("Name either a USER or --all.")
        # Whoever was anonymised has no session.
        people = User.objects.filter(erased_at=None).order_by("pk")
        if options["user"]:
            people = people.filter(pk=person(options["user"]).pk)
        total = people.count()
        origin = Origin.of_command("end_sessions", reason=reason_of(options["reason"]))
        with (
            self.rolled_back_if_dry(),
            self.progress("Sessions ended", total) as advance,
        ):
            for batch in in_batches(people):
                end_sessions(origin=origin, users=batch)
                advance(len(batch))
        text = f"Every session of {counted(total, 'person', 'people')} has ended."
        text += " (Dry run: nothing was written.)" if self.dry_run else ""
        self.report({"people": total}, text)
