"""What every request carries."""

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


def request_id(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Gives each request an id that its answer, its log lines and its audit entries share."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4()  # type: ignore[attr-defined]
        response = get_response(request)
        response["X-Request-ID"] = str(request.request_id)  # type: ignore[attr-defined]
        return response

    return middleware
