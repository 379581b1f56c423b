"""How much of a table is read, whatever it is made of: rows, bytes, cells, and seconds of the clock.

One reader checks the clock between two short steps: after each piece of a workbook and each row. A
step is short because what one works on is bounded: a piece, a tag, a text, a row.
"""

import time
from dataclasses import dataclass

from django.utils.translation import gettext as _

# A row, and a text of a workbook, in characters: far more than any table of ours has.
MOST_COLUMNS = 100
LONGEST_ROW = 100_000


# What holds nothing takes time as well: so many blank cells or rows count as one.
BLANKS_OF_A_CELL = 2


class LimitProblem(Exception):
    """There is more than is read; the text says what to do."""


class TimeProblem(LimitProblem):
    """The time is up."""


@dataclass(frozen=True)
class Limits:
    """The most that is read of one file. `rows` are those below the headings, None for any number.

    `size` counts what a workbook unpacks to, all its parts together and each as often as it is read;
    a text that many cells share counts for each of them. `rows` counts those that hold something;
    `cells` counts rows and shared texts too, and of blank ones a part.
    """

    size: int
    cells: int
    seconds: float
    rows: int | None = None


# A million units unpack to some 300 MB and up to 27 million cells. An operator waits for them on purpose.
OF_A_COMMAND = Limits(size=2 << 30, cells=40_000_000, seconds=3600)
# Somebody waits for a page, and so does everybody whom its worker would serve.
OF_A_PAGE = Limits(size=32 << 20, cells=500_000, seconds=20, rows=2_000)


class Deadline:
    """When the work must have ended. The clock runs from the start."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raises TimeProblem when the time is up."""
        if time.monotonic() > self._end:
            raise TimeProblem(
                _(
                    "the work took longer than %d seconds and was ended; nothing was written."
                    " Split the file, and bring it in in parts."
                )
                % self._seconds
            )


class Budget:
    """What is left of the limits while a workbook is read."""

    def __init__(self, limits: Limits, deadline: Deadline) -> None:
        self._limits = limits
        self._deadline = deadline
        self._size = self._cells = 0

    def spend(self, *, size: int = 0, cells: int = 0) -> None:
        """Count what was read. Raises LimitProblem when it is too much or the time is up."""
        self._size += size
        self._cells += cells
        if self._size > self._limits.size:
            raise LimitProblem(
                _(
                    "it unpacks to more than %d MB: copy the table alone into a new workbook, or save"
                    " it as CSV, or bring it in in parts."
                )
                % (self._limits.size >> 20)
            )
        if self._cells > self._limits.cells:
            raise LimitProblem(
                _(
                    "it has more than %d cells: delete the empty rows and columns, which count for a part,"
                    " or bring it in in parts."
                )
                % self._limits.cells
            )
        self._deadline.check()
