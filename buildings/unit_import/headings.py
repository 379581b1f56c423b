"""Which column a heading means, however people write it, and whether a table's headings go together."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from django.utils.translation import gettext as _

from buildings.unit_import.columns import COLUMNS, Column
from contacts.text import clean, in_words

# In place of headings that are to be left out: all that are not known.
ALL = "all"
# No heading is longer.
_LONGEST = 200

_NEW_WORD = re.compile("(?<=[a-z])(?=[A-Z])")
_BRACKETS = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")
_BETWEEN_PARTS = re.compile(
    r"[/\\|()\[\]{}–—-]|(?<=[a-zA-Z.#])\s+(?=[\u0600-\u06ff])|(?<=[\u0600-\u06ff])\s+(?=[a-zA-Z])"
)
_ARTICLE = "ال"


def plain(heading: str) -> str:
    """One form for all spellings of a heading: words of letters and digits, one space between.

    Case, hamza, vowel signs, tatweel, ال, punctuation, presentation forms, whose digits and what
    nobody sees do not count.
    """
    if len(heading) > _LONGEST:
        # It is none of ours, and to compose a long row of marks takes time that grows with its square.
        return heading
    apart = _NEW_WORD.sub(" ", unicodedata.normalize("NFKC", clean(heading)))
    return " ".join(map(_without_article, in_words(apart).split()))


def _without_article(word: str) -> str:
    while word.startswith(_ARTICLE) and len(word) > len(_ARTICLE) + 1:
        word = word.removeprefix(_ARTICLE)
    return word


def _plain_set(*words: str) -> frozenset[str]:
    return frozenset(map(plain, words))


_COLUMN_OF = {plain(name): column for column in COLUMNS for name in (column.key, *column.synonyms)}
_KEYS = {column.key: column for column in COLUMNS}
# What counts the rows of a sheet.
_COUNTERS = _plain_set(
    "م", "مسلسل", "الرقم المسلسل", "رقم مسلسل", "تسلسل", "ت", "No", "Nr"
) | _plain_set(
    "S/N",
    "SN",
    "Sr",
    "Sr No",
    "Serial",
    "Serial No",
    "Serial number",
    "Seq",
    "Sl No",
    "Row",
    "Row No",
    "Index",
)
_SIGNS_OF_COUNTERS = {"#", "№", "م.", "#."}
# The unit's number, unless the sheet says nothing of units beside it or has another column of it.
_PERHAPS_COUNTERS = _plain_set("رقم", "الرقم")
# The unit's name, or beside a phone or an e-mail the resident's.
_ANY_NAME = _plain_set("name", "الاسم")
_NUMBER_WORDS = _plain_set("no", "nr", "num", "nos", "number", "numbers", "رقم", "أرقام", "نمرة")
_IDS = _plain_set("id", "معرف")
# Which of several contacts.
_WHICH = _plain_set(
    "first", "second", "third", "other", "another", "alternative", "additional", "main"
) | _plain_set(
    "primary",
    "secondary",
    "أول",
    "ثاني",
    "ثان",
    "ثالث",
    "آخر",
    "أخرى",
    "بديل",
    "إضافي",
    "أساسي",
    "رئيسي",
)
# How a column is to be filled.
_HINTS = frozenset(
    plain(
        "required optional mandatory must ground numbers number no digits only text format example"
        " eg e g as in with without spaces or the of and not 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 yes egp"
        " مطلوب إلزامي اجباري اختياري رقم أرقام فقط مثال نص بدون مسافات"
    ).split()
)
_OWNER = _plain_set("owner", "owners", "landlord", "مالك", "ملاك", "صاحب")
_OCCUPANT = _plain_set(
    "tenant", "tenants", "renter", "lessee", "resident", "residents", "occupant", "occupier"
) | _plain_set("مستأجر", "ساكن", "سكان", "شاغل", "مقيم", "قاطن")
_PERSON = _OWNER | _OCCUPANT
_NAME = _plain_set("name", "names", "full", "اسم", "أسماء", "كامل", "بالكامل", "ثلاثي", "رباعي")
_BETWEEN = _plain_set("s", "of", "the", "customer", "client", "contact", "person", "عميل", "شخص")
# The columns that say which unit is meant.
UNIT_KEYS = frozenset({"number", "unit id"})


class HeadingsProblem(Exception):
    """The table does not say what its columns are; the text is for the operator.

    `unknown` are the headings that would have to be left out.
    """

    def __init__(self, sentence: str, unknown: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.unknown = unknown


class Ways(NamedTuple):
    """How whoever imports says that units are called by names, and that columns are left out."""

    names: str
    ignore: str


OF_THE_COMMAND = Ways("--names", "--ignore HEADING")


class Meaning(NamedTuple):
    """The column that a heading means, and whose it is: "owner", "occupant" or nobody's in particular."""

    column: Column
    who: str = ""


def _without_hint(brackets: re.Match[str]) -> str:
    """Nothing for brackets that say how to fill the column; those that say of whom it is stay."""
    return " " if _HINTS.issuperset(plain(brackets[0]).split()) else brackets[0]


@lru_cache(4096)
def meaning(heading: str) -> Meaning | None:
    """What a heading means; None if it is not known."""
    if len(heading) > _LONGEST:
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
    who = _who(words)
    if column := _COLUMN_OF.get(" ".join(words)):
        return Meaning(column, who)
    less = [word for word in words if word not in _NUMBER_WORDS]
    column = _COLUMN_OF.get(" ".join(less))
    if column and " ".join(less) not in _IDS:
        return Meaning(column, who)
    people = [word for word in less if word not in _NAME | _BETWEEN]
    if people and _PERSON.issuperset(people):
        return Meaning(_KEYS["resident"], who)
    left_out = _WHICH | _OWNER | _OCCUPANT | _BETWEEN
    least = [re.sub(r"[1-9]$", "", word) for word in less if word not in left_out]
    column = _COLUMN_OF.get(" ".join(filter(None, least)))
    return Meaning(column, who) if column and column.contact else None


def _who(words: Collection[str]) -> str:
    if not _OWNER.isdisjoint(words):
        return "" if not _OCCUPANT.isdisjoint(words) else "owner"
    return "" if _OCCUPANT.isdisjoint(words) else "occupant"


def is_counter(heading: str) -> bool:
    """Whether the column counts the rows of its sheet."""
    return heading.strip() in _SIGNS_OF_COUNTERS or plain(heading) in _COUNTERS


def is_known(heading: str) -> bool:
    """Whether it heads a column that is read, or one that a table of ours has besides."""
    return not is_counter(heading) and meaning(heading) is not None


def is_problem_heading(heading: str) -> bool:
    """Whether the column says what was wrong with a row, as `import_units --skip-bad` writes it."""
    found = meaning(heading)
    return found is not None and found.column.key == "problem"


def known_titles() -> str:
    """The headings that are read, in the reader's language."""
    return _(", ").join(str(column.title) for column in COLUMNS if column.read is not None)


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
        unknown = []
        for index, text in enumerate(self.texts):
            if not text:
                continue
            found = meaning(text)
            if plain(text) in unwanted or is_counter(text):
                self.left_out.append(text)
            elif found is not None:
                known.append((index, found))
            elif ALL in unwanted:
                self.left_out.append(text)
            else:
                unknown.append(text)
        if unknown:
            raise _unknown(unknown, self.ways)
        self._check_ignored(unwanted)
        known = [
            (index, found._replace(column=column)) for index, found, column in self._decided(known)
        ]
        self._check_people(known)
        self.columns = [(index, found.column) for index, found in known]
        self._check_twice()

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
        others = {
            found.column.key
            for index, found in known
            if plain(self.texts[index]) not in _PERHAPS_COUNTERS | _ANY_NAME
        }
        of_people = bool(others & {"phone", "email", "last name"}) and "resident" not in others
        of_units = (
            bool(others - {"resident", "last name", "phone", "email", "note", "problem"})
            or len(known) == 1
        )
        for index, found in known:
            text = plain(self.texts[index])
            column = found.column
            if text in _PERHAPS_COUNTERS and (not of_units or "number" in others):
                self.left_out.append(self.texts[index])
                continue
            if text in _ANY_NAME:
                column = _KEYS["resident" if of_people else "name"]
            yield index, found, column

    def _check_twice(self) -> None:
        first: dict[str, int] = {}
        for index, column in self.columns:
            if column.key in first and not column.contact:
                raise HeadingsProblem(
                    _("Two columns mean the same: %(one)s and %(other)s. Leave one of them out.")
                    % {"one": self.texts[first[column.key]], "other": self.texts[index]}
                )
            first.setdefault(column.key, index)

    def _check_people(self, known: Sequence[tuple[int, Meaning]]) -> None:
        """A row is of one person: the phone of the owner beside the name of the tenant is another's."""
        of_people = [
            (index, found)
            for index, found in known
            if found.column.contact or found.column.key == "resident"
        ]
        named = [(found.who, index) for index, found in of_people if found.who]
        for (who, one), (other_who, other) in pairwise(named):
            if who != other_who:
                raise HeadingsProblem(
                    _(
                        "The columns %(one)s and %(other)s speak of two people: leave out those of one of"
                        " them, or give each person a row."
                    )
                    % {"one": self.texts[one], "other": self.texts[other]}
                )


def _unknown(headings: Sequence[str], ways: Ways) -> HeadingsProblem:
    return HeadingsProblem(
        _(
            "Unknown headings: %(unknown)s. Known are: %(known)s. Columns that are not ours can be left"
            " out (%(way)s)."
        )
        % {
            "unknown": _(", ").join(name[:40] for name in headings),
            "known": known_titles(),
            "way": ways.ignore,
        },
        headings,
    )
