"""SQL that is made once, from query sets and models, and run many times.

Django makes the SQL of each query anew, which takes longer than the database needs to answer it. On the
way of the two calls it is made at the first use; the models stay the only description of the tables, and
rows come as plain tuples, without an instance for each.
"""

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from django.db import connection, models

Row = TypeVar("Row")
# Stands in a query set for what is given later: larger than any id.
_SLOT = 2**62
# Fields whose values go to the database as they are.
_PLAIN = (
    models.BigAutoField,
    models.BigIntegerField,
    models.BooleanField,
    models.CharField,
    models.EmailField,
    models.ForeignKey,
    models.GenericIPAddressField,
    models.IntegerField,
    models.PositiveSmallIntegerField,
)


class _Made(NamedTuple):
    sql: str
    # Where a slot stands its number, as the only entry of a tuple; else the value itself.
    parameters: list[Any]


class Select(Generic[Row]):
    """A SELECT of whole numbers that are given later: `Select(PersonRow._make, people)(7)`.

    `rows` makes the query set, with `values_list()`, from as many numbers as it has parameters; `make` a row
    of a tuple of values. Values come as the driver gives them: columns that Django converts are refused.
    """

    every: ClassVar[list["Select[Any]"]] = []

    def __init__(
        self, make: Callable[[Sequence[Any]], Row], rows: Callable[..., models.QuerySet[Any, Any]]
    ) -> None:
        self.rows = rows
        self._make = make
        self._made: dict[str, _Made] = {}
        self.every.append(self)

    def __call__(self, *given: int) -> list[Row]:
        """The rows, by one statement."""
        made = self._made.get(connection.vendor) or self._compile()
        with connection.cursor() as cursor:
            cursor.execute(
                made.sql,
                [given[each[0]] if type(each) is tuple else each for each in made.parameters],
            )
            return list(map(self._make, cursor.fetchall()))

    def _compile(self) -> _Made:
        count = self.rows.__code__.co_argcount
        compiler = self.rows(*(_SLOT + slot for slot in range(count))).query.get_compiler(
            connection=connection
        )
        sql, parameters = compiler.as_sql()
        if compiler.get_converters(column for column, _sql, _alias in compiler.select):
            raise TypeError("a column's values need a conversion")
        slots = [
            (each - _SLOT,) if isinstance(each, int) and each >= _SLOT else each
            for each in parameters
        ]
        made = self._made[connection.vendor] = _Made(sql, slots)
        return made


def insert(row: models.Model) -> None:
    """Save a new row as `row.save(force_insert=True)` does, and give it its id. Raises IntegrityError."""
    sql, values = _insert_into(type(row), connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, [value(row) for value in values])
        row.pk = cursor.lastrowid
    row._state.adding, row._state.db = False, connection.alias


@cache
def _insert_into(
    model: type[models.Model], vendor: str
) -> tuple[str, list[Callable[[models.Model], Any]]]:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608
    return sql, list(map(_value_of, fields))


def _value_of(field: "models.Field[Any, Any]") -> Callable[[models.Model], Any]:
    if type(field) in _PLAIN:
        return attrgetter(field.attname)

    def prepared(row: models.Model) -> Any:
        value = field.pre_save(row, add=True)
        return None if value is None else field.get_db_prep_save(value, connection)

    return prepared
