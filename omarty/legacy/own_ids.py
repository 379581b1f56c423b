"""Which ids records get that are made here: far above those that the legacy server still gives out.

Both servers number people, blocks, units, memberships and contacts. The databases hold the next number
themselves, so that it holds for every way of writing.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection, models, transaction

from omarty.legacy.logs import MODELS
from omarty.legacy.models import OwnIds

# Far above what the old server has reached, and the app's 32 bits leave as many again.
DEFAULT = 1_000_000_000
# Above this, ids could come to need more than 31 bits, which the app and the old tables have.
HIGHEST = 2_000_000_000


def number_own_ids_from(first: int) -> int:
    """Number what is made here from `first` on, or from where an earlier move said if that is higher.

    Returns the number. Not within a transaction: MariaDB ends it.
    """
    stored = OwnIds.objects.order_by("-first").first()
    if stored is None:
        stored = OwnIds.objects.create(first=first)
    elif stored.first < first:
        OwnIds.objects.filter(pk=stored.pk).update(first=first)
        stored.first = first
    _raise(MODELS.values(), stored.first)
    return stored.first


def own_ids_from() -> int | None:
    """From where records that are made here are numbered; None if no move has said so."""
    stored = OwnIds.objects.order_by("-first").first()
    return stored.first if stored else None


def keep_own_ids(**_signal: Any) -> None:
    """Raise the numbers again after migrations: SQLite forgets them where a table is made anew."""
    present = connection.introspection.table_names()
    numbered: list[type[models.Model]] = [OwnIds, *MODELS.values()]
    if {model._meta.db_table for model in numbered} <= set(present) and (first := own_ids_from()):
        _raise(MODELS.values(), first)


def _raise(numbered: Iterable[type[models.Model]], first: int) -> None:
    tables = [model._meta.db_table for model in numbered]
    if connection.vendor == "sqlite":
        _raise_on_sqlite(tables, first)
        return
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                "SELECT AUTO_INCREMENT FROM information_schema.tables"
                " WHERE table_schema = DATABASE() AND table_name = %s",
                [table],
            )
            if (cursor.fetchone()[0] or 0) < first:
                name = connection.ops.quote_name(table)
                cursor.execute(f"ALTER TABLE {name} AUTO_INCREMENT = {first:d}")


@transaction.atomic
def _raise_on_sqlite(tables: list[str], first: int) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            last: dict[str, str | int] = {"table": table, "last": first - 1}
            cursor.execute(
                "INSERT INTO sqlite_sequence (name, seq) SELECT %(table)s, 0"
                " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = %(table)s)",
                last,
            )
            cursor.execute(
                "UPDATE sqlite_sequence SET seq = %(last)s WHERE name = %(table)s AND seq < %(last)s",
                last,
            )
