"""What the cells of a workbook show: its table of texts, and its styles of numbers."""

import re
import tempfile
from array import array
from collections.abc import Callable
from functools import lru_cache
from typing import IO

from django.utils.translation import gettext as _
from openpyxl.styles.numbers import is_date_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from omarty.tables.cells import unescaped
from omarty.tables.xlsx_parsing import LONGEST_ATTRIBUTE, Reader, Texts, WorkbookProblem

_MOST_STYLES = 100_000
_MOST_FORMATS = 10_000
# No date lies beyond this day.
_DAYS = 2_957_000
# What a style writes before each number: "+971 "0 shows 501234567 as +971 501234567.
_WRITTEN_BEFORE = re.compile(r'^(?:\[[^\]]*\])?((?:"[^"]*"|\\.|[-+() ])+)[0#][-0# ]*(?:;|$)')


class SharedStrings(Texts):
    """The workbook's table of texts, on disk: a million names need not be in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._ends = array("Q", [0])
        self.close = self._file.close
        self.get: Callable[[int], str] = lru_cache(4096)(self._get)

    def end(self, tag: str) -> None:
        super().end(tag)
        if tag == "si":
            text = unescaped(self.take()).encode()
            self._file.write(text)
            self._ends.append(self._ends[-1] + len(text))
            self.cells += 1

    def _get(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            raise WorkbookProblem(_("a cell names a text that the workbook does not hold."))
        start, stop = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(stop - start).decode()


class Styles(Reader):
    """Which styles show a number as a date or a time, or behind more digits, and what it is then."""

    def __init__(self) -> None:
        built_in = (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))
        self._formats = set(map(str, built_in))
        self._epoch = WINDOWS_EPOCH
        # For each style, whether it does.
        self._styles = bytearray()
        # What stands before each number: by format, then by style.
        self._codes: dict[str, str] = {}
        self._before: dict[int, str] = {}
        self._in_styles = False
        self._formats_read = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "workbookPr" and attributes.get("date1904") in {"1", "true"}:
            self._epoch = MAC_EPOCH
        elif tag == "numFmt":
            self._add_format(attributes.get("numFmtId", ""), attributes.get("formatCode", ""))
        elif tag == "cellXfs":
            self._in_styles = True
        elif tag == "xf" and self._in_styles:
            shown_by = attributes.get("numFmtId", "")
            if shown_by in self._codes:
                self._before[len(self._styles)] = self._codes[shown_by]
            self._styles.append(shown_by in self._formats)
            self._check_number(len(self._styles), _MOST_STYLES)

    def end(self, tag: str) -> None:
        if tag == "cellXfs":
            self._in_styles = False

    def shown(self, style: str, number: float) -> str | None:
        """The date or time, if the style shows one; the number with the digits that it shows before it."""
        at = int(style)
        if at in self._before and number.is_integer() and number > 0:
            return f"{self._before[at]}{int(number)}"
        if not (0 <= at < len(self._styles) and self._styles[at]) or not 0 <= number < _DAYS:
            return None
        return str(from_excel(number, self._epoch)).removesuffix(" 00:00:00")

    def _add_format(self, name: str, code: str) -> None:
        self._formats_read += 1
        self._check_number(self._formats_read, _MOST_FORMATS)
        # A country's code, which the number alone would lose; "Flat "0 says nothing more.
        found = _WRITTEN_BEFORE.match(code) if len(code) <= LONGEST_ATTRIBUTE else None
        before = re.sub(r'["\\]', "", found[1]) if found else ""
        if any(map(str.isdecimal, before)):
            self._codes[name[:LONGEST_ATTRIBUTE]] = before
        # Excel allows no longer one, and reading it takes quadratic time.
        if len(code) <= LONGEST_ATTRIBUTE and is_date_format(code):
            self._formats.add(name[:LONGEST_ATTRIBUTE])
        else:
            self._formats.discard(name)

    def _check_number(self, found: int, most: int) -> None:
        if found > most:
            raise WorkbookProblem(_("it holds more styles than any workbook needs."))
