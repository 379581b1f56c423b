"""What the sign-ins of the API and the back-office share: whose attempt it is, and when to wait."""

import ipaddress
import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import ngettext

from contacts.authentication import parse_login

API_PREFIX = "/omartyapis/"


def client_ip(request: HttpRequest) -> str | None:
    """The client's address; behind `settings.PROXIES` proxies, as the outermost of them reports it."""
    hops = [request.META.get("REMOTE_ADDR", "")]
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.PROXIES and forwarded:
        hops = forwarded.split(",")[-settings.PROXIES :] + hops
    # Some proxies add the port; a zone ("%eth0") names a network interface of the proxy.
    host = re.sub(r"^([0-9.]+):[0-9]+$", r"\1", hops[0].strip()).partition("%")[0]
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        # A Unix socket has no address; a proxy may pass on nonsense.
        return None


def attempted_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The canonical form of the typed e-mail or phone, so that all its spellings count together.

    What was typed counts: after a success, django-axes passes the person's e-mail even if they typed
    their phone. Empty if it is neither: it may be a password in the wrong field.
    """
    typed = getattr(request, "sign_in_name", "") or request.POST.get("username", "")
    login = parse_login(typed or str((credentials or {}).get("username") or ""))
    return login[1] if login else ""


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None
) -> HttpResponse:
    """The answer during the pause, for django-axes: `response` if the view made one, with status 429."""
    if response is None:
        response = HttpResponse(too_many_attempts(), content_type="text/plain; charset=utf-8")
    response.status_code = 429
    response.headers.setdefault("Retry-After", str(settings.SIGN_IN_PAUSE_MINUTES * 60))
    return response


def too_many_attempts() -> str:
    """The message for a person who has to wait."""
    minutes = settings.SIGN_IN_PAUSE_MINUTES
    return ngettext(
        "Too many attempts. Please wait %(minutes)d minute, then try again.",
        "Too many attempts. Please wait %(minutes)d minutes, then try again.",
        minutes,
    ) % {"minutes": minutes}
