"""Reads the legacy database, as it is at one moment for a whole run; names its tables and columns."""

from collections.abc import Iterable, Iterator, Sequence
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
# No table: the second and further phones of a column that names several.
FURTHER_PHONES = "further phones"

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
    " Longitude Latitude Date CreatedAt UpdatedAt UpdatedBy",
}
# Those of them whose rows become records or entries here.
RECORDS = (USERS, BLOCKS, UNITS, MEMBERSHIPS, PHONES, EMAILS, LOGS)
# What stands in a column that says nothing.
_NOTHING = "'', '0', '0000-00-00 00:00:00'"

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

    def rehearse(self, select: str) -> None:
        """Have the server prepare a SELECT, so that one that it refuses stops the import early."""
        self._stream(f"SELECT * FROM ({select}) rehearsed LIMIT 0")  # noqa: S608

    def highest(self, table: str) -> int:
        """The highest id of a table; 0 where it has no rows."""
        return self.value(f"SELECT COALESCE(MAX(ID), 0) FROM {table}")  # noqa: S608

    def present(self, rows: str, keys: Iterable[str]) -> set[str]:
        """Those of these ids that the table, or the SELECT, has."""
        wanted = sorted(keys)
        marks = ", ".join(["%s"] * len(wanted))
        select = f"SELECT ID FROM {rows} WHERE ID IN ({marks})"  # noqa: S608
        return {key for (key,) in self._stream(select, wanted)}

    def tables(self) -> dict[str, set[str]]:
        """The columns of each table in lower case, since servers do not tell them apart by case."""
        found: dict[str, set[str]] = {}
        for table, column in self._stream(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE()"
        ):
            found.setdefault(table, set()).add(column.lower())
        return found

    def tells_case(self) -> bool:
        """Whether tables' names that differ in case are two names."""
        return self.value("SELECT @@lower_case_table_names") == 0

    def without_key(self) -> list[str]:
        """The tables, views excepted, whose ids no key holds to be unique."""
        keyed = self._stream(
            "SELECT table_name, index_name, MAX(column_name) FROM information_schema.statistics"
            " WHERE table_schema = DATABASE() AND non_unique = 0"
            " GROUP BY table_name, index_name HAVING COUNT(*) = 1"
        )
        unique = {table.lower() for table, _index, column in keyed if column.lower() == "id"}
        return [name for name in REQUIRED if name.lower() not in unique | self._views()]

    def _views(self) -> set[str]:
        found = self._stream(
            "SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE()"
        )
        return {name.lower() for (name,) in found}

    def columns_left_behind(self) -> dict[str, int]:
        """How many rows have something in each column that the register has not."""
        found = {table.lower(): columns for table, columns in self.tables().items()}
        counts = {}
        for table in RECORDS:
            known = REQUIRED[table].lower().split()
            for column in sorted(found[table.lower()] - set(known)):
                text = f"CAST(`{column}` AS CHAR)"
                counts[f"{table}.{column}"] = self.value(
                    f"SELECT COUNT(*) FROM {table} WHERE {text} NOT IN ({_NOTHING})"  # noqa: S608
                )
        return {what: count for what, count in counts.items() if count}

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
            named = " OR ".join(f"TRIM({name}) <> ''" for name in REQUIRED[table].split()[1:])
            selects[f"{table} without a block"] = (
                f"SELECT COUNT(*) FROM {table} WHERE ({named})"  # noqa: S608
                f" AND NOT EXISTS (SELECT 1 FROM Block WHERE {column} = {table}.ID)"
            )
        counts = {what: self.value(select) for what, select in selects.items()}
        return {what: count for what, count in counts.items() if count}

    def _stream(self, select: str, values: Sequence[str] | None = None) -> list[tuple[str, ...]]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(select, values)
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
    """Raises SourceProblem unless every table is there, by its name and with its columns and keys."""
    found = source.tables()
    names = {table.lower(): table for table in found}
    missing = [table for table in REQUIRED if table.lower() not in names]
    if missing:
        raise SourceProblem(f"Not a legacy database: it has no table {', '.join(missing)}.")
    other_case = [table for table in REQUIRED if table not in found]
    if other_case and source.tells_case():
        pairs = ", ".join(f"{names[table.lower()]} for {table}" for table in other_case)
        raise SourceProblem(
            f"The database has {pairs}, and its server takes those for other names. Rename them, or "
            "load the dump on a server with lower_case_table_names=1."
        )
    lacking = [
        f"{table}.{column}"
        for table, columns in REQUIRED.items()
        for column in columns.split()
        if column.lower() not in found.get(table, found[names[table.lower()]])
    ]
    if lacking:
        raise SourceProblem(f"Not the legacy schema that is known: no column {', '.join(lacking)}.")
    for table in source.without_key():
        select = f"SELECT COUNT(*) - COUNT(DISTINCT ID) FROM {table}"  # noqa: S608
        if doubled := source.value(select):
            raise SourceProblem(
                f"{table} has no key, and {doubled} of its rows have no id or one that another row has: "
                "the dump was not loaded whole, or twice."
            )


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)
