"""What every request carries."""

import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from omarty.logs import current_request_id


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
        if large and not request.path.startswith(settings.API_PREFIX):
            return _too_large(settings.LARGE_UPLOADS.get(request.path, most))
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
            return _too_large(most)
        return get_response(request)

    return middleware


def _too_large(most: int) -> HttpResponse:
    sentence = f"What was sent is larger than {most >> 20} MB."
    return HttpResponse(sentence, status=413, content_type="text/plain; charset=utf-8")


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
