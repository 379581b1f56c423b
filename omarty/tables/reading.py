"""Reading a table, row by row, whatever its size: CSV in two encodings, XLSX."""

import codecs
import csv
import io
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from audit.cells import plain
from omarty.tables.sheets import BadWorkbook, Workbook

# Far more than any table of ours has; what is beyond is no table.
MOST_COLUMNS = 100
LONGEST_LINE = 100_000
_CHUNK = 1 << 20
_DELIMITERS = ",;\t"


class Unreadable(Exception):
    """The file is no table; the text is for the operator."""


class Table:
    """A table file. `is_xlsx` says which kind it is, `size` how many bytes it has."""

    def __init__(self, path: Path, *, called: str = "", most_rows: int | None = None) -> None:
        """`called` is what messages call it, in place of its path.

        Raises Unreadable for what is missing, no file, empty or of another kind.
        """
        self.path = path
        self.name = called or str(path)
        self._most_rows = most_rows
        if path.exists() and not path.is_file():
            raise Unreadable(_("%s is not a file.") % self.name)
        self._raw: BinaryIO | None = None
        try:
            self.size = path.stat().st_size
            with path.open("rb") as file:
                self.is_xlsx = self._recognise(file)
        except OSError as error:
            raise Unreadable(f"{self.name}: {error.strerror}.") from error

    @property
    def position(self) -> int:
        """How many bytes have been read by `rows()`."""
        if self._raw is None:
            return 0
        return self.size if self._raw.closed else self._raw.tell()

    def rows(self) -> Generator[tuple[int, list[str]], None, None]:
        """Row number (the first is 1) and trimmed cells of every row that is not blank.

        Raises Unreadable, also on the way.
        """
        with self.path.open("rb") as self._raw:
            rows = self._sheet_rows(self._raw) if self.is_xlsx else self._csv_rows(self._raw)
            for number, cells in rows:
                if self._most_rows is not None and number > self._most_rows + 1:
                    raise Unreadable(
                        _("%(file)s has more than %(most)d rows: bring it in in parts.")
                        % {"file": self.name, "most": self._most_rows}
                    )
                if len(cells) > MOST_COLUMNS:
                    raise Unreadable(
                        _("%(file)s, row %(row)d has more than %(most)d columns.")
                        % {"file": self.name, "row": number, "most": MOST_COLUMNS}
                    )
                if any(cells):
                    yield (
                        number,
                        [
                            plain(cell.strip()) if cell[:1] == "'" else cell.strip()
                            for cell in cells
                        ],
                    )

    def _recognise(self, file: BinaryIO) -> bool:
        start = file.read(_CHUNK)
        if not start:
            raise Unreadable(_("%s is empty.") % self.name)
        if start.startswith(b"PK\x03\x04"):
            return True
        if start.startswith(b"\xd0\xcf\x11\xe0"):
            raise Unreadable(_("%s is an old Excel file; save it as XLSX or CSV.") % self.name)
        if b"\x00" in start:
            raise Unreadable(_("%s is neither CSV in UTF-8 or Windows-1256 nor XLSX.") % self.name)
        file.seek(0)
        try:
            self._encoding = _encoding(file)
        except UnicodeError as error:
            raise Unreadable(
                _("%s is UTF-8 with broken characters; save it again as UTF-8.") % self.name
            ) from error
        return False

    def _csv_rows(self, raw: BinaryIO) -> Iterator[tuple[int, list[str]]]:
        number = 0
        try:
            with io.TextIOWrapper(raw, self._encoding, newline="") as text:
                # Excel writes the delimiter of its locale: the one that parts the headings.
                first = text.readline(LONGEST_LINE + 1)
                delimiter = max(_DELIMITERS, key=first.count)
                text.seek(0)
                rows = csv.reader(self._lines(text), delimiter=delimiter, strict=True)
                for number, cells in enumerate(rows, 1):
                    yield number, cells
        except csv.Error as error:
            raise Unreadable(
                _("%(file)s, row %(row)d is not CSV: %(why)s.")
                % {"file": self.name, "row": number + 1, "why": error}
            ) from error

    def _lines(self, text: io.TextIOWrapper) -> Iterator[str]:
        number = 0
        while line := text.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise Unreadable(
                    _("%(file)s, line %(line)d is longer than %(most)d characters.")
                    % {"file": self.name, "line": number, "most": LONGEST_LINE}
                )
            yield line

    def _sheet_rows(self, raw: BinaryIO) -> Iterator[tuple[int, list[str]]]:
        try:
            with Workbook(raw) as book:
                yield from book.rows(most_columns=MOST_COLUMNS)
        except BadWorkbook as error:
            raise Unreadable(f"{self.name}: {error}") from error


def _encoding(file: BinaryIO) -> str:
    """UTF-8 if the whole file is, else Windows-1256, which anything is. Raises UnicodeError between them."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    beyond_ascii = False
    try:
        while chunk := file.read(_CHUNK):
            beyond_ascii |= not decoder.decode(chunk).isascii()
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        # Arabic in Windows-1256 is never UTF-8 for a while: that is UTF-8 with something broken.
        if beyond_ascii or not error.object[: error.start].isascii():
            raise
        return "cp1256"
    return "utf-8-sig"
