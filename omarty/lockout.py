"""What the API's and the back-office's sign-in share: whose attempt it is, and when to wait."""

import ipaddress
import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import ngettext

from contacts.authentication import parse_login

API_PREFIX = "/omartyapis/"


def client_ip(request: HttpRequest) -> str | None:
    """The client's address; behind `settings.PROXIES` proxies, what the outermost of them saw."""
    hops = [request.META.get("REMOTE_ADDR", "")]
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.PROXIES and forwarded:
        hops = forwarded.split(",")[-settings.PROXIES :] + hops
    # Some proxies tell the port too; a zone names an interface of theirs.
    host = re.sub(r"^([0-9.]+):[0-9]+$", r"\1", hops[0].strip()).partition("%")[0]
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        # A Unix socket has no address; a proxy may pass on nonsense.
        return None


def attempted_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """One name for all spellings of one e-mail or phone: attempts are counted together.

    The name is what was typed: after a success django-axes asks with the user's e-mail, also where
    he typed his phone. Empty for what is neither: it may be a password in the wrong field.
    """
    typed = getattr(request, "sign_in_name", "") or request.POST.get("username", "")
    login = parse_login(typed or str((credentials or {}).get("username") or ""))
    return login[1] if login else ""


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None
) -> HttpResponse:
    """django-axes asks what to answer during the pause. The answer that was made says it already."""
    if response is None:
        response = HttpResponse(too_many_attempts(), content_type="text/plain; charset=utf-8")
    response.status_code = 429
    response.headers.setdefault("Retry-After", str(settings.SIGN_IN_PAUSE_MINUTES * 60))
    return response


def too_many_attempts() -> str:
    """What somebody is told who has to wait."""
    minutes = settings.SIGN_IN_PAUSE_MINUTES
    return ngettext(
        "Too many attempts. Please wait %(minutes)d minute, then try again.",
        "Too many attempts. Please wait %(minutes)d minutes, then try again.",
        minutes,
    ) % {"minutes": minutes}
