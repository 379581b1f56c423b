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
# What a style is made of: texts, a country's code in brackets, what takes room or is money, places of digits.
# What holds for some numbers alone is none of them.
_PART = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<code>\+?\d[^\]-]*)[^\]]*\]|(?P<nothing>\[[^\]<>=]*\]|[_*].|,)'
    r"|(?P<places>[0#?]+|General)|(?P<plain>[-+/()$ 1-9])|(?P<other>.)",
    re.DOTALL,
)


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
    """Which styles show a number as a date or a time, or with more beside it, and what it is then."""

    def __init__(self) -> None:
        built_in = (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))
        self._formats = set(map(str, built_in))
        self._epoch = WINDOWS_EPOCH
        # For each style, whether it does.
        self._styles = bytearray()
        # How numbers are written that show more than themselves: by format, then by style.
        self._codes: dict[str, str] = {}
        self._written: dict[int, str] = {}
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
                self._written[len(self._styles)] = self._codes[shown_by]
            self._styles.append(shown_by in self._formats)
            self._check_number(len(self._styles), _MOST_STYLES)

    def end(self, tag: str) -> None:
        if tag == "cellXfs":
            self._in_styles = False

    def shown(self, style: str, number: float) -> str | None:
        """The date or time, if the style shows one; the number with what it shows beside it."""
        at = int(style)
        if at in self._written and number.is_integer() and number > 0:
            return _as_written(self._written[at], int(number))
        if not (0 <= at < len(self._styles) and self._styles[at]) or not 0 <= number < _DAYS:
            return None
        return str(from_excel(number, self._epoch)).removesuffix(" 00:00:00")

    def _add_format(self, name: str, code: str) -> None:
        self._formats_read += 1
        self._check_number(self._formats_read, _MOST_FORMATS)
        if len(code) <= LONGEST_ATTRIBUTE and _says_more(code):
            self._codes[name[:LONGEST_ATTRIBUTE]] = code
        # Excel allows no longer one, and reading it takes quadratic time.
        if len(code) <= LONGEST_ATTRIBUTE and is_date_format(code):
            self._formats.add(name[:LONGEST_ATTRIBUTE])
        else:
            self._formats.discard(name)

    def _check_number(self, found: int, most: int) -> None:
        if found > most:
            raise WorkbookProblem(_("it holds more styles than any workbook needs."))


def _parts(code: str) -> list[tuple[str, str]]:
    """The texts of a format, each with "", and its places of digits; of positive numbers alone."""
    parts: list[tuple[str, str]] = []
    for found in _PART.finditer(code):
        kind = found.lastgroup or ""
        if kind == "other" and found[0] == ";":
            break
        if kind != "nothing":
            parts.append((kind if kind in {"places", "other"} else "text", found[kind]))
    return parts


def _says_more(code: str) -> bool:
    """Whether a format shows letters, digits or a sign that the number alone lacks: "+971 "0, "Shop "0."""
    parts = _parts(code)
    kinds = [kind for kind, _text in parts]
    if "places" not in kinds or "other" in kinds:
        return False
    texts = "".join(text for kind, text in parts if kind == "text")
    signed = parts[0][0] == "text" and parts[0][1].strip() in {"-", "+"}
    return signed or any(map(str.isalnum, texts))


def _as_written(code: str, number: int) -> str:
    """A whole number above nought as a format shows it; its last digits stand in the last places."""
    parts, digits, written = _parts(code), str(number), list[str]()
    first = [kind for kind, _text in parts].index("places")
    for at in range(len(parts) - 1, -1, -1):
        kind, text = parts[at]
        if kind == "places":
            cut = 0 if at == first else max(0, len(digits) - len(text))
            text, digits = digits[cut:].rjust(text.count("0"), "0"), digits[:cut]
        written.append(text)
    return "".join(reversed(written)).strip()
