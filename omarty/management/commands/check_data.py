"""`manage.py check_data`: does what is kept obey the rules that span tables?"""

from typing import Any

from django.core.management.base import CommandError

from contacts.models import User
from omarty.integrity import RULES, IntegrityProblem
from omarty.management.base import REFUSED, DataCommand, counted


class Broken(CommandError):
    """A rule is broken; the text says how often."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, returncode=REFUSED)


class Command(DataCommand):
    help = (
        "Check every rule that spans tables over the whole database, and tell each row that breaks\n"
        "one with its page in the back-office. People are named by id, contacts not at all.\n"
        f"Rules: {', '.join(RULES)}."
    )
    reads = "every table; the end of the seal file (audit_verify reads the audit log itself)"
    writes = "nothing"
    exit_codes = "0 every rule holds, there may be warnings; 1 one is broken; 2 usage"

    def run(self, **options: Any) -> None:
        findings: list[IntegrityProblem] = []
        with self.progress("Checked", User.objects.count() + len(RULES)) as advance:
            for check in RULES.values():
                findings += check(advance)
                advance(1)
        broken = [each for each in findings if not each.warning]
        facts = {
            "broken": [_facts(each) for each in broken],
            "warnings": [_facts(each) for each in findings if each.warning],
        }
        told = [_text(each) for each in findings]
        if not broken:
            self.report(facts, "\n".join([*told, _summary(facts)]))
            return
        self.report(facts, "\n".join(told))
        raise Broken(_summary(facts))


def _facts(finding: IntegrityProblem) -> dict[str, str]:
    return {"rule": finding.rule, "what": finding.what, "page": finding.page}


def _text(finding: IntegrityProblem) -> str:
    kind = "Warning" if finding.warning else "Broken"
    return f"{kind} ({finding.rule}): {finding.what} {finding.page}".rstrip()


def _summary(facts: dict[str, list[dict[str, str]]]) -> str:
    broken, warnings = len(facts["broken"]), len(facts["warnings"])
    places = counted(broken, "place") if broken else "Nothing is broken"
    return f"{places}, {counted(warnings, 'warning')}, {counted(len(RULES), 'rule')}."
