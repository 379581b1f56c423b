"""Limits of what a request may contain: ids and numbers that a database can
hold, plausible days, short texts.
"""

from datetime import date

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict

from contacts.canonical import western_digits

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
        number = int(western_digits(term.strip()))
    except ValueError:
        return None
    return number if abs(number) < 10**9 else None


def refuse_outsized(query: QueryDict) -> None:
    """Raises SuspiciousOperation for an address with more, or longer, parameters than any page sends."""
    values = [value for name, each in query.lists() if name != BACK_LINK for value in each]
    if len(values) > MOST_PARAMETERS or any(len(each) > MOST_CHARACTERS for each in values):
        raise SuspiciousOperation("an address asks for too much")
