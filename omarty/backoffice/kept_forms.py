"""What somebody typed is kept when it cannot be taken: their session has ended, or the form is an old one.

It stays in the page that answers, as hidden fields: in no address, no session and no log. It is sent again
only by a button, with a token of its own; by signing in, only for whoever typed it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import admin, auth
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import NON_FIELD_ERRORS, BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from audit.models import Action
from audit.operations import record
from contacts.models import User
from contacts.second_factor import typed_code
from contacts.session_store import note_sign_in
from omarty.backoffice.base.scoped_admin import forget_scope, origin_of
from omarty.backoffice.proof import CodeField, refuse_wrong_code
from omarty.backoffice.sign_in import MUST_SET_UP, SignInForm, note_whether_required, with_pause
from omarty.backoffice.sign_in_code import CodeAsked
from omarty.backoffice.whose_forms import remember_person, remembered
from omarty.client_address import client_ip

# Sign-in beside the kept fields has names of its own.
SIGN_IN = "sign_in"
CONFIRM = f"{SIGN_IN}-confirm"
# Fewer fields than Django reads from one form, and fewer bytes, so that a second sending is not refused.
MOST_FIELDS, MOST_BYTES = 950, 512 * 1024
# Fields that pages send of themselves begin, or end, so.
MARKS = ("_", "initial-", "action", "index", "select_across")
ROW_MARKS = ("_FORMS", "-id")


@dataclass(frozen=True)
class Kept:
    """The fields of a form, but for passwords; files are not kept either, nor more than can be sent again."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    files: bool = False
    passwords: bool = False
    too_much: bool = False

    @property
    def shown(self) -> list[tuple[str, str]]:
        """What can be read of it, by its names; no marks of the page and nothing that stays as it was."""
        known = dict(self.fields)
        return [
            (capfirst(_(name.rpartition("-")[2].replace("_", " "))), value)
            for name, value in self.fields
            if value.strip()
            and not name.startswith(MARKS)
            and not name.endswith(ROW_MARKS)
            and value != known.get(f"initial-{name}")
        ]


def kept_from(request: HttpRequest) -> Kept:
    """What is kept of the form that a request sends."""
    own = (CONFIRM, *(f"{SIGN_IN}-{each}" for each in ("username", "password", "code")))
    fields, passwords = [], False
    for name, values in request.POST.lists():
        if name == "csrfmiddlewaretoken" or name in own:
            continue
        if "password" in name or name == "code":
            passwords = True
        else:
            fields += [(name, str(value)) for value in values]
    size = sum(len(name.encode()) + len(value.encode()) for name, value in fields)
    too_much = len(fields) > MOST_FIELDS or size > MOST_BYTES
    return Kept([] if too_much else fields, bool(request.FILES), passwords, too_much)


def sign_in_first(request: HttpRequest, send: Callable[[], Any]) -> Any:
    """The sign-in page with what was typed; to whoever signs in by it, what `send` answers to that.

    Another person than whoever typed it is asked before it is sent.
    """
    if f"{SIGN_IN}-password" not in request.POST:
        return sign_in_page(request, SignInForm(request, prefix=SIGN_IN), kept_from(request))
    form = KeptSignInForm(request, request.POST, prefix=SIGN_IN)
    if not form.is_valid():
        confirm = CONFIRM in request.POST
        return sign_in_page(request, form, kept_from(request), confirm=confirm)
    user = form.get_user()
    certain = CONFIRM not in request.POST and remembered(request) == str(user.pk)
    auth.login(request, user)
    note_sign_in(request.session, request.headers.get("User-Agent", ""), client_ip(request))
    note_whether_required(request)
    forget_scope(request)
    kept = kept_from(request)
    if not kept.fields:
        response: Any = HttpResponseRedirect(request.get_full_path())
    elif MUST_SET_UP in request.session:
        response = _ask_again(request, kept, status=200, must_set_up=True, other=not certain)
    elif certain:
        request.POST = _query(kept)  # type: ignore[assignment]
        response = send()
    else:
        response = _ask_again(request, kept, status=200, other=True)
    remember_person(response, user)
    return response


class KeptSignInForm(SignInForm):
    """Sign-in whose second step is on the same page: a page of its own would lose what was typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.add_prefix("code") in self.data:
            self._ask_for_code()

    def confirm_login_allowed(self, user: Any) -> None:
        """As in the parent; of whoever has a second factor, the code is asked for and looked at here."""
        try:
            super().confirm_login_allowed(user)
        except CodeAsked as asked:
            self._check_code(user, asked)

    def _check_code(self, user: User, asked: CodeAsked) -> None:
        origin = replace(origin_of(self.request), actor=user)
        if not self.data.get(self.add_prefix("code"), "").strip():
            self._ask_for_code()
            words = _("Type your password once more, and the code of your second factor.")
            raise ValidationError(words) from asked
        code = typed_code(self.data[self.add_prefix("code")])
        try:
            refuse_wrong_code(code, user=user, origin=origin, action=Action.SIGNED_IN)
        except ValidationError as refused:
            raise ValidationError(refused.message, code=refused.code) from asked
        record(origin=origin, action=Action.SIGNED_IN, target=user, person=user)

    def _ask_for_code(self) -> None:
        self.fields["code"] = CodeField()


def has_sign_in(request: HttpRequest) -> bool:
    """Whether a form comes from the sign-in page that keeps another one's fields."""
    return f"{SIGN_IN}-password" in request.POST


def sign_in_page(
    request: HttpRequest,
    form: SignInForm,
    kept: Kept | None = None,
    *,
    confirm: bool = False,
    **more: Any,
) -> HttpResponse:
    """Sign-in at the address that the request asked for, with what it sent."""
    context = {
        **admin.site.each_context(request),
        "title": _("Sign in"),
        "subtitle": None,
        "app_path": request.get_full_path(),
        "form": form,
        "kept": kept,
        "confirm": confirm,
        **more,
    }
    answer: HttpResponse = with_pause(
        _page(request, "admin/login.html", context, 403), NON_FIELD_ERRORS
    )
    return answer


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What answers a form whose token does not fit: an old page's, or one of another site.

    Only what comes from a page of ours can be sent again.
    """
    here = request.path
    kept = kept_from(request)
    if not request.POST:
        # Nothing was sent, or nothing that can be read.
        raise BadRequest
    if not _comes_from_here(request):
        return _ask_again(request, Kept(), foreign=True)
    if here == reverse("admin:login"):
        return _sign_in_anew(request, cookies=reason != REASON_NO_CSRF_COOKIE)
    if here == reverse("admin:sign_in_code"):
        # Half-way in: that page says itself whether the password counts still.
        return _ask_again(request, Kept())
    in_office = here.startswith(reverse("admin:index")) and here != reverse("admin:logout")
    if in_office and not admin.site.has_permission(request):
        return sign_in_page(request, SignInForm(request, prefix=SIGN_IN), kept, confirm=True)
    return _ask_again(request, kept)


def _sign_in_anew(request: HttpRequest, *, cookies: bool) -> HttpResponse:
    """Sign-in by an old page: the form again; who has signed in meanwhile, in another tab, goes on."""
    asked = request.POST.get(REDIRECT_FIELD_NAME, "")
    allowed = url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure())
    if admin.site.has_permission(request):
        leads_to = asked if allowed else resolve_url(settings.LOGIN_REDIRECT_URL)
        return _ask_again(request, Kept(), leads_to=leads_to)
    form = SignInForm(request, initial={"username": request.POST.get("username", "")})
    leads_to = asked if allowed else ""
    return sign_in_page(request, form, next=leads_to, old=True, no_cookies=not cookies)


def _ask_again(request: HttpRequest, kept: Kept, *, status: int = 403, **more: Any) -> HttpResponse:
    """A page that says why something was not taken, with a button that sends it again."""
    context = {
        **admin.site.each_context(request),
        "title": _("Not sent yet"),
        "address": request.get_full_path(),
        "kept": kept,
        **more,
    }
    return _page(request, "backoffice/kept.html", context, status)


def _page(request: HttpRequest, template: str, context: Any, status: int) -> HttpResponse:
    request.current_app = admin.site.name
    response = TemplateResponse(request, template, context, status=status)
    add_never_cache_headers(response)
    # The address may be a link's secret: into no other request's headers.
    response["Referrer-Policy"] = "strict-origin"
    return response


def _comes_from_here(request: HttpRequest) -> bool:
    """Whether the browser says that a page of this server sends the form."""
    origin = request.headers.get("Origin")
    if origin is None:
        try:
            parts = urlsplit(request.headers.get("Referer", ""))
        except ValueError:
            return False
        origin = f"{parts.scheme}://{parts.netloc}"
    return origin == f"{request.scheme}://{request.get_host()}"


def _query(kept: Kept) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, value in kept.fields:
        query.appendlist(name, value)
    query._mutable = False
    return query
