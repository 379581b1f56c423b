"""Writing many rows that are nearly alike, several times faster than `bulk_create()`."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice, repeat
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.models import Field

# Rows of one statement: enough to make statements rare, few enough that the next is soon written.
ROWS = 500
# Values of one statement: SQLite takes 32766.
VALUES = 30_000
# Their values go to the database as they are: no reason to ask the field each time.
PLAIN = (models.IntegerField, models.CharField, models.ForeignKey)

# Called with how many more rows, or bytes, are done.
Advance = Callable[[int], None]
# An INSERT and its parameters.
Statement = tuple[Any, list[Any] | None]
# Takes the columns of so many rows, and makes another of them.
Derivation = Callable[[Sequence[Iterable[Any]], int], Iterable[Any]]


def insert_like(
    like: models.Model, varying: Sequence[str], rows: Iterable[Sequence[Any]]
) -> list[int]:
    """Insert one row for each of `rows`: as `like`, save for the columns that `varying` names.

    `varying` are attribute names (`block_id`, not `block`), each row has a value for each of them,
    of the type that the field holds. A random default (a stamp, a salt) is drawn for each row. Columns
    that are NULL in `like` and do not vary are left out; a field that is derived from others (as
    `contacts.folding.FoldedField` is) is derived for each row. The database checks the rows, the
    model's validators are not asked. Returns the new ids in the order of the rows; none from MySQL, which
    does not return them. Raises IntegrityError.
    """
    table: Any = type(like)._meta
    fields = {field.attname: field for field in table.concrete_fields}
    derived = {name: field for name, field in fields.items() if hasattr(field, "derive")}
    rest = [name for name in fields if name not in varying and getattr(like, name) is not None]
    drawn = [name for name in rest if _is_drawn(fields[name])]
    same = {
        name: fields[name].get_db_prep_save(getattr(like, name), connection)
        for name in rest
        if name not in drawn and name not in derived
    }
    insert = _Insert(
        table.db_table,
        [fields[name].column for name in [*varying, *derived, *drawn, *same]],
        prepare={
            index: _preparation(fields[name])
            for index, name in enumerate(varying)
            if not isinstance(fields[name], PLAIN)
        },
        derive=[_derivation(field, like, varying) for field in derived.values()],
        draw=[fields[name].default for name in drawn],
        same=list(map(_literal, same.values())),
    )
    size = VALUES // (len(varying) + len(derived) + len(drawn))
    return insert.of(rows, size=min(ROWS, size))


class _Insert:
    """An INSERT of many rows."""

    def __init__(
        self,
        table: str,
        columns: Sequence[str],
        *,
        prepare: dict[int, Callable[[Any], Any]],
        derive: Sequence[Derivation],
        draw: Sequence[Callable[[], Any]],
        same: Sequence[str],
    ) -> None:
        quote = connection.ops.quote_name
        names = ", ".join(map(quote, columns))
        self._head = f"INSERT INTO {quote(table)} ({names}) VALUES "  # noqa: S608
        self._row = f"({', '.join([*['%s'] * (len(columns) - len(same)), *same])})"
        self._prepare, self._derive, self._draw = prepare, derive, draw
        self._returns_ids = connection.features.can_return_rows_from_bulk_insert
        self._tail = f" RETURNING {quote('id')}" if self._returns_ids else ""
        self._by_driver = connection.vendor == "mysql"

    @transaction.atomic
    def of(self, rows: Iterable[Sequence[Any]], *, size: int) -> list[int]:
        """Insert these rows, so many in a statement; the new ids, if the database returns them.

        While the database works on a statement, another thread writes the next one.
        """
        remaining = iter(rows)
        ids: list[int] = []
        with connection.cursor() as cursor, ThreadPoolExecutor(1) as writer:

            def begin() -> Future[Statement] | None:
                # The rows are made here: making them may ask the database.
                batch = list(islice(remaining, size))
                return writer.submit(self._statement, batch) if batch else None

            coming = begin()
            while coming is not None:
                statement = coming.result()
                coming = begin()
                cursor.execute(*statement)
                ids += [pk for (pk,) in cursor.fetchall()] if self._returns_ids else []
        return ids

    def _statement(self, rows: Sequence[Sequence[Any]]) -> Statement:
        """The statement of these rows, and its parameters; asks nothing of the database."""
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        columns += [derived(columns, len(rows)) for derived in self._derive]
        for index, prepared in self._prepare.items():
            columns[index] = map(prepared, columns[index])
        columns += [[new() for _row in rows] for new in self._draw]
        values = list(chain.from_iterable(zip(*columns, strict=True)))
        statement = self._head + ", ".join([self._row] * len(rows)) + self._tail
        # MariaDB's driver would write the values into the statement only while it sends it.
        return (_with_values(statement, values), None) if self._by_driver else (statement, values)


def _with_values(statement: str, values: Iterable[Any]) -> bytes:
    from MySQLdb import string_literal  # noqa: PLC0415

    def quoted(value: Any) -> bytes:
        if isinstance(value, int):
            return b"%d" % value
        return b"NULL" if value is None else string_literal(str(value))

    return statement.encode() % tuple(map(quoted, values))


def _literal(value: Any) -> str:
    """A value that all rows share, as the statement holds it: quoted once, not with every row."""
    quoted = connection.schema_editor().quote_value(value)
    text = quoted.decode() if isinstance(quoted, bytes) else str(quoted)
    return text.replace("%", "%%")


def _is_drawn(field: "Field[Any, Any]") -> bool:
    # The time is a computed default too, but one for all rows.
    return field.has_default() and callable(field.default) and isinstance(field, models.CharField)


def _derivation(field: Any, like: models.Model, varying: Sequence[str]) -> Derivation:
    """How the field's column is made of those that it is derived from."""

    def derived(columns: Sequence[Iterable[Any]], count: int) -> Iterable[Any]:
        sources = (
            columns[varying.index(name)] if name in varying else repeat(getattr(like, name), count)
            for name in field.derived_from
        )
        return list(map(field.derive, *sources))

    return derived


def _preparation(field: "Field[Any, Any]") -> Callable[[Any], Any]:
    # The connection of this thread, whichever asks.
    database = connections[DEFAULT_DB_ALIAS]
    return lambda value: field.get_db_prep_save(value, database)
