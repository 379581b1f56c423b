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


def test_an_answer_with_tokens_is_stored_nowhere(client):
    signed_in = client.post(
        "/omartyapis/Auth/Login/", {"email": "01000000002", "password": "omarty-demo"}
    )
    assert signed_in["Cache-Control"] == "no-store"
    fields = {"refresh": signed_in.json()["data"]["Refresh"]}
    assert client.post("/omartyapis/Auth/Refresh/", fields)["Cache-Control"] == "no-store"


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
