"""The columns of a table of units that somebody is to fill in: no ids, and what each means."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from buildings.models import Block, Occupancy
from buildings.unit_import.columns import COLUMNS, Column
from contacts.canonical import one_line
from contacts.text import folded

# So many blocks are explained one by one.
_MOST_EXPLAINED = 50


@dataclass
class FillableColumn:
    """A column as a template has it, in the reader's language."""

    title: str
    width: int
    explanation: str
    examples: tuple[Any, Any]
    choices: tuple[Any, ...] = ()
    as_text: bool = False


@dataclass(frozen=True)
class _About:
    """What a template says of a column; the first example is a home, the second a shop.

    `title` is another of the column's headings, where its own may mean something else in a sheet from
    which somebody has deleted other columns.
    """

    explanation: str | Promise
    home: Any = ""
    shop: Any = ""
    width: int = 18
    title: str | Promise = ""


_ABOUT = {
    "number": _About(
        gettext_lazy("The number on the door, a whole number. Every row needs it."),
        101,
        3,
        width=14,
        title=gettext_lazy("unit number"),
    ),
    "floor": _About(
        gettext_lazy("A whole number: 0 is the ground floor, -1 the floor below it."),
        1,
        0,
        width=10,
    ),
    "name": _About(
        gettext_lazy("What people call the unit, if it has a name."),
        "",
        gettext_lazy("Example: Nile Pharmacy"),
        width=24,
        title=gettext_lazy("unit name"),
    ),
    "occupancy": _About(
        gettext_lazy("Choose from the list."),
        Occupancy.OCCUPIED.label,
        Occupancy.VACANT.label,
        width=24,
    ),
    "resident": _About(
        gettext_lazy(
            "The name of a person who lives in the unit. Each further resident takes a row of their"
            " own, with the same number of the unit."
        ),
        gettext_lazy("Example: Mona Ali"),
        width=28,
    ),
    "phone": _About(
        gettext_lazy(
            "The resident's phone. A resident needs a phone or an e-mail. The column is formatted as"
            " text, so that the 0 at the beginning stays."
        ),
        "01000000000",
        width=20,
    ),
    "email": _About(gettext_lazy("The resident's e-mail."), "mona@example.org", width=28),
    "note": _About(
        gettext_lazy("What else is to be known of the unit."),
        "",
        gettext_lazy("Example: key with the watchman"),
        width=36,
    ),
}


def fillable_columns(blocks: Sequence[Block] | None) -> list[FillableColumn]:
    """The columns; the first says which of `blocks` a row is of, unless they are None."""
    columns = [_fillable(column) for column in COLUMNS if column.key in _ABOUT]
    return columns if blocks is None else [_block_column(blocks), *columns]


def _fillable(column: Column) -> FillableColumn:
    about = _ABOUT[column.key]
    words = [str(each.label) for each in Occupancy] if column.key == "occupancy" else []
    return FillableColumn(
        _title(about.title or column.title),
        about.width,
        str(about.explanation),
        (_worded(about.home), _worded(about.shop)),
        choices=tuple(words),
        as_text=column.contact,
    )


def _worded(example: Any) -> Any:
    return example if isinstance(example, int) else str(example)


def _block_column(blocks: Sequence[Block]) -> FillableColumn:
    """By what people call them; by their ids if that may mean two of them."""
    called = [one_line(str(block)) for block in blocks]
    means = Counter(name for block in blocks for name in _names(block))
    by_name = all(means[folded(name)] == 1 for name in called)
    if by_name:
        column = next(each for each in COLUMNS if each.key == "block")
        choices: tuple[Any, ...] = tuple(called)
        explanation = _("The unit's block: choose from the list. Every row needs it.")
    else:
        column = next(each for each in COLUMNS if "block id" in (each.key, *each.synonyms))
        choices = tuple(block.pk for block in blocks)
        lines = (f"{block.pk}: {block.building}, {block}" for block in blocks[:_MOST_EXPLAINED])
        explanation = "\n".join(
            [_("The id of the unit's block: choose from the list. Every row needs it."), *lines]
        )
    example = choices[0] if choices else ""
    return FillableColumn(
        _title(column.title), 16, explanation, (example, example), choices, as_text=by_name
    )


def _names(block: Block) -> set[str]:
    """All that it may be called by."""
    return {folded(name) for name in (block.number, block.name, str(block)) if name}


def _title(words: str | Promise) -> str:
    return str(capfirst(str(words)))
