"""Reading an XLSX workbook in flat memory, row by row.

openpyxl keeps an empty cell list of every row that it has read, and believes what a forged file says
of its own size: an import of a million rows from any source needs a reader of its own.
"""

import posixpath
import struct
import tempfile
import zlib
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import TracebackType
from typing import IO, Any, BinaryIO, Self
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from django.utils.translation import gettext as _
from openpyxl.styles.numbers import is_date_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

from omarty.tables.limits import Budget

# Any true workbook stays under these: a million units unpack to some 300 MB, at 20 to 1.
LARGEST_UNPACKED = 2 << 30
MOST_SQUEEZED = 200
# The list of the parts is read in one go; a thousand sheets need a tenth of this.
_LONGEST_READ = 1 << 20
_SMALL = 10 << 20
_MOST_SHEETS = 1000
_MOST_STYLES = 100_000
_MOST_FORMATS = 10_000
_LONGEST_TEXT = 100_000
_LONGEST_ATTRIBUTE = 255
_DEEPEST = 100
# All different names of elements and attributes in one part: the parser keeps each.
_LONGEST_NAMES = 100_000
# A start tag with all its attributes, or a comment: expat reads it again with every chunk that it grows by.
_LONGEST_TAG = 1 << 20
# Excel's own limits; no date lies beyond this day.
SHEET_ROWS = 1_048_576
_DAYS = 2_957_000
_CHUNK = 1 << 16


class WorkbookProblem(Exception):
    """The file is malicious, or not a workbook; the text says which."""


class Workbook:
    """An open XLSX file: a context manager. Raises WorkbookProblem and LimitProblem, also on the way.

    All that is read of it, in whatever part, is spent from the one `budget`.
    """

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        with _workbook_problems():
            self._zip = ZipFile(_ShortReads(file))
        self._check_sizes()
        self._budget = budget
        self._names = set(self._zip.namelist())
        self._strings = _SharedStrings()
        self._dates = _Dates()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._strings.close()
        self._zip.close()

    def rows(self, *, most_columns: int) -> Iterator[tuple[int, list[str]]]:
        """Row number and cells of every row of every sheet, the sheets in their order.

        Blank rows are left out. A sheet that follows goes on counting; its first row is left out
        if it repeats the first sheet's. Cells beyond `most_columns` are not read, but the row is
        one cell longer then.
        """
        with _workbook_problems():
            sheets = self._sheets()
            self._read_if_there("xl/sharedStrings.xml", self._strings)
            self._read_if_there("xl/styles.xml", self._dates)
            headings: list[str] | None = None
            before = last = 0
            for name in sheets:
                reader = _Sheet(self._strings, self._dates, most_columns)
                first = True
                for number, cells in self._parsed(name, reader):
                    last = before + number
                    if not any(map(str.strip, cells)):
                        continue
                    if not first or cells != headings:
                        yield last, cells
                    if headings is None:
                        headings = cells
                    first = False
                before = last

    def _check_sizes(self) -> None:
        parts = self._zip.infolist()
        unpacked = sum(part.file_size for part in parts)
        squeezed = any(
            part.file_size > max(_SMALL, MOST_SQUEEZED * part.compress_size) for part in parts
        )
        # The other methods of compression unpack any amount in one step.
        strange = any(part.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for part in parts)
        if unpacked > LARGEST_UNPACKED or squeezed or strange:
            raise WorkbookProblem(
                _("it unpacks to more than any workbook needs; it was not opened.")
            )

    def _sheets(self) -> list[str]:
        """The names of the sheets' parts, in the workbook's order, none twice."""
        book = _Attributes("sheet", "id")
        links = _Attributes("Relationship", "Id", "Target")
        self._parse("xl/workbook.xml", book)
        self._parse("xl/workbook.xml", self._dates)
        self._parse("xl/_rels/workbook.xml.rels", links)
        targets = {link.get("Id"): link.get("Target", "") for link in links.found}
        wanted = [targets.get(sheet.get("id"), "") for sheet in book.found]
        names = [posixpath.normpath(posixpath.join("/xl", name))[1:] for name in wanted if name]
        return list(dict.fromkeys(name for name in names if "/worksheets/" in name))

    def _read_if_there(self, name: str, reader: "_Reader") -> None:
        if name in self._names:
            self._parse(name, reader)

    def _parse(self, name: str, reader: "_Reader") -> None:
        deque(self._parsed(name, reader), maxlen=0)

    def _parsed(self, name: str, reader: "_Reader") -> Iterator[tuple[int, list[str]]]:
        """Feed a part to its reader; yields the rows that it has finished meanwhile."""
        parser = _Parser(reader)
        with self._zip.open(name) as part:
            while chunk := part.read(_CHUNK):
                parser.feed(chunk)
                self._budget.spend(size=len(chunk) + reader.shared, cells=reader.cells)
                reader.shared = reader.cells = 0
                yield from reader.finished()
            parser.finish()
        yield from reader.finished()


class _ShortReads:
    """The file, none of whose reads is long: zipfile reads as much at once as the file itself says."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > _LONGEST_READ:
            raise WorkbookProblem(_("it lists more parts than any workbook needs."))
        return self._file.read(_LONGEST_READ if size < 0 else size)


class _Parser:
    """Feeds XML to a reader; refuses what makes the parser slow or its memory grow."""

    def __init__(self, reader: "_Reader") -> None:
        self._reader = reader
        self._names: dict[str, str] = {}
        self._depth = self._fed = 0
        self._parser = ParserCreate(intern=self._names)
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = reader.text
        self._parser.StartDoctypeDeclHandler = _refuse_doctype

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk, False)
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > _LONGEST_TAG:
            raise WorkbookProblem(_("it holds a tag that is longer than any workbook needs."))
        if sum(map(len, self._names)) > _LONGEST_NAMES:
            raise WorkbookProblem(_("it holds more kinds of tags than any workbook needs."))

    def finish(self) -> None:
        self._parser.Parse(b"", True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise WorkbookProblem(_("its tags lie deeper in each other than any workbook needs."))
        self._reader.start(tag.rpartition(":")[2], attributes)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._reader.end(tag.rpartition(":")[2])


class _Reader:
    """What is done with the elements of a part, their names without prefix.

    `cells` and `shared` count what is to be spent for them: cells, and characters of shared texts.
    """

    cells = 0
    shared = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...

    def end(self, tag: str) -> None: ...

    def text(self, text: str) -> None: ...

    def finished(self) -> Iterator[tuple[int, list[str]]]:
        return iter(())


class _Attributes(_Reader):
    """Collects some attributes of the elements of one name, the attributes' names without prefix."""

    def __init__(self, tag: str, *names: str) -> None:
        self.tag = tag
        self.names = names
        self.found: list[dict[str, str]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == self.tag and len(self.found) < _MOST_SHEETS:
            plain = {name.rpartition(":")[2]: value for name, value in attributes.items()}
            self.found.append(
                {name: plain[name][:_LONGEST_ATTRIBUTE] for name in self.names if name in plain}
            )


class _Texts(_Reader):
    """Gathers the text of `t` elements (and `v`), without the phonetic hints of `rPh`."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self._open = False
        self._phonetic = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "rPh":
            self._phonetic = True
        self._open = tag in {"t", "v"} and not self._phonetic

    def end(self, tag: str) -> None:
        self._open = False
        if tag == "rPh":
            self._phonetic = False

    def text(self, text: str) -> None:
        if self._open:
            self.length += len(text)
            if self.length > _LONGEST_TEXT:
                raise WorkbookProblem(_("a cell holds more than %d characters.") % _LONGEST_TEXT)
            self.parts.append(text)

    def take(self) -> str:
        """What has been gathered since the last time."""
        taken = "".join(self.parts)
        self.parts.clear()
        self.length = 0
        return taken


class _SharedStrings(_Texts):
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
            text = self.take().encode()
            self._file.write(text)
            self._ends.append(self._ends[-1] + len(text))
            self.cells += 1

    def _get(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            raise WorkbookProblem(_("a cell names a text that the workbook does not hold."))
        start, stop = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(stop - start).decode()


class _Dates(_Reader):
    """Which styles show a number as a date or a time, and what it is then."""

    def __init__(self) -> None:
        built_in = (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))
        self._formats = set(map(str, built_in))
        self._epoch = WINDOWS_EPOCH
        # For each style, whether it does.
        self._styles = bytearray()
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
            self._styles.append(attributes.get("numFmtId") in self._formats)
            self._check_number(len(self._styles), _MOST_STYLES)

    def end(self, tag: str) -> None:
        if tag == "cellXfs":
            self._in_styles = False

    def shown(self, style: str, number: float) -> str | None:
        """The date or time, if the style shows one."""
        at = int(style)
        if not (0 <= at < len(self._styles) and self._styles[at]) or not 0 <= number < _DAYS:
            return None
        return str(from_excel(number, self._epoch)).removesuffix(" 00:00:00")

    def _add_format(self, name: str, code: str) -> None:
        self._formats_read += 1
        self._check_number(self._formats_read, _MOST_FORMATS)
        # Excel allows no longer one, and reading it takes quadratic time.
        if len(code) <= _LONGEST_ATTRIBUTE and is_date_format(code):
            self._formats.add(name[:_LONGEST_ATTRIBUTE])
        else:
            self._formats.discard(name)

    def _check_number(self, found: int, most: int) -> None:
        if found > most:
            raise WorkbookProblem(_("it holds more styles than any workbook needs."))


class _Sheet(_Texts):
    """The rows of one sheet."""

    def __init__(self, strings: _SharedStrings, dates: _Dates, most_columns: int) -> None:
        super().__init__()
        self._strings = strings
        self._dates = dates
        self._most = most_columns
        self._done: list[tuple[int, list[str]]] = []
        self._row = 0
        self._cells: list[str] = []
        self._column = 0
        self._type = "n"
        self._style = "0"

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        super().start(tag, attributes)
        if tag == "row":
            self._row = self._next_row(attributes.get("r"))
            self._cells, self._column = [], 0
        elif tag == "c":
            reference = attributes.get("r")
            self._column = _column(reference) if reference else self._column + 1
            self._type = attributes.get("t", "n")
            self._style = attributes.get("s", "0")
            self.take()

    def end(self, tag: str) -> None:
        super().end(tag)
        if tag == "c":
            # The one cell too many shows the caller that there are more.
            at = min(self._column, self._most + 1)
            gap = at - len(self._cells)
            self._cells.extend([""] * gap)
            self.cells += max(gap, 1)
            self._cells[at - 1] = self._value(self.take())
        elif tag == "row":
            self._done.append((self._row, self._cells))
            self.cells += 1

    def finished(self) -> Iterator[tuple[int, list[str]]]:
        done, self._done = self._done, []
        return iter(done)

    def _next_row(self, number: str | None) -> int:
        # Messages name a row by its number, and what is stored of it is found again by it.
        row = int(number) if number else self._row + 1
        if not self._row < row <= SHEET_ROWS:
            raise WorkbookProblem(
                _("it does not count its rows upwards from 1, as every workbook does.")
            )
        return row

    def _value(self, text: str) -> str:
        if self._type == "s":
            shared = self._strings.get(int(text))
            self.shared += len(shared)
            return shared
        if self._type == "b":
            return "TRUE" if text == "1" else "FALSE"
        if self._type != "n" or not text:
            return text
        if self._style != "0" and (date := self._dates.shown(self._style, float(text))):
            return date
        # Excel stores every number as a floating one: 12 may be written 12.0 or 1.2E1.
        if not text.isdigit():
            number = float(text)
            return str(int(number)) if number.is_integer() else text
        return text


class _workbook_problems:
    """Turns what a broken archive, broken XML or a nonsensical cell raises into WorkbookProblem."""

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A password, a missing part, an unknown encoding, a truncated file.
        broken = (BadZipFile, ExpatError, LookupError, EOFError, struct.error, zlib.error)
        if isinstance(error, (*broken, RuntimeError, ValueError, OSError, OverflowError)):
            raise WorkbookProblem(_("it is not a readable XLSX workbook.")) from error


def _refuse_doctype(*_anything: Any) -> None:
    raise WorkbookProblem(_("it declares XML entities, as no workbook does; it was not read."))


def _column(reference: str) -> int:
    """The column that a cell's reference (like AB12) names, from 1."""
    number = 0
    for letter in reference[:4]:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - 64
    if not number:
        raise WorkbookProblem(_("it is not a readable XLSX workbook."))
    return number
