"""Doing anew what the database took back."""

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError

T = TypeVar("T")

# MariaDB's "deadlock found": all was rolled back, and trying again is right.
DEADLOCK = 1213
# MariaDB's "lock wait timeout exceeded", and what SQLite says of it: who waited that long gives up.
WAITED = (1205, "database is locked")
TRIES = 3


def retry_on_deadlock(act: Callable[[], T]) -> T:
    """What `act`, which writes in one transaction, returns; after a deadlock it is done anew."""
    for _ in range(TRIES - 1):
        try:
            return act()
        except OperationalError as error:
            if error.args[0] != DEADLOCK:
                raise
    return act()


def was_busy(error: OperationalError) -> bool:
    """Whether others held what was asked for, so that the same may succeed a moment later."""
    return error.args[0] in (DEADLOCK, *WAITED)
