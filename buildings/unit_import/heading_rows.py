"""In which row of a sheet the headings stand."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from buildings.unit_import.heading_words import plain
from buildings.unit_import.headings import UNIT_KEYS, is_counter, is_known, meaning

# A row's number and its cells.
Row = tuple[int, list[str]]


class Found(NamedTuple):
    """Where the headings of a sheet stand: the number of their row, and what they are.

    `last` is the last row of headings, where a second one follows; `above` are the rows that stand
    above them. `sure` grows with what speaks for these.
    """

    row: int
    texts: list[str]
    last: int
    above: list[Row]
    sure: int

    @property
    def doubtful(self) -> list[int]:
        """Rows above the headings that look like rows of the table."""
        units = [index for index, text in enumerate(self.texts) if _names_unit(text)]
        return [
            number
            for number, cells in self.above
            if sum(map(bool, cells)) > 1
            and any(index < len(cells) and plain(cells[index]).isdigit() for index in units)
        ]


def find(rows: Sequence[Row]) -> Found | None:
    """Where the headings stand among the first rows of a sheet, blank ones left out."""
    ranked = [(_sureness(at, cells), -at) for at, (_number, cells) in enumerate(rows)]
    sure, negative = max(ranked, default=(0, 0))
    if not sure:
        return None
    at = -negative
    number, texts = rows[at]
    last = number
    if at + 1 < len(rows) and _continues(texts, rows[at + 1][1]):
        last, below = rows[at + 1]
        texts = list(_joined(texts, below))
    elif at:
        texts = list(_told_apart(rows[at - 1][1], texts))
    return Found(number, list(texts), last, list(rows[:at]), sure)


def _sureness(at: int, cells: Sequence[str]) -> int:
    """What speaks for a row of headings: 3 a unit and more, 2 a unit alone, 1 little, 0 nothing."""
    named = [cell for cell in cells if cell]
    known = sum(map(is_known, named))
    unit = any(map(_names_unit, named))
    if unit and known > 1:
        return 3
    if unit and len(named) == 1:
        return 2
    return int(known > 1 or (known == 1 and at == 0))


def _names_unit(heading: str) -> bool:
    found = None if is_counter(heading) else meaning(heading)
    return found is not None and found.column.key in UNIT_KEYS


def _continues(texts: Sequence[str], below: Sequence[str]) -> bool:
    """Whether the row below headings is one more: in another language, or of what they have in common."""
    pairs = [
        (above, text)
        for above, text in zip([*texts, *[""] * len(below)], below, strict=False)
        if text
    ]
    agreeing = sum(
        is_known(above) and is_known(text) and _means_the_same(above, text) for above, text in pairs
    )
    if agreeing > 1:
        return True
    grouped = [(group, text) for group, text in _grouped(texts, below) if text]
    return len(grouped) > 1 and all(
        is_known(text) or is_known(f"{group} {text}") for group, text in grouped
    )


def _means_the_same(one: str, other: str) -> bool:
    first, second = meaning(one), meaning(other)
    return first is not None and second is not None and first.column is second.column


def _grouped(texts: Sequence[str], below: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each cell below with what stands above it, or, where cells were merged, above one to its side."""
    group = ""
    for index, text in enumerate(below):
        group = (texts[index] if index < len(texts) else "") or group
        yield group, text


def _told_apart(above: Sequence[str], texts: Sequence[str]) -> Iterator[str]:
    """Headings that are there twice, with the line above them that says whose they are."""
    times = Counter(map(plain, texts))
    for group, text in _grouped(above, texts):
        whose = f"{group} {text}"
        yield whose if text and group and times[plain(text)] > 1 and is_known(whose) else text


def _joined(texts: Sequence[str], below: Sequence[str]) -> Iterator[str]:
    rest = len(texts) - len(below)
    for index, (group, text) in enumerate(_grouped(texts, [*below, *[""] * rest])):
        above = texts[index] if index < len(texts) else ""
        of_group = f"{group} {text}"
        if not text or is_counter(above) or (is_known(above) and _means_the_same(above, text)):
            yield above or text
        elif is_known(of_group):
            # "Owner" over "Name" and "Phone" says whose they are.
            yield of_group
        else:
            yield text if is_known(text) and not is_known(above) else above or text
