"""Entries as digests, digests as a chain of seals. Pure functions; docs/audit-proof.md has the reasons.

An entry is a `Row` here: its fields by name, with JSON values, so that SQLite, MariaDB and an archive
file give the same row and the same digest.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from operator import itemgetter
from typing import Any

Row = dict[str, Any]
Ranges = list[list[int]]

# A part's proof is its salt (32 hexadecimal digits) until the part is erased, then its commitment (64).
COMMITMENT_LENGTH = 64
# Bytes of each digest stored in the seal file: enough to tell which entry was changed.
PRINT_LENGTH = 8


class Part(StrEnum):
    """A part of an entry that can be erased by itself: who acted, and who or what it was done to."""

    ACTOR = "actor"
    SUBJECT = "subject"


PROOF = {Part.ACTOR: "actor_proof", Part.SUBJECT: "subject_proof"}
PART_FIELDS = {
    Part.ACTOR: ("actor_label", "longitude", "latitude", "ip"),
    Part.SUBJECT: ("target_label", "person_label", "apartment_label", "reason", "before", "after"),
}
# Never erased.
STRUCTURE = (
    "id",
    "at",
    "request_id",
    "channel",
    "action",
    "refused",
    "actor_id",
    "target_type",
    "target_id",
    "person_id",
    "block_id",
    "block_label",
    "apartment_id",
)
FIELDS = (
    *STRUCTURE,
    *PART_FIELDS[Part.ACTOR],
    *PART_FIELDS[Part.SUBJECT],
    *PROOF.values(),
)

_JSON = ("before", "after")

_structure = itemgetter(*STRUCTURE)
_contents = {part: itemgetter(PROOF[part], *fields) for part, fields in PART_FIELDS.items()}
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def _unique_keys(pairs: list[tuple[str, Any]]) -> Row:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


_decoded = json.JSONDecoder(object_pairs_hook=_unique_keys).decode


def _parsed(text: str) -> Any:
    value = _decoded(text)
    if value is None:
        raise ValueError("null as JSON")
    return value


def portable(values: Sequence[Any]) -> Row:
    """The row of an entry. `values` are those of `FIELDS` as Django reads them, with JSON as text.

    Raises ValueError for JSON with a repeated key, or a JSON null, which no operation writes: parsing
    would hide them from the digest.
    """
    row = dict(zip(FIELDS, values, strict=True))
    for name in _JSON:
        if row[name] is not None:
            row[name] = _parsed(row[name])
    row["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    row["request_id"] = str(row["request_id"])
    if row["longitude"] is not None:
        row["longitude"] = format(row["longitude"], ".7f")
    if row["latitude"] is not None:
        row["latitude"] = format(row["latitude"], ".7f")
    return row


def is_erased(row: Row, part: Part) -> bool:
    """Whether the part was erased and only its commitment is left."""
    return len(row[PROOF[part]]) == COMMITMENT_LENGTH


def commitment(row: Row, part: Part) -> str:
    """The salted hash of the part, which reveals nothing once salt and part are erased."""
    if is_erased(row, part):
        return str(row[PROOF[part]])
    text = _canonical((part, *_contents[part](row)))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def erased(row: Row, part: Part) -> Row:
    """The part's fields after its erasure: labels become "#7" (for id 7), other fields empty."""
    fields: Row = dict.fromkeys(PART_FIELDS[part])
    for name in PART_FIELDS[part]:
        if name.endswith("_label"):
            named = row[name.replace("_label", "_id")]
            fields[name] = "" if named is None else f"#{named}"
    if part == Part.SUBJECT:
        fields["reason"] = ""
    return fields | {PROOF[part]: commitment(row, part)}


def digest(row: Row) -> bytes:
    """SHA-256 over the entry's structure and the commitments of its parts."""
    parts = commitment(row, Part.ACTOR), commitment(row, Part.SUBJECT)
    text = _canonical((*_structure(row), *parts))
    return hashlib.sha256(text.encode("ascii")).digest()


def to_ranges(ids: Iterable[int]) -> Ranges:
    """Ascending ids as [first, last] pairs of ranges without gaps."""
    ranges: Ranges = []
    for number in ids:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def from_ranges(ranges: Ranges) -> Iterator[int]:
    """The ids in these ranges; the inverse of `to_ranges()`."""
    for first, last in ranges:
        yield from range(first, last + 1)


@dataclass(frozen=True)
class SealLine:
    """A seal as a line of the seal file: which entries it covers, and the digest over them.

    `contents` is the digest over the entries' digests, `digest` the one over all other fields of the
    line: so a changed line can be distinguished from changed entries.
    """

    number: int
    at: str
    by: str
    previous: str
    ids: Ranges
    prints: bytes
    contents: str
    digest: str = ""

    @property
    def first_id(self) -> int:
        return self.ids[0][0]

    @property
    def last_id(self) -> int:
        return self.ids[-1][1]

    @property
    def entries(self) -> int:
        return sum(last - first + 1 for first, last in self.ids)

    def _body(self) -> dict[str, Any]:
        return {
            "seal": self.number,
            "at": self.at,
            "by": self.by,
            "previous": self.previous,
            "ids": self.ids,
            "contents": self.contents,
            "prints": base64.b64encode(self.prints).decode("ascii"),
        }

    def digested(self) -> "SealLine":
        """The line with its digest computed; the previous seal's digest is part of it."""
        return replace(self, digest=hashlib.sha256(_canonical(self._body()).encode()).hexdigest())

    def to_json(self) -> str:
        return json.dumps(self._body() | {"digest": self.digest}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "SealLine":
        """Parse a line, `changed()` or not. Raises ValueError if the text is not a seal."""
        try:
            fields = json.loads(text)
            line = cls(
                number=int(fields["seal"]),
                at=str(fields["at"]),
                by=str(fields["by"]),
                previous=str(fields["previous"]),
                ids=[[int(first), int(last)] for first, last in fields["ids"]],
                prints=base64.b64decode(fields["prints"], validate=True),
                contents=str(fields["contents"]),
                digest=str(fields["digest"]),
            )
        except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise ValueError("not a seal") from error
        if not line._is_consistent():
            raise ValueError("not a seal")
        return line

    def changed(self, text: str) -> bool:
        """Whether `text`, which this line was parsed from, differs from what was written."""
        return self.digested().digest != self.digest or self.to_json() != text

    def covers(self, digests: Iterable[bytes]) -> bool:
        """Whether these are the digests of the sealed entries, in order."""
        return contents_of(digests) == self.contents

    def _is_consistent(self) -> bool:
        ends = [end for pair in self.ids for end in pair]
        # Counted before a range is iterated: a forged one may span any number of ids.
        return (
            bool(ends) and ends == sorted(ends) and len(self.prints) == self.entries * PRINT_LENGTH
        )


def contents_of(digests: Iterable[bytes]) -> str:
    """The hexadecimal digest over the digests of entries."""
    total = hashlib.sha256()
    for each in digests:
        total.update(each)
    return total.hexdigest()


def seal_time(at: datetime) -> str:
    """A seal's time as the seal file has it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def sealed(
    *, number: int, at: datetime, by: str, previous: str, digests: Sequence[tuple[int, bytes]]
) -> SealLine:
    """The seal over these entries, given as (id, digest) by ascending id."""
    return SealLine(
        number=number,
        at=seal_time(at),
        by=by,
        previous=previous,
        ids=to_ranges(entry_id for entry_id, _ in digests),
        prints=b"".join(each[:PRINT_LENGTH] for _, each in digests),
        contents=contents_of(each for _, each in digests),
    ).digested()


class EntryProblem(StrEnum):
    """What can be wrong with an entry."""

    CHANGED = "changed"
    ONE_OF_THEM = "not what was sealed; the changed line of the seal file cannot show which"
    MISSING = "missing"
    ADDED = "added after it was sealed"
    UNREADABLE = "unreadable"
    ERASED_UNRECORDED = "erased, and no entry records it"
    ERASED_WRITTEN = "written into after it was erased"


def differences(
    line: SealLine, found: Sequence[tuple[int, bytes]]
) -> Iterator[tuple[int, EntryProblem]]:
    """How these entries, (id, digest), differ from those that the seal covers, by ascending id."""
    sealed_prints = _prints(line)
    present = {entry_id: each[:PRINT_LENGTH] for entry_id, each in found}
    for entry_id in sorted(sealed_prints.keys() | present.keys()):
        if entry_id not in present:
            yield entry_id, EntryProblem.MISSING
        elif entry_id not in sealed_prints:
            yield entry_id, EntryProblem.ADDED
        elif sealed_prints[entry_id] != present[entry_id]:
            yield entry_id, EntryProblem.CHANGED


def _prints(line: SealLine) -> dict[int, bytes]:
    starts = range(0, len(line.prints), PRINT_LENGTH)
    prints = (line.prints[start : start + PRINT_LENGTH] for start in starts)
    return dict(zip(from_ranges(line.ids), prints, strict=True))
