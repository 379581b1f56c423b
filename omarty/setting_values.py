"""How settings are read from the environment. What is missing or malformed is told by its name."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
import phonenumbers
from django.core.exceptions import ImproperlyConfigured

from omarty.owner_only import why_unreadable

env = environ.Env()
SETTINGS_FILE = Path(__file__).resolve().parent.parent / ".env"


def text(name: str, default: str = "") -> str:
    """What is set, as it stands: env.str() takes a leading "$" for another variable's name."""
    return os.environ.get(name, default).strip()


def boolean(name: str, default: bool) -> bool:
    """A switch. django-environ takes every unknown word for False; we do not."""
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    value = text(name, str(default)).lower()
    if value not in words:
        # Not repeated: what stands there by mistake may be a key.
        raise ImproperlyConfigured(f"{name} must be true or false.")
    return words[value]


def number(name: str, default: int, lowest: int = 1, highest: int = 10_000) -> int:
    """A whole number from `lowest` to `highest`."""
    value = text(name, str(default))
    right = value.isascii() and value.isdigit() and len(value) < 10
    if not right or not lowest <= int(value) <= highest:
        raise ImproperlyConfigured(f"{name} must be a whole number from {lowest} to {highest}.")
    return int(value)


def names(name: str, default: str = "") -> list[str]:
    """What commas part."""
    return [each.strip() for each in text(name, default).split(",") if each.strip()]


def secret(name: str) -> str:
    """A random text of at least 32 bytes."""
    value = text(name)
    if len(value.encode()) < 32:
        if not value and (closed := why_unreadable(SETTINGS_FILE)):
            # New keys would sign everybody out.
            raise ImproperlyConfigured(closed)
        found = "is missing" if not value else f"has {len(value.encode())} bytes"
        raise ImproperlyConfigured(
            f"{name} {found}: it must be a random text of at least 32 bytes, such as"
            ' `python3 -c "import secrets; print(secrets.token_urlsafe(48))"` makes.'
        )
    return value


def is_web_address(url: str) -> bool:
    """Whether it is one of http:// or https://."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def email(name: str, url: str) -> dict[str, Any]:
    """Django's settings of e-mail."""
    if not url:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    try:
        parts = urlsplit(url)
        right = (
            parts.scheme in {"smtp", "smtp+tls", "smtp+ssl"} and parts.hostname and parts.port != 0
        )
    except ValueError:
        right = None
    if not right:
        raise ImproperlyConfigured(
            f"{name} must look like smtp+tls://user:password@host:587, or smtp+ssl or smtp."
        )
    return dict(env.email_url_config(url))


def countries(name: str, *, default: str, most: int) -> dict[str, int]:
    """How many text messages a day go to each country."""
    found: dict[str, int] = {}
    for each in names(name, default=default):
        country, _colon, number = each.partition(":")
        right = number.isascii() and number.isdigit() and len(number) < 8
        if country not in phonenumbers.SUPPORTED_REGIONS or not (
            right or (not _colon and not number)
        ):
            raise ImproperlyConfigured(
                f"{name} must be countries' two letters, each with how many a day, like EG:400,SA:20."
            )
        found[country] = int(number) if number else most
    return found


# Scheme, and whether a host follows it.
KNOWN_DATABASES = {("sqlite", False), ("mysql", True)}


def database(name: str, default: str) -> dict[str, Any]:
    """Django's settings of the database."""
    url = text(name, default)
    wrong = ImproperlyConfigured(
        f"{name} must look like sqlite:///omarty.sqlite3 or mysql://user:password@host:3306/name."
    )
    try:
        parts = urlsplit(url)
        named = (
            parts.path not in {"", "/", "/:memory:"}
            and (parts.scheme, bool(parts.netloc)) in KNOWN_DATABASES
        )
        config: dict[str, Any] = env.db_url_config(url) if named and parts.port != 0 else {}
    except ValueError:
        # Without the error, which repeats what stands in the place of the port.
        config = {}
    if not config:
        raise wrong
    return config
