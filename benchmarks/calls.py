"""Throughput of both calls and of a bare program that runs the same SQL, compared in one run.

    python -m tests.environment .venv/bin/python -m benchmarks.calls [REQUESTS] [ROUNDS]

Starts a throwaway MariaDB (durable: every commit reaches the disk) and two servers on loopback, sends
them the same requests in turn, and prints the ratio of each round. The bar is 0.62.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle, islice
from typing import Any

from tests import mariadb

PHONES = 8
# Enough residents who add contacts in turn, so that each list of contacts stays short.
RESIDENTS = 500
PORTS = {"omarty": 8180, "bare": 8181}
PROGRAMS = {"omarty": "omarty.wsgi:application", "bare": "benchmarks.bare:application"}
fresh = count(1000)


def main(requests: int, rounds: int) -> None:
    """Print the ratio of each round and their median, for each call."""
    with mariadb.throwaway(durable=True) as url:
        environment = os.environ | {
            "DATABASE_URL": url,
            "DEBUG": "true",
            # The bare program has no limit, and writes for the same people.
            "SECONDARY_CONTACTS_LIMIT": "10000",
        }
        for command in (["migrate", "--verbosity", "0"], ["demo"]):
            subprocess.run([sys.executable, "manage.py", *command], env=environment, check=True)
        servers = [_serve(name, environment) for name in PORTS]
        try:
            residents = _residents(environment)
            for call in (_unit, _email):
                _rate("omarty", call, residents, requests // 10)
                _rate("bare", call, residents, requests // 10)
                ratios = []
                for _ in range(rounds):
                    rates = {name: _rate(name, call, residents, requests) for name in PORTS}
                    ratios.append(rates["omarty"] / rates["bare"])
                    print(f"{call.__name__}: {rates}, ratio {ratios[-1]:.2f}", flush=True)
                print(f"{call.__name__}: median ratio {statistics.median(ratios):.2f}")
        finally:
            for server in servers:
                server.terminate()
                server.wait()


def _serve(name: str, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--log-level", "error"]
    where = ["--host", "127.0.0.1", "--port", str(PORTS[name]), "--workers", "1"]
    server = subprocess.Popen(
        [*granian, *where, "--blocking-threads", "4", PROGRAMS[name]], env=environment
    )
    for _ in range(100):
        try:
            http.client.HTTPConnection("127.0.0.1", PORTS[name]).connect()
            break
        except ConnectionRefusedError:
            time.sleep(0.2)
    return server


def _unit() -> dict[str, Any]:
    return {"api": "CreateApartment", "floorNum": 1, "aptNum": next(fresh), "blockId": 1}


def _email() -> dict[str, Any]:
    email = f"{next(fresh)}@example.org"
    return {"api": "AddContact", "email": email, "blockId": 1, "apartmentId": 2}


def _rate(name: str, call: Any, residents: list[tuple[int, str]], requests: int) -> float:
    """Requests per second from PHONES phones at the same time, each on one open connection."""
    # The first of them manages the block.
    senders = cycle(residents[:1] if call is _unit else residents[1:])
    forms = [
        (urllib.parse.urlencode(call() | {"user": user}), token)
        for user, token in islice(senders, requests)
    ]
    path = "/omartyapis/Create/" if call is _unit else "/omartyapis/Update/"

    def phone(mine: list[tuple[str, str]]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORTS[name])
        for form, token in mine:
            connection.request("POST", path, form, headers=_headers(token))
            answer = connection.getresponse().read()
            if b'"data"' not in answer:
                raise RuntimeError(answer.decode())

    start = time.perf_counter()
    with ThreadPoolExecutor(PHONES) as pool:
        list(pool.map(phone, [forms[turn::PHONES] for turn in range(PHONES)]))
    return round(requests / (time.perf_counter() - start), 1)


def _headers(token: str) -> dict[str, str]:
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": f"Bearer {token}",
    }


MAKE_RESIDENTS = """
import json
from audit.operations import Origin
from buildings.models import Apartment
from buildings.membership_operations import start_membership
from contacts.models import User
from contacts.operations import (register_user,)
from contacts.sessions import start_app_session
from omarty.api.tokens import Refresh

def token(person):
    return Refresh.of(start_app_session(origin=origin, user=person)).access_token

origin, unit = Origin.of_command("benchmark"), Apartment.objects.get(pk=2)
people = [User.objects.get(pk=2)]
for number in range({residents}):
    people.append(register_user(origin=origin, email=f"resident-{{number}}@example.org"))
    start_membership(origin=origin, user=people[-1], block=unit.block, apartment=unit)
print(json.dumps([(each.pk, str(token(each))) for each in people]))
"""


def _residents(environment: dict[str, str]) -> list[tuple[int, str]]:
    """Id and token of block 1's manager, then of the residents."""
    program = MAKE_RESIDENTS.format(residents=RESIDENTS)
    shell = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", program]
    made = subprocess.run(shell, env=environment, check=True, capture_output=True, text=True)
    return [tuple(each) for each in json.loads(made.stdout)]


if __name__ == "__main__":
    main(*[int(each) for each in sys.argv[1:3]] or (2000, 5))
