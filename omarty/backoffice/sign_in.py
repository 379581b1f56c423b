"""Signing in to the back-office, and changing one's own password."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView, redirect_to_login
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from audit.models import Action
from audit.operations import Origin, record
from buildings.permissions import reach
from contacts.attempts import TooManyAttempts
from contacts.models import Status, User
from contacts.operations import change_password, lock_contacts
from contacts.refusals import record_refusal
from contacts.second_factor import lacks_required, second_factor_of
from contacts.session_store import note_sign_in
from omarty.backoffice.base.forms import CONTACT_ATTRIBUTES
from omarty.backoffice.base.scoped_admin import origin_of
from omarty.backoffice.proof import refuse_wrong_password
from omarty.backoffice.sign_in_code import CodeAsked
from omarty.client_address import client_ip
from omarty.lockout import PAUSED, WRONG, attempted_name, pause_seconds, too_many_attempts

# What a session has of somebody who has to set up a second factor before anything else.
MUST_SET_UP = "must_set_up"


class SignInForm(AuthenticationForm):
    """Sign-in by the e-mail or phone that is used in the app too; each attempt leaves an entry."""

    error_messages = {
        "invalid_login": _("Wrong e-mail, phone or password."),
        Status.PENDING: _("Your registration waits for its approval."),
        Status.BANNED: _("You are banned."),
        "no office": _("The back-office is for managers and board members of an active block."),
    }

    request: HttpRequest

    # Not Django's own field, which takes some letters for others.
    username = forms.CharField(widget=forms.TextInput(attrs={"autofocus": True}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail or phone")
        self.fields["username"].widget.attrs |= CONTACT_ATTRIBUTES[None]

    def clean(self) -> Any:
        name, password = (self.cleaned_data.get(each) for each in ("username", "password"))
        if name is None or not password:
            return self.cleaned_data
        origin = replace(origin_of(self.request), actor_label=attempted_name(name))
        try:
            user = authenticate(self.request, username=name, password=password, address=origin.ip)
        except TooManyAttempts as error:
            record_refusal(origin=origin, action=Action.SIGNED_IN, refused=PAUSED, of=error.of)
            raise ValidationError(too_many_attempts(), code=PAUSED) from error
        if user is None:
            record(origin=origin, action=Action.SIGNED_IN, refused=WRONG)
            raise self.get_invalid_login_error()
        self.user_cache = user
        self.confirm_login_allowed(user)
        return self.cleaned_data

    def confirm_login_allowed(self, user: Any) -> None:
        """Says why somebody may not come in, and only to those who know the password."""
        refused = ""
        if not user.is_active:
            refused = Status(user.status).value
        elif not reach(user).sees:
            refused = "no office"
        origin = replace(origin_of(self.request), actor=user)
        if refused:
            record_refusal(
                origin=origin, action=Action.SIGNED_IN, refused=refused, target=user, person=user
            )
            raise ValidationError(self.error_messages[refused], code=refused)
        if second_factor_of(user) is not None:
            # Not a refusal to be shown: the sign-in goes on at another page.
            raise CodeAsked(user)
        record(origin=origin, action=Action.SIGNED_IN, target=user, person=user)


class OwnPasswordForm(PasswordChangeForm):
    """A wrong old password is an attempt like any other, with its entry."""

    origin: Origin

    def clean_old_password(self) -> str:
        typed: str = self.cleaned_data["old_password"]
        refuse_wrong_password(
            typed,
            user=self.user,
            origin=self.origin,
            action=Action.PASSWORD_CHANGED,
            words=str(self.error_messages["password_incorrect"]),
        )
        return typed


class PasswordChange(PasswordChangeView):
    """Changing one's own password goes through the operation, as every write does."""

    form_class = OwnPasswordForm

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.origin = origin_of(self.request)
        return form

    def form_invalid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = with_pause(super().form_invalid(form), "old_password")
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            person = lock_contacts(form.user)
            if person.session_stamp != form.user.session_stamp:
                # Somebody has set another password meanwhile, which ended this session.
                return redirect_to_login(self.request.path, reverse("admin:login"))
            change_password(
                origin=origin_of(self.request),
                user=person,
                password=form.cleaned_data["new_password1"],
            )
        update_session_auth_hash(self.request, person)
        # The form's own save would write a second time.
        return super(PasswordChangeView, self).form_valid(form)


def after_sign_in(request: HttpRequest, response: Any) -> Any:
    """What the page's answer needs besides: a new session its device and address, a pause its status."""
    if request.method == "POST" and response.status_code == 302:
        note_sign_in(request.session, request.headers.get("User-Agent", ""), client_ip(request))
        note_whether_required(request)
    return with_pause(response, NON_FIELD_ERRORS)


def note_whether_required(request: HttpRequest) -> None:
    """Note in the session of somebody who lacks a second factor whether they have to set one up."""
    if isinstance(request.user, User) and lacks_required(request.user):
        request.session[MUST_SET_UP] = True


def with_pause(response: Any, field: str) -> Any:
    """The page's answer, with the status of a pause if its form says so at this field."""
    form = (getattr(response, "context_data", None) or {}).get("form")
    if form is not None and form.has_error(field, PAUSED):
        response.status_code = 429
        response.headers["Retry-After"] = str(pause_seconds())
    return response
