"""What goes out: an export is one list of columns, each with its heading and how its cells are got."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.utils.functional import Promise

from contacts.masking import AnyContact, masked_contacts, shown_contact

Row = TypeVar("Row")


@dataclass(frozen=True)
class ExportColumn(Generic[Row]):
    """A column on the way out. `value` makes a row's cell: a text, a number, a day, a time or None."""

    heading: str | Promise
    value: Callable[[Row], Any]

    def cell(self, row: Row, *, in_full: bool) -> Any:
        """The row's cell as the file has it; `in_full` is for columns that are masked else."""
        return self.value(row)


class ContactColumn(ExportColumn[Row]):
    """A column of contacts: `value` gives any number of them, and none shows more than it may."""

    value: Callable[[Row], Iterable[AnyContact]]

    def cell(self, row: Row, *, in_full: bool) -> str:
        return "; ".join(
            shown_contact(each, in_full=in_full, as_typed=True) for each in self.value(row)
        )


class TextColumn(ExportColumn[Row]):
    """A column of texts among which contacts may be: these are masked unless in full."""

    value: Callable[[Row], str]

    def cell(self, row: Row, *, in_full: bool) -> str:
        text = self.value(row)
        return text if in_full else masked_contacts(text)
