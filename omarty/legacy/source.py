"""The legacy database: only read, and seen as it was at one moment for a whole run."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from omarty.management.base import CommandRefused, UsageProblem

try:
    import MySQLdb
    from MySQLdb.converters import conversions
    from MySQLdb.cursors import SSCursor
except ImportError:
    MySQLdb = None

# A row as text, whatever its columns' types: what cannot be read must be kept as it was.
SourceRow = dict[str, str | None]

BATCH = 1000
# A batch may wait for our own database: the source must not hang up meanwhile.
PATIENCE_SECONDS = 3600

NEEDED = {
    "Resident_User": "ID Name UserName Email Password PhoneNum StatusID Hide CreatedAt",
    "Country": "ID name",
    "Governate": "ID GOVName GOVNameEN",
    "City": "ID Name NameEN",
    "Region": "ID RegionName RegionNameEN",
    "Compound": "ID CompundName CompoundNameEN",
    "Street": "ID StreetName",
    "Block": "ID BlockNum BlockName NumberOfAppartments NumberOfFloors Longitude Latitude CountryID"
    " GovernateID CityID RegionID CompoundID StreetID StatusID CreatedAt",
    "Apartment": "ID FloorNum ApartmentNumber BlockID StatusID CreatedAt ApartmentName",
    "RES_APART_BLOCK_ROLE": "ID ResidentID ApartmentID BlockID RoleID StatusID",
    "PhoneNums": "ID UserID ServiceID PhoneNum Hide CreatedAt",
    "Emails": "ID UserID ServiceID Email Hide CreatedAt",
    "Logs": "ID UserID ApartmentID BlockID LogTypeID Action LogRecordIdInActualTable LogActualTable"
    " Longitude Latitude Date CreatedAt UpdatedAt",
}
# Their rows stand in this code: what they name is the same in every legacy database.
LOOKUPS = ("Role", "Status", "LogType")

# The place tables, and the column of Block that names a row of each.
PLACES = {
    "Country": "CountryID",
    "Governate": "GovernateID",
    "City": "CityID",
    "Region": "RegionID",
    "Compound": "CompoundID",
    "Street": "StreetID",
}


class Source:
    """One connection to the legacy database, in one read-only transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def value(self, select: str) -> int:
        """The one whole number that a SELECT gives."""
        return int(float(next(iter(self._stream(select)))[0]))

    def batches(self, select: str) -> Iterator[list[SourceRow]]:
        """The rows of a SELECT, some at a time, straight from the server."""
        with closing(self._connection.cursor(SSCursor)) as cursor:
            cursor.execute(select)
            names = [column[0] for column in cursor.description]
            while rows := cursor.fetchmany(BATCH):
                yield [dict(zip(names, map(_text, row), strict=True)) for row in rows]

    def tables(self) -> dict[str, set[str]]:
        """Each table's columns, all names in lower case: servers differ in how they keep them."""
        found: dict[str, set[str]] = {}
        for table, column in self._stream(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE()"
        ):
            found.setdefault(table.lower(), set()).add(column.lower())
        return found

    def left_behind(self) -> dict[str, int]:
        """How many rows no part of the import takes: of other tables, and of places without a block."""
        names = [
            name
            for (name,) in self._stream(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name"
            )
        ]
        known = {name.lower() for name in (*NEEDED, *LOOKUPS)}
        selects = {
            name: f"SELECT COUNT(*) FROM `{name.replace('`', '``')}`"  # noqa: S608
            for name in names
            if name.lower() not in known
        }
        for table, column in PLACES.items():
            selects[f"{table} without a block"] = (
                f"SELECT COUNT(*) FROM {table} WHERE ID <> 1"  # noqa: S608
                f" AND NOT EXISTS (SELECT 1 FROM Block WHERE {column} = {table}.ID)"
            )
        counts = {what: self.value(select) for what, select in selects.items()}
        return {what: count for what, count in counts.items() if count}

    def _stream(self, select: str) -> list[tuple[str, ...]]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(select)
            return [tuple(map(str, map(_text, row))) for row in cursor.fetchall()]


@contextmanager
def opened(config: dict[str, Any]) -> Iterator[Source]:
    """The legacy database of these settings (as django-environ reads a DATABASE_URL).

    Raises UsageProblem without MySQL's driver, CommandRefused if it does not answer or is not a
    legacy database.
    """
    if MySQLdb is None:
        raise UsageProblem("Reading MySQL needs mysqlclient: pip install -r requirements/mysql.txt")
    try:
        with closing(_connect(config)) as connection:
            source = Source(connection)
            _check(source)
            yield source
    except MySQLdb.Error as error:
        raise CommandRefused(f"The legacy database says: {error.args[-1]}") from error


def _connect(config: dict[str, Any]) -> Any:
    named = {
        "host": config["HOST"],
        "port": int(config["PORT"] or 0),
        "user": config["USER"],
        "password": config["PASSWORD"],
        "database": config["NAME"],
    }
    settings = config.get("OPTIONS", {}) | {
        # What is not given may stand in MySQL's own option file.
        **{name: value for name, value in named.items() if value},
        "charset": "utf8mb4",
        # Numbers and dates as text: a zero date is no date to Python.
        "conv": {kind: made for kind, made in conversions.items() if not isinstance(kind, int)},
    }
    try:
        connection = MySQLdb.connect(**settings)
        # Some options are first looked at here.
        cursor = connection.cursor()
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise UsageProblem(
            f"The argument has a name or an option that MySQL's driver does not take: {error}"
        ) from error
    for command in (
        "SET SESSION TRANSACTION READ ONLY",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        f"SET SESSION net_write_timeout = {PATIENCE_SECONDS}, wait_timeout = {PATIENCE_SECONDS}",
        # A value that the server itself would not take today is still to be read.
        "SET SESSION sql_mode = ''",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT",
    ):
        cursor.execute(command)
    return connection


def _check(source: Source) -> None:
    found = source.tables()
    missing = [table for table in NEEDED if table.lower() not in found]
    if missing:
        raise CommandRefused(f"Not a legacy database: it has no table {', '.join(missing)}.")
    lacking = [
        f"{table}.{column}"
        for table, columns in NEEDED.items()
        for column in columns.split()
        if column.lower() not in found[table.lower()]
    ]
    if lacking:
        raise CommandRefused(
            f"Not the legacy schema that is known: no column {', '.join(lacking)}."
        )


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)
