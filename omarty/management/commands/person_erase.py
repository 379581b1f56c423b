"""`manage.py person_erase`: anonymise a person and release their contacts (Egypt's law 151/2020)."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from audit import archives
from audit.erasing import Found, Search, Traces, merged
from audit.ledger import stored_entries
from audit.models import Entry
from audit.operations import Origin
from audit.sealing import Part, Ranges, to_ranges
from contacts.models import User
from omarty.management.base import CommandRefused, UsageProblem, counted
from omarty.management.people import person, reason_of
from omarty.management.seals import ProofCommand
from omarty.privacy.erasure import Mention, erase, is_erased, mentions, traces_of

NAMESAKES_SHOWN = 20


class Command(ProofCommand):
    help = (
        "Anonymise a person: remove their name, contacts and password, end their memberships, and\n"
        "erase them from the audit log and its archives, so that audit_verify still proves the log.\n"
        "Their contacts become free for others. It cannot be undone. If they are a block's last\n"
        "manager, or the last superuser, appoint another one first."
    )
    in_steps = True
    reads = "people, contacts, memberships, audit entries, archives; every text that may mention a contact"
    writes = (
        "the person's row, contacts and memberships; audit entries and archives; sign-in attempts"
    )
    exit_codes = (
        "0 done, or nothing to erase; 1 no such person, a block's last manager or the last superuser;\n"
        "2 usage"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="Their e-mail, phone or id.")
        parser.add_argument(
            "--reason",
            required=True,
            help="Why, for the audit log; up to 200 characters. It is stored: do not name the person in it.",
        )
        parser.add_argument(
            "--entry",
            type=int,
            action="append",
            default=[],
            metavar="ID",
            help="An audit entry whose name means this person; may be given several times.",
        )
        parser.add_argument(
            "--name",
            help="The name to look for in entries, if not the present one: a former name, or the name of "
            "a person who is anonymised already.",
        )

    def run(self, **options: Any) -> None:
        reason = reason_of(options["reason"])
        user = person(options["user"])
        named = frozenset(options["entry"])
        with self.exclusive():
            traces = traces_of(user, (options["name"] or user.name).strip(), named)
            search = self._search(traces)
            found = {path: archives.search(path, traces) for path in archives.files(self.archives)}
            _require_found(named, [search, *found.values()])
            namesakes = sorted(n for each in (search, *found.values()) for n in each.namesakes)
            archived = {path: each.found for path, each in found.items() if each.ids()}
            if is_erased(user) and not search.ids() and not archived:
                facts = {"person": user.pk, "erased": False, "namesakes": namesakes}
                lines = ["There is nothing to erase.", *_namesake_lines(namesakes)]
                self.report(facts, "\n".join(lines))
                return
            origin = Origin.of_command("person_erase", reason=reason)
            self._erase(origin, user, search, archived, namesakes)

    def _search(self, traces: Traces) -> Search:
        search = Search(traces)
        with self.progress("Searched", Entry.objects.count()) as advance:
            for row in stored_entries():
                if not isinstance(row, int):
                    search.add(row)
                advance(1)
        return search

    def _erase(
        self,
        origin: Origin,
        user: User,
        search: Search,
        archived: dict[Path, Found],
        namesakes: list[int],
    ) -> None:
        contacts = user.claims.count()
        current = user.memberships.filter(ended_at__isnull=True).count()
        try:
            if not self.dry_run:
                for path in archived:
                    archives.prepare_erasure(path, search.traces, origin.request_id)
            with self.rolled_back_if_dry():
                recorded = erase(
                    origin=origin,
                    user=user,
                    search=search,
                    archived=merged(archived.values()),
                )
                remaining = list(mentions(search.traces.contacts))
        except ValidationError as error:
            raise CommandRefused(" ".join(error.messages)) from error
        finally:
            if not self.dry_run:
                archives.finish_or_undo(self.archives)
        entries = sorted(set(recorded[Part.ACTOR]) | set(recorded[Part.SUBJECT]))
        facts = {
            "person": user.pk,
            "erased": not self.dry_run,
            "contacts": contacts,
            "memberships": current,
            "entries": len(entries),
            "entry_ids": to_ranges(entries),
            "archives": [path.name for path in archived],
            "namesakes": namesakes,
            "mentions": [{"what": each.what, "page": each.page} for each in remaining],
        }
        self.report(facts, _text(facts, remaining))


def _require_found(named: frozenset[int], searches: list[Search]) -> None:
    """Raises UsageProblem if an entry named by --entry does not hold the person's name or contact."""
    if others := named.difference(*(each.ids() for each in searches)):
        ids = ", ".join(map(str, sorted(others)))
        raise UsageProblem(
            f"--entry {ids}: no entry that holds their name or contact and is not erased yet. "
            "--dry-run shows which do."
        )


def _text(facts: dict[str, Any], remaining: list[Mention]) -> str:
    done = "was anonymised" if facts["erased"] else "would be anonymised; nothing was written"
    lines = [
        f"Person {facts['person']} {done}: {counted(facts['contacts'], 'contact')}, "
        f"{counted(facts['memberships'], 'membership')}, "
        f"{counted(facts['entries'], 'audit entry', 'audit entries')}, "
        f"{counted(len(facts['archives']), 'archive')}."
    ]
    if facts["entries"]:
        lines.append(f"Audit entries: {_listed(facts['entry_ids'])}")
    lines += _namesake_lines(facts["namesakes"])
    lines += [
        f"Still mentioned in {each.what}, to be corrected by hand: {each.page}"
        for each in remaining
    ]
    return "\n".join(lines)


def _namesake_lines(namesakes: list[int]) -> list[str]:
    if not namesakes:
        return []
    ids = ", ".join(map(str, namesakes[:NAMESAKES_SHOWN]))
    return [
        "Not tied to this person, but with the same name, which may be a namesake's: "
        f"{counted(len(namesakes), 'audit entry', 'audit entries')}. "
        f"Look at them, and erase those that mean this person with --name and --entry: {ids}"
    ]


def _listed(ranges: Ranges) -> str:
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
