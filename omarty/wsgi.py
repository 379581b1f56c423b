"""The WSGI application that granian, or any other WSGI server, serves."""

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omarty.settings")

_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Django's application, which gets an unknown Content-Type in place of an unreadable one."""
    try:
        parse_header_parameters(environ.get("CONTENT_TYPE", ""))
    except (ValueError, LookupError):
        # Django reads it before any view, and would answer an empty 500.
        environ["CONTENT_TYPE"] = "application/octet-stream"
    return _django(environ, start_response)
