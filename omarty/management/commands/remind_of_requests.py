"""`manage.py remind_of_requests`: tell managers of requests that wait."""

from typing import Any

from audit.operations import Origin
from buildings.request_notices import remind_all
from omarty.management.base import DataCommand


class Command(DataCommand):
    help = (
        "Tell managers by e-mail of requests to belong that wait: again after 24 and 48 hours, and each\n"
        "morning those who chose so. Run it each hour, from a timer. A second run tells nothing again."
    )
    reads = "requests, the blocks' managers, what each of them chose"
    writes = "messages into the outbox, which send_messages sends; up to when each manager was told"
    in_steps = True
    exit_codes = "0 done, 1 the database cannot be reached or refused, 2 usage"

    def run(self, **options: Any) -> None:
        with self.rolled_back_if_dry():
            told = remind_all(origin=Origin.of_command("remind_of_requests"))
        text = f"{told} {'manager is' if told == 1 else 'managers are'} told of requests that wait."
        self.report(
            {"told": told}, text + (" (Dry run: nothing was written.)" if self.dry_run else "")
        )
