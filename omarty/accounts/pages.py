"""What the pages of this room share: their frame, who acts, and what is told of a pause or a busy server."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from audit.models import Channel
from audit.operations import Origin
from contacts.attempts import TooManyAttempts
from contacts.models import User
from omarty.client_address import client_ip, site_of
from omarty.lockout import pause_seconds, too_many_attempts
from omarty.retry import was_busy


def origin_of(request: HttpRequest, *, actor: User | None = None) -> Origin:
    """Who acts, by a link, and from where."""
    return Origin(
        channel=Channel.LINK,
        actor=actor,
        ip=client_ip(request),
        site=site_of(request),
        request_id=request.request_id,  # type: ignore[attr-defined]
    )


def told_in_words(
    request: HttpRequest, template: str, answer: Callable[[], HttpResponse]
) -> HttpResponse:
    """The answer; where the server is busy, or whoever asks has tried too often, a page that says so."""
    try:
        return answer()
    except OperationalError as error:
        if not was_busy(error):
            raise
        busy = _("The server is busy: nothing was changed. Wait a moment, then try again.")
        return page(request, template, status=503, refused=busy)
    except TooManyAttempts:
        waits = page(request, template, status=429, refused=too_many_attempts())
        waits["Retry-After"] = str(pause_seconds())
        return waits


def page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page in the frame of sign-in; its address, which may be a secret, goes nowhere."""
    context = admin.site.each_context(request) | {"title": _("Your account")} | context
    response = TemplateResponse(request, template, context, status=status)
    # Into no other request's headers, and into no line of the log.
    response["Referrer-Policy"] = "strict-origin"
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
