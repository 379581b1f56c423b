"""Reading a table, row by row, whatever its size: CSV in two encodings, XLSX."""

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from contacts.canonical import one_line
from omarty.tables.cells import plain
from omarty.tables.limits import (
    LONGEST_ROW,
    MOST_COLUMNS,
    OF_A_COMMAND,
    Budget,
    Deadline,
    LimitProblem,
    Limits,
)
from omarty.tables.xlsx_reading import Workbook, WorkbookProblem

_CHUNK = 1 << 20
_DELIMITERS = ",;\t"
# What a byte that is no UTF-8 becomes with the error handler "surrogateescape".
_BROKEN = re.compile("[\udc80-\udcff]")


class TableProblem(Exception):
    """The file is no table; the text is for the operator."""


class TableFile:
    """A table file. `is_xlsx` says which kind it is, `size` how many bytes it has.

    From its making on the clock of its `deadline` runs.
    """

    def __init__(self, path: Path, *, name: str = "", limits: Limits = OF_A_COMMAND) -> None:
        """`name` is what messages call it, in place of its path.

        Raises TableProblem for what is missing, no file, empty or of another kind.
        """
        self.path = path
        self.name = name or str(path)
        self.deadline = Deadline(limits.seconds)
        self._limits = limits
        self._raw: BinaryIO | None = None
        try:
            if path.exists() and not path.is_file():
                raise TableProblem(_("%s is not a file.") % self.name)
            self.size = path.stat().st_size
            with path.open("rb") as file:
                self.is_xlsx = self._recognise(file)
        except OSError as error:
            raise TableProblem(f"{self.name}: {error.strerror}.") from error

    @property
    def position(self) -> int:
        """How many bytes have been read by `rows()`."""
        if self._raw is None:
            return 0
        return self.size if self._raw.closed else self._raw.tell()

    def rows(self) -> Generator[tuple[int, list[str]], None, None]:
        """Row number (the first is 1) and cells, each one line, of every row that is not blank.

        Raises TableProblem, also on the way.
        """
        with self.path.open("rb") as self._raw:
            rows = self._sheet_rows(self._raw) if self.is_xlsx else self._csv_rows(self._raw)
            try:
                for number, cells in rows:
                    self.deadline.check()
                    self._check_row(number, cells)
                    tidy = [one_line(cell) for cell in cells]
                    if any(tidy):
                        yield number, [plain(cell) for cell in tidy]
            except (LimitProblem, WorkbookProblem) as error:
                raise TableProblem(f"{self.name}: {error}") from error

    def _check_row(self, number: int, cells: list[str]) -> None:
        most = self._limits.rows
        if most is not None and number > most + 1:
            raise TableProblem(
                _("%(file)s has more than %(most)d rows: bring it in in parts.")
                % {"file": self.name, "most": most}
            )
        if len(cells) > MOST_COLUMNS:
            raise TableProblem(
                _("%(file)s, row %(row)d has more than %(most)d columns.")
                % {"file": self.name, "row": number, "most": MOST_COLUMNS}
            )
        if sum(map(len, cells)) > LONGEST_ROW:
            raise TableProblem(
                _("%(file)s, row %(row)d is longer than %(most)d characters.")
                % {"file": self.name, "row": number, "most": LONGEST_ROW}
            )

    def _recognise(self, file: BinaryIO) -> bool:
        start = file.read(_CHUNK)
        if not start:
            raise TableProblem(_("%s is empty.") % self.name)
        if start.startswith(b"PK\x03\x04"):
            return True
        if start.startswith(b"\xd0\xcf\x11\xe0"):
            raise TableProblem(_("%s is an old Excel file; save it as XLSX or CSV.") % self.name)
        if start.lstrip().startswith(b"{"):
            raise TableProblem(_("%s is JSON, which is not read: export CSV or XLSX.") % self.name)
        if b"\x00" in start:
            raise TableProblem(
                _("%s is neither CSV in UTF-8 or Windows-1256 nor XLSX.") % self.name
            )
        try:
            self._encoding = _encoding(file)
        except UnicodeError as error:
            raise TableProblem(
                _("%s is UTF-8 with broken characters; save it again as UTF-8.") % self.name
            ) from error
        return False

    def _csv_rows(self, raw: BinaryIO) -> Iterator[tuple[int, list[str]]]:
        number = 0
        try:
            with io.TextIOWrapper(raw, self._encoding, newline="") as text:
                # Excel writes the delimiter of its locale: the one that parts the headings.
                first = next(filter(str.strip, self._lines(text)), "")
                delimiter = max(_DELIMITERS, key=first.count)
                text.seek(0)
                rows = csv.reader(self._lines(text), delimiter=delimiter, strict=True)
                for number, cells in enumerate(rows, 1):
                    self._row, self._length = number + 1, 0
                    yield number, cells
        except csv.Error as error:
            raise TableProblem(
                _("%(file)s, row %(row)d is not CSV: %(why)s.")
                % {"file": self.name, "row": number + 1, "why": error}
            ) from error

    def _lines(self, text: io.TextIOWrapper) -> Iterator[str]:
        """The lines. One row may take several, but none may be longer than any row needs to be."""
        self._row, self._length = 1, 0
        while line := text.readline(LONGEST_ROW + 1):
            self._length += len(line)
            if self._length > LONGEST_ROW:
                raise TableProblem(
                    _(
                        "%(file)s, row %(row)d is longer than %(most)d characters;"
                        " perhaps a quotation mark is missing."
                    )
                    % {"file": self.name, "row": self._row, "most": LONGEST_ROW}
                )
            yield line

    def _sheet_rows(self, raw: BinaryIO) -> Iterator[tuple[int, list[str]]]:
        with Workbook(raw, Budget(self._limits, self.deadline)) as book:
            yield from book.rows(most_columns=MOST_COLUMNS)


def _encoding(file: BinaryIO) -> str:
    """UTF-8 if the whole file is, else Windows-1256, which anything is. Raises UnicodeError between them."""
    try:
        for _text in _decoded(file, "strict"):
            pass
    except UnicodeDecodeError:
        whole = broken = 0
        for text in _decoded(file, "surrogateescape"):
            beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
            bad = len(_BROKEN.findall(text))
            whole, broken = whole + beyond_ascii - bad, broken + bad
        # In Windows-1256 a letter and a comma may look like UTF-8, but two letters never do.
        if whole > broken:
            raise
        return "cp1256"
    return "utf-8-sig"


def _decoded(file: BinaryIO, errors: str) -> Iterator[str]:
    """The file from its start as UTF-8."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")(errors)
    while chunk := file.read(_CHUNK):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)
