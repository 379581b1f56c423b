"""What an attacker with the database and the archives, and without the seal file, can do to the log."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from django.core.management import call_command
from django.db import transaction

from audit.archives import files
from audit.ledger import archived, write_archive
from audit.models import Entry
from audit.operations import Origin
from audit.sealing import Part, Row, erased
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


class Attacks:
    """A sealed log, in part archived, with a person erased from it; and what can be done to it."""

    def __init__(self, place: Path, chance: Random) -> None:
        self.file = place / "seals.jsonl"
        self.archives = place / "audit-archive"
        self.chance = chance

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
        }
        return {name: attack for name, attack in kinds.items() if attack.targets}

    def found(self, attack: Attack, count: int) -> int:
        """Make so many tries at once; returns how many were named, 0 if anything else was named too."""
        count = min(count, len(attack.targets))
        with self._taken_back():
            bad = attack.do(self.chance.sample(attack.targets, count))
            verdict = self._verify()
        named = {number for fault in verdict.faults for number in _ids(fault.first, fault.last)}
        first = verdict.first.first if verdict.first else None
        all_named = named == bad or (verdict.untold and named < bad)
        return count if all_named and first == min(bad) else 0

    def alarm(self) -> bool:
        """Whether a fault is found where nothing was done."""
        return self._verify().first is not None

    def _verify(self) -> Verdict:
        return verify(self.file, self.archives, lambda entries: None)

    @contextmanager
    def _taken_back(self) -> Iterator[None]:
        kept = {path: path.read_bytes() for path in files(self.archives)}
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

    def _rewrite(self, targets: list[int], change: Callable[[Row], list[Row]]) -> set[int]:
        bad = set(targets)
        for path in files(self.archives):
            rows = list(archived(path))
            new = (each for row in rows for each in (change(row) if row["id"] in bad else [row]))
            write_archive(path, new)
        return bad


def _ids(first: int | None, last: int | None) -> range:
    return range(0) if first is None or last is None else range(first, last + 1)
