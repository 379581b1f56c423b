"""The user's own second factor, and of whom superusers require one."""

from typing import Any

import segno
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from audit.models import Action
from audit.operations import record
from contacts.models import RequiredOf, SecondFactor, User
from contacts.second_factor import (
    WRONG_CODE,
    HasSecondFactor,
    NoSecondFactor,
    WrongCode,
    authenticator_address,
    make_recovery_codes,
    new_seed,
    require,
    required_of,
    second_factor_of,
    set_up,
    shown_key,
    switch_off,
)
from omarty.backoffice.base.forms import reason_field
from omarty.backoffice.base.labels import nothing_changed
from omarty.backoffice.base.scoped_admin import origin_of, scope
from omarty.backoffice.proof import (
    CodeField,
    password_field,
    refuse_wrong_code,
    refuse_wrong_password,
    wrong_code,
)
from omarty.backoffice.sign_in import MUST_SET_UP, note_whether_required, with_pause

# From which the key is derived that the page shows, until it is set up.
_SEED = "second_factor_seed"
_TEMPLATE = "backoffice/second_factor.html"


class SetUpForm(forms.Form):
    """The first code of an authenticator, and one's password."""

    code = CodeField(figures_only=True)
    password = password_field()

    def __init__(self, data: Any, *, request: Any, action: Action) -> None:
        super().__init__(data)
        self.request, self.action = request, action
        self.proof: dict[str, Any] = {
            "user": request.user,
            "origin": origin_of(request),
            "action": action,
        }
        self.fields["code"].help_text = _("The six figures that the authenticator shows now.")

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        refuse_wrong_password(password, **self.proof)
        return password


class ChangeForm(SetUpForm):
    """A code, or a recovery code, and one's password: for new recovery codes, and to switch off."""

    code = CodeField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = _("Of the authenticator, or a recovery code.")

    def clean(self) -> Any:
        # Not spent where the password is wrong.
        if not self.errors:
            try:
                refuse_wrong_code(self.cleaned_data["code"], **self.proof)
            except ValidationError as refused:
                self.add_error("code", refused)
        return self.cleaned_data


class RequireForm(forms.Form):
    """Of whom a second factor is required, and why."""

    required_css_class = "required"
    required_of = forms.ChoiceField(
        label=gettext_lazy("A second factor is required of"), choices=RequiredOf
    )
    reason = reason_field(required=True)

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data, initial={"required_of": required_of()})
        self.user = user

    def clean_required_of(self) -> RequiredOf:
        chosen = RequiredOf(self.cleaned_data["required_of"])
        if chosen is not RequiredOf.NOBODY and not second_factor_of(self.user):
            raise ValidationError(_("Set up your own second factor first."))
        return chosen


@sensitive_post_parameters()
def own_second_factor(request: Any) -> HttpResponse:
    """The page: without one it sets one up, with one it makes new recovery codes or switches off."""
    factor = second_factor_of(request.user)
    return _to_set_up(request) if factor is None else _to_change(request, factor)


def required_second_factor(request: Any) -> HttpResponse:
    """The superusers' page: of whom it is required."""
    if scope(request).changes.ids is not None:
        raise PermissionDenied
    form = RequireForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        origin = origin_of(request, reason=form.cleaned_data["reason"])
        changed = require(origin=origin, of=form.cleaned_data["required_of"])
        messages.success(request, _("The rule was saved.") if changed else nothing_changed())
        return HttpResponseRedirect(request.path)
    title = _("Of whom a second factor is required")
    return _page(request, "backoffice/second_factor_required.html", form=form, title=title)


def _to_set_up(request: Any) -> HttpResponse:
    seed = request.session.setdefault(_SEED, new_seed())
    action = Action.SECOND_FACTOR_SET_UP
    form = SetUpForm(request.POST or None, request=request, action=action)
    if form.is_valid():
        origin, user = origin_of(request), request.user
        try:
            codes = set_up(
                origin=origin,
                user=user,
                seed=seed,
                code=form.cleaned_data["code"],
                session_key=request.session.session_key,
            )
        except HasSecondFactor:
            return HttpResponseRedirect(request.path)
        except WrongCode:
            record(origin=origin, action=action, target=user, person=user, refused=WRONG_CODE)
            form.add_error("code", wrong_code())
        else:
            for name in (_SEED, MUST_SET_UP):
                request.session.pop(name, None)
            return _page(request, codes=codes)
    address = authenticator_address(request.user, seed)
    key = shown_key(seed)
    return _page(
        request,
        form=form,
        address=address,
        image=segno.make(address, error="m").svg_data_uri(scale=4, border=2),
        key=" ".join(key[at : at + 4] for at in range(0, len(key), 4)),
        required=request.session.get(MUST_SET_UP, False),
    )


def _to_change(request: Any, factor: SecondFactor) -> HttpResponse:
    off = "off" in request.POST
    action = Action.SECOND_FACTOR_OFF if off else Action.RECOVERY_CODES_MADE
    form = ChangeForm(request.POST or None, request=request, action=action)
    if form.is_valid():
        try:
            return _changed(request, off=off)
        except NoSecondFactor:
            # Somebody took it off in this moment.
            return HttpResponseRedirect(request.path)
    return _page(request, form=form, factor=factor, left=len(factor.codes))


def _changed(request: Any, *, off: bool) -> HttpResponse:
    origin, user = origin_of(request), request.user
    if not off:
        return _page(request, codes=make_recovery_codes(origin=origin, user=user))
    switch_off(origin=origin, user=user, session_key=request.session.session_key)
    messages.success(request, _("The second factor was switched off."))
    note_whether_required(request)
    return redirect("admin:second_factor")


def _page(request: HttpRequest, template: str = _TEMPLATE, **context: Any) -> HttpResponse:
    shown = {
        **admin.site.each_context(request),
        "title": _("Second factor"),
        "may_require": scope(request).changes.ids is None,
        **context,
    }
    if shown.get("required"):
        # Nothing else is open.
        shown["menu"] = []
    request.current_app = admin.site.name
    response = TemplateResponse(request, template, shown)
    return with_pause(with_pause(response, "password"), "code") if "form" in shown else response
