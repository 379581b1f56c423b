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
from contacts.models import SECONDARY, Claim, Kind, User
from contacts.text import clean, search_words

# Fewer digits are in too many numbers.
LEAST_DIGITS = 4
# From so many letters a word is looked for across spaces: "elsayed" is in "El Sayed".
LONG_WORD = 6
# So many people are found once and then known by their ids: their rows, units and count need no
# other search. More are found fast enough wherever one looks.
FEW = 1000
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

    Runs one statement.
    """
    # What has an "@" is an e-mail; its parts are words of many names.
    name = named("" if "@" in term else term)
    contacts = _contacts_matching(clean(term).strip())
    holders = Claim.objects.filter(contacts)
    if within.ids is not None:
        # Few people: each one's contacts are looked at.
        found = name | Q(Exists(holders.filter(user=OuterRef("pk")))) if contacts else name
        people: Any = _people(within).filter(found).values_list("pk")
    else:
        # Names and contacts are each read by their own index.
        found = name | Q(pk__in=holders.values("user_id")) if contacts else name
        people = User.objects.filter(name).values_list("pk")
        people = people.union(holders.values_list("user_id")) if contacts else people
    few = [pk for (pk,) in people[: FEW + 1]]
    return Q(pk__in=few) if len(few) <= FEW else found


def people_named(term: str, within: Blocks) -> QuerySet[User]:
    """The people of these blocks with each of the words in their name."""
    return _people(within).filter(named(term))


def residents_matching(term: str, within: Blocks) -> Q:
    """Over units: those to which somebody found by `people_matching()` belongs."""
    people = User.objects.filter(people_matching(term, within))
    living = Membership.objects.current().filter(user__in=people, apartment__isnull=False)
    return Q(pk__in=living.values("apartment_id"))


def _people(within: Blocks) -> QuerySet[User]:
    members = within.only(Membership.objects.all(), "block_id").values("user_id")
    return User.objects.all() if within.ids is None else User.objects.filter(pk__in=members)


def digits_of(term: str) -> str:
    """The digits of a term that has no letters."""
    text = western_digits(clean(term))
    return "" if _LETTER.search(text) else "".join(filter(str.isdecimal, text))


def _contacts_matching(term: str) -> Q:
    """Over claims: the visible ones that have this term in them; nothing for a term that none can have."""
    by_kind = {Kind.EMAIL: _emails(term), Kind.PHONE: _phones(term)}
    matches = []
    for kind, conditions in by_kind.items():
        with suppress(ValueError):
            conditions.append(Q(value=kind.canonical(term)))
        if conditions:
            secondary = SECONDARY[kind].__name__.lower()
            visible = Q(**{f"{secondary}__hidden": False}) | Q(
                **{f"{secondary}__isnull": True, f"user__{kind}_hidden": False}
            )
            matches.append(Q(kind=kind) & reduce(or_, conditions) & visible)
    return reduce(or_, matches, Q())


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
