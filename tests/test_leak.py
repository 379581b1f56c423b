"""What SECURITY.md says to do when something leaked, done to an installation that serves people."""

import csv
import json
import re
import secrets
import sqlite3
from contextlib import closing

import pytest
import requests

from omarty.demo.small import PASSWORD, PEOPLE
from tests.conftest import ONCE
from tests.house import ROOT
from tests.installation import Installation

pytestmark = ONCE

PAGE = (ROOT / "SECURITY.md").read_text()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """An installation with the demo community, served over plain HTTP."""
    made = Installation(
        tmp_path_factory.mktemp("leak"), ALLOWED_HOSTS="127.0.0.1", HTTPS="false", PROXIES="0"
    ).make()
    made.set(DEBUG="true")
    made.succeed("demo")
    made.set(DEBUG="false")
    return made


@pytest.fixture
def installation(demo, tmp_path):
    return demo.copied_to(tmp_path / "installation")


class Person:
    """Somebody of the demo, with the app and the back-office open."""

    def __init__(self, address, name, password=PASSWORD):
        self.login = f"{name}@example.org"
        self.browser = requests.Session()
        self.address = address
        signed_in = self.call("Auth/Login", email=self.login, password=password)
        self.answer = signed_in.json()
        self.tokens = self.answer.get("data", {})
        self.browser.get(f"{address}/admin/login/", timeout=30)
        self.submit("/admin/login/?next=/admin/", username=self.login, password=password)

    def call(self, path, **fields):
        return requests.post(f"{self.address}/omartyapis/{path}/", data=fields, timeout=30)

    def submit(self, page, **fields):
        fields["csrfmiddlewaretoken"] = self.browser.cookies.get("csrftoken")
        return self.browser.post(f"{self.address}{page}", data=fields, timeout=30)

    def app_says(self):
        """What the app is answered; empty if its token serves."""
        answer = requests.post(
            f"{self.address}/omartyapis/Create/",
            headers={"Authorization": f"Bearer {self.tokens['Token']}"},
            data={"api": "CreateApartment"},
            timeout=30,
        ).json()
        return "" if answer["status"] == 200 else answer["message"]

    def renewal_says(self):
        """What the app is answered when it renews its tokens; empty if it gets new ones."""
        answer = self.call("Auth/Refresh", refresh=self.tokens["Refresh"]).json()
        return "" if answer["status"] == 200 else answer["message"]

    def is_inside(self, page="/admin/"):
        """Whether the back-office shows a page without asking for a password."""
        shown = self.browser.get(f"{self.address}{page}", timeout=30, allow_redirects=False)
        return shown.status_code == 200

    def places(self):
        """Where the app says that they are signed in."""
        token = {"Authorization": f"Bearer {self.tokens['Token']}"}
        listed = requests.post(
            f"{self.address}/omartyapis/Auth/Sessions/", headers=token, timeout=30
        )
        return sorted(each["place"] for each in listed.json()["data"].values())

    def at(self, address):
        """The same person, their app and their browser, with the server started anew."""
        self.address = address
        return self


ENDED = "Session has ended, please sign in again"


def test_a_new_secret_key_ends_every_session_of_the_back_office_and_none_of_the_app(installation):
    with installation.served() as address:
        manager = Person(address, "manager")
        assert manager.is_inside() and manager.app_says() == ""
        assert manager.places() == ["app", "back-office"]
    installation.set(SECRET_KEY=secrets.token_urlsafe(48))
    with installation.served() as address:
        manager.at(address)
        assert not manager.is_inside()
        assert manager.places() == ["app"]
        assert manager.app_says() == "" and manager.renewal_says() == ""
    installation.succeed("clearsessions")
    assert stored_sessions(installation) == (1, 0)


def test_a_new_signing_key_keeps_everybody_with_the_former_one_and_nobody_without(installation):
    with installation.served() as address:
        manager = Person(address, "manager")
    former = installation.settings["JWT_SIGNING_KEY"]
    installation.set(JWT_SIGNING_KEY=secrets.token_urlsafe(48), JWT_FORMER_KEYS=former)
    with installation.served() as address:
        assert manager.at(address).app_says() == ""
        assert manager.places() == ["app", "back-office"]
        renewed = Person(address, "resident")
    installation.succeed("clearsessions")
    assert stored_sessions(installation) == (2, 1)
    installation.set(JWT_FORMER_KEYS="")
    with installation.served() as address:
        manager.at(address)
        assert manager.app_says() == manager.renewal_says() == "Signature verification failed"
        assert manager.is_inside()
        assert renewed.at(address).app_says() == ""
        again = Person(address, "manager")
        assert again.app_says() == ""
        assert again.places() == ["app", "back-office", "back-office"]
    installation.succeed("clearsessions")
    assert stored_sessions(installation) == (2, 2)


def test_a_leaked_signing_key_is_believed_until_the_former_keys_are_emptied(installation):
    section = PAGE[PAGE.index("### JWT_SIGNING_KEY") : PAGE.index("### The database")]
    assert "empty `JWT_FORMER_KEYS`" in section
    with installation.served() as address:
        manager = Person(address, "manager")
    older, leaked = installation.settings["JWT_SIGNING_KEY"], secrets.token_urlsafe(48)
    installation.set(JWT_SIGNING_KEY=leaked, JWT_FORMER_KEYS=older)
    with installation.served() as address:
        resident = Person(address, "resident")
    installation.set(JWT_SIGNING_KEY=secrets.token_urlsafe(48))
    with installation.served() as address:
        # A new key alone ends what the leaked one signed, and nothing of the older one.
        assert resident.at(address).app_says() == "Signature verification failed"
        assert manager.at(address).app_says() == manager.renewal_says() == ""
    installation.set(JWT_FORMER_KEYS="")
    with installation.served() as address:
        for person in (manager, resident):
            assert person.at(address).app_says() == "Signature verification failed"
            assert person.renewal_says() == "Signature verification failed"


def stored_sessions(installation):
    """How many sessions of the app and of the back-office the database has."""
    with closing(sqlite3.connect(installation.home / "data" / "omarty.sqlite3")) as database:
        tables = ("contacts_appsession", "contacts_backofficesession")
        counts = [database.execute(f"SELECT COUNT(*) FROM {each}") for each in tables]  # noqa: S608
        return tuple(count.fetchone()[0] for count in counts)


def test_a_leaked_database(installation):
    """Everybody is signed out; the log is proved; who exported what is told."""
    installation.succeed("audit_seal", "--grace=0")
    with installation.served() as address:
        manager, resident = Person(address, "manager"), Person(address, "resident")
        installation.succeed("end_sessions", "manager@example.org", "--reason", "Lost phone")
        assert manager.app_says() == manager.renewal_says() == ENDED and not manager.is_inside()
        assert resident.app_says() == ""
        manager = Person(address, "manager")
        report = json.loads(installation.succeed("end_sessions", "--all", "--json"))
        assert report == {"people": len(PEOPLE)}
        for person in (manager, resident):
            assert person.app_says() == person.renewal_says() == ENDED
            assert not person.is_inside()
        # Who knows the password signs in again.
        assert Person(address, "manager").is_inside()
    installation.succeed("export_units", str(installation.home / "units.csv"), "--full")
    assert exported(installation, "--action", "data.exported") == ["data.exported"]
    ended = exported(installation, "--action", "user.sessions_ended")
    assert len(ended) == 1 + len(PEOPLE)
    installation.succeed("audit_seal", "--grace=0")
    installation.succeed("audit_verify")
    with closing(sqlite3.connect(installation.home / "data" / "omarty.sqlite3")) as database:
        database.execute("UPDATE audit_entry SET actor_id = 3 WHERE action = 'data.exported'")
        database.commit()
    forged = installation.run("audit_verify")
    assert forged.returncode == 1 and "changed" in forged.stdout


def exported(installation, *options):
    """The actions of the entries that `export_audit` writes with these options."""
    file = installation.home / "audit.csv"
    installation.succeed("export_audit", str(file), *options)
    with file.open(encoding="utf-8-sig", newline="") as table:
        return [row["action"] for row in csv.DictReader(table)]


def test_a_leaked_password_is_replaced_and_the_person_chooses_another(installation):
    with installation.served() as address:
        manager = Person(address, "manager")
        report = json.loads(
            installation.succeed("changepassword", "manager@example.org", "--random", "--json")
        )
        handed_over = report["password"]
        assert manager.app_says() == ENDED and not manager.is_inside()
        assert Person(address, "manager").answer["message"] == "Wrong email or password."
        manager = Person(address, "manager", handed_over)
        chosen = secrets.token_urlsafe(12)
        manager.is_inside("/admin/password_change/")
        manager.submit(
            "/admin/password_change/",
            old_password=handed_over,
            new_password1=chosen,
            new_password2=chosen,
        )
        # The page's own session goes on, the app's has ended.
        assert manager.is_inside() and manager.app_says() == ENDED
        assert Person(address, "manager", handed_over).answer["status"] == 401
        assert Person(address, "manager", chosen).is_inside()
    entries = exported(installation, "--action", "user.password_changed")
    assert len(entries) == 2


def test_a_superuser_loses_the_right_and_the_last_one_keeps_it(installation):
    refused = installation.run("revoke_superuser", "admin@example.org")
    assert refused.returncode == 1 and "last superuser" in refused.stderr
    second = secrets.token_urlsafe(12)
    installation.succeed(
        "shell",
        "-v0",
        "-c",
        "from contacts.models import User\n"
        f"User.objects.create_user(email='second@example.org', password={second!r}, is_superuser=True)",
    )
    with installation.served() as address:
        admin = Person(address, "admin")
        assert admin.is_inside()
        installation.succeed("revoke_superuser", "admin@example.org", "--reason", "Left")
        assert not admin.is_inside() and admin.app_says() == ENDED
        # The password is right, and opens nothing.
        assert not Person(address, "admin").is_inside()
        assert Person(address, "second", second).is_inside()
    assert exported(installation, "--action", "user.superuser_revoked") == [
        "user.superuser_revoked"
    ]


def test_each_command_of_the_page_is_there_and_tried_here():
    named = set(re.findall(r"manage\.py (\w+)", PAGE))
    source = (ROOT / "tests" / "test_leak.py").read_text()
    assert len(named) >= 7
    elsewhere = {"check", "revoke", "grant", "createsuperuser", "person_export"}
    elsewhere.add("reset_second_factor")
    assert {each for each in named - elsewhere if f'"{each}"' not in source} == set()
