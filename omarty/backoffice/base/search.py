"""Searching for people by name or contact, and for anything by its name; a hidden contact finds nobody."""

import re
from contextlib import suppress
from functools import reduce
from operator import or_
from typing import Any

import phonenumbers
from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Replace
from django.db.models.lookups import Contains

from buildings.models import Membership
from buildings.permissions import Blocks
from contacts.canonical import western_digits
from contacts.masking import visible
from contacts.models import Claim, Kind, User
from contacts.text import clean, search_words
from omarty.backoffice.base.request_limits import whole_number

# Fewer digits are in too many numbers.
LEAST_DIGITS = 4
# From so many letters a word is looked for across spaces: "elsayed" is in "El Sayed".
LONG_WORD = 6
# So many people are found once and then known by their ids: their rows, units and count need no
# other search. More are found fast enough wherever one looks.
FEW = 20_000
_LETTER = re.compile(r"[^\W\d_]")


def named(term: str) -> Q:
    """Over rows with a folded name: those with each of the words in it, in any order and spelling."""
    words = search_words(term)
    found = Q() if words else Q(pk__in=[])
    for word in words:
        without_spaces = Replace(F("folded"), Value(" "), Value(""))
        found &= Q(Contains(F("folded") if len(word) < LONG_WORD else without_spaces, word))
    return found


def people_matching(term: str, within: Blocks) -> Q:
    """Over users who belong or belonged to these blocks: by name, e-mail, or phone or a part of one.

    Runs one statement; over everybody two.
    """
    # What has an "@" is an e-mail; its parts are words of many names.
    name = named("" if "@" in term else term)
    values = _values_matching(clean(term).strip())
    holders = Claim.objects.filter(values, visible())
    if not values:
        found, people = name, _people(within).filter(name).values_list("pk")
    elif within.ids is None:
        # Names and contacts are each read from their own index, and whose few contacts it are then.
        claims = _few(Claim.objects.filter(values).values_list("pk"))
        holders = holders if claims is None else Claim.objects.filter(visible(), pk__in=claims)
        found = name | Q(pk__in=holders.values("user_id"))
        names = User.objects.filter(name).values_list("pk")
        people = names.union(holders.values_list("user_id"))
    else:
        # Few people: each one's contacts are looked at.
        found = name | Q(Exists(holders.filter(user=OuterRef("pk"))))
        people = _people(within).filter(found).values_list("pk")
    few = _few(people)
    return found if few is None else Q(pk__in=few)


def _few(ids: Any) -> list[int] | None:
    """The ids that a query of nothing else finds; None if they are many."""
    found = [pk for (pk,) in ids[: FEW + 1]]
    return found if len(found) <= FEW else None


def people_named(term: str, within: Blocks) -> QuerySet[User]:
    """The people of these blocks with each of the words in their name."""
    return _people(within).filter(named(term))


def units_matching(term: str, people: Q) -> Q:
    """Over units: by number, floor or name, and those to which one of these people belongs.

    `people` is what `people_matching()` gave for the term.
    """
    living = Membership.objects.current().filter(
        user__in=User.objects.filter(people), apartment__isnull=False
    )
    found = named(term) | Q(pk__in=living.values("apartment_id"))
    number = digits_of(term)
    if number:
        found |= Q(number__contains=number)
    # 0002 ends a phone, and is no second floor.
    floor = whole_number(term) if len(number) < LEAST_DIGITS else None
    return found if floor is None else found | Q(floor=floor)


def _people(within: Blocks) -> QuerySet[User]:
    members = within.only(Membership.objects.all(), "block_id").values("user_id")
    return User.objects.all() if within.ids is None else User.objects.filter(pk__in=members)


def digits_of(term: str) -> str:
    """The digits of a term that has no letters."""
    text = western_digits(clean(term))
    return "" if _LETTER.search(text) else "".join(filter(str.isdecimal, text))


def _values_matching(term: str) -> Q:
    """Over claims: those on a contact with this term in it; nothing for a term that none can have."""
    by_kind = {Kind.EMAIL: _emails(term), Kind.PHONE: _phones(term)}
    found = Q()
    for kind, conditions in by_kind.items():
        with suppress(ValueError):
            conditions.append(Q(value=kind.canonical(term)))
        if conditions:
            found |= Q(kind=kind) & reduce(or_, conditions)
    return found


def _emails(part: str) -> list[Q]:
    one_word = part.isascii() and part.isprintable() and " " not in part
    return [Q(value__contains=part.lower())] if part and one_word else []


def _phones(part: str) -> list[Q]:
    """Over claims on phones: a part of the number as it is dialled at home or from abroad."""
    digits = digits_of(part)
    if len(digits) < LEAST_DIGITS:
        return []
    country = str(phonenumbers.country_code_for_region(settings.PHONE_REGION))
    found = [Q(value__contains=digits)]
    for prefix, stands_for in (("00", "+"), ("0", f"+{country}"), (f"{country}0", f"+{country}")):
        if digits.startswith(prefix):
            found.append(Q(value__startswith=stands_for + digits.removeprefix(prefix)))
    return found
