"""The page by which a person takes back a change of the contact that they sign in with."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from contacts.attempts import link_is_known
from contacts.contact_changes import ChangeOver, change_of
from contacts.contact_operations import take_back_change
from contacts.masking import masked_contacts
from contacts.models import ContactChange
from omarty.accounts.pages import origin_of, page, told_in_words
from omarty.client_address import client_ip
from omarty.retry import retry_on_deadlock

TEMPLATE = "accounts/contact_change.html"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contact_change(request: HttpRequest, secret: str) -> HttpResponse:
    """GET says what was changed; POST takes it back, and ends every session."""
    return told_in_words(request, TEMPLATE, lambda: _answer(request, secret))


def _answer(request: HttpRequest, secret: str) -> HttpResponse:
    found: list[ContactChange] = []

    def is_known() -> bool:
        try:
            found.append(change_of(secret))
        except ChangeOver:
            return False
        return True

    if not link_is_known(is_known, address=client_ip(request)):
        return _over(request)
    change = found[0]
    shown: dict[str, Any] = {
        "person": change.user,
        "former": masked_contacts(change.former),
        "kind": change.get_kind_display(),
    }
    if request.method != "POST":
        return page(request, TEMPLATE, **shown)
    origin = origin_of(request, actor=change.user)
    try:
        retry_on_deadlock(partial(take_back_change, origin=origin, secret=secret))
    except ChangeOver:
        # Somebody was quicker.
        return _over(request)
    return page(request, TEMPLATE, done=True, **shown)


def _over(request: HttpRequest) -> HttpResponse:
    refused = _("This link is not complete, or the change cannot be taken back any more.")
    return page(request, TEMPLATE, status=404, refused=refused)
