"""The back-office's site: who may sign in, its menu, and how each request is answered."""

from functools import partial, wraps
from itertools import count
from typing import Any, cast

from django.contrib.admin import AdminSite
from django.contrib.admin.models import LogEntry
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.messages.storage import default_storage
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from audit.models import Action
from audit.operations import record
from contacts.models import User
from omarty.backoffice.base.request_limits import BACK_LINK, clean_request, refuse_outsized
from omarty.backoffice.base.scoped_admin import ScopedAdmin, forget_scope, origin_of, scope
from omarty.backoffice.dashboard import begun, dashboard_context
from omarty.backoffice.find import TERM, find_anything
from omarty.backoffice.first_steps import first_steps
from omarty.backoffice.former_addresses import former_urls, present_address
from omarty.backoffice.kept_forms import has_sign_in, kept_from, sign_in_first
from omarty.backoffice.notices import own_notices
from omarty.backoffice.second_factor import own_second_factor, required_second_factor
from omarty.backoffice.sessions import own_sessions
from omarty.backoffice.sign_in import MUST_SET_UP, PasswordChange, SignInForm, after_sign_in
from omarty.backoffice.sign_in_code import CodeAsked, ask_for_code, sign_in_code
from omarty.backoffice.waiting import waiting
from omarty.backoffice.whose_forms import remember_person
from omarty.legacy.models import QuarantinedRow
from omarty.retry import retry_on_deadlock, was_busy

# The lists that the header leads to, in the order of daily use.
MENU = (
    "Apartment",
    "Membership",
    "User",
    "Block",
    "Building",
    "Entry",
    "Message",
    "QuarantinedRow",
)

# What is open to somebody who has to set up a second factor.
OPEN_BEFORE = ("admin:second_factor", "admin:logout")


class ChoicesView(AutocompleteJsonView):
    """What a chooser offers, under the labels of the list's own admin."""

    def get_queryset(self) -> Any:
        return cast(ScopedAdmin, self.model_admin).choosable(self.request, super().get_queryset())

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        label = cast(ScopedAdmin, self.model_admin).choice_label(obj)
        return {"id": str(getattr(obj, to_field_name)), "text": label}


class OmartySite(AdminSite):
    """Open to superusers and to the managers and board members of active blocks."""

    site_title = _("Omarty")
    site_header = _("Omarty")
    index_title = _("Dashboard")
    login_form = SignInForm
    site_url = None
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only lists that are scoped to the user's blocks; libraries' lists (groups, tokens) are not."""
        if admin_class is not None and issubclass(admin_class, ScopedAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Wraps every page but sign-in."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            # That page says in words that a term is too long.
            refuse_outsized(request.GET, but=TERM if view is find_anything else BACK_LINK)
            clean_request(request)
            if request.session.get(MUST_SET_UP) and request.path not in map(reverse, OPEN_BEFORE):
                return redirect("admin:second_factor")

            if request.method != "POST":
                address = present_address(request)
                return HttpResponseRedirect(address) if address else inner(request, *args, **kwargs)

            tries = count()

            def answer() -> Any:
                if next(tries):
                    _reset(request)
                return inner(request, *args, **kwargs)

            def send() -> Any:
                # Each POST writes in one transaction: rolled back, it can be repeated.
                try:
                    return retry_on_deadlock(answer)
                except OperationalError as error:
                    if not was_busy(error):
                        raise
                    _reset(request)
                    return self._busy(request)

            return sign_in_first(request, send) if self._must_sign_in(request) else send()

        return guarded

    def _must_sign_in(self, request: HttpRequest) -> bool:
        """Whether a form waits for sign-in; to sign out none is needed."""
        signs_out = request.path == reverse("admin:logout", current_app=self.name)
        return not signs_out and (has_sign_in(request) or not self.has_permission(request))

    def _busy(self, request: HttpRequest) -> HttpResponse:
        """The page for a request that waited for a lock in vain: a button sends the same again."""
        context = {
            **self.each_context(request),
            "title": _("Somebody else is changing this just now"),
            "kept": kept_from(request),
        }
        request.current_app = self.name
        return TemplateResponse(request, "backoffice/busy.html", context, status=503)

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(scope(request).sees)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """With `menu`, lists that the header leads to; `waiting`, how many requests wait; `first_steps`."""
        context = super().each_context(request)
        models = {
            model["object_name"]: model
            for app in context["available_apps"]
            for model in app["models"]
        }
        if "QuarantinedRow" in models and not QuarantinedRow.objects.exists():
            del models["QuarantinedRow"]
        menu = [models[name] for name in MENU if name in models]
        more = {"waiting": waiting(request).count} if menu else {}
        # Asked only where a template shows it.
        return {**context, **more, "menu": menu, "first_steps": partial(first_steps, request)}

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        """Lists stand in the menu; the dashboard is the one page that gathers them."""
        return redirect("admin:index", permanent=False)

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        dashboard = dashboard_context(scope(request).sees, waiting(request))
        changes = scope(request).changes
        own = [each for each in dashboard["every_block"] if each.block.pk in changes]
        dashboard["first_steps"] = first_steps(request, begun(own))
        return super().index(request, {**dashboard, **(extra_context or {})})

    def get_urls(self) -> list[Any]:
        # "View on site" resolves any id of any table, and no record has a page on another site.
        pages = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        required = self.admin_view(required_second_factor)
        own = [
            path("login/code/", sign_in_code, name="sign_in_code"),
            path("sessions/", self.admin_view(own_sessions), name="own_sessions"),
            path("second-factor/", self.admin_view(own_second_factor), name="second_factor"),
            path("second-factor/required/", required, name="second_factor_required"),
            path("notices/", self.admin_view(own_notices), name="own_notices"),
            path("find/", self.admin_view(find_anything), name="find"),
        ]
        return [*former_urls(), *own, *pages]

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, ChoicesView.as_view(admin_site=self)(request))

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Nothing: the audit log has what was done."""
        return LogEntry.objects.none()

    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        clean_request(request)
        try:
            response = after_sign_in(request, super().login(request, extra_context))
        except CodeAsked as asked:
            return ask_for_code(request, asked.user)
        if response.status_code == 302 and isinstance(request.user, User):
            remember_person(response, request.user)
        return response

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if request.method == "POST" and isinstance(request.user, User):
            record(
                origin=origin_of(request),
                action=Action.SIGNED_OUT,
                target=request.user,
                person=request.user,
            )
        response = super().logout(request, extra_context)
        # A page that is still open, or stored for going back, shows people's data no longer.
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        request.current_app = self.name
        return PasswordChange.as_view(
            template_name="registration/password_change_form.html",
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )(request)


def _reset(request: Any) -> None:
    """Remove from the request what an earlier try left in it."""
    forget_scope(request)
    request._messages = default_storage(request)
    for files in request.FILES.values():
        files.seek(0)
