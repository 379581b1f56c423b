"""Finding and erasing the parts of entries that concern a person (docs/audit-proof.md)."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from django.db import transaction

from audit.ledger import rows, stored_entries
from audit.models import Action, Entry
from audit.operations import Named, Origin, record
from audit.sealing import PART_FIELDS, Part, Ranges, Row, erased, is_erased, to_ranges

# Ids of entries, ascending, by the part to erase.
Found = dict[Part, list[int]]


@dataclass(frozen=True)
class Traces:
    """What ties an entry to a person: their id, and their contacts in any text.

    Their name alone does not, since others may have the same: of the entries that hold it, only
    those with their id in `entries` count.
    """

    person_id: int
    contacts: tuple[str, ...] = ()
    name: str = ""
    entries: frozenset[int] = frozenset()

    @cached_property
    def _mentioned(self) -> Callable[[str], object]:
        # Whole addresses and numbers only: ann@example.org is not in joann@example.org.
        each = (rf"(?<![\w.+-]){re.escape(text.casefold())}(?![\w-])" for text in self.contacts)
        pattern = "|".join(each)
        return re.compile(pattern).search if pattern else lambda text: None

    def parts(self, row: Row) -> list[Part]:
        """The parts of the entry that concern the person and are not erased yet."""
        # The entry of an erasure is the proof of it, and holds nothing about the person.
        if row["action"] == Action.USER_ERASED:
            return []
        return [part for part in Part if not is_erased(row, part) and self._in(row, part)]

    def erasure(self, row: Row) -> Row:
        """The fields of the entry that change when these parts are erased, with their new values."""
        changed: Row = {}
        for part in self.parts(row):
            changed |= erased(row, part)
        return changed

    def _in(self, row: Row, part: Part) -> bool:
        if self.person_id in _people(row, part):
            return True
        text = _text(row, part)
        if row["id"] in self.entries and self._named(text):
            return True
        return self._mentioned(text.casefold()) is not None

    def name_in(self, row: Row) -> bool:
        """Whether a part of the entry holds the person's name."""
        return any(not is_erased(row, part) and self._named(_text(row, part)) for part in Part)

    def _named(self, text: str) -> bool:
        return bool(self.name) and self.name in text


def _text(row: Row, part: Part) -> str:
    return json.dumps([row[name] for name in PART_FIELDS[part]], ensure_ascii=False)


def _people(row: Row, part: Part) -> list[int | None]:
    if part == Part.ACTOR:
        return [row["actor_id"]]
    return [row["person_id"], row["target_id"] if row["target_type"] == "user" else None]


@dataclass
class Search:
    """The result of a search through entries, so far."""

    traces: Traces
    found: Found = field(default_factory=lambda: {part: [] for part in Part})
    # Entries that hold the name and are not tied to the person: they may concern a namesake.
    namesakes: list[int] = field(default_factory=list)
    last_id: int | None = None

    def add(self, row: Row) -> None:
        """Search the next entry; entries come by ascending id."""
        self.last_id = row["id"]
        parts = self.traces.parts(row)
        for part in parts:
            self.found[part].append(row["id"])
        if not parts and self.traces.name_in(row):
            self.namesakes.append(row["id"])

    def ids(self) -> set[int]:
        """The ids of all entries with something to erase."""
        return {number for ids in self.found.values() for number in ids}


def merged(founds: Iterable[Found]) -> Found:
    """The results of several searches as one."""
    founds = list(founds)
    return {part: sorted({number for each in founds for number in each[part]}) for part in Part}


# Ranges of ids in one entry that records an erasure.
RANGES = 5_000


@transaction.atomic
def erase_person_from_entries(
    *, origin: Origin, person: Named, search: Search, archived: Found
) -> Found:
    """Erase the parts that the search found, and those written since it ended.

    The one place that changes entries. Salts and fields are removed, commitments stay, and new
    entries record which parts were erased (docs/audit-proof.md). `archived` is what the caller
    erases from archive files. Returns all parts that are recorded.
    """
    for row in stored_entries(search.last_id):
        if not isinstance(row, int):
            search.add(row)
    for entry_id in sorted(search.ids()):
        for row in rows(Entry.objects.filter(pk=entry_id)):
            Entry._base_manager.filter(pk=entry_id).update(**search.traces.erasure(row))
    found = merged([search.found, archived])
    ranges = [(part, each) for part in Part for each in to_ranges(found[part])]
    for start in range(0, len(ranges) or 1, RANGES):
        named: dict[str, Ranges] = {part: [] for part in Part}
        for part, each in ranges[start : start + RANGES]:
            named[part].append(each)
        record(
            origin=origin,
            action=Action.USER_ERASED,
            target=person,
            person=person,
            after=named,
        )
    return found
