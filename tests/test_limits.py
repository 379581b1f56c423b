"""What is refused before it is read, and what nobody else may read."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from django.conf import settings

from tests.program import Program

LARGE = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1


class Unread:
    """A body that must not be read."""

    def read(self, *_size):
        raise AssertionError("the body was read")

    readline = read


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/language/", "/nowhere/", "/admin/", "/healthz"]
)
def test_a_large_body_is_refused_unread_before_it_is_known_who_sends_it(client, path):
    response = client.generic(
        "POST",
        path,
        b"",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(LARGE),
        **{"wsgi.input": Unread()},
    )
    assert response.status_code == 413
    assert b"larger than 1 MB" in response.content
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_no_answer_of_the_addresses_of_tokens_is_stored(client):
    def answer(path, status, **fields):
        given = client.post(f"/omartyapis/Auth/{path}", fields)
        assert (given.status_code, given["Cache-Control"]) == (status, "no-store")
        return given.json().get("data")

    known = {"email": "01000000002", "password": "omarty-demo"}
    for path in ("Login/", "Login"):
        signed_in = answer(path, 200, **known)
        renewed = answer(path.replace("Login", "Refresh"), 200, refresh=signed_in["Refresh"])
        answer(path.replace("Login", "Logout"), 200, refresh=renewed["Refresh"])
    answer("Login/", 401, **known | {"password": "wrong"})
    answer("Login/", 406)
    answer("Refresh/", 406)
    answer("Logout/", 401, refresh="nonsense")
    assert client.get("/omartyapis/Auth/Login/")["Cache-Control"] == "no-store"


def test_browsers_are_told_of_https_for_this_host_alone():
    """Of an installation as it is by default: no subdomains, and no list that is hard to leave."""
    script = (
        "from django.test import Client;"
        "print(Client().get('/healthz', secure=True)['Strict-Transport-Security'])"
    )
    ran = subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", "shell", "--no-imports", "-c", script],
        env=os.environ | {"DEBUG": "false"},
        capture_output=True,
        text=True,
    )
    assert ran.stdout == f"max-age={60 * 60 * 24 * 365}\n", ran.stderr


@pytest.fixture
def lax():
    """Whatever is made anew, everybody may read and write, unless its maker says otherwise."""
    usual = os.umask(0)
    yield
    os.umask(usual)


def private(file):
    return file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("there", [True, False])
def test_an_sqlite_file_is_its_owners_alone_whatever_made_it(lax, tmp_path, there):
    file = tmp_path / "omarty.sqlite3"
    if there:
        file.touch(0o644)
    program = Program(f"sqlite:///{file}", tmp_path)
    program.succeed("migrate", "--verbosity", "0")
    assert private(file)
    # While one has it open, the log of its changes lies beside it.
    with closing(sqlite3.connect(file)) as other:
        other.execute("SELECT count(*) FROM contacts_user")
        program.succeed("check_data")
        beside = {each.name for each in tmp_path.iterdir()}
        assert {"omarty.sqlite3-wal", "omarty.sqlite3-shm"} <= beside
        assert [each for each in tmp_path.iterdir() if not private(each)] == []


def test_what_commands_write_is_its_owners_alone(lax, tmp_path):
    file = tmp_path / "omarty.sqlite3"
    program = Program(f"sqlite:///{file}", tmp_path)
    program.environment["DEBUG"] = "true"
    program.succeed("migrate", "--verbosity", "0")
    program.succeed("demo")
    written = [
        ("export_units", "units.xlsx"),
        ("export_people", "people.csv"),
        ("export_audit", "audit.jsonl"),
    ]
    for command, name in written:
        program.succeed(command, str(tmp_path / name))
    program.succeed("audit_seal")
    assert {name for _command, name in written} | {"seals.jsonl"} <= {
        each.name for each in tmp_path.iterdir()
    }
    open_to_others = {each.name for each in tmp_path.iterdir() if not private(each)}
    # What holds nothing: other runs wait at it.
    assert open_to_others <= {"seals.jsonl.lock"}


@pytest.fixture
def house(tmp_path):
    """The project in a folder of its own, without a .env."""
    for name in ("omarty", "audit", "contacts", "buildings"):
        shutil.copytree(settings.BASE_DIR / name, tmp_path / name)
    for name in ("manage.py", "Makefile", ".env.example"):
        shutil.copy(settings.BASE_DIR / name, tmp_path)
    return tmp_path


def test_make_writes_the_keys_for_their_owner_alone(lax, house):
    (house / ".env.new").touch(0o666)
    subprocess.run(["make", f"PYTHON={sys.executable}", ".env"], cwd=house, check=True)
    assert private(house / ".env") and "SECRET_KEY" in (house / ".env").read_text()
    assert not (house / ".env.new").exists()


def test_copied_keys_are_their_owners_alone_from_the_first_command_on(lax, house):
    shutil.copy(house / ".env.example", house / ".env")
    (house / ".env").chmod(0o666)
    subprocess.run([sys.executable, "manage.py", "check"], cwd=house, check=True)
    assert private(house / ".env")
