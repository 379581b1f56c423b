"""Settings that are good for a trial and wrong on the internet."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from django.conf import settings
from django.core.checks import CheckMessage, Warning

LOOPBACK = {"localhost", "127.0.0.1", "[::1]", ".localhost"}
PLACEHOLDER = re.compile(r"\bomarty\.example$|\bomarty\.example/")
A_DAY = 60 * 24


class Limit(NamedTuple):
    """Between what a limit is one, what follows where it is not, and its default."""

    lowest: int
    highest: int
    follows: str
    right: int


ENDLESS = 10**9
LIMITS = {
    "SIGN_IN_ATTEMPTS": Limit(1, 100, "passwords can be guessed without a pause", 10),
    "SIGN_IN_ATTEMPTS_PER_ADDRESS": Limit(
        1, 500, "one address can try a password on account after account", 50
    ),
    "SIGN_IN_PAUSE_MINUTES": Limit(5, ENDLESS, "who guesses passwords hardly waits", 15),
    "CONTACT_REFUSALS_A_DAY": Limit(
        1, 100, "a user of the back-office can find out whose contacts are known here", 10
    ),
    "REFRESH_TOKEN_DAYS": Limit(1, 366, "a lost phone stays signed in for more than a year", 30),
    "SESSION_IDLE_DAYS": Limit(1, 90, "a browser that is left open stays signed in for months", 14),
}


def warnings() -> Iterator[CheckMessage]:
    """About what .env switches on or off."""
    if settings.DEBUG:
        yield Warning(
            "DEBUG is on: error pages show inner detail.",
            hint="DEBUG=false in .env.",
            id="omarty.W004",
        )
    if not settings.HTTPS:
        yield Warning(
            "HTTPS is off: passwords, tokens and sessions travel in the open.",
            hint="HTTPS=true in .env, behind a proxy that speaks it (deploy/nginx.conf).",
            id="omarty.W032",
        )
    yield from _host_warnings()
    if settings.HTTPS and not settings.PROXIES:
        yield Warning(
            "HTTPS is on and PROXIES is 0: behind a proxy every address redirects to itself, and every"
            " client has the proxy's address.",
            hint="PROXIES=1 in .env, or how many proxies of yours stand in front.",
            id="omarty.W006",
        )
    if settings.ACCESS_TOKEN_MINUTES > A_DAY:
        yield Warning(
            f"A token serves for {settings.ACCESS_TOKEN_MINUTES} minutes, longer than a day.",
            hint="ACCESS_TOKEN_MINUTES=60 in .env: the app renews it by itself.",
            id="omarty.W030",
        )
    yield from _limit_warnings()
    yield from _contact_warnings()


def _limit_warnings() -> Iterator[CheckMessage]:
    """Limits so wide that they are none."""
    for name, limit in LIMITS.items():
        value = getattr(settings, name)
        if not limit.lowest <= value <= limit.highest:
            yield Warning(
                f"{name} is {value}: {limit.follows}.",
                hint=f"{name}={limit.right} in .env.",
                id="omarty.W031",
            )


def _contact_warnings() -> Iterator[CheckMessage]:
    if not settings.SECURITY_CONTACT:
        yield Warning(
            "/.well-known/security.txt is missing: who finds a fault does not know whom to tell.",
            hint="SECURITY_CONTACT=mailto:… in .env.",
            id="omarty.W033",
        )
    for name in ("ALLOWED_HOSTS", "SECURITY_CONTACT"):
        if named := [each for each in getattr(settings, name) if PLACEHOLDER.search(each)]:
            yield Warning(
                f"{name} has {', '.join(named)}, which stands in .env.example and is nobody's.",
                hint=f"{name} in .env: your own.",
                id="omarty.W035",
            )


def _host_warnings() -> Iterator[CheckMessage]:
    hosts = set(settings.ALLOWED_HOSTS)
    remedy = "ALLOWED_HOSTS in .env: the names that people type, such as register.example.org."
    if "*" in hosts:
        yield Warning(
            "ALLOWED_HOSTS has *: the server answers to any name.", hint=remedy, id="omarty.W005"
        )
    elif stars := sorted(host for host in hosts if "*" in host):
        right = ",".join(f".{host.lstrip('*.')}" for host in stars)
        yield Warning(
            f"ALLOWED_HOSTS has {', '.join(stars)}, which is no host's name: requests are answered with 400.",
            hint=f"ALLOWED_HOSTS={right} in .env, with the dot: every name that ends so.",
            id="omarty.W036",
        )
    elif hosts <= LOOPBACK:
        yield Warning(
            "ALLOWED_HOSTS names this machine only: nobody else reaches the server.",
            hint=remedy,
            id="omarty.W005",
        )
