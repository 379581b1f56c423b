"""What a person reads where there is no page for them; the app gets its envelopes (contract/answers.md).

A page needs no database and no session: it is there when nothing else is.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import get_language_from_request, gettext, gettext_lazy, override
from django.views import defaults

from omarty.api.envelopes import SERVER_ERROR, UNREADABLE_BODY, plain

# By status: the title, and what it means.
PAGES = {
    400: (
        gettext_lazy("Not understood"),
        gettext_lazy("What the browser sent could not be read. Open the page again by a link."),
    ),
    403: (
        gettext_lazy("Not allowed"),
        gettext_lazy("You may not open this page, or do this here."),
    ),
    404: (
        gettext_lazy("Page not found"),
        gettext_lazy("There is no page at this address. Look whether it was typed in full."),
    ),
    405: (
        gettext_lazy("Not possible like this"),
        gettext_lazy("This address only takes what a button of ours sends: use the button."),
    ),
    413: (gettext_lazy("Too large"), gettext_lazy("What was sent is larger than %(most)d MB.")),
    500: (
        gettext_lazy("Something went wrong"),
        gettext_lazy(
            "The fault is ours. Look whether what you just did was saved, then try it again. If it stays so,"
            " tell whoever looks after Omarty, with the number below."
        ),
    ),
}


def error_page(
    request: HttpRequest, status: int, *, advice: str = "", **named: Any
) -> HttpResponse:
    """The page of this status, in the language that the request asks for; `named` fills its sentence."""
    title, sentence = PAGES[status]
    # Where a request fails early, the thread still speaks the language of the one before.
    with override(get_language_from_request(request)):
        context = {
            "site_title": admin.site.site_title,
            "site_header": admin.site.site_header,
            "title": title,
            "sentence": str(sentence) % named if named else sentence,
            "advice": gettext(advice) if advice else "",
            "request_id": getattr(request, "request_id", ""),
        }
        # Without the request: who it comes from would be looked up, and the form read once more.
        try:
            return HttpResponse(render_to_string("error.html", context), status=status)
        except ValueError:
            # The static files that it names were not collected.
            text = "\n".join(str(context[each]) for each in ("title", "sentence", "request_id"))
            return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django could not take the request at all."""
    return plain(*UNREADABLE_BODY) if of_api(request) else error_page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Somebody may not see this page."""
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No page is here."""
    return error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """An error outside of the API's views."""
    if of_api(request):
        return plain(*SERVER_ERROR)
    try:
        return error_page(request, 500)
    except Exception:
        # Whatever failed, such as missing static files, may fail the page as well.
        # Without its look at the form, which may be what cannot be read.
        plain_page: Any = defaults.server_error.__wrapped__  # type: ignore[attr-defined]
        answer: HttpResponse = plain_page(request)
        return answer


def of_api(request: HttpRequest) -> bool:
    """Whether the app asks."""
    return request.path.startswith(settings.API_PREFIX)
