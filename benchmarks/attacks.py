"""What an attacker can do to the log who can write the database, the archives, or only the seal file."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import QuerySet

from audit import ledger, verification
from audit.archives import files
from audit.ledger import archived_entries, write_archive
from audit.models import Entry, Seal
from audit.operations import Origin
from audit.sealing import Part, Row, SealLine, digest, erased
from audit.verification import Verdict, verify
from benchmarks.invented_log import write
from contacts.operations import register_user
from tests.proof import copy_entry, forge_chain, row_of, sql

CHANGES = {
    "at": "2020-01-01 00:00:00",
    "request_id": "0123456789ab4def8123456789abcdef",
    "channel": "command",
    "action": "user.signed_out",
    "refused": "no",
    "actor_id": 4711,
    "actor_label": "Somebody Else",
    "target_label": "another",
    "reason": "forged",
    "block_id": 4711,
    "after": '{"number": -1}',
    "ip": "1.2.3.4",
    "latitude": 1,
    "longitude": None,
}
# The invented log has an entry every ten seconds: some 20,000 of them are older.
ARCHIVED_BEFORE = "2026-01-03"


@dataclass(frozen=True)
class Attack:
    """A kind of attack: `do` tampers with some of `targets` and returns the ids that are bad then."""

    do: Callable[[list[int]], set[int]]
    targets: list[int]
    only_alone: bool = False


class Cache:
    """Stores the rows and digests of entries by their values, in place of computing them each time.

    Each try changes one or two of a hundred thousand entries, and verifies all of them.
    """

    def __init__(self) -> None:
        self._stored: dict[Any, Row] = {}
        self._digests: dict[int, tuple[Row, bytes]] = {}
        self._rows, self._parse_row = ledger.rows, ledger.parse_row
        vars(ledger).update(rows=self.rows, parse_row=self.parse_row)
        vars(verification).update(digest=self.digest)

    def rows(self, entries: "QuerySet[Entry]") -> list[Row]:
        """As `ledger.rows()`, stored by the values that the database returns."""
        with connection.cursor() as cursor:
            cursor.execute(*entries.query.sql_with_params())
            found = cursor.fetchall()
        if not self._stored.keys() >= set(found):
            for values, row in zip(found, self._rows(entries), strict=True):
                self._stored.setdefault(values, row)
        return [self._stored[values] for values in found]

    def parse_row(self, text: str) -> Row:
        """As `ledger.parse_row()`."""
        if text not in self._stored:
            self._stored[text] = self._parse_row(text)
        return self._stored[text]

    def digest(self, row: Row) -> bytes:
        """As `sealing.digest()`; the row is stored too, so that no other object gets its id."""
        if id(row) not in self._digests:
            self._digests[id(row)] = row, digest(row)
        return self._digests[id(row)][1]


class Attacks:
    """A sealed, partly archived log, from which a person was erased; and the attacks on it."""

    def __init__(self, directory: Path, chance: Random) -> None:
        self.file = directory / "seals.jsonl"
        self.archives = directory / "audit-archive"
        self.chance = chance

    def use_copy(self, directory: Path) -> None:
        """Use the copy of the log in `directory`. From here on nothing is computed twice."""
        self.file = directory / "seals.jsonl"
        self.archives = directory / "audit-archive"
        Cache()

    def prepare(self, entries: int, gaps: float) -> None:
        """Write this many entries, delete this share of them before anything is sealed, and seal."""
        call_command("migrate", verbosity=0)
        write(entries)
        ids = list(Entry.objects.order_by("pk").values_list("pk", flat=True))
        self.gaps = sorted(self.chance.sample(ids[1:-1], int(entries * gaps)))
        for gap in self.gaps:
            sql("DELETE FROM audit_entry WHERE id = %s", gap)
        register_user(origin=Origin.of_command("benchmark"), id=1, email="one@example.org")
        self._run("audit_seal")
        self._run("person_erase", "1", "--reason=asked for it")
        self._run("audit_archive", f"--before={ARCHIVED_BEFORE}")
        self._run("audit_seal")
        self.ids = list(Entry.objects.order_by("pk").values_list("pk", flat=True))
        self.gaps = [gap for gap in self.gaps if gap > self.ids[0]]
        erased_entries = Entry.objects.filter(actor_label="#1").order_by("pk")
        self.erased = list(erased_entries.values_list("pk", flat=True))

    def _run(self, *command: str) -> None:
        quiet = io.StringIO()
        call_command(*command, f"--file={self.file}", stdout=quiet, stderr=quiet)

    def kinds(self) -> dict[str, Attack]:
        """Every attack by its name."""
        already_erased = set(self.erased)
        whole = [number for number in self.ids if number not in already_erased]
        with_after = set(Entry.objects.exclude(after=None).values_list("pk", flat=True))
        away = [row["id"] for path in files(self.archives) for row in archived_entries(path)]
        kinds = {
            "changed": Attack(self.change, whole),
            "removed": Attack(self.remove, self.ids),
            "added late": Attack(self.add, self.gaps),
            "re-ordered": Attack(self.exchange, self.ids[:-2:2]),
            "emptied like an erasure": Attack(self.empty, whole),
            "written into after an erasure": Attack(self.write_into, self.erased),
            "cut off the end": Attack(self.cut_off, self.ids, only_alone=True),
            "chain forged": Attack(self.forge, whole),
            "changed in an archive": Attack(self.change_archived, away),
            "removed from an archive": Attack(self.remove_archived, away),
            "archive lengthened": Attack(self.lengthen_archive, away, only_alone=True),
            "key written twice": Attack(
                self.shadow, [each for each in whole if each in with_after]
            ),
            "print changed": Attack(self.change_print, whole, only_alone=True),
            "byte of the seal file changed": Attack(self.change_byte, whole, only_alone=True),
            "seal's row changed": Attack(self.change_seal, whole, only_alone=True),
        }
        return {name: attack for name, attack in kinds.items() if attack.targets}

    def found(self, attack: Attack, count: int) -> int:
        """Make this many tries at once. Returns how many were named, 0 if anything else was named too."""
        count = min(count, len(attack.targets))
        with self._undone():
            bad = attack.do(self.chance.sample(attack.targets, count))
            verdict = self._verify()
        named = {
            number for problem in verdict.problems for number in _ids(problem.first, problem.last)
        }
        all_named = named == bad or (verdict.unlisted and named < bad)
        # An attack that changes no entry: a problem is reported, and no entry named.
        first = verdict.first is not None and verdict.first.first == min(bad, default=None)
        return count if all_named and first else 0

    def alarm(self) -> bool:
        """Whether a problem is found where nothing was done."""
        return self._verify().first is not None

    def _verify(self) -> Verdict:
        return verify(self.file, self.archives, lambda entries: None)

    @contextmanager
    def _undone(self) -> Iterator[None]:
        saved = {path: path.read_bytes() for path in (*files(self.archives), self.file)}
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        for path, content in saved.items():
            path.write_bytes(content)

    # --- The attacks

    def change(self, targets: list[int]) -> set[int]:
        for target in targets:
            column = self.chance.choice(list(CHANGES))
            statement = f"UPDATE audit_entry SET {column} = %s WHERE id = %s"  # noqa: S608
            sql(statement, CHANGES[column], target)
        return set(targets)

    def remove(self, targets: list[int]) -> set[int]:
        for target in targets:
            sql("DELETE FROM audit_entry WHERE id = %s", target)
        return set(targets)

    def add(self, gaps: list[int]) -> set[int]:
        for gap in gaps:
            copy_entry(self.chance.choice(self.ids), gap)
        return set(gaps)

    def exchange(self, targets: list[int]) -> set[int]:
        bad = set()
        for target in targets:
            other = self.ids[self.ids.index(target) + 1]
            for source, number in ((target, 10**9), (other, target), (10**9, other)):
                sql("UPDATE audit_entry SET id = %s WHERE id = %s", number, source)
            bad |= {target, other}
        return bad

    def empty(self, targets: list[int]) -> set[int]:
        for target in targets:
            part = self.chance.choice(list(Part))
            Entry._base_manager.filter(pk=target).update(**erased(row_of(target), part))
        return set(targets)

    def write_into(self, targets: list[int]) -> set[int]:
        for target in targets:
            sql("UPDATE audit_entry SET actor_label = 'Somebody Else' WHERE id = %s", target)
        return set(targets)

    def cut_off(self, targets: list[int]) -> set[int]:
        end = min(targets)
        sql("DELETE FROM audit_entry WHERE id >= %s", end)
        sql("DELETE FROM audit_seal WHERE last_id >= %s", end)
        # The entry that recorded the erasure is among those at the end.
        gone = {number for number in self.ids if number >= end}
        away = (row for path in files(self.archives) for row in archived_entries(path))
        return gone | set(self.erased) | {row["id"] for row in away if row["actor_label"] == "#1"}

    def forge(self, targets: list[int]) -> set[int]:
        self.change(targets)
        forge_chain()
        return set(targets)

    def change_archived(self, targets: list[int]) -> set[int]:
        return self._rewrite(targets, lambda row: [row | {"reason": "forged"}])

    def remove_archived(self, targets: list[int]) -> set[int]:
        return self._rewrite(targets, lambda row: [])

    def lengthen_archive(self, targets: list[int]) -> set[int]:
        path = self.chance.choice(files(self.archives))
        rows = list(archived_entries(path))
        write_archive(path, [*rows, rows[-1] | {"id": 10**9}])
        return {10**9}

    def shadow(self, targets: list[int]) -> set[int]:
        for target in targets:
            sql(
                "UPDATE audit_entry SET after = '{\"number\": -1, ' || substr(after, 2) WHERE id = %s",
                target,
            )
        return set(targets)

    def change_print(self, targets: list[int]) -> set[int]:
        texts = self.file.read_text().splitlines(keepends=True)
        index = self.chance.randrange(len(texts))
        line = SealLine.from_json(texts[index])
        prints = bytearray(line.prints)
        prints[self.chance.randrange(len(prints))] ^= 1 << self.chance.randrange(8)
        texts[index] = replace(line, prints=bytes(prints)).to_json() + "\n"
        self.file.write_text("".join(texts))
        return set()

    def change_byte(self, targets: list[int]) -> set[int]:
        content = bytearray(self.file.read_bytes())
        index = self.chance.randrange(len(content))
        content[index] ^= 1 << self.chance.randrange(8)
        self.file.write_bytes(content)
        return set()

    def change_seal(self, targets: list[int]) -> set[int]:
        values = {"at": "2020-01-01 00:00:00", "by": "Somebody Else", "digest": "f" * 64}
        column = self.chance.choice(list(values))
        seal = self.chance.choice(list(Seal.objects.all()))
        statement = f'UPDATE audit_seal SET "{column}" = %s WHERE number = %s'  # noqa: S608
        sql(statement, values[column], seal.number)
        return set()

    def _rewrite(self, targets: list[int], change: Callable[[Row], list[Row]]) -> set[int]:
        bad = set(targets)
        for path in files(self.archives):
            rows = list(archived_entries(path))
            new = (each for row in rows for each in (change(row) if row["id"] in bad else [row]))
            write_archive(path, new)
        return bad


def _ids(first: int | None, last: int | None) -> range:
    return range(0) if first is None or last is None else range(first, last + 1)
