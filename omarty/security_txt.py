"""/.well-known/security.txt: whom to tell of a security fault (RFC 9116)."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

# RFC 9116 asks for less than a year: after that nobody should trust a copy of the page.
GOOD_FOR = timedelta(days=180)


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """The addresses of `SECURITY_CONTACT`, in its order; 404 without any."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    # The day, not the moment: who asks twice a day reads the same.
    expires = (datetime.now(UTC) + GOOD_FOR).strftime("%Y-%m-%dT00:00:00Z")
    lines = [f"Contact: {address}" for address in settings.SECURITY_CONTACT]
    lines += [
        f"Expires: {expires}",
        "Preferred-Languages: en, ar",
        f"Canonical: {request.build_absolute_uri(request.path)}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
