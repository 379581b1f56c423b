"""The rows of a table that were left out, as they came, each with what is wrong with it."""

from collections.abc import Iterator
from itertools import groupby

from buildings.unit_import.headings import is_problem_heading
from buildings.unit_import.rows import RowProblem
from buildings.unit_import.staging import Staging
from buildings.unit_import.unit_table import UnitTable


class BadRows:
    """The rows with a problem, under the file's headings and one more column, the first: what is wrong."""

    def __init__(self, table: UnitTable, staging: Staging) -> None:
        self._table, self._staging = table, staging
        # A bad row that was loaded again and is still bad has an old problem.
        self._copied = [
            index for index, name in enumerate(table.headings) if not is_problem_heading(name)
        ]

    @property
    def headings(self) -> list[str]:
        """What heads the columns; a table with these is read again."""
        return ["problem", *(self._table.headings[index] for index in self._copied)]

    @property
    def right_to_left(self) -> bool:
        """Whether the table is one in Arabic: its workbook begins on the right."""
        letters = [name for name in self._table.headings if any(map(str.isalpha, name))]
        arabic = [name for name in letters if not name.isascii()]
        return 2 * len(arabic) > len(letters)

    def __iter__(self) -> Iterator[list[str]]:
        """Each row's cells."""
        reasons = groupby(self._staging.problems(), key=lambda problem: problem.row)
        bad_row, problems = next(reasons, (0, iter(())))
        for row, cells in self._table.rows():
            if row != bad_row:
                continue
            values = [cells[index] if index < len(cells) else "" for index in self._copied]
            reason = "; ".join(_reason(problem) for problem in problems)
            yield [reason, *values, *cells[len(self._table.headings) :]]
            bad_row, problems = next(reasons, (0, iter(())))


def _reason(problem: RowProblem) -> str:
    return f"{problem.column} {problem.sentence}".strip()
