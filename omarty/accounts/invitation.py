"""The page that an invitation's link opens: whose account it is, and a form that sets its password."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.auth.forms import SetPasswordForm
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from audit.models import Channel
from audit.operations import Origin
from buildings.permissions import invitation_serves, reach
from contacts.attempts import TooManyAttempts, link_is_known
from contacts.invitations import LinkRefused, WhyLinkRefused, accept, opened
from contacts.masking import shown_contact
from contacts.models import Invitation, Kind, User
from contacts.operations import Contact
from omarty.client_address import client_ip
from omarty.lockout import pause_seconds, too_many_attempts
from omarty.retry import retry_on_deadlock, was_busy

REFUSALS = {
    WhyLinkRefused.UNKNOWN: _(
        "This link is not complete, or is none of ours. Open it again as you got it."
    ),
    WhyLinkRefused.USED: _("A password was set by this link already. Sign in with it."),
    WhyLinkRefused.ENDED: _(
        "This link was replaced by another one, or taken back. Ask for a new one."
    ),
    WhyLinkRefused.EXPIRED: _("This link is too old. Ask for a new one."),
    WhyLinkRefused.PERSON: _("This link no longer serves. Ask the manager of your block."),
}


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """GET shows whose account it is and spends nothing; POST sets the password."""
    try:
        return _answer(request, secret)
    except LinkRefused as refused:
        unknown = refused.why is WhyLinkRefused.UNKNOWN
        return _page(request, status=404 if unknown else 410, refused=REFUSALS[refused.why])
    except OperationalError as error:
        if not was_busy(error):
            raise
        busy = _(
            "The server is busy: nothing was changed. Wait a moment, then open the link again."
        )
        return _page(request, status=503, refused=busy)
    except TooManyAttempts:
        answer = _page(request, status=429, refused=too_many_attempts())
        answer["Retry-After"] = str(pause_seconds())
        return answer


def _answer(request: HttpRequest, secret: str) -> HttpResponse:
    found = _found(secret, client_ip(request))
    form = SetPasswordForm(found.user, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(
            request, form=form, person=found.user, signs_in_with=_signs_in_with(found.user)
        )
    origin = Origin(
        channel=Channel.LINK,
        actor=found.user,
        ip=client_ip(request),
        request_id=request.request_id,  # type: ignore[attr-defined]
    )
    user = retry_on_deadlock(
        partial(
            accept,
            origin=origin,
            secret=secret,
            password=form.cleaned_data["new_password1"],
            still_serves=invitation_serves,
        )
    )
    return _page(
        request,
        done=True,
        person=user,
        signs_in_with=_signs_in_with(user),
        has_office=bool(reach(user).sees),
    )


def _found(secret: str, address: str | None) -> Invitation:
    """The invitation of the link. Raises LinkRefused, TooManyAttempts."""
    found: list[Invitation] = []
    refused: list[LinkRefused] = []

    def is_known() -> bool:
        try:
            found.append(opened(secret, still_serves=invitation_serves))
        except LinkRefused as error:
            refused.append(error)
            return error.why is not WhyLinkRefused.UNKNOWN
        return True

    link_is_known(is_known, address=address)
    if refused:
        raise refused[0]
    return found[0]


def _signs_in_with(user: User) -> list[str]:
    """The contacts that they sign in with, in part: a link may have been sent on."""
    contacts = [Contact(user, kind) for kind in Kind]
    return [shown_contact(each, in_full=False) for each in contacts if each.typed]


def _page(request: HttpRequest, *, status: int = 200, **context: Any) -> HttpResponse:
    context |= admin.site.each_context(request) | {"title": _("Your account")}
    response = TemplateResponse(request, "accounts/invitation.html", context, status=status)
    # The link's secret goes nowhere: into no other request's headers, and into no line of the log.
    response["Referrer-Policy"] = "strict-origin"
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
