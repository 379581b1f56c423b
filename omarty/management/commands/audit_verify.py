"""`manage.py audit_verify`: is the audit log still what was sealed?"""

from typing import Any

from django.db.models import Sum

from audit.models import Entry, Seal
from audit.verification import Verdict, verify
from omarty.management.base import CommandRefused, counted
from omarty.management.seals import ProofCommand

FAULTS_TOLD = 20


class Command(ProofCommand):
    help = (
        "Compare the audit log with its seals: finds every entry that was changed, removed, added\n"
        "late, re-ordered or cut off since it was sealed, and names the first bad one. The seal file\n"
        "decides, whatever the database says. See docs/audit-proof.md."
    )
    reads = "audit entries, seals, the seal file, the archives"
    writes = "nothing"
    exit_codes = "0 whole; 1 not whole, or there is no seal to compare with; 2 usage"

    def run(self, **options: Any) -> None:
        archived = Seal.objects.exclude(archive="").aggregate(entries=Sum("entries"))["entries"]
        total = Entry.objects.count() + (archived or 0)
        with self.in_words(), self.progress("Verified", total) as advance:
            verdict = verify(self.seal_file, self.archives, advance)
        if not verdict.seals and not verdict.faults:
            raise CommandRefused(f"{self.seal_file} holds no seal: run audit_seal first.")
        self.report(_facts(verdict), _text(verdict))
        if verdict.first is not None:
            raise CommandRefused(f"The audit log is not what was sealed. First: {verdict.first}")


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        "whole": verdict.first is None,
        "first": verdict.first.first if verdict.first else None,
        "faults": [
            {"first": fault.first, "last": fault.last, "what": fault.what}
            for fault in verdict.faults
        ],
        "faults_untold": verdict.untold,
        "notes": verdict.notes,
        "entries": verdict.entries,
        "seals": verdict.seals,
        "digest": verdict.digest,
        "unsealed": verdict.unsealed,
        "erased_parts": verdict.erased,
    }


def _text(verdict: Verdict) -> str:
    told = [str(fault) for fault in verdict.faults[:FAULTS_TOLD]]
    more = len(verdict.faults) - len(told) + verdict.untold
    told += [f"{counted(more, 'more fault')}."] if more else []
    told += verdict.notes
    told.append(
        f"Read: {counted(verdict.entries, 'entry', 'entries')} in {counted(verdict.seals, 'seal')}, and "
        f"{verdict.unsealed} not sealed yet. Parts of entries that were erased: {verdict.erased}."
    )
    told.append(f"The last seal is {verdict.seals}: {verdict.digest or 'none'}")
    return "\n".join(told)
