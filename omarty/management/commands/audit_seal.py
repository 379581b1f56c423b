"""`manage.py audit_seal`: seal the audit entries, so that later changes to them are detected."""

import time
from typing import Any

from django.core.management.base import CommandParser
from django.db import connection

from audit.bulk import Advance
from audit.models import Entry, Seal
from audit.operations import Origin
from audit.seals import StillWriting, newest_entry, seal_next, take_over_seal
from omarty.management.base import UsageProblem, counted
from omarty.management.seals import ProofCommand

LONGEST_GRACE = 3600


class Command(ProofCommand):
    help = (
        "Seal the audit entries since the last seal into a chained digest. Run it from a timer:\n"
        "an entry is protected once it is sealed, not before. See docs/audit-proof.md."
    )
    in_steps = True
    reads = "audit entries, seals, the seal file"
    writes = (
        "seals, at most 10,000 entries each: a line in the seal file, then a row in the database"
    )
    exit_codes = (
        "0 done, or nothing to seal; 1 seal file and database disagree, or cannot be used; 2 usage"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--grace",
            type=float,
            default=5.0,
            metavar="SECONDS",
            help="Wait this long for running statements (default 5); not needed on SQLite.",
        )

    def run(self, **options: Any) -> None:
        # "Not a number" fails this test too.
        if not 0 <= options["grace"] <= LONGEST_GRACE:
            raise UsageProblem(f"--grace must be 0 to {LONGEST_GRACE} seconds.")
        with self.exclusive():
            if self.dry_run:
                waiting = self._waiting(newest_entry())
                text = f"To be sealed: {counted(waiting, 'entry', 'entries')}. Nothing was written."
                self.report({"sealed": waiting, "dry_run": True}, text)
            else:
                self._seal(options["grace"])

    def _seal(self, grace: float) -> None:
        taken_over = take_over_seal(path=self.seal_file)
        through = newest_entry()
        if through is not None and connection.features.has_select_for_update:
            # Ids are assigned before rows are written. After this wait, each row up to `through`
            # exists or never will; an uncommitted one is locked, and `seal_next()` finds the lock.
            time.sleep(grace)
        with self.progress("Sealed", self._waiting(through)) as advance:
            sealed, waiting = self._seal_through(through or 0, advance)
        last = Seal.objects.order_by("-number").first()
        facts = {
            "sealed": sealed,
            "taken_over": taken_over.number if taken_over else None,
            "still_writing": waiting,
            "seal": last.number if last else 0,
            "digest": last.digest if last else "",
        }
        self.report(facts, self._text(facts))

    def _seal_through(self, through: int, advance: Advance) -> tuple[int, bool]:
        origin, sealed = Origin.of_command("audit_seal"), 0
        while True:
            try:
                line = seal_next(origin=origin, path=self.seal_file, through=through)
            except StillWriting:
                return sealed, True
            if line is None:
                return sealed, False
            sealed += line.entries
            advance(line.entries)

    def _waiting(self, through: int | None) -> int:
        last = Seal.objects.order_by("-number").first()
        entries = Entry.objects.filter(pk__lte=through or 0)
        return entries.filter(pk__gt=last.last_id).count() if last else entries.count()

    def _text(self, facts: dict[str, Any]) -> str:
        text = f"Sealed: {counted(facts['sealed'], 'entry', 'entries')}."
        if facts["taken_over"]:
            text += f" Seal {facts['taken_over']}, which an interrupted run left in the file, was stored."
        if facts["still_writing"]:
            text += " Others belong to a transaction that is still open; the next run seals them."
        return f"{text} The last seal is {facts['seal']}: {facts['digest'] or 'none'}"
