"""What a request may say at all: ids that a database can hold, days that clocks know, no endless texts."""

from datetime import date
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from rangefilter.filters import DateRangeFilter

# Nobody types more into a search, or chooses more in filters; a database compiles no more either.
MOST_CHARACTERS, MOST_PARAMETERS = 200, 50
# The way back to a list holds all that the list was asked for; only links are made of it.
WAY_BACK = "_changelist_filters"

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 12, 31)


def row_id(text: str) -> int | None:
    """The id that this text is; None if no row can have it."""
    # Eighteen digits always fit into a database's whole numbers.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def refuse_outsized(query: QueryDict) -> None:
    """Raises SuspiciousOperation for an address that asks for more than anybody does."""
    values = [value for name, each in query.lists() if name != WAY_BACK for value in each]
    if len(values) > MOST_PARAMETERS or any(len(each) > MOST_CHARACTERS for each in values):
        raise SuspiciousOperation("an address asks for too much")


class DayFilter(DateRangeFilter):  # type: ignore[misc]
    """From one day to another. The title comes from the list's `get_rangefilter_<field>_title()`."""

    def _get_form_fields(self) -> Any:
        fields = super()._get_form_fields()
        for field in fields.values():
            field.validators += [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
        return fields
