"""Requests that no app and no browser of ours sends."""

import socket
import time
from itertools import product
from urllib.parse import urlsplit

import requests

from tests.attacks.tools import (
    Browser,
    at_once,
    attack,
    call,
    from_elsewhere,
    sign_in,
)
from tests.server import Served

ELSEWHERE = (
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "https:evil.example", "javascript:alert(1)", "data:text/html,x", "/%09/evil.example", "/\t/evil.example",
    "https://127.0.0.1@evil.example/", " //evil.example", "http:///evil.example",
)  # fmt: skip
ADDRESSES = (
    "/omartyapis/Create/", "/omartyapis/Update/", "/omartyapis/Auth/Login/", "/omartyapis/Auth/Refresh/",
    "/omartyapis/Auth/Logout/", "/omartyapis/Nothing/", "/omartyapis/docs/", "/admin/", "/admin/login/",
    "/admin/buildings/apartment/import/", "/language/", "/healthz", "/readyz", "/static/x", "/nothing",
)  # fmt: skip
PAGES = ("/admin/", "/admin/login/", "/admin/contacts/user/", "/omartyapis/docs/", "/nothing")
MARK = "forged-by-an-attack"


@attack
def quadratic_text(server: Served) -> str:
    """Text of twice the length takes about twice the time at most, in every field that is read."""
    manager, worst = Browser(server, "manager"), (0.0, "")

    def seconds(unit: str, length: int, how: str) -> float:
        text, times = unit * (length // len(unit)), []
        for _ in range(2):
            start = time.monotonic()
            if how == "sign-in":
                call(server, "Auth/Login", {"email": text, "password": "x"}, **from_elsewhere())
            else:
                manager.submit("/admin/contacts/user/3/add-contact/", kind=how, typed=text)
            times.append(time.monotonic() - start)
        return min(times)

    for unit, how in product(("a@", "1-", " ", "٣"), ("sign-in", "phone", "email")):
        short, long = seconds(unit, 100_000, how), seconds(unit, 400_000, how)
        worst = max(worst, (long / short if long > 1 else 0.0, f"{how} {unit!r}"))
        assert long < 1 or long < 8 * short, f"{how} {unit!r}: {short:.2f} s, then {long:.2f} s"
    return f"12 texts of 100 and 400 kB, worst ratio {worst[0]:.1f}"


@attack
def masking_of_stored_text(server: Served) -> str:
    """A long query is not stored, or is masked in time: the audit log stays quick."""
    manager = Browser(server, "manager")
    for query in ("a" * 59_000, "a@" * 29_000, "1-" * 29_000):
        data = {"format": "csv"}
        manager.post(f"/admin/contacts/user/export/?q={query}", data)
        manager.post("/admin/contacts/user/export/", data | {"reason": query})
    start = time.monotonic()
    status = manager.get("/admin/audit/entry/").status_code
    assert status == 200, f"the audit log answers {status}"
    took = time.monotonic() - start
    assert took < 5, f"the audit log took {took:.1f} s"
    return f"the audit log after it: {took:.2f} s"


@attack
def oversize_bodies(server: Served) -> str:
    """50 MB announced to every address by nobody: an answer before they are read."""
    kinds = (
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/json",
    )
    slowest, most = 0.0, 0
    for address, kind in product(ADDRESSES, kinds):
        start = time.monotonic()
        status, taken = _announce(server, address, kind, 50_000_000)
        slowest, most = max(slowest, time.monotonic() - start), max(most, taken)
        assert 400 <= status < 500, (
            f"{address}, {kind}: {status or 'no answer'} after {taken} bytes"
        )
    # What is announced is refused on sight.
    assert most < 500_000, f"{most} bytes were sent before an answer"
    return f"{len(ADDRESSES) * 3} requests, at most {most // 1000} kB sent, slowest {slowest:.1f} s"


def _announce(server: Served, address: str, kind: str, length: int) -> tuple[int, int]:
    """Send a body of this length for as long as nothing is answered: the status, and how much was sent."""
    host = urlsplit(server.url)
    head = f"POST {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
    # With this cookie the form itself is looked at for the token that belongs to it.
    head += f"Cookie: csrftoken={'a' * 32}\r\nContent-Length: {length}\r\n\r\n--x\r\n"
    sent, part = 0, b"a" * 65_536
    with socket.create_connection((str(host.hostname), int(host.port or 0)), timeout=5) as wire:
        wire.sendall(head.encode())
        wire.settimeout(0.3)
        while sent < length:
            try:
                return int(wire.recv(64).split()[1]), sent
            except TimeoutError:
                pass
            except (OSError, IndexError):
                return 0, sent
            try:
                wire.settimeout(5)
                for _ in range(16):
                    wire.sendall(part)
                    sent += len(part)
            except OSError:
                # It has answered and hung up.
                pass
            wire.settimeout(0.3)
    return 0, sent


@attack
def chunked_bodies(server: Served) -> str:
    """A body without a length, of 20 MB, to every address by nobody."""
    statuses = []
    for address in ADDRESSES:
        try:
            body = (b"a" * 65_536 for _ in range(320))
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = requests.post(server.url + address, body, headers=headers, timeout=10)
            statuses.append(answer.status_code)
            assert 400 <= answer.status_code < 500, f"{address}: {answer.status_code}"
        except requests.ConnectionError:
            statuses.append(0)
    return f"{len(statuses)} addresses, none took it"


@attack
def calls_at_once(server: Served) -> str:
    """300 calls at once are all answered."""
    token = sign_in(server, "manager")["Token"]
    start = time.monotonic()
    body = {"api": "CreateApartment", "floorNum": 1, "aptNum": 1, "blockId": 1}
    answers = at_once(lambda _: call(server, "Create", body, token).status_code, range(300))
    assert set(answers) == {200}, f"answers: {sorted(set(answers))}"
    return f"300 answers in {time.monotonic() - start:.1f} s"


@attack
def open_redirects(server: Served) -> str:
    """No address sends anybody to another server."""
    asked = 0
    for to in ELSEWHERE:
        browser = Browser(server)
        page = browser.get("/admin/login/", params={"next": to})
        typed = {"username": "manager@example.org", "password": "omarty-demo", "next": to}
        known = {"csrfmiddlewaretoken": browser.cookies.get("csrftoken") or ""}
        assert page.status_code == 200
        for path in ("/admin/login/", "/language/", "/admin/logout/"):
            more = {"language": "en"} if path == "/language/" else {}
            known["csrfmiddlewaretoken"] = browser.cookies.get("csrftoken") or ""
            answer = browser.post(
                path, known | typed | more, params={"next": to}, allow_redirects=False
            )
            found = answer.headers.get("Location", "")
            assert "evil" not in urlsplit(found).netloc and not found.startswith(
                ("//", "\\", "/\\")
            ), found
            assert urlsplit(found).scheme in {"", "http"}, found
            asked += 1
    return f"{asked} redirects, all to here"


@attack
def forged_forms(server: Served) -> str:
    """A form from another site changes nothing: without the token, with another's, from another origin."""
    manager, refused = Browser(server, "manager"), 0
    other = Browser(server, "neighbour").cookies.get("csrftoken") or ""
    own = manager.cookies.get("csrftoken") or ""
    path = "/admin/buildings/apartment/9/close/"
    for token, headers in (
        ("", {}),
        (other, {}),
        ("x" * 64, {}),
        (own, {"Origin": "https://evil.example"}),
        (own, {"Origin": "null"}),
    ):
        answer = manager.post(path, {"csrfmiddlewaretoken": token}, headers=headers)
        assert answer.status_code == 403, f"{headers or token[:4]}: {answer.status_code}"
        refused += 1
    # A session of the back-office is none of the app's.
    cookie = {"Cookie": f"sessionid={manager.cookies.get('sessionid')}"}
    assert call(server, "Create", {"api": "CreateApartment"}, **cookie).status_code == 401
    return f"{refused + 1} forms refused"


@attack
def other_methods(server: Served) -> str:
    """A method named beside the real one, or one that no address has, does nothing."""
    manager, asked = Browser(server, "manager"), 0
    path = "/admin/buildings/apartment/10/close/"
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        manager.get(path, headers={header: "POST"})
        manager.get(path, params={"_method": "POST"})
        asked += 2
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "FOO"):
        for address in ADDRESSES[:5]:
            status = requests.request(method, server.url + address, timeout=10).status_code
            assert status in {400, 401, 404, 405, 501}, f"{method} {address}: {status}"
            asked += 1
    assert "/close/" in manager.get("/admin/buildings/apartment/10/change/").text, "it was retired"
    return f"{asked} methods"


@attack
def injected_headers(server: Served) -> str:
    """A line break in whatever is sent makes no header and no cookie of the answer."""
    browser, asked = Browser(server, "manager"), 0
    breaks = ("\r\n", "\n", "%0d%0a", "\u560d\u560a", "\u2028")
    for end in breaks:
        text = f"en{end}Set-Cookie: {MARK}=1{end}X-Forged: {MARK}"
        known = {"csrfmiddlewaretoken": browser.cookies.get("csrftoken") or ""}
        for path, sent in (
            ("/language/", {"language": text, "next": text}),
            ("/admin/login/", {"username": text, "password": text, "next": text}),
            ("/admin/contacts/user/export/", {"format": "csv", "reason": text}),
        ):
            answer = browser.post(path, known | sent, allow_redirects=False)
            assert "X-Forged" not in answer.headers, path
            assert MARK not in answer.cookies, path
            asked += 1
        answer = call(server, "Update", {"api": text}, sign_in(server, "manager")["Token"])
        assert "X-Forged" not in answer.headers
        asked += 1
    return f"{asked} requests"


@attack
def injected_log_lines(server: Served) -> str:
    """A line break in whatever is sent begins no line of the log."""
    token = sign_in(server, "manager")["Token"]
    for end in ("\n", "\r\n", "\r", "\x0b", "\x1b[2K", "\u2028", "\x85"):
        text = f"x{end}2026-01-01 00:00:00,000 ERROR - {MARK}"
        call(server, "Update", {"api": text}, token)
        call(server, "Auth/Login", {"email": text, "password": text}, **from_elsewhere())
        requests.get(f"{server.url}/{text}", timeout=10)
        requests.get(f"{server.url}/nothing", params={"q": text}, timeout=10)
    lines = server.log.read_bytes().decode(errors="replace").splitlines()
    forged = [line for line in lines if line.startswith("2026-01-01 00:00:00,000") and MARK in line]
    assert forged == [], f"{len(forged)} lines of the log are forged"
    return f"28 texts, {len(lines)} lines, none forged"


@attack
def paths_out_of_the_folder(server: Served) -> str:
    """No address leads to a file that is not a static one."""
    up, asked = ("../", "..%2f", "%2e%2e/", "..\\", "..%5c", "%252e%252e/", "....//", ".%00./"), 0
    host = urlsplit(server.url)
    for step, file in product(up, ("manage.py", ".env", "etc/passwd", "omarty/settings.py")):
        for base in ("/static/", "/static/omarty/", "/admin/", "/"):
            with socket.create_connection(
                (str(host.hostname), int(host.port or 0)), timeout=10
            ) as wire:
                line = f"GET {base}{step * 6}{file} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
                wire.sendall(line.encode())
                answer = b"".join(iter(lambda wire=wire: wire.recv(65_536), b""))  # type: ignore[misc]
            shown = [
                word for word in (b"SECRET_KEY", b"root:x", b"DJANGO_SETTINGS") if word in answer
            ]
            assert not shown, f"{base}{step}{file} shows {shown}"
            asked += 1
    return f"{asked} paths"


@attack
def other_hosts(server: Served) -> str:
    """A host that is not ours is refused, and none is believed from a header beside it."""
    for host in (
        "evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "evil.example:80",
    ):
        for path in ("/admin/login/", "/omartyapis/schema/", "/omartyapis/Auth/Login/"):
            answer = requests.get(server.url + path, headers={"Host": host}, timeout=10)
            assert answer.status_code == 400, f"{host} {path}: {answer.status_code}"
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Original-URL": "/admin/",
        "Forwarded": "host=evil.example",
    }
    for path in (*PAGES, "/omartyapis/schema/"):
        answer = requests.get(server.url + path, headers=forged, allow_redirects=False, timeout=10)
        assert "evil" not in answer.text + answer.headers.get("Location", ""), path
    return "12 hosts, 18 headers"


@attack
def caches(server: Served) -> str:
    """No cache in between keeps a page of somebody or an answer with tokens."""
    manager = Browser(server, "manager")
    for path in (
        "/admin/",
        "/admin/contacts/user/",
        "/admin/contacts/user/3/change/",
        "/admin/login/",
    ):
        rule = manager.get(path).headers.get("Cache-Control", "")
        assert "no-store" in rule and "private" in rule, f"{path}: {rule!r}"
    file = manager.submit("/admin/contacts/user/export/", format="csv").headers
    assert "no-store" in file.get("Cache-Control", ""), "an export may be kept"
    body = {"email": "resident@example.org", "password": "omarty-demo"}
    answer = call(server, "Auth/Login", body, **from_elsewhere())
    renewed = call(server, "Auth/Refresh", {"refresh": answer.json()["data"]["Refresh"]})
    for each in (answer, renewed):
        assert each.headers.get("Cache-Control") == "no-store", each.url
    return "5 pages, 2 answers"


@attack
def pages_in_frames(server: Served) -> str:
    """No page is shown within another's, is taken for another type, or runs a script written into it."""
    manager = Browser(server, "manager")
    for path in PAGES:
        headers = manager.get(path).headers
        policy = headers.get("Content-Security-Policy", "")
        assert headers.get("X-Frame-Options") == "DENY", path
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy, f"{path}: {policy}"
        assert headers.get("X-Content-Type-Options") == "nosniff", path
        assert headers.get("Referrer-Policy") == "same-origin", path
    return f"{len(PAGES)} pages"
