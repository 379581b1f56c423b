"""`manage.py send_messages`: send what waits in the outbox."""

import time
from collections import Counter
from typing import Any

from django.core.management.base import CommandParser
from django.db import close_old_connections

from contacts.models import MessageState
from contacts.sending import due, send_due
from omarty.management.base import DataCommand, counted

_SECONDS_BETWEEN = 2


class Command(DataCommand):
    help = (
        "Send the messages that wait: invitations, ways in after a forgotten password, what people are told\n"
        "of their accounts. Run it each minute from a timer, or with --follow as a service."
    )
    reads = "the outbox, and how to send: EMAIL_URL, SMS_URL"
    writes = "how each message stands; links and codes, which only the messages have in full"
    in_steps = True
    exit_codes = "0 done, 1 the database cannot be reached or refused, 2 usage"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--follow", action="store_true", help="Go on, and send what is put in as it comes."
        )
        parser.add_argument("--quiet", action="store_true", help="Report nothing.")

    def run(self, **options: Any) -> None:
        if self.dry_run:
            count = due().count()
            sentence = f"{counted(count, 'message')} would be sent. (Dry run: nothing was.)"
            self.report({"due": count}, sentence)
            return
        counts = send_due()
        while options["follow"]:
            if counts.total():
                self.stdout.write(_words(counts))
            time.sleep(_SECONDS_BETWEEN)
            # The database may have been started anew.
            close_old_connections()
            counts = send_due()
        if not options["quiet"]:
            report = {state.value: counts[state.value] for state in _TOLD}
            self.report(report, _words(counts))


_TOLD = {
    MessageState.SENT: "sent",
    MessageState.WAITING: "put off",
    MessageState.FAILED: "given up",
}


def _words(counts: Counter[str]) -> str:
    told = [f"{counts[state.value]} {word}" for state, word in _TOLD.items()]
    return f"Messages: {', '.join(told)}."
