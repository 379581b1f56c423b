"""Several phones or e-mails in one text, as a cell or a column of an old database may have them."""

import re
from collections.abc import Iterator, Sequence

from django.conf import settings
from phonenumbers import country_code_for_region

from contacts.canonical import ContactProblem
from contacts.models import Kind
from contacts.phones import country_code_of, may_be_abroad

# Between several phones or e-mails; a slash or dash may also stand within one.
_BETWEEN = re.compile(
    r"[/\\،,;؛|&\n／，；、](?:\s?و(?=[a-z0-9+]))?|\s(?:and|or|أو|او)\s|\sو|(?<=\d)\s\+\s(?=\d)",
    re.IGNORECASE,
)
_DASH_WITH_BLANKS, _BLANK_OR_DASH = re.compile(r"\s[‐-―−-]\s"), re.compile(r"[\s‐-―−-]+")
# The fewest digits of one of several numbers: fewer are part of one.
_FEWEST_DIGITS = 7
_MOST_PARTS, _MOST_GROUPS = 25, 9
# More would take long to try in every way.
_MOST_GROUPS_OF_ALL = 24
# The most, with a prefix and an extension.
_MOST_DIGITS = 22
# What programs that know fractions alone make of a phone.
_FRACTION_OF_PHONE = re.compile(r"(\+?\d{6,15})[.٫]0+")


def contacts_in(kind: Kind, text: str) -> list[tuple[str, str]]:
    """The contacts that a text names, each once, as typed and canonical, in their order.

    Raises ContactProblem where the text is no contact, nor several.
    """
    parts = next(filter(None, (_read_all(kind, each) for each in _partings(kind, text))), None)
    if parts is None or _leaves_out_a_code(kind, parts):
        # It says why.
        return [_read_contact(kind, text)]
    return list({value: (typed, value) for typed, value in reversed(parts)}.values())[::-1]


def _leaves_out_a_code(kind: Kind, parts: Sequence[tuple[str, str]]) -> bool:
    """Whether beside a number abroad another one has no code, and may be one of there."""
    if kind is not Kind.PHONE or len(parts) < 2:
        return False
    home = country_code_for_region(settings.PHONE_REGION)
    abroad = {country_code_of(value) for _typed, value in parts} - {home}
    return any(may_be_abroad(typed, value, abroad) for typed, value in parts)


def phones_in(text: str) -> list[str]:
    """The phones that a text names, as typed; the whole text where that is one phone, or none."""
    try:
        phones = [typed for typed, _value in contacts_in(Kind.PHONE, text)]
    except ContactProblem:
        return [text]
    return phones if len(phones) > 1 else [text]


def _partings(kind: Kind, text: str) -> Iterator[list[str]]:
    """The ways in which the text may be several contacts, the likeliest first; or one."""
    several = _parts(_BETWEEN, text)
    if len(several) > _MOST_PARTS:
        return
    if kind is Kind.EMAIL:
        yield [text]
        yield several
        yield " ".join(several).split()
        return
    if len(several) > 1 and all(_digits_in(part) >= _FEWEST_DIGITS for part in several):
        yield several
    yield [text]
    if len(apart := [part for each in several for part in _parts(_DASH_WITH_BLANKS, each)]) > 1:
        yield apart
    groups = [_BLANK_OR_DASH.split(each) for each in several]
    if sum(map(len, groups)) > _MOST_GROUPS_OF_ALL:
        return
    numbers = list(map(_numbers, groups))
    if all(len(each) == 1 for each in numbers):
        apart = [number for each in numbers for number in each[0]]
        # Of one number, phones.py says how it may be written.
        if len(apart) > 1:
            yield apart


def _parts(between: re.Pattern[str], text: str) -> list[str]:
    return [part.strip() for part in between.split(text) if part.strip()]


def _numbers(groups: list[str]) -> list[list[str]]:
    """The ways in which groups of digits, in their order, are whole phones."""
    if len(groups) > _MOST_GROUPS:
        return []
    ways: list[list[list[str]]] = [[[]]]
    for end in range(1, len(groups) + 1):
        last = ((start, " ".join(groups[start:end])) for start in range(end))
        ways.append(
            [
                [*way, number]
                for start, number in last
                if ways[start] and _FEWEST_DIGITS <= _digits_in(number) <= _MOST_DIGITS
                if _read_all(Kind.PHONE, [number])
                for way in ways[start]
            ]
        )
    return ways[-1]


def _digits_in(text: str) -> int:
    return sum(map(str.isdecimal, text))


def _read_all(kind: Kind, parts: list[str]) -> list[tuple[str, str]] | None:
    """All of the parts as contacts; None if one is none."""
    if not 0 < len(parts) <= _MOST_PARTS:
        return None
    try:
        return [_read_contact(kind, part) for part in parts]
    except ValueError:
        return None


def _read_contact(kind: Kind, text: str) -> tuple[str, str]:
    if kind is Kind.PHONE and text.endswith("0") and (found := _FRACTION_OF_PHONE.fullmatch(text)):
        text = found[1]
    return kind.tidy(text), kind.canonical(text)
