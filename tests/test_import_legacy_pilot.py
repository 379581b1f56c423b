"""Moving in with a pilot: people write here, the legacy server goes on registering, then the last run."""

import json
import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
import requests

from omarty.legacy.own_ids import DEFAULT
from tests import mariadb
from tests.http import post_form
from tests.legacy import PASSWORD, Legacy
from tests.program import Program
from tests.server import granian

pytestmark = pytest.mark.skipif(bool(mariadb.missing()), reason=mariadb.missing())

ADMIN = "a password of the pilot"


def moved(program: Program, legacy: Legacy) -> Any:
    report = json.loads(program.succeed("import_legacy", legacy.url, "--json"))
    assert report["not_accounted_for"] == []
    return report


def rows(program: Program, *models: str) -> dict[str, set[int]]:
    """The ids of all rows, by model."""
    found: dict[str, set[int]] = {}
    for each in json.loads(program.succeed("dumpdata", *models)):
        found.setdefault(each["model"], set()).add(each["pk"])
    return found


# What both servers number.
NUMBERED = {
    *("contacts.user", "contacts.secondaryemail", "contacts.secondaryphone"),
    *("buildings.block", "buildings.apartment", "buildings.membership"),
}
# Of whom everything here is asked: the manager of a block that came in.
OWN: dict[str, Any] = {"blockId": 501, "apartmentId": 3001}


def make_tables_anew(program: Program) -> None:
    """An update whose migrations do so: SQLite then forgets which number comes next."""
    if program.url.startswith("sqlite"):
        with closing(sqlite3.connect(program.url.removeprefix("sqlite:///"))) as file:
            file.execute("UPDATE sqlite_sequence SET seq = 0")
            file.commit()
    program.succeed("migrate", "--verbosity", "0")


def token_of(url: str) -> str:
    fields: dict[str, Any] = {"email": "sara@example.org", "password": PASSWORD}
    return str(post_form(f"{url}/omartyapis/Auth/Login/", **fields)["data"]["Token"])


def add_unit(url: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"api": "CreateApartment", "floorNum": 3, "aptNum": 79, **OWN}
    return post_form(f"{url}/omartyapis/Create/", token_of(url), **fields)


def write_here(url: str) -> None:
    """What a pilot writes by the app and in the back-office: a unit, a contact, a building, a block."""
    token = token_of(url)
    made = post_form(
        f"{url}/omartyapis/Create/", token, api="CreateApartment", floorNum=3, aptNum=77, **OWN
    )
    assert made == {"status": 200, "data": "Apartment registered."}
    further: list[dict[str, Any]] = [
        {"phoneNumber": "01000007777"},
        {"email": "sara.third@example.org"},
    ]
    for contact in further:
        added = post_form(f"{url}/omartyapis/Update/", token, api="AddContact", **OWN, **contact)
        assert "data" in added, added
        # Ids of both, and none that needs more than the 31 bits that an app may have.
        assert {len(each["id"]) for each in added["data"].values()} == {3, 10}
    desk = requests.Session()

    def send(path: str, **typed: Any) -> None:
        page = desk.get(f"{url}/admin/{path}").text
        [csrf] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[:1])
        answer = desk.post(f"{url}/admin/{path}", data=typed | {"csrfmiddlewaretoken": csrf})
        assert answer.status_code == 200 and "errornote" not in answer.text, answer.text

    send("login/", username="admin@pilot.org", password=ADMIN)
    send("buildings/building/add/", name_ar="برج الرواد", name_en="")
    page = desk.get(f"{url}/admin/buildings/building/?q=برج").text
    [building] = set(re.findall(r"/admin/buildings/building/(\d+)/change/", page))
    send("buildings/block/add/", building=building, number="P1", status="active")


def register_there(legacy: Legacy) -> None:
    """What the legacy server goes on with: the next ids of all that it numbers."""
    legacy.insert("Block", ID=505, BlockNum="14")
    legacy.insert("Resident_User", ID=1008, Email="new@example.org", Name="New")
    legacy.insert("Apartment", ID=3008, ApartmentNumber=8)
    legacy.insert("Apartment", ID=3009, ApartmentNumber=9, BlockID=505)
    legacy.insert("RES_APART_BLOCK_ROLE", ID=912, ResidentID=1008, ApartmentID=3008)
    legacy.insert("PhoneNums", ID=610, UserID=1008, PhoneNum="01000000610")
    legacy.insert("Emails", ID=704, UserID=1008, Email="new.second@example.org")


def test_a_pilot_and_the_old_server_never_give_out_one_id_twice(program, legacy, tmp_path):
    assert moved(program, legacy)["own_ids_from"] == DEFAULT
    first = rows(program, *NUMBERED)
    program.environment["DJANGO_SUPERUSER_PASSWORD"] = ADMIN
    program.succeed("createsuperuser", "--noinput", "--login=admin@pilot.org", "--name=Admin")
    with (tmp_path / "server").open("wb") as log, granian(program.environment, 1, log) as url:
        write_here(url)
    table = tmp_path / "units.csv"
    table.write_text("block_id,number,floor,resident,phone\n501,78,3,Pilot Person,01000007778\n")
    program.succeed("import_units", str(table))
    own = {name: ids - first[name] for name, ids in rows(program, *NUMBERED).items()}
    assert set(own) == NUMBERED
    assert all(ids and min(ids) >= DEFAULT for ids in own.values()), own
    register_there(legacy)
    make_tables_anew(program)

    report = moved(program, legacy)
    assert {name: counts["new"] for name, counts in report["tables"].items()} == {
        "Resident_User": 1, "places": 0, "Block": 1, "Apartment": 2, "RES_APART_BLOCK_ROLE": 1,
        "PhoneNums": 1, "Emails": 1, "Logs": 0,
    }  # fmt: skip
    assert report["own_ids_from"] == DEFAULT
    last = rows(program, *NUMBERED)
    assert all(ids <= last[name] for name, ids in own.items())
    assert {1008} <= last["contacts.user"] and {505} <= last["buildings.block"]
    dump = json.loads(program.succeed("dumpdata", "legacy.quarantinedrow"))
    assert not any(each["fields"]["reason"] == "id_taken" for each in dump)
    assert "Nothing is broken" in program.run("check_data").stdout
    # What is made here afterwards goes on from there too.
    with (tmp_path / "server").open("wb") as log, granian(program.environment, 1, log) as url:
        made = add_unit(url)
    assert made == {"status": 200, "data": "Apartment registered."}
    units = rows(program, "buildings.apartment")["buildings.apartment"]
    assert max(units) > max(own["buildings.apartment"])
