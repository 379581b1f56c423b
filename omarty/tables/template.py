"""A workbook for people to fill in: headings, drop-downs, and a sheet that explains each column."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, BinaryIO, Protocol

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from omarty.tables.cells import safe

# So many rows are prepared below the headings: as many as a page takes (omarty/tables/limits.py).
_ROWS = 2_000
# A spreadsheet stores what is typed into such a cell as it is typed, a leading 0 too.
_AS_TEXT = "@"
# In whose order a cell is read whatever its first letter is, as Alignment has it.
_LEFT_TO_RIGHT, _RIGHT_TO_LEFT = 1, 2
_BOLD = Font(name="Calibri", size=11, bold=True)
_HEAD_FILL = PatternFill("solid", fgColor="DCE9E5")
_HEAD_LINE = Border(bottom=Side("thin", color="5F7F78"))
_EXPLAINING_WIDTHS = (22, 62, 28, 28)
# What its rows, below the first two, begin with.
_EXPLAINED = "%s: "
_BEGINS_EXPLAINED = re.compile(_EXPLAINED % "[A-Z]{1,3}")
# In points; spreadsheets do not all make a row as high as its text.
_LINE, _HEAD_HEIGHT = 16, 24


class TemplateColumn(Protocol):
    """What a template shows of a column.

    `choices` are offered where one types, if there are any; `as_text` is for what looks like a number and
    is none. `explanation` and `examples`, as many as any other column has, stand on the second sheet.
    """

    title: str
    width: int
    choices: tuple[Any, ...]
    as_text: bool
    explanation: str
    examples: tuple[Any, Any]


@cache
def own_sheets() -> tuple[frozenset[str], frozenset[str]]:
    """What a template's further sheets are called in any language: the visible ones and the hidden ones."""
    shown, hidden = set(), set()
    for code, _name in settings.LANGUAGES:
        with override(code):
            shown.add(_("Example"))
            hidden.add(_("Lists"))
    return frozenset(shown), frozenset(hidden)


def is_filled_in(sheet: str, rows: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether somebody wrote rows of their own into the sheet of a template that only explains."""
    return sheet in own_sheets()[0] and not all(
        _BEGINS_EXPLAINED.match(cells[0]) for _number, cells in rows[2:]
    )


def write_template(
    file: BinaryIO, columns: Sequence[TemplateColumn], *, title: str, right_to_left: bool
) -> None:
    """Write the workbook, in the reader's language; `title` is for the sheet that is filled in."""
    book = Workbook()
    sheet = book.active
    sheet.title = title
    _headings(sheet, columns)
    example = book.create_sheet(_("Example"))
    _explain(example, columns, title)
    for each in (sheet, example):
        _lay_out(each, right_to_left)
    _prepare(sheet, columns, "right" if right_to_left else "left")
    _offer(sheet, book.create_sheet(_("Lists")), columns)
    book.save(file)


def _headings(sheet: Worksheet, columns: Sequence[TemplateColumn]) -> None:
    _write_head(sheet, 1, [column.title for column in columns])
    for index, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(index)].width = column.width


def _explain(sheet: Worksheet, columns: Sequence[TemplateColumn], title: str) -> None:
    """A line for each column. No line looks like headings, so that an import leaves the sheet alone."""
    for index, width in enumerate(_EXPLAINING_WIDTHS, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(_EXPLAINING_WIDTHS))
    sheet.cell(1, 1, safe(_("Fill in the sheet “%s”. This one is not imported.") % title))
    sheet.row_dimensions[1].height = _HEAD_HEIGHT
    _write_head(sheet, 2, [_("Column"), _("What stands in it"), _("Example"), _("Another example")])
    for row, column in enumerate(columns, 3):
        named = _EXPLAINED % get_column_letter(row - 2) + column.title
        for index, value in enumerate([named, column.explanation, *column.examples], 1):
            sheet.cell(row, index, safe(value))
        sheet.cell(row, 1).font = _BOLD
        lines = (1 + len(line) // _EXPLAINING_WIDTHS[1] for line in column.explanation.splitlines())
        # Two at least: an example may be longer than its column is wide.
        sheet.row_dimensions[row].height = _LINE * max(2, sum(lines))


def _write_head(sheet: Worksheet, row: int, cells: Sequence[str]) -> None:
    for index, text in enumerate(cells, 1):
        cell = sheet.cell(row, index, safe(text))
        cell.font, cell.fill, cell.border = _BOLD, _HEAD_FILL, _HEAD_LINE
    sheet.row_dimensions[row].height = _HEAD_HEIGHT
    sheet.freeze_panes = f"A{row + 1}"


def _lay_out(sheet: Worksheet, right_to_left: bool) -> None:
    """Turn the sheet and all its cells the way that the reader reads; printed, no row is torn apart."""
    alignment = Alignment(
        horizontal="right" if right_to_left else "left",
        vertical="center",
        wrap_text=True,
        readingOrder=_RIGHT_TO_LEFT if right_to_left else _LEFT_TO_RIGHT,
    )
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = alignment
    sheet.sheet_view.rightToLeft = right_to_left
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _prepare(sheet: Worksheet, columns: Sequence[TemplateColumn], side: str) -> None:
    """Make texts of the columns that are: a phone is read from left to right in every language."""
    alignment = Alignment(horizontal=side, readingOrder=_LEFT_TO_RIGHT)
    for index, column in enumerate(columns, 1):
        if column.as_text:
            # Of the whole column, and of cells, for programs that do not heed that.
            cells = (sheet.cell(row, index) for row in range(2, _ROWS + 2))
            for each in (sheet.column_dimensions[get_column_letter(index)], *cells):
                each.number_format, each.alignment = _AS_TEXT, alignment


def _offer(sheet: Worksheet, lists: Worksheet, columns: Sequence[TemplateColumn]) -> None:
    """Drop-downs. What they offer stands on a hidden sheet: a choice may have a comma."""
    lists.sheet_state = "hidden"
    for index, column in enumerate(columns, 1):
        if not column.choices:
            continue
        letter = get_column_letter(index)
        for row, choice in enumerate(column.choices, 1):
            lists.cell(row, index, safe(choice))
        offered = DataValidation(
            type="list",
            formula1=f"'{lists.title}'!${letter}$1:${letter}${len(column.choices)}",
            allow_blank=True,
            showErrorMessage=True,
            error=_("Choose from the list."),
        )
        offered.add(f"{letter}2:{letter}{_ROWS + 1}")
        sheet.add_data_validation(offered)
