"""The second step of signing in, of whoever has a second factor: a page that asks for a code."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from audit.models import Action
from audit.operations import Origin, record
from buildings.permissions import reach
from contacts.models import User
from contacts.second_factor import is_recovery_code, second_factor_of
from contacts.session_store import note_sign_in
from omarty.backoffice.base.request_limits import clean_request
from omarty.backoffice.base.scoped_admin import origin_of
from omarty.backoffice.proof import CodeField, refuse_wrong_code
from omarty.backoffice.whose_forms import remember_person
from omarty.client_address import client_ip
from omarty.lockout import PAUSED, pause_seconds

# Whose password was right, and when; nobody is signed in by it.
_HALFWAY = "halfway"
# So long the code may be typed.
SERVES_FOR = timedelta(minutes=10)


class CodeAsked(Exception):
    """The password is right, and the person has a second factor: they are not signed in yet."""

    def __init__(self, user: User) -> None:
        super().__init__(user.pk)
        self.user = user


class SignInCodeForm(forms.Form):
    """A code of the authenticator, or a recovery code."""

    code = CodeField()

    def __init__(self, data: Any, *, user: User, origin: Origin) -> None:
        super().__init__(data)
        self.user, self.origin = user, origin
        self.fields["code"].widget.attrs["autofocus"] = True

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        refuse_wrong_code(code, user=self.user, origin=self.origin, action=Action.SIGNED_IN)
        return code


def ask_for_code(request: HttpRequest, user: User) -> HttpResponse:
    """Lead somebody whose password is right to the page that asks for the code."""
    request.session[_HALFWAY] = {
        "user": user.pk,
        "stamp": user.session_stamp,
        "at": timezone.now().isoformat(),
        "next": request.POST.get(REDIRECT_FIELD_NAME, ""),
    }
    origin = replace(origin_of(request), actor=user)
    record(origin=origin, action=Action.SECOND_FACTOR_ASKED, target=user, person=user)
    return redirect("admin:sign_in_code")


@never_cache
@sensitive_post_parameters()
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """GET asks for the code; POST signs in with it."""
    clean_request(request)
    user = _halfway(request)
    if user is None:
        messages.warning(request, _("Please sign in from the beginning."))
        return redirect("admin:login")
    origin = replace(origin_of(request), actor=user)
    form = SignInCodeForm(
        request.POST if request.method == "POST" else None, user=user, origin=origin
    )
    if form.is_valid():
        return _signed_in(request, user, origin, form.cleaned_data["code"])
    context = {**admin.site.each_context(request), "title": _("Sign in"), "form": form}
    response = TemplateResponse(request, "backoffice/sign_in_code.html", context)
    if form.has_error("code", PAUSED):
        response.status_code = 429
        response["Retry-After"] = str(pause_seconds())
    return response


def _halfway(request: HttpRequest) -> User | None:
    """Whose password was right a short while ago, if they may still sign in as they could then."""
    noted = request.session.get(_HALFWAY)
    if noted is None or datetime.fromisoformat(noted["at"]) < timezone.now() - SERVES_FOR:
        return None
    user = User.objects.filter(pk=noted["user"], session_stamp=noted["stamp"]).first()
    if user is None or not user.is_active or not reach(user).sees or not second_factor_of(user):
        return None
    return user


def _signed_in(request: HttpRequest, user: User, origin: Origin, code: str) -> HttpResponse:
    leads_to = request.session.pop(_HALFWAY)["next"]
    login(request, user)
    note_sign_in(request.session, request.headers.get("User-Agent", ""), client_ip(request))
    record(origin=origin, action=Action.SIGNED_IN, target=user, person=user)
    factor = second_factor_of(user)
    ours = url_has_allowed_host_and_scheme(
        leads_to, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    if is_recovery_code(code) and factor is not None:
        messages.warning(request, _recovery_code_used(len(factor.codes)))
        leads_to = reverse("admin:second_factor")
    elif not ours:
        leads_to = reverse("admin:index")
    response = HttpResponseRedirect(leads_to)
    remember_person(response, user)
    return response


def _recovery_code_used(left: int) -> str:
    return ngettext(
        "You signed in with a recovery code; %(left)d is left. If your phone is lost, switch the second"
        " factor off, and set it up on another.",
        "You signed in with a recovery code; %(left)d are left. If your phone is lost, switch the second"
        " factor off, and set it up on another.",
        left,
    ) % {"left": left}
