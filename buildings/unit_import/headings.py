"""Which column a heading means, however people write it, and whether a table's headings go together."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise, permutations
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from buildings.unit_import.columns import COLUMNS, Column
from buildings.unit_import.heading_problems import (
    OF_THE_COMMAND,
    HeadingsProblem,
    Ways,
    contact_of_whom,
    name_of_whom,
    twice,
    two_people,
    unknown_headings,
)
from buildings.unit_import.heading_words import (
    ANY_NAME,
    APART,
    BETWEEN,
    CODES,
    COUNTERS,
    COUNTRIES,
    EGYPT,
    EGYPT_IN_LETTERS,
    HINTS,
    IDS,
    KINDS,
    LANGUAGES,
    LONGEST,
    NAME,
    NUMBER_OF,
    NUMBER_WORDS,
    OCCUPANT,
    OF_CODES,
    OTHER_PEOPLE,
    OWNER,
    PERHAPS_COUNTERS,
    PERSON,
    SIGNS_OF_COUNTERS,
    THINGS,
    UNITS,
    WHICH,
    plain,
)

# In place of headings that are to be left out: all that are not known.
ALL = "all"

_BRACKETS = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")
_BETWEEN_PARTS = re.compile(
    r"[/\\|()\[\]{}–—-]|(?<=[a-zA-Z.#])\s+(?=[\u0600-\u06ff])|(?<=[\u0600-\u06ff])\s+(?=[a-zA-Z])"
)

_COLUMN_OF = {plain(name): column for column in COLUMNS for name in (column.key, *column.synonyms)}
_KEYS = {column.key: column for column in COLUMNS}
# Without one of these an id may be anybody's, or count rows.
_UNITS_OF_IDS = (
    frozenset(
        word
        for heading, column in _COLUMN_OF.items()
        if column.key == "unit id"
        for word in heading.split()
    )
    - IDS
)
# What our own tables call a unit's number and name.
_OURS = {"number", "name"}
_NAME_KEYS = {"resident", "last name"}
# The columns that say which unit is meant.
UNIT_KEYS = frozenset({"number", "unit id"})


class Meaning(NamedTuple):
    """The column that a heading means, and whose it is: "owner", "occupant" or nobody's in particular."""

    column: Column
    who: str = ""


def _without_hint(brackets: re.Match[str]) -> str:
    """Nothing for brackets that say how to fill the column; those that say of whom it is stay."""
    return " " if HINTS.issuperset(plain(brackets[0]).split()) else brackets[0]


@lru_cache(4096)
def meaning(heading: str) -> Meaning | None:
    """What a heading means; None if it is not known."""
    if len(heading) > LONGEST:
        return None
    if found := _found(heading):
        return found
    outside = _BRACKETS.sub(_without_hint, heading)
    if outside != heading and (found := _found(outside)):
        return found
    # In two languages, or with another word for it.
    parts = [_found(part) for part in _BETWEEN_PARTS.split(heading) if plain(part)]
    if (
        len(parts) > 1
        and None not in parts
        and len({part.column.key for part in parts if part}) == 1
    ):
        return parts[0]
    return None


def _found(text: str) -> Meaning | None:
    words = plain(text).split()
    if len(words) > 1 and (mere := [word for word in words if word not in LANGUAGES]) != words:
        # In which language a name is written does not matter.
        return _found(" ".join(mere)) if " ".join(mere) in ANY_NAME else None
    who = _who(words)
    if column := _COLUMN_OF.get(" ".join(words)):
        return Meaning(column, who)
    less = [word for word in words if word not in NUMBER_WORDS]
    column = _COLUMN_OF.get(" ".join(less))
    # How many there are, or by which number they are known: "No. of residents", "رقم المالك".
    counted = less != words and NAME.isdisjoint(words) and not _number(text)
    if column and " ".join(less) not in IDS and not (counted and column.key == "resident"):
        return Meaning(column, who)
    bare = [word for word in (re.sub(r"[1-9]$", "", word) for word in less) if word]
    people = [word for word in bare if word not in NAME | BETWEEN | WHICH]
    # "Name 2" is a person's: units have their numbers beside them.
    named = bool(people) or (not NAME.isdisjoint(bare) and _number(text) != "")
    if named and not counted and PERSON.issuperset(people):
        return Meaning(_KEYS["resident"], who)
    left_out = WHICH | OWNER | OCCUPANT | BETWEEN
    column = _COLUMN_OF.get(" ".join(word for word in bare if word not in left_out))
    return Meaning(column, who) if column and column.contact else None


def _number(heading: str) -> str:
    """Which of several people or contacts a heading means; empty if it does not say."""
    for word in plain(heading).split():
        if word in NUMBER_OF:
            return NUMBER_OF[word]
        if word[-1] in "123456789" and word[-2:-1] not in set("0123456789"):
            return word[-1]
    return ""


def _who(words: Collection[str]) -> str:
    if not OWNER.isdisjoint(words):
        return "" if not OCCUPANT.isdisjoint(words) else "owner"
    return "" if OCCUPANT.isdisjoint(words) else "occupant"


def is_any_name(heading: str) -> bool:
    """Whether it says of a name neither that it is the unit's nor that it is a person's."""
    words = [word for word in plain(heading).split() if word not in LANGUAGES]
    # In two languages, too: "Name / الاسم".
    return bool(words) and ANY_NAME.issuperset(words)


def tells_units_apart(heading: str) -> bool:
    """Whether units of one number may differ by the column."""
    words = set(plain(heading).split())
    # A flat and a shop may have one number, where the type of a person says nothing of the unit.
    return not APART.isdisjoint(words) or not (KINDS.isdisjoint(words) or UNITS.isdisjoint(words))


def speaks_of_codes(heading: str) -> bool:
    """Whether the column has codes: of countries, or of anything else."""
    return not CODES.isdisjoint(plain(heading).split())


def speaks_of_countries(heading: str) -> bool:
    """Whether the column says in which country somebody, or their phone, is."""
    return not COUNTRIES.isdisjoint(plain(heading).split())


def is_abroad(text: str) -> bool:
    """Whether a text of such a column names another country than the one whose phones need no code."""
    said = plain(text)
    if not any(map(str.isalpha, said)):
        return False
    if settings.PHONE_REGION != "EG":
        return said != settings.PHONE_REGION.casefold()
    return said not in EGYPT_IN_LETTERS and EGYPT.isdisjoint(said.split())


def speaks_of_codes_of_phones(heading: str) -> bool:
    """Whether the column has what the phones of another lack."""
    return speaks_of_codes(heading) and not OF_CODES.isdisjoint(plain(heading).split())


def _is_any_id(heading: str, found: Meaning) -> bool:
    """Whether it says of an id not that it is the unit's."""
    return found.column.key == "unit id" and _UNITS_OF_IDS.isdisjoint(plain(heading).split())


def _names_somebody(heading: str) -> bool:
    """Whether the column may name a person of its own: the resident, or somebody beside them."""
    words = set(plain(heading).split())
    if not _number(heading) and words <= NAME | WHICH | LANGUAGES | {"given"}:
        # The same resident's name, in other words.
        return False
    if (found := meaning(heading)) is not None:
        return found.column.key == "resident"
    people = OTHER_PEOPLE | PERSON
    bare = {re.sub(r"[1-9]$", "", word) for word in words}
    bare |= {word.removesuffix("s") for word in bare}
    return not people.isdisjoint(bare) and not _is_thing(heading)


def _is_thing(heading: str) -> bool:
    """Whether the heading is of no person, though it may speak of one: a count, a sum, a phone."""
    words = [re.sub(r"[1-9]$", "", word) for word in plain(heading).split()]
    if not THINGS.isdisjoint(words) or meaning(" ".join(words)) is not None:
        return True
    columns = [_COLUMN_OF.get(word) for word in words if word not in BETWEEN]
    return any(column.contact for column in columns if column)


def is_counter(heading: str) -> bool:
    """Whether the column counts the rows of its sheet."""
    return heading.strip() in SIGNS_OF_COUNTERS or plain(heading) in COUNTERS


def is_known(heading: str) -> bool:
    """Whether it heads a column that is read, or one that a table of ours has besides."""
    return not is_counter(heading) and meaning(heading) is not None


def is_problem_heading(heading: str) -> bool:
    """Whether the column says what was wrong with a row, as `import_units --skip-bad` writes it."""
    found = meaning(heading)
    return found is not None and found.column.key == "problem"


@dataclass
class Headings:
    """What the headings of one table mean. `columns` are those that are known, each with its index.

    Of contacts there may be several of one kind, of others one. `left_out` are the headings of the
    columns that are not read, because of `ignore` or because they count rows.
    """

    texts: Sequence[str]
    ignore: Collection[str] = ()
    ways: Ways = OF_THE_COMMAND
    columns: list[tuple[int, Column]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Raises HeadingsProblem for an unknown heading, or one that is there twice."""
        unwanted = {plain(name) for name in self.ignore}
        known: list[tuple[int, Meaning]] = []
        unknown, ignored = [], []
        for index, text in enumerate(self.texts):
            if not text:
                continue
            found = meaning(text)
            ours = found is not None and not _is_any_id(text, found)
            if is_counter(text):
                self.left_out.append(text)
            elif plain(text) in unwanted or (ALL in unwanted and not ours):
                self.left_out.append(text)
                ignored.append(index)
            elif found is None:
                unknown.append(text)
            else:
                known.append((index, found))
        if unknown:
            raise unknown_headings(unknown, self.ways)
        self._check_ids(known)
        self._check_ignored(unwanted)
        known = [
            (index, found._replace(column=column)) for index, found, column in self._decided(known)
        ]
        self._check_people(known)
        self._check_left_out(dict(known), ignored)
        self.columns = [(index, found.column) for index, found in known]
        self._check_twice()

    def _check_ids(self, known: Sequence[tuple[int, Meaning]]) -> None:
        """An id that is not said to be the unit's would give units the numbers of others."""
        texts = [(self.texts[index], found) for index, found in known]
        ids = [text for text, found in texts if _is_any_id(text, found)]
        if not ids:
            return
        numbers = [text for text, found in texts if found.column.key == "number"]
        facts = {"ids": ids[0], "way": self.ways.ignore, "right": _KEYS["unit id"].title}
        sentence = _(
            "The column %(ids)s may count rows, or be an id of something else: if it is the unit's id, head"
            " it “%(right)s”, else leave it out (%(way)s)."
        )
        if numbers:
            sentence = _(
                "The column %(ids)s, beside the unit numbers of %(numbers)s, may count rows, or be an id of"
                " something else: if it is the unit's id, head it “%(right)s”, else leave it out (%(way)s)."
            )
            facts["numbers"] = numbers[0]
        raise HeadingsProblem(sentence % facts, ids)

    def _check_ignored(self, unwanted: set[str]) -> None:
        missing = unwanted - {plain(name) for name in self.left_out} - {ALL}
        wrong = [name for name in self.ignore if plain(name) in missing]
        if wrong:
            raise HeadingsProblem(
                _("There is no column %s that could be left out.") % _(", ").join(wrong)
            )

    def _decided(
        self, known: Sequence[tuple[int, Meaning]]
    ) -> Iterator[tuple[int, Meaning, Column]]:
        """What headings mean that mean one thing or another, by the company that they keep."""
        numbered = any(self._is_numbered(index, found) for index, found in known)
        others = {
            found.column.key
            for index, found in known
            if plain(self.texts[index]) not in PERHAPS_COUNTERS
            and not is_any_name(self.texts[index])
            and not self._is_numbered(index, found)
        }
        of_people = bool(others & {"phone", "email", "last name"}) and "resident" not in others
        of_units = (
            bool(others - {"resident", "last name", "phone", "email", "note", "problem"})
            or len(known) == 1
        )
        named = "resident" in others
        ours = "unit id" in others or _OURS.issubset(self.texts)
        for index, found in known:
            text = plain(self.texts[index])
            column = found.column
            if text in PERHAPS_COUNTERS and (not of_units or "number" in others):
                self.left_out.append(self.texts[index])
                continue
            if is_any_name(self.texts[index]):
                if not ours and (named or not of_people and not numbered):
                    raise name_of_whom(self.texts[index], self.ways)
                column = _KEYS["resident" if of_people or numbered else "name"]
            yield index, found, column

    def _is_numbered(self, index: int, found: Meaning) -> bool:
        """Whether it names one of several people."""
        text = self.texts[index]
        return (
            found.column.key == "resident"
            and _number(text) != ""
            and not set(plain(text).split()) <= NAME | NUMBER_OF.keys()
        )

    def _check_twice(self) -> None:
        first: dict[str, int] = {}
        for index, column in self.columns:
            if column.key in first and not column.contact:
                one, other = self.texts[first[column.key]], self.texts[index]
                raise twice(one, other, self.ways, same=plain(one) == plain(other))
            first.setdefault(column.key, index)

    def _check_people(self, known: Sequence[tuple[int, Meaning]]) -> None:
        """A row is of one person: the phone of the owner beside the name of the tenant is another's."""
        of_people = [
            (index, found)
            for index, found in known
            if found.column.contact or found.column.key == "resident"
        ]
        named = [(found.who, index) for index, found in of_people if found.who]
        names = [(index, found) for index, found in of_people if not found.column.contact]
        two = (
            [(one, other) for (who, one), (other_who, other) in pairwise(named) if who != other_who]
            or [
                # "Mobile" beside "Owner's mobile": one is somebody else's.
                (one, other)
                for (one, found), (other, other_found) in permutations(of_people, 2)
                if found.column is other_found.column and other_found.who and not found.who
                if found.column.contact and not any(each.who for _index, each in names)
            ]
            or [
                (one, other)
                for (one, found), (other, other_found) in pairwise(names)
                if self._is_numbered(one, found) or self._is_numbered(other, other_found)
            ]
        )
        for one, other in two:
            of_people_too = [self.texts[index] for index, _found in of_people]
            raise two_people(self.texts[one], self.texts[other], of_people_too, self.ways)

    def _check_left_out(self, known: Mapping[int, Meaning], ignored: Sequence[int]) -> None:
        """Whose name is left out must not leave their phone to whom another column names."""
        named = {found.who for found in known.values() if found.column.key == "resident"}
        for name, contact in self._contacts_beside(known, ignored):
            whose = known[contact].who
            if not (whose and whose in named) and self._may_be_of(name, contact):
                raise contact_of_whom(self.texts[name], self.texts[contact], self.ways)
        for name in filter(lambda index: _names_somebody(self.texts[index]), ignored):
            for contact, found in known.items():
                number = _number(self.texts[contact]) if found.column.contact else ""
                if number > "1" and self._same(name, contact):
                    raise contact_of_whom(self.texts[name], self.texts[contact], self.ways)

    def _contacts_beside(
        self, known: Mapping[int, Meaning], ignored: Sequence[int]
    ) -> Iterator[tuple[int, int]]:
        """A column left out that may name somebody, and each contact that may be theirs."""
        names = [found for found in known.values() if found.column.key == "resident"]
        kinds = Counter(found.column.key for found in known.values())
        # Where nobody is named, a name left out is not the resident's in other words.
        contact_before, name_before = False, not names
        stranger = doubtful = None
        for index, text in enumerate(self.texts):
            found = known.get(index)
            if index in ignored:
                # "Name" beside "Tenant" may be another's.
                other = contact_before or not name_before or any(each.who for each in names)
                nobody_else = not names and NAME.issuperset(set(plain(text).split()) - LANGUAGES)
                if _names_somebody(text) or (other and is_any_name(text)) or nobody_else:
                    if contact_before or names or meaning(text) is None:
                        stranger = index
                elif (contact_before or not name_before) and meaning(text) is None:
                    # Apart from the resident's there may stand a name under a heading nobody foresaw.
                    doubtful = doubtful if _is_thing(text) else index
            elif found is not None and found.column.contact:
                # One of two phones may be another's; an e-mail beside a phone is hardly.
                again = doubtful if kinds[found.column.key] > 1 else None
                if (suspect := again if stranger is None else stranger) is not None:
                    yield suspect, index
                contact_before, doubtful = True, None
            elif found is not None and found.column.key in _NAME_KEYS:
                name_before, stranger, doubtful = True, None, None

    def _same(self, one: int, other: int) -> bool:
        return _number(self.texts[one]) == _number(self.texts[other])

    def _may_be_of(self, name: int, contact: int) -> bool:
        """Whether a contact may be of whom a column names: not if both are numbered otherwise."""
        numbers = [_number(self.texts[index]) for index in (name, contact)]
        return "" in numbers or self._same(name, contact)
