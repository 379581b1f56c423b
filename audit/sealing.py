"""How entries become digests, and digests a chain. Pure functions; docs/audit-proof.md says why so.

An entry is handled as a `Row`: its fields by name, each as JSON has it, so that SQLite, MariaDB and
an archive file give the same row and with it the same digest.
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

# A part's proof is its salt, 32 hexadecimal digits, until it is erased; then its commitment, 64.
COMMITMENT_LENGTH = 64
# Of each entry's digest the seal file keeps so many bytes: enough to name which entry was changed.
PRINT_LENGTH = 8


class Part(StrEnum):
    """What of an entry can be erased, apart from the rest: who did it, and to whom."""

    ACTOR = "actor"
    SUBJECT = "subject"


PROOF = {Part.ACTOR: "actor_proof", Part.SUBJECT: "subject_proof"}
PART_FIELDS = {
    Part.ACTOR: ("actor_label", "longitude", "latitude", "ip"),
    Part.SUBJECT: ("target_label", "person_label", "apartment_label", "reason", "before", "after"),
}
# Never erased: ids, times and kinds.
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


def _once(pairs: list[tuple[str, Any]]) -> Row:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


_decoded = json.JSONDecoder(object_pairs_hook=_once).decode


def _parsed(text: str) -> Any:
    value = _decoded(text)
    if value is None:
        raise ValueError("null as JSON")
    return value


def portable(values: Sequence[Any]) -> Row:
    """The row of an entry; `values` are those of `FIELDS` as Django gives them, JSON as text.

    Raises ValueError where JSON says a thing twice, or a null that no operation writes: what nobody
    sees of it would belong to no digest.
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
    """Whether the part was erased, so that only its commitment is left."""
    return len(row[PROOF[part]]) == COMMITMENT_LENGTH


def commitment(row: Row, part: Part) -> str:
    """What the part was: a salted hash, which tells nothing about it once salt and part are gone."""
    if is_erased(row, part):
        return str(row[PROOF[part]])
    text = _canonical((part, *_contents[part](row)))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def erased(row: Row, part: Part) -> Row:
    """The part's fields after its erasure: "#7" for the label of person 7, else nothing."""
    fields: Row = dict.fromkeys(PART_FIELDS[part])
    for name in PART_FIELDS[part]:
        if name.endswith("_label"):
            named = row[name.replace("_label", "_id")]
            fields[name] = "" if named is None else f"#{named}"
    if part == Part.SUBJECT:
        fields["reason"] = ""
    return fields | {PROOF[part]: commitment(row, part)}


def digest(row: Row) -> bytes:
    """SHA-256 of the entry: of its structure as it is, and of its parts' commitments."""
    parts = commitment(row, Part.ACTOR), commitment(row, Part.SUBJECT)
    text = _canonical((*_structure(row), *parts))
    return hashlib.sha256(text.encode("ascii")).digest()


def to_ranges(ids: Iterable[int]) -> Ranges:
    """Ascending ids as [first, last] pairs of runs without gaps."""
    ranges: Ranges = []
    for number in ids:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def from_ranges(ranges: Ranges) -> Iterator[int]:
    """The ids of `to_ranges()`."""
    for first, last in ranges:
        yield from range(first, last + 1)


@dataclass(frozen=True)
class Line:
    """One seal as a line of the seal file: which entries it covers, and the digest over them.

    `contents` is over the digests of the entries, `digest` over all the rest of the line: so a line
    that was changed is told from entries that were.
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

    def digested(self) -> "Line":
        """The line with the digest that belongs to it; it hangs on the previous seal's."""
        return replace(self, digest=hashlib.sha256(_canonical(self._body()).encode()).hexdigest())

    def to_json(self) -> str:
        return json.dumps(self._body() | {"digest": self.digest}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Line":
        """Raises ValueError if the text cannot be such a line, `changed()` or not."""
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
        if not line._makes_sense():
            raise ValueError("not a seal")
        return line

    def changed(self, text: str) -> bool:
        """Whether the text, of which the line was read, is not what was written, byte for byte."""
        return self.digested().digest != self.digest or self.to_json() != text

    def covers(self, digests: Iterable[bytes]) -> bool:
        """Whether these are the digests of the entries that were sealed, in their order."""
        return contents_of(digests) == self.contents

    def _makes_sense(self) -> bool:
        ends = [end for pair in self.ids for end in pair]
        # Counted before a range is walked: a forged one may name all numbers that there are.
        return (
            bool(ends) and ends == sorted(ends) and len(self.prints) == self.entries * PRINT_LENGTH
        )


def contents_of(digests: Iterable[bytes]) -> str:
    """One digest over those of entries, in hexadecimal."""
    whole = hashlib.sha256()
    for each in digests:
        whole.update(each)
    return whole.hexdigest()


def written(at: datetime) -> str:
    """A seal's time as its line has it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def sealed(
    *, number: int, at: datetime, by: str, previous: str, digests: Sequence[tuple[int, bytes]]
) -> Line:
    """The seal over these entries, given as (id, digest) in ascending order."""
    return Line(
        number=number,
        at=written(at),
        by=by,
        previous=previous,
        ids=to_ranges(number for number, _ in digests),
        prints=b"".join(each[:PRINT_LENGTH] for _, each in digests),
        contents=contents_of(each for _, each in digests),
    ).digested()


class EntryProblem(StrEnum):
    """What can be wrong with an entry."""

    CHANGED = "changed"
    AMONG_THEM = (
        "not what was sealed; which of them, the changed line of the seal file does not tell"
    )
    MISSING = "missing"
    ADDED = "added after it was sealed"
    UNREADABLE = "unreadable"
    ERASED_UNRECORDED = "erased, and no entry records it"
    ERASED_WRITTEN = "written into after it was erased"


def differences(
    line: Line, found: Sequence[tuple[int, bytes]]
) -> Iterator[tuple[int, EntryProblem]]:
    """Where these entries, (id, digest), differ from what the seal covers; ascending by id."""
    prints = _prints(line)
    now = {number: each[:PRINT_LENGTH] for number, each in found}
    for number in sorted(prints.keys() | now.keys()):
        if number not in now:
            yield number, EntryProblem.MISSING
        elif number not in prints:
            yield number, EntryProblem.ADDED
        elif prints[number] != now[number]:
            yield number, EntryProblem.CHANGED


def _prints(line: Line) -> dict[int, bytes]:
    places = range(0, len(line.prints), PRINT_LENGTH)
    each = (line.prints[place : place + PRINT_LENGTH] for place in places)
    return dict(zip(from_ranges(line.ids), each, strict=True))
