"""`manage.py check_data`: check the rules that span tables."""

from typing import Any

from contacts.models import User
from omarty.integrity import RULES, IntegrityProblem
from omarty.management.base import CommandRefused, DataCommand, counted


class Command(DataCommand):
    help = (
        "Check every rule that spans tables over the whole database, and report each row that breaks\n"
        "one with its page in the back-office. People are named by id, contacts not at all.\n"
        f"Rules: {', '.join(RULES)}."
    )
    reads = "every table; the end of the seal file (audit_verify reads the audit log itself)"
    writes = "nothing"
    exit_codes = "0 every rule holds, there may be warnings; 1 a rule is broken; 2 usage"

    def run(self, **options: Any) -> None:
        problems: list[IntegrityProblem] = []
        with self.progress("Checked", User.objects.count() + len(RULES)) as advance:
            for check in RULES.values():
                problems += check(advance)
                advance(1)
        broken = [each for each in problems if not each.warning]
        facts = {
            "broken": [_facts(each) for each in broken],
            "warnings": [_facts(each) for each in problems if each.warning],
        }
        lines = [_text(each) for each in problems]
        if not broken:
            self.report(facts, "\n".join([*lines, _summary(facts)]))
            return
        self.report(facts, "\n".join(lines))
        raise CommandRefused(_summary(facts))


def _facts(problem: IntegrityProblem) -> dict[str, str]:
    return {"rule": problem.rule, "what": problem.what, "page": problem.page}


def _text(problem: IntegrityProblem) -> str:
    kind = "Warning" if problem.warning else "Broken"
    return f"{kind} ({problem.rule}): {problem.what} {problem.page}".rstrip()


def _summary(facts: dict[str, list[dict[str, str]]]) -> str:
    broken, warnings = len(facts["broken"]), len(facts["warnings"])
    problems = counted(broken, "problem") if broken else "Nothing is broken"
    return f"{problems}, {counted(warnings, 'warning')}, {counted(len(RULES), 'rule')}."
