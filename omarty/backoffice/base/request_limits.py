"""What a request may contain: ids and numbers that a database can hold, plausible days, short texts; and
nothing invisible in any of it.
"""

from datetime import date
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict

from contacts.canonical import tidy_number
from contacts.text import clean

# More than anybody types into a search or chooses in filters; databases refuse much longer queries.
MOST_CHARACTERS, MOST_PARAMETERS = 200, 50
# A page's link back to its list repeats the list's whole query; it is never searched for.
BACK_LINK = "_changelist_filters"

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)


def row_id(text: str) -> int | None:
    """The id that a text stands for; None if no row can have it."""
    # Eighteen digits fit into a database's 64-bit integers.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def whole_number(term: str) -> int | None:
    """The term as a number that a unit or floor can have; None if it is none."""
    try:
        number = int(tidy_number(term))
    except ValueError:
        return None
    return number if abs(number) < 10**9 else None


def clean_request(request: HttpRequest) -> None:
    """Take what nobody sees off all that forms, lists and searches read; a password stays as it is."""
    request.GET = _clean(request.GET)
    if request.method == "POST":
        request.POST = _clean(request.POST)


def _clean(query: QueryDict) -> Any:
    cleaned = QueryDict(mutable=True, encoding=query.encoding)
    for name, values in query.lists():
        cleaned.setlist(name, values if "password" in name else [clean(each) for each in values])
    cleaned._mutable = False
    return cleaned


def refuse_outsized(query: QueryDict, *, but: str = BACK_LINK) -> None:
    """Raises SuspiciousOperation for an address with more, or longer, parameters than any page sends.

    `but` is one that may be long.
    """
    values = [value for name, each in query.lists() if name != but for value in each]
    if len(values) > MOST_PARAMETERS or any(len(each) > MOST_CHARACTERS for each in values):
        raise SuspiciousOperation("an address asks for too much")
