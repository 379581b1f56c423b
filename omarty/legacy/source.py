"""Reads the legacy database, as it is at one moment for a whole run; names its tables and columns."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

try:
    import MySQLdb
    from MySQLdb.converters import conversions
    from MySQLdb.cursors import SSCursor
except ImportError:
    MySQLdb = None

# A row with every value as text, so that one that cannot be read is stored as it was.
SourceRow = dict[str, str | None]

BATCH = 1000
# A batch may wait for our own database: the source must not close the connection meanwhile.
TIMEOUT_SECONDS = 3600

# The tables that the import reads row by row.
USERS, BLOCKS, UNITS, MEMBERSHIPS = "Resident_User", "Block", "Apartment", "RES_APART_BLOCK_ROLE"
PHONES, EMAILS, LOGS = "PhoneNums", "Emails", "Logs"
# No table: the distinct combinations of the place columns of Block.
PLACES = "places"

# The tables and columns that a legacy database must have.
REQUIRED = {
    USERS: "ID Name UserName Email Password PhoneNum StatusID Hide CreatedAt",
    "Country": "ID name",
    "Governate": "ID GOVName GOVNameEN",
    "City": "ID Name NameEN",
    "Region": "ID RegionName RegionNameEN",
    "Compound": "ID CompundName CompoundNameEN",
    "Street": "ID StreetName",
    BLOCKS: "ID BlockNum BlockName NumberOfAppartments NumberOfFloors Longitude Latitude CountryID"
    " GovernateID CityID RegionID CompoundID StreetID StatusID CreatedAt",
    UNITS: "ID FloorNum ApartmentNumber BlockID StatusID CreatedAt ApartmentName",
    MEMBERSHIPS: "ID ResidentID ApartmentID BlockID RoleID StatusID",
    PHONES: "ID UserID ServiceID PhoneNum Hide CreatedAt",
    EMAILS: "ID UserID ServiceID Email Hide CreatedAt",
    LOGS: "ID UserID ApartmentID BlockID LogTypeID Action LogRecordIdInActualTable LogActualTable"
    " Longitude Latitude Date CreatedAt UpdatedAt",
}
# Not read: their rows are the same in every legacy database, and are constants in this code.
LOOKUPS = ("Role", "Status", "LogType")

# The place tables, and the column of Block that refers to each.
PLACE_TABLES = {
    "Country": "CountryID",
    "Governate": "GovernateID",
    "City": "CityID",
    "Region": "RegionID",
    "Compound": "CompoundID",
    "Street": "StreetID",
}


class SourceProblem(Exception):
    """The legacy database does not answer, or is not one; the text is for the operator."""


class SourceSettingsProblem(Exception):
    """No connection can be made with these settings; the text is for the operator."""


class Source:
    """One connection to the legacy database, in one read-only transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def value(self, select: str) -> int:
        """The whole number that a SELECT returns."""
        return int(float(next(iter(self._stream(select)))[0]))

    def batches(self, select: str) -> Iterator[list[SourceRow]]:
        """The rows of a SELECT in batches, streamed from the server."""
        with closing(self._connection.cursor(SSCursor)) as cursor:
            cursor.execute(select)
            names = [column[0] for column in cursor.description]
            while rows := cursor.fetchmany(BATCH):
                yield [dict(zip(names, map(_text, row), strict=True)) for row in rows]

    def tables(self) -> dict[str, set[str]]:
        """The columns of each table, all names in lower case, since servers differ in that."""
        found: dict[str, set[str]] = {}
        for table, column in self._stream(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE()"
        ):
            found.setdefault(table.lower(), set()).add(column.lower())
        return found

    def left_behind(self) -> dict[str, int]:
        """Counts of rows that the import does not read: of other tables, and of places without a block."""
        names = [
            name
            for (name,) in self._stream(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name"
            )
        ]
        known = {name.lower() for name in (*REQUIRED, *LOOKUPS)}
        selects = {
            name: f"SELECT COUNT(*) FROM `{name.replace('`', '``')}`"  # noqa: S608
            for name in names
            if name.lower() not in known
        }
        for table, column in PLACE_TABLES.items():
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
    """The legacy database with these settings (as django-environ parses a DATABASE_URL).

    Raises SourceSettingsProblem for settings that cannot be used or without MySQL's driver, and
    SourceProblem if the database does not answer or is not a legacy database.
    """
    if MySQLdb is None:
        raise SourceSettingsProblem(
            "Reading MySQL needs mysqlclient: pip install -r requirements/mysql.txt"
        )
    try:
        with closing(_connect(config)) as connection:
            source = Source(connection)
            _check(source)
            yield source
    except MySQLdb.Error as error:
        raise SourceProblem(f"The legacy database says: {error.args[-1]}") from error


def _connect(config: dict[str, Any]) -> Any:
    named = {
        "host": config["HOST"],
        "port": int(config["PORT"] or 0),
        "user": config["USER"],
        "password": config["PASSWORD"],
        "database": config["NAME"],
    }
    settings = config.get("OPTIONS", {}) | {
        # What is missing here may be in MySQL's own option file.
        **{name: value for name, value in named.items() if value},
        "charset": "utf8mb4",
        # Numbers and dates as text: Python has no zero date.
        "conv": {kind: made for kind, made in conversions.items() if not isinstance(kind, int)},
    }
    try:
        connection = MySQLdb.connect(**settings)
        # Some options are first checked here.
        cursor = connection.cursor()
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise SourceSettingsProblem(
            f"The argument has a name or an option that MySQL's driver does not take: {error}"
        ) from error
    for command in (
        "SET SESSION TRANSACTION READ ONLY",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        f"SET SESSION net_write_timeout = {TIMEOUT_SECONDS}, wait_timeout = {TIMEOUT_SECONDS}",
        # So that values that the server would reject today can be read.
        "SET SESSION sql_mode = ''",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT",
    ):
        cursor.execute(command)
    return connection


def _check(source: Source) -> None:
    found = source.tables()
    missing = [table for table in REQUIRED if table.lower() not in found]
    if missing:
        raise SourceProblem(f"Not a legacy database: it has no table {', '.join(missing)}.")
    lacking = [
        f"{table}.{column}"
        for table, columns in REQUIRED.items()
        for column in columns.split()
        if column.lower() not in found[table.lower()]
    ]
    if lacking:
        raise SourceProblem(f"Not the legacy schema that is known: no column {', '.join(lacking)}.")


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)
