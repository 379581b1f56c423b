"""Plain HTTP to a running server: one connection a request, as from many phones."""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any


def post_form(
    url: str, token: str = "", *, headers: dict[str, str] | None = None, **fields: Any
) -> dict[str, Any]:
    """POST the fields as a form; the answer's JSON, whatever its status."""
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    body = urllib.parse.urlencode(fields).encode()
    request = urllib.request.Request(url, data=body, headers=authorization | (headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return dict(json.load(response))
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.load(error))


def granian_command(page: str, port: int, *, workers: int | None = None) -> list[str]:
    """The command that this text starts the server with, on another port."""
    [line] = re.findall(r"bin/(granian .*omarty\.wsgi:application)", page.replace("\\\n", ""))
    command = [str(Path(sys.executable).parent / "granian"), *line.split()[1:]]
    command[command.index("--port") + 1] = str(port)
    if workers is not None:
        command[command.index("--workers") + 1] = str(workers)
    return command
