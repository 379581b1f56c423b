"""An invented legacy database with every oddity that the real one may have."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import bcrypt
from django.core.management import call_command

from audit.models import Entry
from buildings.models import Apartment, Block, Building, Membership
from contacts.models import Claim, SecondaryEmail, SecondaryPhone, User
from omarty.legacy.models import LegacyRow, QuarantinedRow
from tests import mariadb

SCHEMA = Path(__file__).with_name("legacy_schema.sql")
PASSWORD = "كلمة سر قديمة"


def php_hash(password: str) -> str:
    """What PHP's password_hash() makes, at the lowest cost."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")


ROWS: dict[str, list[dict[str, Any]]] = {
    # Row 1 is a placeholder where it has no name.
    "Country": [{"ID": 1, "name": ""}, {"ID": 2, "name": "مصر"}],
    "Governate": [
        {"ID": 1, "GOVName": "القاهرة", "GOVNameEN": "Cairo"},
        {"ID": 2, "GOVName": "", "GOVNameEN": "Giza"},
    ],
    "City": [
        {"ID": 1, "Name": "", "NameEN": " "},
        {"ID": 2, "Name": "الشيخ زايد", "NameEN": "Zayed"},
    ],
    "Region": [{"ID": 1, "RegionName": "وسط البلد"}, {"ID": 2, "RegionName": "الحي الأول"}],
    "Compound": [
        {"ID": 1, "CompundName": ""},
        {"ID": 2, "CompundName": "الزهور", "CompoundNameEN": "Blossom"},
        {"ID": 3, "CompundName": "Nobody builds here"},
    ],
    "Street": [
        {"ID": 1, "StreetName": None},
        {"ID": 2, "StreetName": "Rose Street"},
        {"ID": 3, "StreetName": "S" * 140},
    ],
    "Resident_User": [
        {"ID": 1, "Email": "double.of.admin@example.org", "Name": "Not our number one"},
        {"ID": 1001, "Email": "Sara@Example.org", "PhoneNum": "01000001001", "Name": "Sara Old"},
        {
            "ID": 1002,
            "Email": "mona@example.org",
            "PhoneNum": "+201000001002",
            "Name": "منى القديمة",
        },
        {"ID": 1003, "Email": "tarek@example.org", "PhoneNum": "01000001002", "Hide": 3},
        {"ID": 1004, "PhoneNum": "12", "StatusID": 3, "Name": "Unreachable"},
        {
            "ID": 1005,
            "Email": "no address",
            "PhoneNum": "201000001005",
            "StatusID": None,
            "Password": "in plain text",
            "CreatedAt": "0000-00-00 00:00:00",
        },
        {"ID": 1006, "Email": "emoji@example.org", "Name": "Nour 😀 نور", "Hide": 1},
        {"ID": 1007, "Email": "neighbour@example.org", "PhoneNum": "٠١٠٠٠٠٠١٠٠٧", "Hide": 2},
    ],
    "Block": [
        {"ID": 501, "BlockNum": "12A", "Longitude": "31.2357", "Latitude": "30.0444444449"},
        {"ID": 502, "BlockNum": "12B", "BlockName": "Rose", "Longitude": "0", "Latitude": ""},
        {"ID": 503, "BlockNum": "7", "StreetID": 3, "Longitude": "abc", "StatusID": 1},
        {
            "ID": 504,
            "BlockNum": "",
            "NumberOfFloors": -3,
            **dict.fromkeys(
                ("CountryID", "GovernateID", "CityID", "RegionID", "CompoundID", "StreetID"), 1
            ),
        },
    ],
    "Apartment": [
        {"ID": 3001, "ApartmentNumber": 1, "FloorNum": 0, "StatusID": 8, "ApartmentName": "A1"},
        {"ID": 3002, "ApartmentNumber": 1, "FloorNum": 1, "StatusID": 9},
        {"ID": 3003, "ApartmentNumber": None, "FloorNum": None, "StatusID": None},
        {"ID": 3004, "ApartmentNumber": 0, "FloorNum": 999, "StatusID": 3},
        {"ID": 3005, "ApartmentNumber": 5, "BlockID": 999},
        {"ID": 3006, "ApartmentNumber": 1, "BlockID": 502, "StatusID": 10},
        {"ID": 3007, "ApartmentNumber": 2, "FloorNum": 1, "StatusID": 2},
    ],
    "RES_APART_BLOCK_ROLE": [
        {"ID": 901, "ResidentID": 1001, "ApartmentID": 3001, "RoleID": 1},
        {"ID": 902, "ResidentID": 1002, "ApartmentID": 3002},
        {"ID": 903, "ResidentID": 1003, "ApartmentID": 3002, "StatusID": 1},
        {"ID": 904, "ResidentID": 1002, "ApartmentID": None, "RoleID": 7},
        {"ID": 905, "ResidentID": 1002, "ApartmentID": 4444},
        {"ID": 906, "ResidentID": 7777, "ApartmentID": 3001},
        {"ID": 907, "ResidentID": 1002, "ApartmentID": 3006},
        {"ID": 908, "ResidentID": 1002, "ApartmentID": 3001, "RoleID": None},
        {"ID": 909, "ResidentID": 1002, "ApartmentID": 3001, "BlockID": None},
        {"ID": 910, "ResidentID": 1, "ApartmentID": 3001},
        {"ID": 911, "ResidentID": 1004, "ApartmentID": 3007, "StatusID": 4},
    ],
    "PhoneNums": [
        {"ID": 601, "UserID": 1001, "PhoneNum": " 0100 000 0601 ", "Hide": 1},
        {"ID": 602, "UserID": 1001, "PhoneNum": "01000001001"},
        {"ID": 603, "UserID": 1002, "PhoneNum": "00201000001001"},
        {"ID": 604, "UserID": 1002, "PhoneNum": "call me"},
        {"ID": 605, "ServiceID": 3, "PhoneNum": "0233334444"},
        {"ID": 606, "PhoneNum": "01000000606"},
        {"ID": 607, "UserID": 7777, "PhoneNum": "01000000607"},
        {"ID": 608, "UserID": 1004, "PhoneNum": "01000000608", "Hide": None},
        {"ID": 609, "UserID": 1002, "PhoneNum": "+20 100 000 0608"},
    ],
    "Emails": [
        {"ID": 701, "UserID": 1002, "Email": "SARA@example.ORG"},
        {"ID": 702, "UserID": 1001, "Email": "sara.second@example.org"},
        {"ID": 703, "ServiceID": 3, "Email": "shop@example.org"},
    ],
    "Logs": [
        {"ID": 1, "LogTypeID": 5, "UserID": 1001, "Date": "2023-05-04 16:05:06"},
        {
            "ID": 2,
            "LogTypeID": 6,
            "UserID": 1001,
            "ApartmentID": 3001,
            "BlockID": 501,
            "Action": "Create New Apartment",
            "LogActualTable": "Apartment",
            "LogRecordIdInActualTable": "3007",
            "Longitude": "31.25",
            "Latitude": "30.5",
            "Date": "2023-05-04 04:05:06pm",
        },
        {"ID": 3, "LogTypeID": 3, "UserID": 1, "Date": "2023-01-04 12-05-06am"},
        {
            "ID": 4,
            "LogTypeID": 8,
            "LogActualTable": "Event",
            "LogRecordIdInActualTable": "77",
            "Longitude": "somewhere",
            "Date": "2023:01:04 12-05-06pm",
        },
        {"ID": 5, "LogTypeID": None, "UserID": 7777, "UpdatedAt": "2023-02-01 09:00:00"},
        {"ID": 6, "LogTypeID": 5, "Date": "yesterday", "CreatedAt": "0000-00-00 00:00:00"},
    ],
    "Role": [{"ID": 1, "RoleName": "Block Manager"}],
    "Message": [{"ID": 1, "Message": "stays where it is"}],
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "Resident_User": {
        "StatusID": 2,
        "Hide": 0,
        "Password": php_hash(PASSWORD),
        "OTP": "123456",
        "CreatedAt": "2022-12-31 23:30:00",
    },
    "Block": {
        "NumberOfFloors": 0,
        "StatusID": 2,
        "CountryID": 2,
        "GovernateID": 2,
        "CityID": 2,
        "RegionID": 2,
        "CompoundID": 2,
        "StreetID": 2,
    },
    "Apartment": {"BlockID": 501},
    "RES_APART_BLOCK_ROLE": {"BlockID": 501, "RoleID": 6, "StatusID": 2},
    "PhoneNums": {"Hide": 0},
    "Emails": {"Hide": 0},
    "Logs": {
        "Action": "did something",
        "LogActualTable": "Resident_User",
        "LogRecordIdInActualTable": "1001",
        "Longitude": "0",
        "Latitude": "",
        "Date": "",
    },
}

# Rows as such databases have them, apart from ROWS, so that no test of one counts the others.
ODDITIES: dict[str, list[dict[str, Any]]] = {
    "Governate": [{"ID": 3, "GOVName": "????", "GOVNameEN": "Alexandria"}],
    "City": [{"ID": 3, "Name": "???"}],
    "Resident_User": [
        # UTF-8 that a program took for Latin-1, once and twice.
        {"ID": 2001, "Name": "منى عادل".encode().decode("latin-1"), "PhoneNum": "01055502001"},
        {"ID": 2002, "Name": "???? ????", "UserName": "mona??adel", "PhoneNum": "01055502002"},
        {"ID": 2003, "Name": "Mona &amp;amp; Ali O&#039;Neil", "PhoneNum": "01055502003"},
        {"ID": 2004, "Name": "&#1605;&#1606;&#1609;", "PhoneNum": "0105550200"},
        {
            "ID": 2005,
            "Name": "Marks",
            "Email": "\u200fm2005@example.org",
            "PhoneNum": "\u200b01055502005",
        },
        {"ID": 2006, "Name": "Two", "PhoneNum": "01055502006/01155502006", "Hide": 2},
        {"ID": 2007, "Name": "Paren", "PhoneNum": "(+20)1055502007"},
        {"ID": 2008, "Name": "Plus", "PhoneNum": "201055502008+"},
        {"ID": 2009, "Name": "Ahmed\u200e\u00a0Said", "PhoneNum": "+2001055502009"},
        {"ID": 2010, "Name": "Same digits", "PhoneNum": "1055502009"},
        {"ID": 2011, "Name": "Line\nbreak\tTab", "PhoneNum": "+20 1055502011\n"},
        # Cut in the middle of a letter, and with a byte lost.
        {"ID": 2014, "Name": "فاطمة".encode()[:-1].decode("latin-1"), "Email": "m2014@example.org"},
        {"ID": 2015, "Name": "فاطمة".encode().decode("latin-1").replace("\x81", "?"), "Hide": 3},
        # What another row has as its second phone.
        {"ID": 2012, "Name": "Primary", "PhoneNum": "01155502012"},
        {"ID": 2013, "Name": "Held", "PhoneNum": "01055502013 - 01155502012"},
    ],
    "Block": [
        {"ID": 701, "BlockNum": "B-7", "BlockName": "عمارة النور".encode().decode("latin-1")},
        {"ID": 702, "BlockNum": "B-8", "GovernateID": 3, "CityID": 3, "RegionID": 1},
        {"ID": 703, "BlockNum": "B-9", "Longitude": "181", "Latitude": "30.5", "StreetID": 4},
    ],
    "Apartment": [
        {"ID": 5001, "ApartmentNumber": 1, "BlockID": 701, "ApartmentName": "\u202eShop"},
    ],
    "RES_APART_BLOCK_ROLE": [
        {"ID": 801, "ResidentID": 2001, "ApartmentID": 5001, "BlockID": 701, "RoleID": 1},
    ],
    "PhoneNums": [{"ID": 681, "UserID": 2001, "PhoneNum": "01000000681، 01000000682"}],
    "Logs": [
        {
            "ID": 41,
            "UserID": 2001,
            "UpdatedBy": 1002,
            "Longitude": "500",
            "Latitude": "NaN",
            "Date": "2023-05-01 18:59:51pm",
        },
        {"ID": 42, "UserID": 2001, "Longitude": "0.0", "Date": "2023-05-01 00:05:06am"},
    ],
}


OURS = (User, Building, Block, Apartment, Membership, SecondaryEmail, SecondaryPhone, Claim)
ALL_ROWS = (*OURS, Entry, LegacyRow, QuarantinedRow)


def run(url: str, *arguments: str) -> tuple[Any, str]:
    """The command's report and what it wrote to standard error; the demo community may exist."""
    out, err = io.StringIO(), io.StringIO()
    # MariaDB does not take back which numbers come next: other tests would see them.
    arguments = ("--json", "--into-existing", "--own-ids-from=0", *arguments)
    call_command("import_legacy", url, *arguments, stdout=out, stderr=err)
    return json.loads(out.getvalue()), err.getvalue()


def in_quarantine(table: str) -> dict[tuple[str, str], str]:
    """The reasons of a table's rows in quarantine, by (id, column)."""
    rows = QuarantinedRow.objects.filter(table=table)
    return {(row.key, row.column): row.reason for row in rows}


def everything() -> dict[str, Any]:
    """All our rows, by model."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values()) for model in ALL_ROWS
    }


class Legacy:
    """A legacy database of its own; with `url` it can only be read."""

    def __init__(self, connection: Any, server: str, name: str) -> None:
        self._connection = connection
        self.name = name
        socket = parse_qs(urlsplit(server).query)["unix_socket"][0]
        self.url = f"mysql://reader:reader@localhost/{name}?unix_socket={socket}"

    def run(self, statement: str, values: Any = None) -> Any:
        """Run a statement without strict mode and foreign-key checks; returns its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    def insert(self, table: str, **values: Any) -> None:
        """Insert a row, with DEFAULTS for what is not given."""
        row = DEFAULTS.get(table, {}) | values
        names = ", ".join(row)
        marks = ", ".join(["%s"] * len(row))
        self.run(f"INSERT INTO {table} ({names}) VALUES ({marks})", [*row.values()])  # noqa: S608

    def insert_oddities(self) -> None:
        """Insert ODDITIES, and a street whose UTF-8 stands in a column that is called Latin-1."""
        self.run("ALTER TABLE Street MODIFY StreetName varchar(255) CHARACTER SET latin1")
        street = "شارع فاطمة".encode().hex()
        self.run(f"INSERT INTO Street (ID, StreetName) VALUES (4, _latin1 x'{street}')")  # noqa: S608
        for table, rows in ODDITIES.items():
            for row in rows:
                self.insert(table, **row)

    def sums(self) -> Any:
        """A checksum of each table."""
        return self.run(f"CHECKSUM TABLE {', '.join(ROWS)}")


@contextmanager
def legacy_database(server: str, name: str) -> Iterator[Legacy]:
    """A filled legacy database with this name on this server; dropped at the end."""
    connection = mariadb.connect(server)
    legacy = Legacy(connection, server, name)
    for statement in (
        f"DROP DATABASE IF EXISTS {name}",
        f"CREATE DATABASE {name} CHARACTER SET utf8mb3",
        "CREATE USER IF NOT EXISTS reader@localhost IDENTIFIED BY 'reader'",
        f"GRANT SELECT, EXECUTE ON {name}.* TO reader@localhost",
        f"USE {name}",
        "SET sql_mode = '', foreign_key_checks = 0",
    ):
        legacy.run(statement)
    for statement in re.findall(r"CREATE TABLE.*?;", SCHEMA.read_text(), re.S):
        legacy.run(statement)
    for table, rows in ROWS.items():
        for row in rows:
            legacy.insert(table, **row)
    try:
        yield legacy
    finally:
        legacy.run(f"DROP DATABASE {name}")
        connection.close()
