"""The XML within a workbook, fed to readers piece by piece: nothing that it holds makes it slow or large."""

import struct
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import Any, BinaryIO
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile

from django.utils.translation import gettext as _

# The list of the parts is read in one go; a thousand sheets need a tenth of this.
_LONGEST_READ = 1 << 20
LONGEST_ATTRIBUTE = 255
_MOST_ELEMENTS = 1000
_LONGEST_TEXT = 100_000
_DEEPEST = 100
# All different names of elements and attributes in one part: the parser keeps each.
_LONGEST_NAMES = 100_000
# A start tag with all its attributes, or a comment: expat reads it again with every chunk that it grows by.
_LONGEST_TAG = 1 << 20

# A row's number in its sheet, the first being 1, and its cells.
Row = tuple[int, list[str]]


class WorkbookProblem(Exception):
    """The file is malicious, or not a workbook; the text says which."""


class ShortReads:
    """The file, none of whose reads is long: zipfile reads as much at once as the file itself says."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > _LONGEST_READ:
            raise WorkbookProblem(_("it lists more parts than any workbook needs."))
        return self._file.read(_LONGEST_READ if size < 0 else size)


class Parser:
    """Feeds XML to a reader; refuses what makes the parser slow or its memory grow."""

    def __init__(self, reader: "Reader") -> None:
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


class Reader:
    """What is done with the elements of a part, their names without prefix.

    `cells`, `blanks` and `shared` count what is to be spent for them: cells, those that hold nothing,
    and characters of shared texts. `row` is the number of the last row that was met.
    """

    cells = 0
    blanks = 0
    row = 0
    shared = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...

    def end(self, tag: str) -> None: ...

    def text(self, text: str) -> None: ...

    def finished(self) -> Iterator[Row]:
        return iter(())


class Attributes(Reader):
    """Collects some attributes of the elements of one name, the attributes' names without prefix."""

    def __init__(self, tag: str, *names: str) -> None:
        self.tag = tag
        self.names = names
        self.found: list[dict[str, str]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == self.tag and len(self.found) < _MOST_ELEMENTS:
            plain = {name.rpartition(":")[2]: value for name, value in attributes.items()}
            self.found.append(
                {name: plain[name][:LONGEST_ATTRIBUTE] for name in self.names if name in plain}
            )


class Texts(Reader):
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
        if not self.parts:
            return ""
        taken = "".join(self.parts)
        self.parts.clear()
        self.length = 0
        return taken


class workbook_problems:
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
