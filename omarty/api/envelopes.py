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
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response

from buildings.operations import ApartmentExists
from buildings.permissions import AccessRefused, SeveralBlocks, WhyAccessRefused

logger = logging.getLogger(__name__)

# What every answer other than success says: the HTTP status, and the message.
StatusAndMessage = tuple[int, Any]


class CallRefused(Exception):
    """An answer other than success: an HTTP status and the message (contract/answers.md, Refusal)."""

    def __init__(self, status: int, message: Any, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.headers = headers or {}


# Each text stands here once: the code answers with it, and the API pages show it as an example.

# contract/answers.md, CreateApartment rows 5 and 6, AddContact rows 3 to 8.
ACCESS_REFUSED: dict[WhyAccessRefused, StatusAndMessage] = {
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


def access_refusals(*reasons: WhyAccessRefused) -> dict[str, StatusAndMessage]:
    """The answers for these reasons, each by its title in the API pages."""
    return {why.value.capitalize(): ACCESS_REFUSED[why] for why in reasons}


# contract/answers.md, CreateApartment rows 4 and 7.
BLOCK_ID_NEEDED: StatusAndMessage = (200, "Please enter blockId.")
NUMBER_TAKEN: StatusAndMessage = (200, "Apartment already registered.")

# contract/answers.md, Both endpoints.
UNREADABLE_BODY: StatusAndMessage = (400, "The request could not be read.")
NO_FIELDS: StatusAndMessage = (400, "The body must be an object of fields.")
NO_TOKEN: StatusAndMessage = (401, "Access token not found")
NOT_ALLOWED: StatusAndMessage = (403, "Not allowed.")
NO_SUCH_ADDRESS: StatusAndMessage = (404, "Not found.")
NOT_POST: StatusAndMessage = (405, "Only POST is allowed here.")
# Of the pages that tell of the API.
NOT_GET: StatusAndMessage = (405, "Only GET is allowed here.")
NO_LENGTH: StatusAndMessage = (411, "Content-Length is required.")
TOO_LARGE: StatusAndMessage = (413, "Request body is larger than 1 MB.")
NEITHER_FORM_NOR_JSON: StatusAndMessage = (415, "Send a form or JSON.")
COMPRESSED: StatusAndMessage = (415, "Send the body uncompressed.")
SERVER_ERROR: StatusAndMessage = (500, "Server error.")


def no_such_method(verb: str, name: str) -> StatusAndMessage:
    """For a field `api` that names no method of the address."""
    return 404, f"Method {verb}::{name}() does not exist"


def server_error(request_id: str) -> StatusAndMessage:
    """For an error of ours; the log has the rest under the same id."""
    status, message = SERVER_ERROR
    return status, f"{message} Request {request_id}."


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
    """The answer that an exception becomes; DRF's exception handler."""
    match error:
        case CallRefused():
            return refusal(error.status, error.message, error.headers)
        case AccessRefused():
            return refusal(*ACCESS_REFUSED[error.why])
        case SeveralBlocks():
            return refusal(*BLOCK_ID_NEEDED)
        case ApartmentExists():
            return refusal(*NUMBER_TAKEN)
        case exceptions.NotAuthenticated():
            return refusal(*NO_TOKEN)
        case exceptions.MethodNotAllowed():
            may_post = "POST" in context["view"].allowed_methods
            return refusal(*NOT_POST if may_post else NOT_GET)
        case exceptions.ParseError():
            return refusal(*UNREADABLE_BODY)
        case exceptions.UnsupportedMediaType():
            return refusal(*NEITHER_FORM_NOR_JSON)
        case exceptions.APIException():
            return refusal(error.status_code, str(error.detail))
        case Http404():
            return refusal(*NO_SUCH_ADDRESS)
        case RequestDataTooBig():
            return refusal(*TOO_LARGE)
        case SuspiciousOperation() | BadRequest() | UnreadablePostError():
            return refusal(*UNREADABLE_BODY)
        case PermissionDenied():
            return refusal(*NOT_ALLOWED)
    return _answer_server_error(error, context["request"])


def _answer_server_error(error: Exception, request: HttpRequest) -> Response:
    """500 without inner detail."""
    request_id = str(request.request_id)  # type: ignore[attr-defined]
    logger.error("Request %s failed", request_id, exc_info=error)
    return refusal(*server_error(request_id))


def plain(status: int, message: str) -> HttpResponse:
    """The refusal outside of DRF: for what fails before or beside our views."""
    return JsonResponse({"status": status, "message": message}, status=status)


def body_of(request: Any) -> Mapping[str, Any]:
    """The request's fields, whatever the body's type.

    Raises CallRefused (415, 413, 411, 400) and what DRF raises.
    """
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding not in {"", "identity"}:
        raise CallRefused(*COMPRESSED, headers={"Accept-Encoding": "identity"})
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise CallRefused(*TOO_LARGE)
    if length == "0" and "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise CallRefused(*NO_LENGTH)
    try:
        # Read it whole first: a body that was cut off on the way is refused, not read in part.
        if len(request._request.body) < int(length if length.isdigit() else 0):
            raise CallRefused(*UNREADABLE_BODY)
        data = request.data
    except (UnicodeError, LookupError) as error:
        # The body names a charset that text cannot be read with.
        raise CallRefused(*UNREADABLE_BODY) from error
    if not isinstance(data, Mapping | QueryDict):
        raise CallRefused(*NO_FIELDS)
    return data


class AlwaysJSON(BaseContentNegotiation):
    """The API speaks JSON whatever `Accept` asks, as the legacy server did."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        wanted = request.content_type.partition(";")[0].strip().lower()
        return next((each for each in parsers if each.media_type == wanted), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class AnyCaseMultiPartParser(MultiPartParser):
    """A form in parts, whatever the case of its type: Django's own reader knows small letters only."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        name, semicolon, parameters = (media_type or "").partition(";")
        media_type = name.strip().lower() + semicolon + parameters
        return super().parse(stream, media_type, parser_context)


class JSONObjectParser(JSONParser):
    """JSON; what is nested too deep for Python's own reader is a parse error too."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError("JSON parse error") from error
