"""Where the user is signed in, in the app and here; each can be ended."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from contacts.models import BackofficeSession
from contacts.sessions import AnySession, SessionEnded, end_session, sessions_of
from omarty.backoffice.base.scoped_admin import origin_of


def own_sessions(request: Any) -> HttpResponse:
    """The page: a list of sessions, each but the one in use with a button that ends it."""
    if request.method == "POST":
        _end(request, request.POST.get("session", ""))
        return HttpResponseRedirect(request.path)
    used = BackofficeSession(session_key=request.session.session_key or "").public_id
    context = {
        **admin.site.each_context(request),
        "title": _("Signed-in devices"),
        "sessions": [(each, _device(each)) for each in sessions_of(request.user)],
        "used": used,
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "backoffice/sessions.html", context)


def _device(session: AnySession) -> str:
    """What the browser and its device are called, joined as its language joins; an app names itself."""
    return session.device if session.in_app else session.device.replace(", ", _(", "))


def _end(request: Any, public_id: str) -> None:
    try:
        end_session(origin=origin_of(request), user=request.user, public_id=public_id)
    except SessionEnded:
        messages.warning(request, _("This session has ended already."))
    else:
        messages.success(request, _("The session was ended."))
