"""From where a request comes, and to which address."""

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str | None:
    """The client's address; behind `settings.PROXIES` proxies, as the outermost of them reports it."""
    hops = [request.META.get("REMOTE_ADDR", "")]
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if settings.PROXIES and forwarded:
        hops = forwarded.split(",")[-settings.PROXIES :] + hops
    # Some proxies add the port; a zone ("%eth0") names a network interface of the proxy.
    host = re.sub(r"^(?:\[([^]]*)\]|([0-9.]+)):[0-9]+$", r"\1\2", hops[0].strip()).partition("%")[0]
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        # A Unix socket has no address; a proxy may pass on nonsense.
        return None


def site_of(request: HttpRequest) -> str:
    """The address that this server was asked by, for links that others follow.

    Whoever asks chooses the port that they name; only the one that the server listens at is believed.
    """
    host = request.get_host()
    named = re.search(r":(\d+)$", host)
    if named and named[1] != request.META.get("SERVER_PORT"):
        host = host[: named.start()]
    return f"{request.scheme}://{host}/"
