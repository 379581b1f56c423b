"""Reading CSV row by row, in whatever encoding and with whatever delimiter it was written."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from django.utils.translation import gettext as _

from omarty.tables.code_pages import CODE_PAGES, code_page
from omarty.tables.limits import LONGEST_ROW
from omarty.tables.xlsx_parsing import Row

# So many of the first rows that hold something say what the table is.
HEAD_ROWS = 30
_CHUNK = 1 << 20
_DELIMITERS = ",;\t"
# What a byte that is no UTF-8 becomes with the error handler "surrogateescape".
_BROKEN = re.compile("[\udc80-\udcff]")
# Excel's own line, which says the delimiter and is not shown.
_SEPARATOR = re.compile(r'\ufeff?"?sep=([,;\t|:])"?\s*', re.IGNORECASE)


class CsvProblem(Exception):
    """The file is no CSV; the text says why, without the file's name."""


@dataclass(frozen=True)
class CsvLayout:
    """How a file of text is to be read. `separator_line`: whether Excel's own line stands above it."""

    encoding: str
    delimiter: str
    separator_line: bool

    @property
    def guessed(self) -> str:
        """What the code page is called where nothing in the file says which it is."""
        return CODE_PAGES.get(self.encoding, "")


def csv_layout(file: BinaryIO, start: bytes, known: Callable[[str], bool]) -> CsvLayout:
    """How the file is to be read, whose first bytes are `start`. Raises CsvProblem.

    `known` says whether a text is a heading of the table that is looked for.
    """

    def headings(text: str) -> int:
        return max(_known_headings(text, delimiter, known) for delimiter in _DELIMITERS)

    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\x00" in start:
        raise CsvProblem(
            _("is neither CSV in UTF-8 or Windows-1256 nor XLSX; save it as XLSX or CSV UTF-8.")
        )
    else:
        encoding = "utf-8-sig" if _is_utf8(file) else code_page(start, headings)
    if not encoding:
        raise CsvProblem(
            _(
                "is in a code page that cannot be told from what it holds: save it as CSV UTF-8 or XLSX."
            )
        )
    text = codecs.getincrementaldecoder(encoding)("replace").decode(start)
    if declared := _SEPARATOR.match(text):
        return CsvLayout(encoding, declared[1], separator_line=True)
    first = next(filter(str.strip, text.splitlines()), "")

    def parts(delimiter: str) -> tuple[int, int]:
        # Excel writes the delimiter of its locale: the one that parts the headings.
        return _known_headings(text, delimiter, known), first.count(delimiter)

    return CsvLayout(encoding, max(_DELIMITERS, key=parts), separator_line=False)


def csv_rows(raw: BinaryIO, layout: CsvLayout) -> Iterator[Row]:
    """The rows with their numbers, the first being 1, blank ones too. Raises CsvProblem on the way."""
    raw.seek(0)
    text = io.TextIOWrapper(raw, layout.encoding, newline="")
    lines = _Lines(text)
    number = 0
    try:
        if layout.separator_line:
            text.readline(LONGEST_ROW)
        rows = csv.reader(lines, delimiter=layout.delimiter, strict=True)
        for number, cells in enumerate(rows, 1):
            lines.next_row()
            if any(_swallows(cell, layout.delimiter) for cell in cells):
                raise CsvProblem(
                    _(
                        "row %(row)d has a quotation mark that stands alone in a cell, which takes in the"
                        " cells behind it: write out what it stands for, in all rows. Or a cell begins with"
                        " a line break: take that out."
                    )
                    % {"row": number}
                )
            yield number, cells
    except csv.Error as error:
        raise CsvProblem(
            _(
                "row %(row)d is not CSV: %(why)s. Perhaps a quotation mark is one too many, or stands for the"
                " cell above: write out what it stands for."
            )
            % {"row": number + 1, "why": error}
        ) from error
    except UnicodeError as error:
        raise CsvProblem(
            _("row %(row)d has characters that cannot be read: save the file as CSV UTF-8 or XLSX.")
            % {"row": number + 1}
        ) from error
    finally:
        # The file is its opener's to close, and may be closed by now.
        with suppress(ValueError):
            text.detach()


def filled(rows: Iterable[Row]) -> Iterator[Row]:
    """The first rows that hold something."""
    return islice((row for row in rows if any(map(str.strip, row[1]))), HEAD_ROWS)


class _Lines:
    """The lines. One row may take several, but none may be longer than any row needs to be."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._row, self._length = 1, 0

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(LONGEST_ROW + 1):
            self._length += len(line)
            if self._length > LONGEST_ROW:
                raise CsvProblem(
                    _(
                        "row %(row)d is longer than %(most)d characters; perhaps a quotation mark"
                        " is missing."
                    )
                    % {"row": self._row, "most": LONGEST_ROW}
                )
            yield line

    def next_row(self) -> None:
        """A row is complete; the next line begins another."""
        self._row, self._length = self._row + 1, 0


def _swallows(cell: str, delimiter: str) -> bool:
    """Whether it begins as only a cell does whose opening mark was meant for "as above"."""
    # Of three marks in a row one stands in the cell.
    begins = cell.lstrip(' "')[:1]
    ends_line = "\n" in cell or "\r" in cell
    return begins in {delimiter, "\r", "\n"} and delimiter in cell and ends_line


def _known_headings(text: str, delimiter: str, known: Callable[[str], bool]) -> int:
    """How many cells of one of the first rows are known headings, where this delimiter parts them."""
    most = 0
    rows = csv.reader(io.StringIO(text[:LONGEST_ROW], newline=""), delimiter=delimiter)
    try:
        for _number, cells in filled(enumerate(rows)):
            most = max(most, sum(map(known, cells[:100])))
    except csv.Error:
        # Whoever reads the file says so.
        pass
    return most


def _is_utf8(file: BinaryIO) -> bool:
    """Whether the whole file is. Raises CsvProblem if it is and has broken characters."""
    try:
        for _text in _decoded(file, "strict"):
            pass
    except UnicodeDecodeError as error:
        whole = broken = 0
        for text in _decoded(file, "surrogateescape"):
            beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
            bad = len(_BROKEN.findall(text))
            whole, broken = whole + beyond_ascii - bad, broken + bad
        # In a code page of Arabic a letter and a comma may look like UTF-8, but two letters never do.
        if whole > broken:
            raise CsvProblem(
                _("is UTF-8 with broken characters; save it again as UTF-8.")
            ) from error
        return False
    return True


def _decoded(file: BinaryIO, errors: str) -> Iterator[str]:
    """The file from its start as UTF-8."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")(errors)
    while chunk := file.read(_CHUNK):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)
