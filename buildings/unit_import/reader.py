"""Reading the rows of a table of units: what each reports, or everything that is wrong with it."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter
from phonenumbers import country_code_for_region

from buildings.permissions import Blocks
from buildings.unit_import.blocks import BlockFinder, BlockProblem
from buildings.unit_import.cells import (
    CellProblem,
    NameProblem,
    means_nobody,
    meant,
    meant_name,
    read_id,
    read_number,
    read_text,
)
from buildings.unit_import.columns import (
    LONGEST_NAME,
    NO_CONTACT,
    Column,
    read_unit_name,
    without_former_ids,
)
from buildings.unit_import.floors import ROOF, read_floor, roof_unknown
from buildings.unit_import.heading_problems import OF_THE_COMMAND, HeadingsProblem, Ways, no_blocks
from buildings.unit_import.heading_words import plain
from buildings.unit_import.headings import (
    UNIT_KEYS,
    Headings,
    is_abroad,
    is_counter,
    is_known,
    speaks_of_codes,
    speaks_of_codes_of_phones,
    speaks_of_countries,
    tells_units_apart,
)
from buildings.unit_import.names import may_name_several, names_no_unit, names_several
from buildings.unit_import.rows import RowProblem, UnitRow, details_of
from buildings.unit_import.sections import Sections
from contacts.bulk import ReportedContact
from contacts.canonical import one_line, western_digits
from contacts.models import Kind
from contacts.phones import country_code_of

# Longer than what any column takes: it is not looked at further.
_LONGEST_CELL = 1000
# Of a country, before a phone.
_CODE = re.compile(r"(?:\+|(?<![0-9])00)[1-9][0-9]{0,3}(?![0-9])")
_BARE_CODE, _ANY_CODE = re.compile("[29][0-9]{2}"), re.compile("[0-9]{1,5}")
# A part of a block, or a kind of unit, in characters.
_LONGEST_PART = 40
# The columns that say which block is meant, the plainest first.
_BLOCK_COLUMNS = ("block", "block name", "block id")
# Of the resident, in their order.
_NAMES = ("resident", "last name")


class _LeftOut(NamedTuple):
    """A column that is left out, and what its heading says of its cells."""

    at: int
    name: str
    words: frozenset[str]
    counts: bool
    tells_units_apart: bool
    has_codes: bool
    has_codes_of_phones: bool
    has_countries: bool

    @classmethod
    def of(cls, at: int, name: str) -> "_LeftOut":
        return cls(
            at,
            name,
            frozenset(plain(name).split()),
            counts=is_counter(name),
            tells_units_apart=tells_units_apart(name),
            has_codes=speaks_of_codes(name),
            has_codes_of_phones=speaks_of_codes_of_phones(name),
            has_countries=speaks_of_countries(name),
        )

    def meant(self, cells: Sequence[str]) -> str:
        """What the row says in it."""
        try:
            return meant(cells[self.at]) if self.at < len(cells) else ""
        except CellProblem:
            # Of a column that is left out.
            return ""

    def said_of_unit(self, cells: Sequence[str]) -> str:
        """The same as far as it may tell units apart, which is short: "Entrance 1" is the entrance 1."""
        text = cells[self.at] if self.at < len(cells) else ""
        words = plain(text).split() if len(text) <= _LONGEST_PART else []
        return " ".join([word for word in words if word not in self.words] or words)


class UnitReader:
    """Reads the rows under one file's headings. `block_id` is the block of rows that name none.

    `columns` are the columns that are read, in the file's order, each with its index in a row; of
    contacts there may be several of one kind. `left_out` are the headings of those that are not, such
    as the ones to `ignore`. `registers` says whether a unit that its block does not have is a new one:
    who registers units says on which floor they are, or writes our own table. With `names`, what
    stands in place of a number and is none is the name of a unit without a number.
    """

    def __init__(
        self,
        headings: Sequence[str],
        *,
        block_id: int | None,
        within: Blocks,
        names: bool = False,
        ignore: Collection[str] = (),
        ways: Ways = OF_THE_COMMAND,
    ) -> None:
        """Raises HeadingsProblem."""
        said = Headings(without_former_ids(headings), ignore, ways)
        found, self.left_out = said.columns, said.left_out
        known = {column.name for _index, column in found}
        if not known & UNIT_KEYS:
            raise HeadingsProblem(_("There is no column of unit numbers."))
        if known.isdisjoint(_BLOCK_COLUMNS) and block_id is None:
            raise no_blocks(ways)
        self.columns = [(index, column) for index, column in found if column.read is not None]
        self.headings = headings
        self._block_id, self._ways = block_id, ways
        self._finder = BlockFinder(within, block_id)
        self._ours = {"unit id", "block id"} <= known
        self._readers = [
            (index, column.name, *self._read(column, names)) for index, column in self.columns
        ]
        self._heading_of = {
            column.name: headings[index] for index, column in reversed(self.columns)
        }
        self._ignored = [
            _LeftOut.of(index, name) for index, name in enumerate(headings) if name in self.left_out
        ]
        # What was left out and differs between rows of one number: two units, that would become one.
        self._seen: dict[tuple[Any, ...], dict[int, str]] = {}
        # Columns left out in which rows of one unit differ, and the first such row: it may be two units.
        self.doubtful: dict[str, int] = {}
        self._sections = self._made_sections()
        self._nameless = [index for index, name in enumerate(headings) if not name]
        # A list of people has no floors: who is on one is no new unit. Our own word for it is no list's.
        self.registers = "floor" in known or self.heading("number") == "number"

    def _read(
        self, column: Column, names: bool
    ) -> tuple[Callable[[str], str], Callable[[str], Any]]:
        """What makes of a cell the text that is meant, and what reads that."""
        if column.name == "number":
            return meant, _read_number_or_name if names else self._read_number
        if column.name == "block id":
            return meant, self._read_block_id
        if column.name in _NAMES:
            # In our own tables people are called as they are.
            as_it_is = partial(read_text, LONGEST_NAME) if self._ours else None
            return meant_name, as_it_is or column.read or str
        return meant, column.read or str

    def _made_sections(self) -> Sections:
        return Sections(
            self._finder,
            block=next(filter(None, map(self.heading, _BLOCK_COLUMNS)), ""),
            number=self.heading("number"),
            # With two columns a row without a floor has nothing but its unit.
            floor=self.heading("floor") if len(self.columns) > 2 else "",  # noqa: PLR2004
        )

    def other_blocks(self, sheets: Sequence[str]) -> list[str]:
        """Sheets that their names say to be of another block, where no column says the block."""
        if any(map(self.heading, _BLOCK_COLUMNS)):
            return []
        return self._finder.other_blocks(sheets)

    def title_of_another_block(self, lines: Sequence[str]) -> str:
        """The first line above the headings that means another block; empty where a column says the block."""
        if any(map(self.heading, _BLOCK_COLUMNS)):
            return ""
        meant = ((line, self._finder.said_in(line)) for line in lines)
        return next((line for line, ids in meant if ids and self._block_id not in ids), "")

    def heading(self, name: str) -> str:
        """What the file itself calls a column; empty if it has none of that name."""
        return self._heading_of.get(name, "")

    def read(self, row: int, cells: Sequence[str]) -> UnitRow | list[RowProblem]:
        """What the row reports of a unit, or everything that is wrong with it."""
        found: dict[str, Any] = {}
        problems: list[RowProblem] = []
        for index, name, tidy, read in self._readers:
            text = cells[index] if index < len(cells) else ""
            if len(text) > _LONGEST_CELL:
                sentence = _("is longer than %d characters") % _LONGEST_CELL
                problems.append(RowProblem(row, self.headings[index], sentence))
            elif text:
                try:
                    text = tidy(one_line(text) if "\n" in text else text)
                    value = read(text) if text else None
                except CellProblem as error:
                    problems.append(RowProblem(row, self.headings[index], str(error)))
                else:
                    if text:
                        found[name] = found[name] + value if name in found else value
        block = self._finder.find(
            found.get("block", ""), found.get("block name", ""), found.get("block id")
        )
        below = self._sections.problems(cells, found, block)
        problems += [RowProblem(row, *problem) for problem in below]
        if isinstance(block, BlockProblem):
            problems.append(RowProblem(row, self.heading(block.column), str(block)))
            block = None
        found["block"] = block
        if type(found.get("number")) is str or found.get("floor") == ROOF:
            problems += self._place(row, found)
        if "last name" in found:
            problems += self._join_name(row, found)
        if self._nameless or len(cells) > len(self.headings):
            problems += self._beyond(row, cells)
        if found["block"] is None or "number" not in found:
            problems += self._lacking(row, found, problems)
        if len(found.get("phone", ())) > 1 or len(found.get("email", ())) > 1:
            problems += self._several_people(row, cells, found)
        if self._ignored and not problems:
            problems += self._two_units(row, cells, found)
        if self._ignored:
            apart = list(self._code_apart(row, cells, found))
            problems += apart or self._country_apart(row, cells, found)
        return problems or _unit_row(row, found)

    def _read_number(self, text: str) -> int:
        try:
            return read_number(text)
        except NameProblem as problem:
            raise CellProblem(f"{problem} ({self._ways.names})") from problem

    def _read_block_id(self, text: str) -> int:
        block_id = read_id(text)
        if self._block_id not in {None, block_id}:
            raise CellProblem(_("is another block than the one chosen"))
        return block_id

    def _place(self, row: int, found: dict[str, Any]) -> Iterator[RowProblem]:
        """Make a floor of a roof, and the unit's name of what stands in place of its number."""
        if found.get("floor") == ROOF:
            found["floor"] = found["block"] and self._finder.roof_of(found["block"])
            if found["floor"] is None and found["block"] is not None:
                yield RowProblem(row, self.heading("floor"), roof_unknown())
        if isinstance(name := found.get("number"), str):
            found["called"] = found.pop("number")
            if found.setdefault("name", name) != name:
                sentence = _("is no number, and the row has another name: write a number")
                yield RowProblem(row, self.heading("number"), sentence)

    def _join_name(self, row: int, found: dict[str, Any]) -> Iterator[RowProblem]:
        """Make one name of the resident's two."""
        parts = [found.pop(name, "") for name in _NAMES]
        whole = [part for part in parts if not means_nobody(part, has_contact=True)]
        found["resident"] = " ".join(filter(None, whole))
        if len(found["resident"]) > LONGEST_NAME:
            sentence = _("is longer than %d characters") % LONGEST_NAME
            yield RowProblem(row, self.heading("last name"), sentence)

    def _several_people(
        self, row: int, cells: Sequence[str], found: dict[str, Any]
    ) -> Iterator[RowProblem]:
        """Of two people's phones one would become the other's."""
        as_typed = [
            cells[index]
            for index, column in self.columns
            if column.name == "resident" and index < len(cells)
        ]
        most = max(len(found.get(kind, ())) for kind in Kind)
        # What is read has one line.
        names = [found.get("resident", ""), *as_typed]
        if any(map(names_several, names)):
            sentence = _("names more than one person, with several contacts: give each a row")
            yield RowProblem(row, self.heading("resident"), sentence)
        elif any(may_name_several(name, most) for name in names):
            sentence = _(
                "may name more than one person, with several contacts: give each a row, or write one name"
                " alone"
            )
            yield RowProblem(row, self.heading("resident"), sentence)

    def _two_units(
        self, row: int, cells: Sequence[str], found: dict[str, Any]
    ) -> Iterator[RowProblem]:
        """Whether an earlier row of the same number is of another unit, by what is left out."""
        unit = (found["block"], found.get("unit id"), found.get("number"), found.get("called"))
        seen = self._seen.setdefault(unit, {})
        for column in self._ignored:
            said = "" if column.counts else column.said_of_unit(cells)
            if not said or seen.setdefault(column.at, said) == said:
                continue
            if not column.tells_units_apart:
                self.doubtful.setdefault(column.name, row)
            else:
                sentence = _(
                    "has an earlier row, of another %(column)s, which is left out: give each of the two"
                    " units a number of its own, or write both parts into one column, as 12A"
                )
                yield RowProblem(row, self.heading("number"), sentence % {"column": column.name})

    def _code_apart(
        self, row: int, cells: Sequence[str], found: dict[str, Any]
    ) -> Iterator[RowProblem]:
        """Without the code that stands in a column of its own, a phone is another number."""
        for column in self._ignored:
            text = western_digits(column.meant(cells))
            code = (
                _CODE.search(text)
                or (column.has_codes and _BARE_CODE.fullmatch(text))
                or (column.has_codes_of_phones and _ANY_CODE.fullmatch(text))
            )
            if code and found.get("phone"):
                sentence = _(
                    "lacks %(code)s, which stands in %(column)s: write both into one column"
                )
                facts = {"code": code[0], "column": column.name}
                yield RowProblem(row, self.heading("phone"), sentence % facts)

    def _country_apart(
        self, row: int, cells: Sequence[str], found: dict[str, Any]
    ) -> Iterator[RowProblem]:
        """A phone of another country, which is told in words, is another number without its code."""
        if not any(map(_is_of_home_without_code, found.get("phone", ()))):
            return
        for column in self._ignored:
            if column.has_countries and is_abroad(country := column.meant(cells)):
                sentence = _(
                    "is of %(country)s, as %(column)s says: write it with that country's code"
                )
                facts = {"country": country, "column": column.name}
                yield RowProblem(row, self.heading("phone"), sentence % facts)

    def _lacking(
        self, row: int, found: dict[str, Any], problems: list[RowProblem]
    ) -> Iterator[RowProblem]:
        wrong = {problem.column for problem in problems}
        named = not found.keys().isdisjoint(("number", "unit id", "called"))
        if not named and self.heading("number") not in wrong:
            yield RowProblem(row, self.heading("number"), _("is empty"))
        headings = [self._heading_of[name] for name in _BLOCK_COLUMNS if name in self._heading_of]
        if found["block"] is None and wrong.isdisjoint(headings):
            yield RowProblem(row, headings[0], _("is empty"))

    def _beyond(self, row: int, cells: Sequence[str]) -> Iterator[RowProblem]:
        nameless = [*self._nameless, *range(len(self.headings), len(cells))]
        for index in [index for index in nameless if index < len(cells) and cells[index]][:1]:
            sentence = _("“%(text)s” stands in column %(column)s, which has no heading")
            said = {"text": cells[index][:40], "column": get_column_letter(index + 1)}
            yield RowProblem(row, "", sentence % said)


def _read_number_or_name(text: str) -> int | str:
    """The number of a unit, or its name; raises CellProblem for what a table says of several units."""
    try:
        return read_number(text)
    except NameProblem as problem:
        # "Shop (1)" is no heading, though "Shop (required)" is.
        if (
            (is_known(text) and not any(map(str.isdecimal, text)))
            or _is_floor(text)
            or names_no_unit(text)
        ):
            sentence = _("is no unit's number or name: take this row out, or write a number")
            raise CellProblem(sentence) from problem
    return read_unit_name(text)


def _is_floor(text: str) -> bool:
    """Whether it says in words which floor the rows below it are on: "First floor" is no unit."""
    try:
        return any(map(str.isspace, text)) and read_floor(text) is not None
    except CellProblem:
        return False


def _unit_row(row: int, found: dict[str, Any]) -> UnitRow:
    get = found.get
    phones, emails, resident = get("phone", ()), get("email", ()), get("resident", "")
    if resident and means_nobody(resident, has_contact=bool(phones or emails)):
        resident = ""
    further: tuple[ReportedContact, ...] = ()
    if len(phones) > 1 or len(emails) > 1:
        phones, emails = _each_once(phones), _each_once(emails)
        further = (
            *(ReportedContact(Kind.PHONE, *each) for each in phones[1:]),
            *(ReportedContact(Kind.EMAIL, *each) for each in emails[1:]),
        )
    phone, phone_value = phones[0] if phones else NO_CONTACT
    email, email_value = emails[0] if emails else NO_CONTACT
    contacts = (phone, phone_value, email, email_value)
    unit = (row, found["block"], get("unit id"), get("number"))
    return UnitRow._make((*unit, resident, *contacts, details_of(found), further))


def _each_once(contacts: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """The contacts, each as it was typed first."""
    if len(contacts) < 2:
        return contacts
    return [
        (typed, value)
        for index, (typed, value) in enumerate(contacts)
        if value not in {before for _typed, before in contacts[:index]}
    ]


def _is_of_home_without_code(phone: tuple[str, str]) -> bool:
    """Whether a phone, as typed and canonical, was taken for one of here because it has no country's code."""
    typed, value = phone
    home = country_code_for_region(settings.PHONE_REGION)
    return country_code_of(value) == home and not re.search(
        rf"(?:\+|00) ?{home}", western_digits(typed)
    )
