"""What every request carries."""

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.translation import gettext_noop

from contacts.session_store import renew_if_due
from omarty.error_pages import error_page, of_api
from omarty.logs import current_request_id

SIGN_IN_FIRST = gettext_noop("Sign in first: then larger files are taken here.")


def request_id(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Gives each request an id that its answer, its log lines and its audit entries share."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4()  # type: ignore[attr-defined]
        current_request_id.set(str(request.request_id))  # type: ignore[attr-defined]
        response = get_response(request)
        response["X-Request-ID"] = str(request.request_id)  # type: ignore[attr-defined]
        return response

    return middleware


def renewed_session(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Lets a session last as long as it is used (SESSION_IDLE_DAYS)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # A page that never looked at it is none that its person saw.
        if request.session.accessed:
            renew_if_due(request.session)
        return response

    return middleware


def explained_405(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Puts a page where Django's own answer to a wrong method is empty."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 405 and not response.content and not of_api(request):
            page = error_page(request, 405)
            response.content = page.content
            response["Content-Type"] = page["Content-Type"]
        return response

    return middleware


def limited_body(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Refuses a body that is larger than any page takes, unread: before it is known who asks.

    The API's views do so themselves, after they know the caller (contract/answers.md, Bodies).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        # What stands in a form beside its file is no larger than any other form.
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + settings.LARGE_UPLOADS.get(request.path, 0)
        large = _body_length(request) > most
        if large and not of_api(request):
            return error_page(
                request, 413, most=_megabytes(settings.LARGE_UPLOADS.get(request.path, most))
            )
        return get_response(request)

    return middleware


def limited_upload(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Refuses a body, unread, of which those may send more who have signed in, and this one has not."""

    def middleware(request: HttpRequest) -> HttpResponse:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        large = request.path in settings.LARGE_UPLOADS and _body_length(request) > most
        if large and not request.user.is_authenticated:
            return error_page(request, 413, advice=SIGN_IN_FIRST, most=_megabytes(most))
        return get_response(request)

    return middleware


def _megabytes(length: int) -> int:
    return length >> 20


class Compression(GZipMiddleware):
    """Compresses pages, and static files of which no compressed ones lie beside them (`make run`)."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        # "Not modified" has no body, and of a part the headers tell its place in the whole.
        if request.method == "HEAD" or response.status_code in (206, 304):
            return response
        tag = response.get("ETag")
        response = super().process_response(request, response)
        if tag:
            # WhiteNoise compares what browsers send back with its own, letter by letter.
            response.headers["ETag"] = tag
        return response


def _body_length(request: HttpRequest) -> int:
    """How much Django would read: it takes `1_000` for a number too, and without one reads nothing."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


# No request leaves the server, and only files of ours run. Pages are never shown inside others.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Lets a page load nothing from elsewhere and run no script that is written into it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    return middleware
