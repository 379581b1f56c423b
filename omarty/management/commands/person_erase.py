"""`manage.py person_erase`: leave of a person nothing but a number (Egypt's law 151/2020)."""

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from audit import archives
from audit.erasing import Found, Search, Traces, merged
from audit.ledger import kept
from audit.models import Entry
from audit.operations import Origin
from audit.sealing import Part, Ranges, to_ranges
from contacts.models import User
from omarty.management.base import CommandRefused, UsageProblem, counted
from omarty.management.people import person
from omarty.management.seals import ProofCommand
from omarty.privacy.erasure import Mention, erase, is_erased, mentions, traces_of

REASON_LENGTH = 200
NAMESAKES_TOLD = 20


class Command(ProofCommand):
    help = (
        "Pseudonymise a person: his name, contacts, password and memberships, and what the audit log\n"
        "and its archives hold of him, in a way that audit_verify still proves the log. It cannot be\n"
        "undone. Where he is a block's last manager, or the last superuser, appoint another one first."
    )
    in_steps = True
    reads = (
        "people, contacts, memberships, audit entries, archives, and every text for his contacts"
    )
    writes = (
        "the person's row, contacts and memberships; audit entries and archives; sign-in attempts"
    )
    exit_codes = (
        "0 done, or nothing to erase; 1 no such person, a block's last manager or the last superuser;\n"
        "2 usage"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="His e-mail, phone or id.")
        parser.add_argument(
            "--reason",
            required=True,
            help="Why, for the audit log; up to 200 characters. Do not name him in it: it is kept.",
        )
        parser.add_argument(
            "--entry",
            type=int,
            action="append",
            default=[],
            metavar="ID",
            help="An audit entry that means him by the name it holds; may be given several times.",
        )
        parser.add_argument(
            "--name",
            help="The name that entries may hold, if not the present one: a former one, say, or his "
            "where he is erased already.",
        )

    def run(self, **options: Any) -> None:
        reason = _reason(options["reason"])
        user = person(options["user"])
        named = frozenset(options["entry"])
        with self.alone():
            traces = traces_of(user, (options["name"] or user.name).strip(), named)
            search = self._search(traces)
            found = {path: archives.search(path, traces) for path in archives.files(self.archives)}
            _require_his(named, [search, *found.values()])
            namesakes = sorted(n for each in (search, *found.values()) for n in each.namesakes)
            archived = {path: each.found for path, each in found.items() if each.ids()}
            if is_erased(user) and not search.ids() and not archived:
                facts = {"person": user.pk, "erased": False, "namesakes": namesakes}
                told = ["There is nothing to erase.", *_told_namesakes(namesakes)]
                self.report(facts, "\n".join(told))
                return
            origin = Origin.of_command("person_erase", reason=reason)
            self._erase(origin, user, search, archived, namesakes)

    def _search(self, traces: Traces) -> Search:
        search = Search(traces)
        with self.progress("Searched", Entry.objects.count()) as advance:
            for row in kept():
                if not isinstance(row, int):
                    search.look_at(row)
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
            with self.kept():
                recorded = erase(
                    origin=origin,
                    user=user,
                    search=search,
                    archived=merged(archived.values()),
                )
                left = list(mentions(search.traces.contacts))
        except ValidationError as error:
            raise CommandRefused(" ".join(error.messages)) from error
        finally:
            if not self.dry_run:
                archives.settle(self.archives)
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
            "mentions": [{"what": each.what, "page": each.page} for each in left],
        }
        self.report(facts, _text(facts, left))


def _reason(text: str) -> str:
    reason = text.strip()
    if not 0 < len(reason) <= REASON_LENGTH:
        raise UsageProblem(f"--reason must have 1 to {REASON_LENGTH} characters.")
    return reason


def _require_his(named: frozenset[int], searches: list[Search]) -> None:
    """Raises UsageProblem if one of the named entries cannot mean him: erasing it could not be undone."""
    if strangers := named.difference(*(each.ids() for each in searches)):
        some = ", ".join(map(str, sorted(strangers)))
        raise UsageProblem(
            f"--entry {some}: no entry that holds his name or contact and is not erased yet. "
            "--dry-run tells which do."
        )


def _text(facts: dict[str, Any], left: list[Mention]) -> str:
    done = "was erased" if facts["erased"] else "would be erased; nothing was written"
    told = [
        f"Person {facts['person']} {done}: {counted(facts['contacts'], 'contact')}, "
        f"{counted(facts['memberships'], 'membership')}, "
        f"{counted(facts['entries'], 'audit entry', 'audit entries')}, "
        f"{counted(len(facts['archives']), 'archive')}."
    ]
    if facts["entries"]:
        told.append(f"Audit entries: {_listed(facts['entry_ids'])}")
    told += _told_namesakes(facts["namesakes"])
    told += [f"Still mentioned in {each.what}, to be mended by hand: {each.page}" for each in left]
    return "\n".join(told)


def _told_namesakes(namesakes: list[int]) -> list[str]:
    if not namesakes:
        return []
    some = ", ".join(map(str, namesakes[:NAMESAKES_TOLD]))
    return [
        "Not tied to him, and with his name, which a namesake may have: "
        f"{counted(len(namesakes), 'audit entry', 'audit entries')}. "
        f"Look at them, and erase his with --name and --entry: {some}"
    ]


def _listed(ranges: Ranges) -> str:
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
