"""The two shapes of every answer, and the one place where exceptions become one of them."""

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    QueryDict,
    UnreadablePostError,
)
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.response import Response

from buildings.operations import ApartmentExists
from buildings.permissions import AccessRefused, SeveralBlocks, WhyAccessRefused

logger = logging.getLogger(__name__)


class CallRefused(Exception):
    """An answer other than success: an HTTP status and the message (contract/answers.md, CallRefused)."""

    def __init__(self, status: int, message: Any, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.headers = headers or {}


# contract/answers.md, CreateApartment rows 5 and 6, AddContact rows 3 to 8.
ACCESS_REFUSED: dict[WhyAccessRefused, tuple[int, str]] = {
    WhyAccessRefused.NOT_MANAGER: (200, "User does not have permissions in this block."),
    WhyAccessRefused.BLOCK_PENDING: (200, "Block status is still Binding."),
    WhyAccessRefused.BLOCK_BANNED: (200, "Block is Banned."),
    WhyAccessRefused.BLOCK_UNKNOWN: (401, "Block Not Found."),
    WhyAccessRefused.NOT_IN_BLOCK: (401, "User doesn't have any relation to this block."),
    WhyAccessRefused.APARTMENT_UNKNOWN: (200, "apartment not found in block"),
    WhyAccessRefused.NOT_IN_APARTMENT: (406, "Resident does not relate to this apartment."),
    WhyAccessRefused.MEMBERSHIP_PENDING: (200, "Apartment status is still binding."),
    WhyAccessRefused.MEMBERSHIP_BANNED: (200, "Apartment is Banned."),
}

UNREADABLE_BODY = "The request could not be read."
TOO_LARGE = "Request body is larger than 1 MB."


def success(data: Any) -> Response:
    """`{"status": 200, "data": …}`."""
    return Response({"status": 200, "data": data})


def refusal(status: int, message: Any, headers: dict[str, str] | None = None) -> Response:
    """`{"status": N, "message": …}` with the same HTTP status."""
    headers = dict(headers or {})
    if status == 401:
        headers.setdefault("WWW-Authenticate", "Bearer")
    return Response({"status": status, "message": message}, status=status, headers=headers)


def answer_exception(error: Exception, context: dict[str, Any]) -> Response:
    """The answer that tells the client of this exception; DRF's exception handler."""
    match error:
        case CallRefused():
            return refusal(error.status, error.message, error.headers)
        case AccessRefused():
            return refusal(*ACCESS_REFUSED[error.why])
        case SeveralBlocks():
            return refusal(200, "Please enter blockId.")
        case ApartmentExists():
            return refusal(200, "Apartment already registered.")
        case exceptions.NotAuthenticated():
            return refusal(401, "Access token not found")
        case exceptions.MethodNotAllowed():
            return refusal(405, "Only POST is allowed here.")
        case exceptions.ParseError():
            return refusal(400, UNREADABLE_BODY)
        case exceptions.UnsupportedMediaType():
            return refusal(415, "Send a form or JSON.")
        case exceptions.APIException():
            return refusal(error.status_code, str(error.detail))
        case Http404():
            return refusal(404, "Not found.")
        case RequestDataTooBig():
            return refusal(413, TOO_LARGE)
        case SuspiciousOperation() | BadRequest() | UnreadablePostError():
            return refusal(400, UNREADABLE_BODY)
        case PermissionDenied():
            return refusal(403, "Not allowed.")
    return _fault(error, context["request"])


def _fault(error: Exception, request: HttpRequest) -> Response:
    """500 without inner detail; the log has the rest under the same request id."""
    request_id = str(request.request_id)  # type: ignore[attr-defined]
    logger.error("Request %s failed", request_id, exc_info=error)
    return refusal(500, f"Server error. Request {request_id}.")


def plain(status: int, message: str) -> HttpResponse:
    """The refusal outside of DRF: for what fails before or beside our views."""
    return JsonResponse({"status": status, "message": message}, status=status)


def body_of(request: Any) -> Mapping[str, Any]:
    """The request's fields, whatever the body's type.

    Raises CallRefused (413, 411, 400) and what DRF raises.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise CallRefused(413, TOO_LARGE)
    if length == "0" and "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise CallRefused(411, "Content-Length is required.")
    try:
        # Read whole first: of a body that was cut off on the way nothing is believed.
        if len(request._request.body) < int(length if length.isdigit() else 0):
            raise CallRefused(400, UNREADABLE_BODY)
        data = request.data
    except (UnicodeError, LookupError) as error:
        # The body's charset is none that text can be read with.
        raise CallRefused(400, UNREADABLE_BODY) from error
    if not isinstance(data, Mapping | QueryDict):
        raise CallRefused(400, "The body must be an object of fields.")
    return data


class AlwaysJSON(BaseContentNegotiation):
    """The API speaks JSON whatever `Accept` asks, as its predecessor did."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        wanted = request.content_type.partition(";")[0].strip().lower()
        return next((each for each in parsers if each.media_type == wanted), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class JSONObjectParser(JSONParser):
    """JSON, with an answer for what is nested too deep for Python's own reader."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError("JSON parse error") from error
