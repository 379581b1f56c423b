"""The page that an invitation's link opens: whose account it is, and a form that sets its password."""

from functools import partial

from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from buildings.permissions import invitation_serves, reach
from contacts.attempts import link_is_known
from contacts.contact_operations import Contact
from contacts.invitations import LinkRefused, WhyLinkRefused, accept, opened
from contacts.masking import shown_contact
from contacts.models import Invitation, Kind, User
from omarty.accounts.pages import origin_of, page, told_in_words
from omarty.client_address import client_ip
from omarty.retry import retry_on_deadlock

TEMPLATE = "accounts/invitation.html"

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
        return told_in_words(request, TEMPLATE, lambda: _answer(request, secret))
    except LinkRefused as refused:
        unknown = refused.why is WhyLinkRefused.UNKNOWN
        return page(
            request, TEMPLATE, status=404 if unknown else 410, refused=REFUSALS[refused.why]
        )


def _answer(request: HttpRequest, secret: str) -> HttpResponse:
    found = _found(secret, client_ip(request))
    form = SetPasswordForm(found.user, request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return page(
            request,
            TEMPLATE,
            form=form,
            person=found.user,
            signs_in_with=_signs_in_with(found.user),
        )
    origin = origin_of(request, actor=found.user)
    user = retry_on_deadlock(
        partial(
            accept,
            origin=origin,
            secret=secret,
            password=form.cleaned_data["new_password1"],
            still_serves=invitation_serves,
        )
    )
    return page(
        request,
        TEMPLATE,
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
