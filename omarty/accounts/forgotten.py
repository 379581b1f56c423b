"""A forgotten password: a page that asks for the contact, and one that asks for the code sent to a phone."""

from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from contacts.attempts import TooManyAttempts, counted_of_address
from contacts.authentication import parse_login
from contacts.canonical import western_digits
from contacts.models import Kind
from contacts.outbox import goes_to
from contacts.recovery import CODE_SERVES_FOR, ask, redeem
from contacts.text import clean
from omarty.accounts.pages import origin_of, page, told_in_words
from omarty.client_address import client_ip
from omarty.lockout import too_many_attempts
from omarty.retry import retry_on_deadlock

TEMPLATE = "accounts/forgotten.html"
_SALT = "omarty.accounts.forgotten"


class ContactForm(forms.Form):
    """By which contact somebody signs in."""

    contact = forms.CharField(
        label=_("E-mail or phone that you sign in with"),
        max_length=254,
        widget=forms.TextInput(attrs={"dir": "auto", "autocomplete": "username"}),
    )

    def clean_contact(self) -> tuple[Kind, str]:
        """Its kind and canonical form."""
        found = parse_login(self.cleaned_data["contact"])
        if found is None:
            raise ValidationError(_("This is neither an e-mail nor a phone number."))
        if not goes_to(*found):
            raise ValidationError(_NO_WAY[found[0]])
        return found


_NO_WAY = {
    Kind.EMAIL: _(
        "No e-mails are sent from here: ask the manager of your block, or use your phone."
    ),
    Kind.PHONE: _(
        "No text messages are sent to this number: use your e-mail, or ask the manager of your block."
    ),
}


class CodeForm(forms.Form):
    """The code that came by text message."""

    code = forms.CharField(
        label=_("The six figures of the code"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "dir": "ltr"}
        ),
    )

    def clean_code(self) -> str:
        """Its figures, in whatever digits they were typed."""
        return "".join(filter(str.isdecimal, western_digits(clean(self.cleaned_data["code"]))))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """GET asks for the contact; POST has a way in sent there. The answer is the same whoever holds it."""
    return told_in_words(request, TEMPLATE, lambda: _asked(request))


def _asked(request: HttpRequest) -> HttpResponse:
    form = ContactForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return page(request, TEMPLATE, form=form, title=_("Forgotten password"))
    kind, value = form.cleaned_data["contact"]
    counted_of_address("recovery", address=client_ip(request))
    retry_on_deadlock(
        partial(
            ask,
            origin=origin_of(request),
            kind=kind,
            value=value,
            language=get_language() or settings.LANGUAGE_CODE,
        )
    )
    sent = signing.dumps([kind, value], salt=_SALT)
    return HttpResponseRedirect(reverse("forgotten_sent", args=[sent]))


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten_sent(request: HttpRequest, sent: str) -> HttpResponse:
    """What was sent where; of a phone it asks for the code, which leads to the page that sets a password."""
    try:
        kind, value = signing.loads(sent, salt=_SALT, max_age=CODE_SERVES_FOR)
    except signing.BadSignature:
        return HttpResponseRedirect(reverse("forgotten"))
    return told_in_words(request, TEMPLATE, lambda: _sent(request, Kind(kind), value))


def _sent(request: HttpRequest, kind: Kind, value: str) -> HttpResponse:
    shown: dict[str, Any] = {"to": value, "kind": kind, "title": _("Forgotten password")}
    if kind is Kind.EMAIL:
        return page(request, TEMPLATE, sent=True, **shown)
    form = CodeForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            code = form.cleaned_data["code"]
            secret = redeem(value=value, code=code, address=client_ip(request))
            if secret is not None:
                return HttpResponseRedirect(reverse("invitation", args=[secret]))
            form.add_error("code", _("This is not the code, or it does not serve any more."))
        except TooManyAttempts:
            status = 429
            form.add_error("code", too_many_attempts())
    return page(request, TEMPLATE, status=status, sent=True, form=form, **shown)
