"""`manage.py demo`: an invented community for trying Omarty out, and a large one for measuring."""

from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import IntegrityError, transaction

from audit.operations import Origin
from buildings.models import Building
from contacts.models import User
from omarty.demo.large import is_there, make_community
from omarty.demo.small import make_demo
from omarty.management.base import CommandRefused, DataCommand

# What there can be many of, each up to so many.
LARGE = ("units", "people", "entries")
MOST = 50_000_000

TOLD_STANDS = "The demo community is there already; nothing was changed."


class Command(DataCommand):
    help = (
        "Make the demo community: 8 people (password of all: omarty-demo), one building, 4 blocks,\n"
        "22 units; and with the numbers below, beside it, a large invented one with Arabic and\n"
        "English names, whose people have no password. Both are the same every time and are made\n"
        "once: where they stand, nothing is changed. CommandRefused unless DEBUG is true."
    )
    reads = "whether there is a community already: the demo wants a database of its own"
    writes = "both communities and their audit entries, in one transaction"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for what in LARGE:
            parser.add_argument(
                f"--{what}", type=_number, default=0, metavar="N", help=f"So many {what}."
            )

    def run(self, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandRefused(
                "The demo's password is known to all: it is made only where DEBUG is true."
            )
        sizes = {what: options[what] for what in LARGE}
        origin = Origin.of_command("demo")
        try:
            small, large = self._make(origin, sizes)
        except IntegrityError:
            # Another run was quicker. The database had us wait for its end: now it is there.
            small, large = self._make(origin, sizes)
        told = "The demo community was made." if small else TOLD_STANDS
        if any(sizes.values()):
            told += " The large one was made." if large else " So is the large one."
        told += " (Dry run: nothing was written.)" if self.dry_run else ""
        self.report({"made": small, "large_made": large}, told)

    def _make(self, origin: Origin, sizes: dict[str, int]) -> tuple[bool, bool]:
        """Make what is not there; whether the small and the large community were made."""
        with self.kept(), transaction.atomic():
            small = self._make_small(origin)
            return small, any(sizes.values()) and self._make_large(origin, sizes)

    def _make_small(self, origin: Origin) -> bool:
        # Locked, so that of two runs at once the second one sees what the first has made.
        if User.objects.select_for_update().filter(pk=1, email="admin@example.org").first():
            return False
        if User.objects.exists() or Building.objects.exists():
            raise CommandRefused(
                "This database holds a community already; the demo wants an empty one."
            )
        make_demo(origin)
        return True

    def _make_large(self, origin: Origin, sizes: dict[str, int]) -> bool:
        if is_there():
            return False
        with self.progress("Inventing a large community", sum(sizes.values())) as advance:
            make_community(origin=origin, advance=advance, **sizes)
        return True


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 0 to {MOST}")
    return int(text)
