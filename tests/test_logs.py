"""Log lines: each carries the id of the request that it belongs to."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests
from django.conf import settings

from tests.conftest import ONCE
from tests.http import granian_command

pytestmark = ONCE

README = settings.BASE_DIR / "README.md"
ENVIRONMENT = os.environ | {"HTTPS": "false"}
LINE = re.compile(r"^[\d-]+ [\d:,]+ (?:WARNING|ERROR) (\S+) [\w.]+: (.*)$", re.MULTILINE)


class Server:
    """A server process of its own, on a database without tables."""

    def __init__(self, directory, **environment):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.log = directory / "server.log"
        command = granian_command(README.read_text(), self.port, workers=1)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command,
                cwd=settings.BASE_DIR,
                env=ENVIRONMENT
                | {"DATABASE_URL": f"sqlite:///{directory}/empty.sqlite3"}
                | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def wait(self):
        for _ in range(600):
            try:
                self.connect().close()
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.1)
            else:
                return
        raise AssertionError(self.log.read_text())

    def refused(self, path, body=None):
        """The status and the request id that this address answers."""
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", body, timeout=60)
        caught.value.close()
        return caught.value.code, caught.value.headers["X-Request-ID"]

    def logged(self):
        """The request id and the message of each line."""
        return LINE.findall(self.log.read_text())


@contextmanager
def running(directory, **environment):
    """A server until the block ends."""
    server = Server(directory, **environment)
    try:
        server.wait()
        yield server
    finally:
        server.process.terminate()
        server.process.wait(timeout=60)


@pytest.fixture
def server(tmp_path):
    with running(tmp_path) as server:
        yield server


def test_a_line_carries_the_id_of_its_request(server):
    status, request_id = server.refused("/nowhere")
    assert status == 404
    assert server.logged() == [(request_id, "Not Found: /nowhere")]
    status, request_id = server.refused(
        "/omartyapis/Auth/Login/", b"email=a@example.org&password=x"
    )
    assert status == 500
    assert server.logged()[1:] == [
        (request_id, f"Request {request_id} failed"),
        (request_id, "Internal Server Error: /omartyapis/Auth/Login/"),
    ]


def test_requests_at_once_do_not_mix(server):
    head = (
        "POST /omartyapis/Auth/Login/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 6\r\n\r\n"
    )
    with server.connect() as slow:
        # Begun first, answered last: the server waits for the rest of the body.
        slow.sendall(head.encode() + b"ema")
        time.sleep(0.5)
        paths = [f"/nowhere-{number}" for number in range(30)]
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(server.refused, paths))
        slow.sendall(b"il=")
        answer = b"".join(iter(lambda: slow.recv(65536), b"")).decode()
    [slow_id] = re.findall(r"(?i)^x-request-id: (\S+)", answer, re.MULTILINE)
    ids = [request_id for _, request_id in answers]
    assert len({slow_id, *ids}) == len(paths) + 1
    assert set(server.logged()) == {
        *((each, f"Not Found: {path}") for each, path in zip(ids, paths, strict=True)),
        (slow_id, "Not Acceptable: /omartyapis/Auth/Login/"),
    }


def test_a_line_outside_of_a_request_carries_none():
    script = (
        "import logging; from django.test import Client; logging.warning('before');"
        "print(Client().get('/nowhere')['X-Request-ID']); logging.warning('after')"
    )
    ran = subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", "shell", "--no-imports", "-c", script],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    request_id = ran.stdout.strip()
    assert LINE.findall(ran.stderr) == [
        ("-", "before"),
        (request_id, "Not Found: /nowhere"),
        ("-", "after"),
    ]


REFUSED = ("/admin/?a=" + "x" * 201, "/admin/?" + "&a=1" * 51, "/nowhere/" + "x" * 1500)


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_refused_takes_one_short_line_however_much_was_asked(server, path):
    before = len(server.log.read_text())
    status, request_id = server.refused(path)
    assert status < 500
    written = server.log.read_text()[before:]
    lines = [line for line in written.splitlines() if request_id in line]
    assert len(lines) == len(written.splitlines()) == 1 and len(written) < 500


# What Django cannot read as a form; the cookie makes it look, for the token that belongs to it.
UNREADABLE = {
    "another charset": ("application/x-www-form-urlencoded; charset=latin-1", "a=1"),
    "a charset of another kind": ("application/x-www-form-urlencoded; charset=zlib", "a=1"),
    "no boundary": ("multipart/form-data", "a=1"),
}


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/language/", "/", "/nowhere", "/admin/nowhere/"]
)
@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_form_that_cannot_be_read_is_refused_with_one_line_whatever_page_it_is_for(
    unreadable, path, kind
):
    content_type, body = UNREADABLE[kind]
    before = len(unreadable.log.read_text())
    answer = requests.post(
        f"http://127.0.0.1:{unreadable.port}{path}",
        data=body,
        headers={"Content-Type": content_type, "Cookie": "csrftoken=" + "a" * 32},
        timeout=60,
    )
    assert 400 <= answer.status_code < 500
    assert answer.headers["X-Request-ID"] and answer.headers["Content-Security-Policy"]
    written = unreadable.log.read_text()[before:]
    assert "Traceback" not in written and "ERROR" not in written and len(written) < 800


@pytest.fixture(scope="module")
def unreadable(tmp_path_factory):
    # Django's own page for developers reads the form as well.
    with running(tmp_path_factory.mktemp("unreadable"), DEBUG="false") as server:
        yield server
