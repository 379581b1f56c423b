"""`manage.py clearsessions`: delete what has expired of sign-ins. It takes the place of Django's own."""

from typing import Any

from contacts.session_store import SessionStore
from omarty.management.base import DataCommand


class Command(DataCommand):
    help = (
        "Delete expired sessions, of the app and of the back-office, past counts of attempts, messages sent\n"
        "long ago, and former contacts that no longer sign in.\n"
        "Run it once a day, from a timer."
    )
    reads = "sessions, counts of attempts, the addresses that people have signed in from"
    writes = "nothing new: what has expired of these is deleted"
    exit_codes = "0 done, 1 the database cannot be reached or refused, 2 usage"

    def run(self, **options: Any) -> None:
        with self.rolled_back_if_dry():
            SessionStore.clear_expired()
        text = "What had expired of sign-ins was deleted."
        if self.dry_run:
            text = "What has expired of sign-ins can be deleted. (Dry run: nothing was written.)"
        self.report({"cleared": not self.dry_run}, text)
