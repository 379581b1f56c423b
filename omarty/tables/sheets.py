"""Reading an XLSX workbook in flat memory, row by row.

openpyxl keeps a husk of every row that it has read, and believes what a forged file says of its own
size: an import of a million rows from anywhere needs a reader of its own.
"""

import posixpath
import tempfile
import zlib
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import TracebackType
from typing import IO, Any, BinaryIO, Self
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile, ZipFile

from django.utils.translation import gettext as _

# What an honest workbook stays under: a million units unpack to some 300 MB, at 20 to 1.
LARGEST_UNPACKED = 2 << 30
MOST_SQUEEZED = 200
_SMALL = 10 << 20
_MOST_SHEETS = 1000
_LONGEST_TEXT = 100_000
_CHUNK = 1 << 16


class BadWorkbook(Exception):
    """The file is no workbook, or one that nobody means well with; the text says which."""


class Workbook:
    """An open XLSX file: a context manager. Raises BadWorkbook, also on the way."""

    def __init__(self, file: BinaryIO) -> None:
        with _told():
            self._zip = ZipFile(file)
        self._check_sizes()
        self._names = set(self._zip.namelist())
        self._strings = _SharedStrings()

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

        A sheet that follows goes on counting; its first row is left out if it repeats the first
        sheet's. Cells beyond `most_columns` are not read, but the row is one cell longer then.
        """
        with _told():
            sheets = self._sheets()
            self._read_strings()
            headings: list[str] | None = None
            before = last = 0
            for name in sheets:
                reader = _Sheet(self._strings, most_columns)
                for number, cells in self._parsed(name, reader):
                    last = before + number
                    if headings is None:
                        headings = cells
                    elif number == 1 and cells == headings:
                        continue
                    yield last, cells
                before = last

    def _check_sizes(self) -> None:
        parts = self._zip.infolist()
        unpacked = sum(part.file_size for part in parts)
        squeezed = any(
            part.file_size > max(_SMALL, MOST_SQUEEZED * part.compress_size) for part in parts
        )
        if unpacked > LARGEST_UNPACKED or squeezed:
            raise BadWorkbook(_("it unpacks to more than any workbook needs; it was not opened."))

    def _sheets(self) -> list[str]:
        """The names of the sheets' parts, in the workbook's order."""
        book = _Attributes("sheet")
        links = _Attributes("Relationship")
        self._parse("xl/workbook.xml", book)
        self._parse("xl/_rels/workbook.xml.rels", links)
        targets = {link.get("Id"): link.get("Target", "") for link in links.found}
        wanted = [targets.get(sheet.get("id"), "") for sheet in book.found]
        names = [posixpath.normpath(posixpath.join("/xl", name))[1:] for name in wanted if name]
        return [name for name in names if "/worksheets/" in name]

    def _read_strings(self) -> None:
        if "xl/sharedStrings.xml" in self._names:
            self._parse("xl/sharedStrings.xml", self._strings)

    def _parse(self, name: str, reader: "_Reader") -> None:
        deque(self._parsed(name, reader), maxlen=0)

    def _parsed(self, name: str, reader: "_Reader") -> Iterator[tuple[int, list[str]]]:
        """Feed a part to its reader; gives the rows that it has finished meanwhile."""
        parser = ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = lambda tag, attributes: reader.start(
            tag.rpartition(":")[2], attributes
        )
        parser.EndElementHandler = lambda tag: reader.end(tag.rpartition(":")[2])
        parser.CharacterDataHandler = reader.text
        parser.StartDoctypeDeclHandler = _refuse_doctype
        with self._zip.open(name) as part:
            while chunk := part.read(_CHUNK):
                parser.Parse(chunk, False)
                yield from reader.finished()
            parser.Parse(b"", True)
        yield from reader.finished()


class _Reader:
    """What is done with the elements of a part, their names without prefix."""

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...

    def end(self, tag: str) -> None: ...

    def text(self, text: str) -> None: ...

    def finished(self) -> Iterator[tuple[int, list[str]]]:
        return iter(())


class _Attributes(_Reader):
    """Collects the attributes of the elements of one name, the attributes' names without prefix."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.found: list[dict[str, str]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == self.tag and len(self.found) < _MOST_SHEETS:
            self.found.append(
                {name.rpartition(":")[2]: value for name, value in attributes.items()}
            )


class _Texts(_Reader):
    """Gathers what stands in `t` elements (and `v`), without the phonetic hints of `rPh`."""

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
                raise BadWorkbook(_("a cell holds more than %d characters.") % _LONGEST_TEXT)
            self.parts.append(text)

    def take(self) -> str:
        """What has been gathered since the last time."""
        taken = "".join(self.parts)
        self.parts.clear()
        self.length = 0
        return taken


class _SharedStrings(_Texts):
    """The workbook's table of texts, kept on disk: a million names need not be in memory."""

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

    def _get(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            raise BadWorkbook(_("a cell names a text that the workbook does not hold."))
        start, stop = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(stop - start).decode()


class _Sheet(_Texts):
    """The rows of one sheet."""

    def __init__(self, strings: _SharedStrings, most_columns: int) -> None:
        super().__init__()
        self._strings = strings
        self._most = most_columns
        self._done: list[tuple[int, list[str]]] = []
        self._row = 0
        self._cells: list[str] = []
        self._column = 0
        self._type = "n"

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        super().start(tag, attributes)
        if tag == "row":
            self._row = int(attributes.get("r") or self._row + 1)
            self._cells, self._column = [], 0
        elif tag == "c":
            place = attributes.get("r")
            self._column = _column(place) if place else self._column + 1
            self._type = attributes.get("t", "n")
            self.take()

    def end(self, tag: str) -> None:
        super().end(tag)
        if tag == "c":
            # The one cell too many tells the caller that there are more.
            at = min(self._column, self._most + 1)
            self._cells.extend([""] * (at - len(self._cells)))
            self._cells[at - 1] = self._value(self.take())
        elif tag == "row":
            self._done.append((self._row, self._cells))

    def finished(self) -> Iterator[tuple[int, list[str]]]:
        done, self._done = self._done, []
        return iter(done)

    def _value(self, text: str) -> str:
        if self._type == "s":
            return self._strings.get(int(text))
        # Excel keeps every number as a floating one: 12 may be written 12.0 or 1.2E1.
        if self._type == "n" and text and not text.isdigit():
            number = float(text)
            return str(int(number)) if number.is_integer() else text
        return text


class _told:
    """Turns what a broken archive, broken XML or a cell of nonsense raises into BadWorkbook."""

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A password, a method of packing that nobody uses, a missing part, a torn end.
        broken = (BadZipFile, ExpatError, KeyError, EOFError, zlib.error, RuntimeError)
        if isinstance(error, (*broken, ValueError, OSError, OverflowError)):
            raise BadWorkbook(_("it is not a readable XLSX workbook.")) from error


def _refuse_doctype(*_anything: Any) -> None:
    raise BadWorkbook(_("it declares XML entities, as no workbook does; it was not read."))


def _column(place: str) -> int:
    """The column that a cell's place (like AB12) names, from 1."""
    number = 0
    for letter in place[:4]:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - 64
    if not number:
        raise BadWorkbook(_("it is not a readable XLSX workbook."))
    return number
