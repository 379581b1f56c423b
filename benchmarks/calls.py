"""Throughput of both calls beside a bare program that makes the same SQL, in one run.

    python -m tests.environment .venv/bin/python -m benchmarks.calls [REQUESTS] [ROUNDS]

Starts a throwaway MariaDB (durable: every commit reaches the disk) and two servers on loopback, sends
them the same requests in turns, and prints the ratio of each round. The bar of design.md is 0.75.
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
from itertools import count
from typing import Any

from tests import mariadb

PHONES = 8
PORTS = {"omarty": 8180, "bare": 8181}
PROGRAMS = {"omarty": "omarty.wsgi:application", "bare": "benchmarks.bare:application"}
fresh = count(1000)


def main(requests: int, rounds: int) -> None:
    """Print the ratio of each round and their median, for each call."""
    with mariadb.throwaway(durable=True) as url:
        environment = os.environ | {"DATABASE_URL": url, "DEBUG": "true"}
        for command in (["migrate", "--verbosity", "0"], ["demo"]):
            subprocess.run([sys.executable, "manage.py", *command], env=environment, check=True)
        servers = [_serve(name, environment) for name in PORTS]
        try:
            token = _sign_in()
            for call in (_unit, _email):
                _rate("omarty", call, token, requests // 10)
                _rate("bare", call, token, requests // 10)
                ratios = []
                for _ in range(rounds):
                    rates = {name: _rate(name, call, token, requests) for name in PORTS}
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
    return {"api": "CreateApartment", "floorNum": 1, "aptNum": next(fresh), "blockId": 1, "user": 2}


def _email() -> dict[str, Any]:
    email = f"{next(fresh)}@example.org"
    return {"api": "AddContact", "email": email, "blockId": 1, "apartmentId": 1, "user": 2}


def _rate(name: str, call: Any, token: str, requests: int) -> float:
    """Requests a second from so many phones at once, each on a connection kept open."""
    forms = [urllib.parse.urlencode(call()) for _ in range(requests)]
    path = "/omartyapis/Create/" if call is _unit else "/omartyapis/Update/"

    def phone(mine: list[str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORTS[name])
        for form in mine:
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


def _sign_in() -> str:
    connection = http.client.HTTPConnection("127.0.0.1", PORTS["omarty"])
    form = urllib.parse.urlencode({"email": "manager@example.org", "password": "omarty-demo"})
    connection.request("POST", "/omartyapis/Auth/Login/", form, headers=_headers("x"))
    return str(json.load(connection.getresponse())["data"]["Token"])


if __name__ == "__main__":
    main(*[int(each) for each in sys.argv[1:3]] or (2000, 5))
