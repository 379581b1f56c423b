"""Retries what the database rolled back because of a deadlock."""

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError

T = TypeVar("T")

# MariaDB's "deadlock found": the transaction was rolled back and can be retried.
DEADLOCK = 1213
# MariaDB's "lock wait timeout exceeded", and SQLite's counterpart: waiting took too long.
WAITED = (1205, "database is locked")
TRIES = 3


def retry_on_deadlock(act: Callable[[], T]) -> T:
    """Call `act`, which writes in one transaction, again after a deadlock; returns its result."""
    for _ in range(TRIES - 1):
        try:
            return act()
        except OperationalError as error:
            if error.args[0] != DEADLOCK:
                raise
    return act()


def was_busy(error: OperationalError) -> bool:
    """Whether others had locked the rows, so that the same may succeed a moment later."""
    return error.args[0] in (DEADLOCK, *WAITED)
