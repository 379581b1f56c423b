"""Plain HTTP to a running server: one connection a request, as from many phones."""

import json
import urllib.error
import urllib.parse
import urllib.request
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
