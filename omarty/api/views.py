"""The switch: the field `api` names the method (contract/answers.md, Both endpoints)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.decorators import api_view
from rest_framework.response import Response

from omarty.api import envelopes
from omarty.api.calls import Call
from omarty.api.create import create_apartment
from omarty.api.envelopes import CallRefused, body_of, plain, success
from omarty.api.fields import Text, as_text
from omarty.api.schema import Handler, address
from omarty.api.update import add_contact
from omarty.retry import retry_on_deadlock

CREATE: dict[str, Handler] = {"CreateApartment": create_apartment}
UPDATE: dict[str, Handler] = {"AddContact": add_contact}

API = Text("api")
ECHOED = 64


@address("Create", CREATE)
@api_view(["POST"])
def create(request: Any) -> Response:
    """Register something."""
    return answer(request, "Create", CREATE)


@address("Update", UPDATE)
@api_view(["POST"])
def update(request: Any) -> Response:
    """Change something."""
    return answer(request, "Update", UPDATE)


def answer(request: Any, verb: str, methods: Mapping[str, Handler]) -> Response:
    """What the method that `api` names answers; the caller is known by now. Raises CallRefused (404)."""
    data = body_of(request)
    name = API.read(data) or ""
    handler = next((methods[each] for each in methods if each.lower() == name.lower()), None)
    if handler is None:
        echo = as_text(data.get(API.name))[:ECHOED] if name else ""
        raise CallRefused(*envelopes.no_such_method(verb, echo))
    call = Call(request, request.auth, data)
    return success(retry_on_deadlock(lambda: handler(call)))


@csrf_exempt
def no_such_address(request: HttpRequest) -> HttpResponse:
    """Any other address below the API's: Django would answer with a page."""
    return plain(*envelopes.NO_SUCH_ADDRESS)
