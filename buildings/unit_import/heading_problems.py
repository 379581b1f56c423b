"""Why the headings of a table are refused, each in a sentence that says what to do."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from buildings.unit_import.columns import COLUMNS


class HeadingsProblem(Exception):
    """The table does not say what its columns are; the text is for the operator.

    `offered` are the headings of columns that it would help to leave out.
    """

    def __init__(self, sentence: str, offered: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.offered = offered


class Ways(NamedTuple):
    """How whoever imports says that units are called by names, that columns are left out, and which block
    is meant; where all blocks there are would be to choose from, there is no way to choose.
    """

    names: str
    ignore: str
    block: str = ""


OF_THE_COMMAND = Ways("--names", "--ignore HEADING", "--block ID")


def known_titles() -> str:
    """The headings that are read, in the reader's language."""
    return _(", ").join(str(column.title) for column in COLUMNS if column.read is not None)


def unknown_headings(headings: Sequence[str], ways: Ways) -> HeadingsProblem:
    """There are headings that nobody knows."""
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


def no_blocks(ways: Ways) -> HeadingsProblem:
    """Nothing says which block is meant."""
    if not ways.block:
        return HeadingsProblem(_("There is no column of blocks: add one."))
    return HeadingsProblem(
        _("There is no column of blocks: add one, or choose the block (%(way)s).")
        % {"way": ways.block}
    )


def sheet_of_another_block(sheets: Sequence[str]) -> HeadingsProblem:
    """The sheets' own names speak of other blocks than the one chosen, or of several."""
    return HeadingsProblem(
        _(
            "No column says the block, but the name of a sheet may: %(sheets)s. Bring in each sheet by"
            " itself, into its block, or add a column of blocks; if the name means no other block than"
            " the one chosen, give the sheet another name."
        )
        % {"sheets": _(", ").join(sheets)}
    )


def title_of_another_block(title: str) -> HeadingsProblem:
    """What stands above the headings speaks of another block than the one chosen."""
    return HeadingsProblem(
        _(
            "No column says the block, but “%(title)s”, above the headings, means another one than the one"
            " chosen: choose that block, or delete the line."
        )
        % {"title": title}
    )


def name_of_whom(heading: str, ways: Ways) -> HeadingsProblem:
    """A name may be the unit's or a person's."""
    return HeadingsProblem(
        _(
            "%(name)s may be the unit's name or a person's: head the column “unit name” or"
            " “resident”, or leave it out (%(way)s)."
        )
        % {"name": heading, "way": ways.ignore},
        [heading],
    )


def twice(one: str, other: str, ways: Ways, *, same: bool) -> HeadingsProblem:
    """Two columns say one thing; `same` tells that they are headed alike."""
    named = {"one": one, "other": other, "way": ways.ignore}
    if same:
        sentence = _(
            "Two columns are headed %(one)s: give one of them another heading, or delete it. To leave"
            " it out (%(way)s) leaves out both."
        )
        return HeadingsProblem(sentence % named, [one])
    sentence = _(
        "Two columns mean the same: %(one)s and %(other)s. Leave one of them out (%(way)s)."
    )
    return HeadingsProblem(sentence % named, [one, other])


def two_people(one: str, other: str, all_of_people: Sequence[str], ways: Ways) -> HeadingsProblem:
    """A row speaks of two people, by all these columns."""
    return HeadingsProblem(
        _(
            "The columns %(one)s and %(other)s speak of two people: leave out those of one of"
            " them (%(way)s), or give each person a row."
        )
        % {"one": one, "other": other, "way": ways.ignore},
        all_of_people,
    )


def contact_of_whom(name: str, contact: str, ways: Ways) -> HeadingsProblem:
    """Without the name, its contact would be somebody else's."""
    return HeadingsProblem(
        _(
            "%(contact)s may be of whom %(name)s names, which is left out: leave out both (%(way)s),"
            " or give each person a row."
        )
        % {"contact": contact, "name": name, "way": ways.ignore},
        [contact],
    )
