"""What attacks share: the list of them, people's browsers and apps, many requests at once."""

import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from itertools import count
from typing import Any, TypeVar

import requests

from tests.server import PASSWORD, Served

T = TypeVar("T")
R = TypeVar("R")

Attack = Callable[[Served], str]
ATTACKS: list[Attack] = []
TIMEOUT_SECONDS = 60
_ADDRESSES = count(1)


def attack(function: Attack) -> Attack:
    """Adds it to those that `make attack` carries out.

    It returns a figure, and raises AssertionError, with a figure too, where the server gave way.
    """
    ATTACKS.append(function)
    return function


def from_elsewhere() -> dict[str, str]:
    """The header by which the proxy reports another address each time."""
    number = next(_ADDRESSES)
    return {"X-Forwarded-For": f"203.0.{number // 250}.{number % 250 + 1}"}


class Browser(requests.Session):
    """A person's browser at the back-office."""

    def __init__(self, server: Served, name: str = "") -> None:
        super().__init__()
        self.base = server.url
        # A kept connection that the server closes at that moment would look like a server that fell.
        self.headers.update(from_elsewhere() | {"Accept-Language": "en", "Connection": "close"})
        if name:
            answer = self.submit("/admin/login/", username=f"{name}@example.org", password=PASSWORD)
            assert "/admin/login/" not in answer.url, f"{name} cannot sign in"

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        options.setdefault("timeout", TIMEOUT_SECONDS)
        return super().request(method, self.base + url, *args, **options)

    def submit(self, path: str, files: Any = None, **typed: Any) -> requests.Response:
        """Open the page and send its form with these typed into it."""
        return self.post(path, fields(self.get(path).text) | typed, files=files)

    def bring_in(self, table: bytes, name: str = "units.csv") -> requests.Response:
        """Import a file of units: the preview, and if all is right its confirmation."""
        path = "/admin/buildings/apartment/import/"
        preview = self.submit(path, files={"import_file": (name, table)})
        known = fields(preview.text)
        return self.post(path, known) if known.get("confirmed") else preview


def fields(page: str) -> dict[str, str]:
    """What a browser would send of a page's inputs."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if given.get("name") and given.get("type") not in {"submit", "file", "checkbox", "search"}:
            found[given["name"]] = unescape(given.get("value", ""))
    return found


def sign_in(server: Served, name: str, **headers: str) -> dict[str, Any]:
    """The app's sign-in: its data."""
    body = {"email": f"{name}@example.org", "password": PASSWORD}
    answer = call(server, "Auth/Login", body, **(headers or from_elsewhere()))
    assert answer.status_code == 200, f"{name} cannot sign in: {answer.text}"
    return dict(answer.json()["data"])


def call(server: Served, address: str, body: Any, token: str = "", **headers: str) -> Any:
    """POST to one of the app's addresses."""
    known = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{server.url}/omartyapis/{address}/"
    return requests.post(url, data=body, headers=known | headers, timeout=TIMEOUT_SECONDS)


def at_once(act: Callable[[T], R], many: Iterable[T]) -> list[R]:
    """What it returns for each, all at the same time."""
    each = list(many)
    with ThreadPoolExecutor(len(each)) as pool:
        return list(pool.map(act, each))


def plain(answer: requests.Response, *asked: str) -> str:
    """A page without what differs each time, and without what was asked."""
    text = re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"', "", answer.text)
    text = re.sub(r'name="(carried|confirmed)" value="[^"]*"', "", text)
    for each in asked:
        text = re.sub(rf"(?<!\w){re.escape(each)}(?!\w)", "…", text)
    return text
