"""Sign-in, sessions and tokens."""

import base64
import json
import random
import time
import warnings
from collections.abc import Iterator
from typing import Any

import jwt

from tests.attacks.tools import Browser, at_once, attack, call, fields, from_elsewhere, sign_in
from tests.server import Served

# One person's phone and e-mail, as anybody may spell them.
SPELLINGS = (
    "01000000003", "+201000000003", "00201000000003", "0100 000 0003", "0100-000-0003", "(0100)0000003",
    "٠١٠٠٠٠٠٠٠٠٣", "۰۱۰۰۰۰۰۰۰۰۳", " 01000000003 ", "\u200e01000000003", "partner@example.org",
    "PARTNER@EXAMPLE.ORG", " Partner@Example.org ", "partner@EXAMPLE.org",
)  # fmt: skip
MOST_ANSWERED = 20
MOST_OF_A_NETWORK = 50
GRACE_SECONDS = 30
# Keys that a stranger guesses are short.
warnings.filterwarnings("ignore", category=jwt.warnings.InsecureKeyLengthWarning)
CALL = {"api": "CreateApartment", "floorNum": 1, "aptNum": 1, "blockId": 1}


@attack
def who_is_registered(server: Served) -> str:
    """Sign-in answers the same, as slowly, to who is registered and who is not."""
    times: dict[str, float] = {}
    texts = set()
    for name in ("outsider@example.org", "nobody-at-all@example.org"):
        tries = []
        for _ in range(3):
            start = time.monotonic()
            answer = call(
                server, "Auth/Login", {"email": name, "password": "x"}, **from_elsewhere()
            )
            tries.append(time.monotonic() - start)
            texts.add((answer.status_code, answer.text))
        times[name] = min(tries)
    known, unknown = times.values()
    assert len(texts) == 1, f"answers differ: {texts}"
    assert 0.4 < known / unknown < 2.5, f"{known:.2f} s and {unknown:.2f} s"
    return f"{known:.2f} s and {unknown:.2f} s, one text"


@attack
def ended_session(server: Served) -> str:
    """After sign-out neither token serves, at once."""
    mine = sign_in(server, "manager")
    assert call(server, "Create", CALL, mine["Token"]).status_code == 200
    assert (
        call(server, "Auth/Logout", {"refresh": mine["Refresh"]}, mine["Token"]).status_code == 200
    )
    renewed = call(server, "Auth/Refresh", {"refresh": mine["Refresh"]}).status_code
    assert renewed == 401, f"Refresh after sign-out: {renewed}"
    after = call(server, "Create", CALL, mine["Token"]).status_code
    assert after == 401, f"a call after sign-out: {after}"
    return "both tokens refused"


@attack
def stolen_refresh(server: Served) -> str:
    """A refresh token that was used is shown again after the grace: the whole session ends."""
    first = sign_in(server, "manager")
    second = call(server, "Auth/Refresh", {"refresh": first["Refresh"]}).json()["data"]
    time.sleep(GRACE_SECONDS + 1)
    again = call(server, "Auth/Refresh", {"refresh": first["Refresh"]}).status_code
    assert again == 401, f"the used token: {again}"
    after = call(server, "Create", CALL, second["Token"]).status_code
    renewed = call(server, "Auth/Refresh", {"refresh": second["Refresh"]}).status_code
    assert {after, renewed} == {401}, f"the thief's tokens still serve: {after}, {renewed}"
    return "the family ended"


@attack
def copied_cookie(server: Served) -> str:
    """Signing out of the back-office ends its session: the cookie serves no more."""
    browser = Browser(server, "manager")
    cookies = browser.cookies.copy()
    known = fields(browser.get("/admin/").text)
    browser.post("/admin/logout/", known)
    thief = Browser(server)
    thief.cookies.update(cookies)
    assert "/admin/login/" in thief.get("/admin/").url, "the cookie still serves"
    return "the cookie is refused"


@attack
def forged_tokens(server: Served) -> str:
    """Tokens that anybody can make without the key."""
    mine = sign_in(server, "manager")
    forged = list(_forged(mine["Token"], mine["Refresh"]))
    for name, token in forged:
        status = call(server, "Create", CALL, token).status_code
        assert status == 401, f"{name}: {status}"
    return f"{len(forged)} tokens refused"


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _forged(access: str, refresh: str) -> Iterator[tuple[str, str]]:
    head, body, signature = access.split(".")
    claims = jwt.decode(access, options={"verify_signature": False})
    yield "a refresh token", refresh
    for algorithm in ("none", "None", "NONE", "nOnE", "", "HS512", "RS256", "ES256", "null"):
        for end in ("", signature):
            yield f"alg {algorithm!r}", f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{body}.{end}"
    for key in (
        "",
        "secret",
        "omarty",
        "key",
        "0",
        "a" * 32,
        "change me",
        "django-insecure",
        "HS256",
    ):
        yield f"key {key!r}", jwt.encode(claims, key, "HS256") if key else f"{head}.{body}."
        if key:
            yield f"HS384 {key!r}", jwt.encode(claims, key, "HS384")
    for header in (
        {"kid": "../../dev/null"}, {"kid": "' OR 1=1 --"}, {"jku": "https://evil.example/keys"},
        {"jwk": {"kty": "oct", "k": "AA"}}, {"x5u": "https://evil.example/"}, {"crit": ["exp"]},
    ):  # fmt: skip
        yield f"{header}", jwt.encode(claims, "a" * 32, "HS256", headers=header)
    for change in (
        {"id": "1"}, {"exp": claims["exp"] * 2}, {"is_superuser": True}, {"token_type": "refresh"},
        {"stamp": ""}, {"id": None}, {"id": [1]}, {"id": "1 OR 1=1"},
    ):  # fmt: skip
        yield f"{change}", f"{head}.{_part(claims | change)}.{signature}"
    chance = random.Random(1)  # noqa: S311
    for _ in range(12):
        at = chance.randrange(len(access) - 2)
        other = "A" if access[at] != "A" else "B"
        yield f"another letter at {at}", access[:at] + other + access[at + 1 :]
    yield "cut", access[:-5]
    yield "twice", f"{access}.{access}"
    yield "spaces", f"{head} .{body}.{signature}"
    yield "five parts", f"{head}.{body}.{signature}.x.y"


@attack
def guesses_at_once(server: Served) -> str:
    """200 wrong passwords at once, from 40 addresses, in all spellings and at both doors."""
    home = {"X-Forwarded-For": "198.51.100.77"}
    sign_in(server, "partner", **home)
    addresses = [f"203.0.113.{number}" for number in range(20)]
    addresses += [f"2001:db8:{number:x}::{number:x}" for number in range(20)]
    pages = {each: Browser(server) for each in addresses}
    for address, browser in pages.items():
        browser.headers["X-Forwarded-For"] = address
    forms = {each: fields(browser.get("/admin/login/").text) for each, browser in pages.items()}

    def guess(number: int) -> int:
        address, name = addresses[number % 40], SPELLINGS[number % len(SPELLINGS)]
        if number % 4 == 0:
            typed = forms[address] | {"username": name, "password": f"wrong {number}"}
            text = pages[address].post("/admin/login/", typed).text
            return 401 if "Wrong e-mail" in text else 429
        body = {"email": name, "password": f"wrong {number}"}
        return int(call(server, "Auth/Login", body, **{"X-Forwarded-For": address}).status_code)

    def everybody(number: int) -> int:
        return guess(number) if number < 200 else int(bool(sign_in(server, "partner", **home)))

    *answers, at_home = at_once(everybody, range(201))
    looked_at = sum(status != 429 for status in answers)
    assert looked_at <= MOST_ANSWERED, f"{looked_at} of 200 guesses were looked at"
    assert at_home == 1
    return f"{looked_at} of 200 looked at, and the holder came in"


@attack
def guesses_by_neighbouring_addresses(server: Served) -> str:
    """One IPv6 network has more addresses than anybody counts: it is one."""

    def guess(number: int) -> int:
        body = {"email": f"nobody{number}@example.org", "password": "wrong"}
        address = f"2001:db8:77:77::{number:x}"
        return int(call(server, "Auth/Login", body, **{"X-Forwarded-For": address}).status_code)

    answers = at_once(guess, range(100))
    looked_at = sum(status != 429 for status in answers)
    assert looked_at <= MOST_OF_A_NETWORK, f"{looked_at} of 100 names were tried from one network"
    return f"{looked_at} of 100 looked at"
