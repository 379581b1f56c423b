"""The server as the README starts it, before a crowd: on a MariaDB that takes few connections.

    python -m tests.environment .venv/bin/python -m benchmarks.crowd [--short]

300 calls at once; the same while one worker is killed; calls while the database stands still for longer
than its time-outs. Prints the figures; exit code 0 if every call was answered, as it should be, and the
connections never exceeded workers × threads. `--short` leaves out the standing database: it takes a minute.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests import mariadb
from tests.http import granian_command

PORT = 8182
CALLS = 300
MOST_CONNECTIONS = 20
WORKERS_TIMES_THREADS = 8
# Longer than read_timeout (30 s) in omarty/settings.py.
STANDING_SECONDS = 40
ANSWERED_SECONDS = 100
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
numbers = count(1000)


class Crowd:
    """Many callers at once, each with the manager's token and a connection of their own."""

    def __init__(self, token: str) -> None:
        self.headers = FORM | {"Authorization": f"Bearer {token}"}

    def call(self, _one: int) -> tuple[Any, float]:
        """The answer's status, or how the call failed; and the seconds that it took."""
        start = time.monotonic()
        fields = {"api": "CreateApartment", "floorNum": 1, "aptNum": next(numbers), "blockId": 1}
        try:
            answer: Any = post("Create", fields, self.headers)[0]
        except (OSError, http.client.HTTPException) as error:
            answer = type(error).__name__
        return answer, time.monotonic() - start

    def calls(self, number: int, meanwhile: Callable[[], None] = lambda: None) -> Counter[Any]:
        """So many calls at once: how many had which answer."""
        with ThreadPoolExecutor(number) as callers:
            waiting = [callers.submit(self.call, one) for one in range(number)]
            meanwhile()
            done = [each.result() for each in waiting]
        seconds = sorted(seconds for _answer, seconds in done)
        answers = Counter(answer for answer, _seconds in done)
        print(
            f"  {number} calls: {dict(answers)}; seconds: median {seconds[number // 2]:.1f},"
            f" last {seconds[-1]:.1f}",
            flush=True,
        )
        return answers


def post(path: str, fields: Any, headers: dict[str, str] = FORM) -> tuple[int, Any]:
    """POST a form; status and JSON of the answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", PORT, timeout=ANSWERED_SECONDS)) as line:
        line.request("POST", f"/omartyapis/{path}/", urlencode(fields), headers)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())


class Connections:
    """The most connections that the server has held to the database, looked at all the time."""

    def __init__(self, url: str) -> None:
        self.most = 0
        self.stopped = threading.Event()
        self._own = mariadb.connect(url)
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> int:
        """Look no longer; the most that there were."""
        self.stopped.set()
        self._thread.join()
        self._own.close()
        return self.most

    def _look(self) -> None:
        while not self.stopped.wait(0.02):
            self._own.query(
                "SELECT count(*) FROM information_schema.processlist"
                " WHERE db IS NOT NULL AND id <> connection_id()"
            )
            [(found,)] = self._own.store_result().fetch_row(0)
            self.most = max(self.most, int(found))


def main(short: bool) -> int:
    """All of it; 0 if everything held."""
    with mariadb.throwaway(options=[f"--max-connections={MOST_CONNECTIONS}"]) as url:
        environment = os.environ | {"DATABASE_URL": url, "DEBUG": "true", "HTTPS": "false"}
        for command in (["migrate", "--verbosity", "0"], ["demo"]):
            subprocess.run([sys.executable, "manage.py", *command], env=environment, check=True)
        with served(environment) as server:
            signed_in = {"email": "01000000001", "password": "omarty-demo"}
            crowd = Crowd(post("Auth/Login", signed_in)[1]["data"]["Token"])
            held = [at_once(url, crowd), killed(server, crowd)]
            if not short:
                held.append(standing(url, crowd))
    print("All held." if all(held) else "NOT all held.")
    return 0 if all(held) else 1


@contextmanager
def served(environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The server that the README's command starts."""
    command = granian_command(Path("README.md").read_text(), PORT)
    with subprocess.Popen(command, env=environment) as server:
        try:
            while True:
                with suppress(OSError):
                    post("Auth/Login", {})
                    break
                assert server.poll() is None
                time.sleep(0.1)
            yield server
        finally:
            server.terminate()


def at_once(url: str, crowd: Crowd) -> bool:
    """Everybody calls at once: all are answered, over few connections."""
    print(f"{CALLS} calls at once, {MOST_CONNECTIONS} connections allowed:", flush=True)
    connections = Connections(url)
    answers = crowd.calls(CALLS)
    most = connections.stop()
    print(f"  connections at most: {most}", flush=True)
    return answers == {200: CALLS} and 0 < most <= WORKERS_TIMES_THREADS


def killed(server: "subprocess.Popen[bytes]", crowd: Crowd) -> bool:
    """A worker is killed under load: calls that it held are lost, another comes, no later call is."""
    print("One of two workers killed meanwhile:", flush=True)
    before = workers(server)
    answers = crowd.calls(CALLS, lambda: os.kill(before[0], signal.SIGKILL))
    start = time.monotonic()
    while len(set(workers(server)) - set(before)) < 1 and time.monotonic() - start < 30:
        time.sleep(0.1)
    print(f"  workers before {len(before)}, after {len(workers(server))}", flush=True)
    later = crowd.calls(CALLS)
    return answers[200] > CALLS / 4 and len(workers(server)) == 2 and later == {200: CALLS}


def workers(server: "subprocess.Popen[bytes]") -> list[int]:
    """The process ids of the server's workers."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return [pid for pid in map(int, children) if b"resource_tracker" not in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def standing(url: str, crowd: Crowd) -> bool:
    """The database stands still: calls end with an answer, and it goes on when the database does."""
    print(f"The database stands still for {STANDING_SECONDS} seconds:", flush=True)
    socket = Path(parse_qs(urlsplit(url).query)["unix_socket"][0])
    database = int((socket.parent / "pid").read_text())
    os.kill(database, signal.SIGSTOP)
    again = threading.Timer(STANDING_SECONDS, os.kill, (database, signal.SIGCONT))
    again.start()
    try:
        answers = crowd.calls(2 * WORKERS_TIMES_THREADS)
    finally:
        again.join()
    later = crowd.calls(CALLS)
    answered = {answer for answer in answers if isinstance(answer, int)}
    return answered == set(answers) and later == {200: CALLS}


if __name__ == "__main__":
    sys.exit(main("--short" in sys.argv[1:]))
