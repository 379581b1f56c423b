"""The back-office's site: who may sign in, its menu, and how each request is answered."""

from functools import wraps
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
from omarty.backoffice.base.request_limits import clean_request, refuse_outsized
from omarty.backoffice.base.scoped_admin import ScopedAdmin, forget_scope, origin_of, scope
from omarty.backoffice.dashboard import dashboard_context
from omarty.backoffice.former_addresses import former_urls, present_address
from omarty.backoffice.sessions import own_sessions
from omarty.backoffice.sign_in import PasswordChange, SignInForm, after_sign_in
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
            refuse_outsized(request.GET)
            clean_request(request)

            if request.method != "POST":
                address = present_address(request)
                return HttpResponseRedirect(address) if address else inner(request, *args, **kwargs)

            def answer() -> Any:
                _reset(request)
                return inner(request, *args, **kwargs)

            # Each POST writes in one transaction: rolled back, it can be repeated.
            try:
                return retry_on_deadlock(answer)
            except OperationalError as error:
                if not was_busy(error):
                    raise
                _reset(request)
                return self._busy(request)

        return guarded

    def _busy(self, request: HttpRequest) -> HttpResponse:
        """The page for a request that waited for a lock in vain: a button sends the same again."""
        typed = [
            (name, value)
            for name, values in request.POST.lists()
            if "password" not in name and name != "csrfmiddlewaretoken"
            for value in values
        ]
        context = {
            **self.each_context(request),
            "title": _("Somebody else is changing this just now"),
            "typed": typed,
            "uploaded": bool(request.FILES),
        }
        request.current_app = self.name
        return TemplateResponse(request, "backoffice/busy.html", context, status=503)

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(scope(request).sees)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """With `menu`: the lists that the header leads to."""
        context = super().each_context(request)
        models = {
            model["object_name"]: model
            for app in context["available_apps"]
            for model in app["models"]
        }
        if "QuarantinedRow" in models and not QuarantinedRow.objects.exists():
            del models["QuarantinedRow"]
        return {**context, "menu": [models[name] for name in MENU if name in models]}

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        """Lists stand in the menu; the dashboard is the one page that gathers them."""
        return redirect("admin:index", permanent=False)

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        dashboard = dashboard_context(scope(request).sees)
        return super().index(request, {**dashboard, **(extra_context or {})})

    def get_urls(self) -> list[Any]:
        # "View on site" resolves any id of any table, and no record has a page on another site.
        pages = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        own = path("sessions/", self.admin_view(own_sessions), name="own_sessions")
        return [*former_urls(), own, *pages]

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, ChoicesView.as_view(admin_site=self)(request))

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Nothing: the audit log has what was done."""
        return LogEntry.objects.none()

    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        clean_request(request)
        return after_sign_in(request, super().login(request, extra_context))

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
