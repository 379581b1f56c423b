"""What is refused before it is read, and what nobody else may read."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from tests.test_house import started_with

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


def test_an_sqlite_file_is_its_owners_alone_whatever_made_it(tmp_path):
    file = tmp_path / "omarty.sqlite3"
    file.touch(0o644)
    environment = {"DATABASE_URL": f"sqlite:///{file}"}
    assert started_with(**environment).returncode == 0
    subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", "migrate", "--verbosity", "0"],
        env={**os.environ, **environment},
        check=True,
    )
    for each in tmp_path.iterdir():
        assert each.stat().st_mode & 0o077 == 0, each
