"""What an attacker can do to the log who writes the database, the archives, or the seal file alone."""

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
from audit.ledger import archived, write_archive
from audit.models import Entry, Seal
from audit.operations import Origin
from audit.sealing import Line, Part, Row, digest, erased
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
# The invented log goes on for ten seconds an entry: some 20,000 of it are older.
ARCHIVED_BEFORE = "2026-01-03"


@dataclass(frozen=True)
class Attack:
    """One kind: `do` tampers with some of `targets` and returns the ids that are bad then."""

    do: Callable[[list[int]], set[int]]
    targets: list[int]
    only_alone: bool = False


class Remembered:
    """Of each entry the row and the digest as computed once: the same values give the same again.

    A try changes an entry or two of a hundred thousand, and each is verified in whole.
    """

    def __init__(self) -> None:
        self._kept: dict[Any, Row] = {}
        self._digests: dict[int, tuple[Row, bytes]] = {}
        self._rows, self._archived = ledger.rows, vars(ledger)["_row"]
        vars(ledger).update(rows=self.rows, _row=self.archived)
        vars(verification).update(digest=self.digest)

    def rows(self, entries: "QuerySet[Entry]") -> list[Row]:
        """As `ledger.rows()`; known by the values as the database gives them."""
        with connection.cursor() as cursor:
            cursor.execute(*entries.query.sql_with_params())
            found = cursor.fetchall()
        if not self._kept.keys() >= set(found):
            for values, row in zip(found, self._rows(entries), strict=True):
                self._kept.setdefault(values, row)
        return [self._kept[values] for values in found]

    def archived(self, text: str) -> Row:
        """As `ledger._row()`."""
        if text not in self._kept:
            self._kept[text] = self._archived(text)
        return self._kept[text]

    def digest(self, row: Row) -> bytes:
        """As `sealing.digest()`; the row is kept, so that no other gets its identity."""
        if id(row) not in self._digests:
            self._digests[id(row)] = row, digest(row)
        return self._digests[id(row)][1]


class Attacks:
    """A sealed log, in part archived, with a person erased from it; and what can be done to it."""

    def __init__(self, place: Path, chance: Random) -> None:
        self.file = place / "seals.jsonl"
        self.archives = place / "audit-archive"
        self.chance = chance

    def move(self, place: Path) -> None:
        """The log was copied to `place`. From here on nothing is computed twice."""
        self.file = place / "seals.jsonl"
        self.archives = place / "audit-archive"
        Remembered()

    def prepare(self, entries: int, gaps: float) -> None:
        """Write so many entries, take this share out before anything is sealed, seal."""
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
        his = Entry.objects.filter(actor_label="#1").order_by("pk")
        self.his = list(his.values_list("pk", flat=True))

    def _run(self, *command: str) -> None:
        quiet = io.StringIO()
        call_command(*command, f"--file={self.file}", stdout=quiet, stderr=quiet)

    def kinds(self) -> dict[str, Attack]:
        """Every attack by its name."""
        his = set(self.his)
        whole = [number for number in self.ids if number not in his]
        with_after = set(Entry.objects.exclude(after=None).values_list("pk", flat=True))
        away = [row["id"] for path in files(self.archives) for row in archived(path)]
        kinds = {
            "changed": Attack(self.change, whole),
            "removed": Attack(self.remove, self.ids),
            "added late": Attack(self.add, self.gaps),
            "re-ordered": Attack(self.exchange, self.ids[:-2:2]),
            "emptied like an erasure": Attack(self.empty, whole),
            "written into after an erasure": Attack(self.write_into, self.his),
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
        """Make so many tries at once; returns how many were named, 0 if anything else was named too."""
        count = min(count, len(attack.targets))
        with self._taken_back():
            bad = attack.do(self.chance.sample(attack.targets, count))
            verdict = self._verify()
        named = {number for fault in verdict.faults for number in _ids(fault.first, fault.last)}
        all_named = named == bad or (verdict.untold and named < bad)
        # A kind that leaves all entries as they are: a fault is told, and none of them named.
        first = verdict.first is not None and verdict.first.first == min(bad, default=None)
        return count if all_named and first else 0

    def alarm(self) -> bool:
        """Whether a fault is found where nothing was done."""
        return self._verify().first is not None

    def _verify(self) -> Verdict:
        return verify(self.file, self.archives, lambda entries: None)

    @contextmanager
    def _taken_back(self) -> Iterator[None]:
        kept = {path: path.read_bytes() for path in (*files(self.archives), self.file)}
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        for path, content in kept.items():
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
        # With the end goes the entry that recorded the erasure.
        gone = {number for number in self.ids if number >= end}
        away = (row for path in files(self.archives) for row in archived(path))
        return gone | set(self.his) | {row["id"] for row in away if row["actor_label"] == "#1"}

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
        rows = list(archived(path))
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
        place = self.chance.randrange(len(texts))
        line = Line.from_json(texts[place])
        prints = bytearray(line.prints)
        prints[self.chance.randrange(len(prints))] ^= 1 << self.chance.randrange(8)
        texts[place] = replace(line, prints=bytes(prints)).to_json() + "\n"
        self.file.write_text("".join(texts))
        return set()

    def change_byte(self, targets: list[int]) -> set[int]:
        content = bytearray(self.file.read_bytes())
        place = self.chance.randrange(len(content))
        content[place] ^= 1 << self.chance.randrange(8)
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
            rows = list(archived(path))
            new = (each for row in rows for each in (change(row) if row["id"] in bad else [row]))
            write_archive(path, new)
        return bad


def _ids(first: int | None, last: int | None) -> range:
    return range(0) if first is None or last is None else range(first, last + 1)
