"""Reading a whole table of the database in flat memory.

`QuerySet.iterator()` does not do it on MariaDB: the driver fetches the whole result first.
"""

from collections.abc import Iterator
from typing import TypeVar

from django.db import models

ROWS = 2000
Row = TypeVar("Row", bound=models.Model)


def in_batches(rows: "models.QuerySet[Row]") -> Iterator[list[Row]]:
    """All rows in the order of their ids, some thousand at a time."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:ROWS]):
        yield batch
        last = batch[-1].pk
