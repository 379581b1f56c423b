"""`manage.py audit_verify`: check that the audit log is still what was sealed."""

from typing import Any

from django.db.models import Sum

from audit.models import Entry, Seal
from audit.verification import Verdict, verify
from omarty.management.base import CommandRefused, counted
from omarty.management.seals import ProofCommand

PROBLEMS_SHOWN = 20


class Command(ProofCommand):
    help = (
        "Compare the audit log with its seals: finds every entry that was changed, removed, added,\n"
        "re-ordered or cut off since it was sealed, and names the first bad one. The seal file decides,\n"
        "not the database. See docs/audit-proof.md."
    )
    reads = "audit entries, seals, the seal file, the archives"
    writes = "nothing"
    exit_codes = "0 whole; 1 not whole, or there is no seal to compare with; 2 usage"

    def run(self, **options: Any) -> None:
        archived = Seal.objects.exclude(archive="").aggregate(entries=Sum("entries"))["entries"]
        total = Entry.objects.count() + (archived or 0)
        with self.in_words(), self.progress("Verified", total) as advance:
            verdict = verify(self.seal_file, self.archives, advance)
        if not verdict.seals and not verdict.problems:
            raise CommandRefused(f"{self.seal_file} holds no seal: run audit_seal first.")
        self.report(_facts(verdict), _text(verdict))
        if verdict.first is not None:
            raise CommandRefused(f"The audit log is not what was sealed. First: {verdict.first}")


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        "whole": verdict.first is None,
        "first": verdict.first.first if verdict.first else None,
        "faults": [
            {"first": problem.first, "last": problem.last, "what": problem.what}
            for problem in verdict.problems
        ],
        "faults_untold": verdict.unlisted,
        "notes": verdict.notes,
        "entries": verdict.entries,
        "seals": verdict.seals,
        "digest": verdict.digest,
        "unsealed": verdict.unsealed,
        "erased_parts": verdict.erased,
    }


def _text(verdict: Verdict) -> str:
    lines = [str(problem) for problem in verdict.problems[:PROBLEMS_SHOWN]]
    more = len(verdict.problems) - len(lines) + verdict.unlisted
    lines += [f"{counted(more, 'more problem')}."] if more else []
    lines += verdict.notes
    lines.append(
        f"Read: {counted(verdict.entries, 'entry', 'entries')} in {counted(verdict.seals, 'seal')}, and "
        f"{verdict.unsealed} not sealed yet. Parts of entries that were erased: {verdict.erased}."
    )
    lines.append(f"The last seal is {verdict.seals}: {verdict.digest or 'none'}")
    return "\n".join(lines)
