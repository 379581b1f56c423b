"""What a stranger sends to a real server: no address takes more than its limit before it knows who asks."""

import contextlib
import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings

from tests.conftest import ONCE
from tests.test_logs import running

pytestmark = ONCE

LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
FLOOD = 64 << 20
# What the two ends of a connection hold on the way without anybody reading it.
ON_THE_WAY = 12 << 20
MEMORY = 24 << 20
FORM = "multipart/form-data; boundary=x"
# Anybody has one: with it the back-office looks into a form for the token that belongs to it.
COOKIE = f"csrftoken={'a' * 32}"
ADDRESSES = [
    "/admin/login/",
    "/admin/",
    "/admin/buildings/apartment/import/",
    "/language/",
    "/nowhere/",
    "/static/omarty/nothing.css",
    "/healthz",
    "/readyz",
    "/omartyapis/Auth/Login/",
    "/omartyapis/Auth/Refresh/",
    "/omartyapis/Auth/Logout/",
    "/omartyapis/Create/",
    "/omartyapis/Update/",
    "/omartyapis/docs/",
    "/omartyapis/schema/",
    "/omartyapis/nowhere/",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server


def memory(server):
    """What the server and its workers hold in memory."""
    ours = {str(server.process.pid)}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[1] in ours:
                ours.add(stat.parent.name)
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in ours)
    return pages * os.sysconf("SC_PAGE_SIZE")


def send(server, path, pieces, **headers):
    """POST these pieces until the server answers or hangs up: how many bytes went, and what came back."""
    given = {"Host": "localhost", "Content-Type": FORM, "Cookie": COOKIE, **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    sent, answer = 0, b""
    with server.connect() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        # What is not taken within some seconds is not taken at all.
        line.settimeout(5)
        with contextlib.suppress(OSError):
            line.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode())
            for piece in pieces:
                line.sendall(piece)
                sent += len(piece)
        line.settimeout(30)
        with contextlib.suppress(OSError):
            while b"\r\n\r\n" not in answer and (part := line.recv(1 << 16)):
                answer += part
    return sent, answer


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer else 0


def flood(framed):
    piece = b"x" * (1 << 16)
    if framed:
        piece = b"%x\r\n%s\r\n" % (len(piece), piece)
    else:
        yield b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    for _ in range(FLOOD // len(piece)):
        yield piece


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("way", ["length", "chunked", "both"])
def test_a_flood_is_not_taken_in(server, path, way):
    headers = {"Content_Length": str(FLOOD)} if way == "length" else {}
    if way != "length":
        headers["Transfer_Encoding"] = "chunked"
    if way == "both":
        headers["Content_Length"] = "10"
    before = memory(server)
    sent, answer = send(server, path, flood(way != "length"), **headers)
    assert sent < LIMIT + ON_THE_WAY
    # Where the server hangs up while much is on its way, the system may drop the answer with it.
    assert status(answer) in {0, 200, 301, 302, 400, 401, 403, 404, 405, 411, 413}, answer
    assert memory(server) - before < MEMORY
    assert status(send(server, "/healthz", [])[1]) == 405


@pytest.mark.parametrize("length", ["1_000", "+9", "-1", "x", "9" * 40, "4, 4", "0x10"])
def test_a_length_that_is_none_is_refused_by_the_server(server, length):
    sent, answer = send(server, "/admin/login/", flood(False), Content_Length=length)
    assert sent < LIMIT + ON_THE_WAY
    assert status(answer) in {0, 400, 413}


def test_a_length_that_only_python_takes_for_one_is_no_way_around_the_limit(client):
    for length in ("9_999_999", "+9999999", " 9999999", "٩٩٩٩٩٩٩"):
        answer = client.generic(
            "POST", "/admin/login/", b"", content_type=FORM, CONTENT_LENGTH=length
        )
        assert answer.status_code == 413


def parts(count, head):
    body = b"".join(b"--x\r\n" + head % n + b"\r\n\r\n\r\n" for n in range(count)) + b"--x--\r\n"
    assert len(body) <= LIMIT
    return body


MANY = {
    "fields": parts(15_000, b'Content-Disposition: form-data; name="%d"'),
    "files": parts(10_000, b'Content-Disposition: form-data; name="%d"; filename="f"'),
    "headers": parts(1, b'Content-Disposition: form-data; name="%d"' + b"\r\nX: y" * 100_000),
    "a long header": parts(1, b'Content-Disposition: form-data; name="%d"; x=' + b"y" * 900_000),
    "no name": parts(20_000, b"X: %d"),
    "preambles": b"\r\n--y" * 200_000,
}


@pytest.mark.parametrize("kind", MANY)
@pytest.mark.parametrize(
    "path", ["/admin/login/", "/language/", "/nowhere/", "/omartyapis/Auth/Login/"]
)
def test_many_parts_take_neither_time_nor_memory(server, path, kind):
    before, start = memory(server), time.monotonic()
    _sent, answer = send(server, path, [MANY[kind]], Content_Length=str(len(MANY[kind])))
    assert status(answer) in {400, 403, 404, 406}, answer
    assert time.monotonic() - start < 20
    assert memory(server) - before < MEMORY


@pytest.mark.parametrize("path", ["/admin/login/", "/omartyapis/Auth/Login/"])
def test_many_fields_of_a_plain_form_are_refused(server, path):
    body = b"&".join(b"%d=" % n for n in range(100_000))
    plain = "application/x-www-form-urlencoded"
    length = str(len(body))
    _sent, answer = send(server, path, [body], Content_Length=length, Content_Type=plain)
    # Without a cookie the back-office refuses a form before it looks into it.
    assert status(answer) in {400, 403}


def test_a_long_head_is_refused(server):
    _sent, answer = send(server, "/healthz", [], X_Long="x" * 200_000)
    assert status(answer) in {0, 431}


def test_many_floods_at_once_leave_the_server_serving(server):
    with ThreadPoolExecutor(12) as strangers:
        for _ in strangers.map(
            lambda path: send(server, path, flood(False), Content_Length=str(FLOOD)), ADDRESSES
        ):
            pass
    assert status(send(server, "/healthz", [])[1]) == 405


def test_the_envelope_says_what_was_too_much(server):
    body = json.dumps({"email": "x" * LIMIT}).encode()
    _sent, answer = send(
        server,
        "/omartyapis/Auth/Login/",
        [body],
        Content_Length=str(len(body)),
        Content_Type="application/json",
    )
    assert status(answer) in {0, 413}
