"""`manage.py demo`: make an invented community to try Omarty with, and a large one to measure it."""

from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import IntegrityError, transaction

from audit.operations import Origin
from buildings.models import Building
from contacts.models import User
from omarty.demo.large import large_community_exists, make_large_community
from omarty.demo.small import make_demo
from omarty.management.base import CommandRefused, DataCommand

# The options for the large community, each up to MOST.
LARGE = ("units", "people", "entries")
MOST = 50_000_000

ALREADY_MADE = "The demo community is there already; nothing was changed."


class Command(DataCommand):
    help = (
        "Make the demo community: 8 people (password of all: omarty-demo), one building, 4 blocks,\n"
        "22 units; and, with the numbers below, a large invented one with Arabic and English names,\n"
        "whose people have no password. Both are the same every time and are made once: if they exist,\n"
        "nothing is changed. Refused unless DEBUG is true."
    )
    reads = "whether there is a community already: the demo needs a database of its own"
    writes = "both communities and their audit entries, in one transaction"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for what in LARGE:
            parser.add_argument(
                f"--{what}", type=_number, default=0, metavar="N", help=f"How many {what}."
            )

    def run(self, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandRefused(
                "The demo's password is public: it is made only where DEBUG is true."
            )
        sizes = {what: options[what] for what in LARGE}
        origin = Origin.of_command("demo")
        try:
            small, large = self._make(origin, sizes)
        except IntegrityError:
            # A run at the same time was faster. This one waited for it: the community exists now.
            small, large = self._make(origin, sizes)
        text = "The demo community was made." if small else ALREADY_MADE
        if any(sizes.values()):
            text += " The large one was made." if large else " So is the large one."
        text += " (Dry run: nothing was written.)" if self.dry_run else ""
        self.report({"made": small, "large_made": large}, text)

    def _make(self, origin: Origin, sizes: dict[str, int]) -> tuple[bool, bool]:
        """Make the communities that do not exist; whether the small and the large one were made."""
        with self.rolled_back_if_dry(), transaction.atomic():
            small = self._make_small(origin)
            return small, any(sizes.values()) and self._make_large(origin, sizes)

    def _make_small(self, origin: Origin) -> bool:
        # Locked, so that the second of two runs at the same time sees what the first has made.
        if User.objects.select_for_update().filter(pk=1, email="admin@example.org").first():
            return False
        if User.objects.exists() or Building.objects.exists():
            raise CommandRefused(
                "This database holds a community already; the demo needs an empty one."
            )
        make_demo(origin)
        return True

    def _make_large(self, origin: Origin, sizes: dict[str, int]) -> bool:
        if large_community_exists():
            return False
        with self.progress("Inventing a large community", sum(sizes.values())) as advance:
            make_large_community(origin=origin, advance=advance, **sizes)
        return True


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 0 to {MOST}")
    return int(text)
