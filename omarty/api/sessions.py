"""Where a person is signed in: `POST /omartyapis/Auth/Sessions/` and `…/EndSession/`."""

from typing import Any

from rest_framework.decorators import api_view
from rest_framework.response import Response

from buildings.permissions import Caller
from contacts.models import User
from contacts.sessions import AnySession, SessionEnded, end_session, sessions_of
from omarty.api.calls import origin_of
from omarty.api.envelopes import CallRefused, StatusAndMessage, body_of, success
from omarty.api.fields import Text
from omarty.api.schema import Page, fields_part, part, single

SESSION_ID = Text(
    "sessionId",
    required=True,
    about="An `id` of Sessions. No example can stand here, for it ends: paste yours, or in Postman set the"
    " variable `sessionId`.",
    example="{{sessionId}}",
)
NO_SESSION_ID: StatusAndMessage = (200, "Please enter sessionId.")
NO_SESSION: StatusAndMessage = (404, "Session Not Found.")
ENDED = "Session ended."

_EXAMPLE = {
    "id": "7",
    "place": "app",
    "device": "android",
    "startedAt": 1700000000,
    "current": True,
}
SESSION = fields_part(
    "Session",
    {
        "id": {"type": "string"},
        "place": {"type": "string", "enum": ["app", "back-office"]},
        "device": {"type": "string", "description": "What signed in, as it calls itself."},
        "startedAt": {"type": "integer", "description": "A Unix time."},
        "current": {"type": "boolean", "description": "Whether it is the one that asks."},
    },
)


@single(
    Page(
        "Sessions",
        "Where the caller is signed in, in the app and in the back-office, the last sign-in first. `id` names"
        " a session to EndSession, `startedAt` is a Unix time.",
        fields=(),
        data={"Sessions": {"1": _EXAMPLE}},
        data_shape=part("SessionList", type="object", additionalProperties=SESSION),
    ),
    token=True,
)
@api_view(["POST"])
def sessions(request: Any) -> Response:
    """Where the caller is signed in."""
    body_of(request)
    found = sessions_of(User.objects.get(pk=request.user.pk))
    return success(
        {str(number): _shown(each, request.auth) for number, each in enumerate(found, start=1)}
    )


@single(
    Page(
        "EndSession",
        "End one of the caller's sessions; its tokens serve no more.",
        fields=(SESSION_ID,),
        data={"Ended": ENDED},
        messages={"Nothing given": NO_SESSION_ID, "No such session": NO_SESSION},
    ),
    token=True,
)
@api_view(["POST"])
def end(request: Any) -> Response:
    """End one of the caller's sessions."""
    data = body_of(request)
    wanted = SESSION_ID.read(data)
    if wanted is None:
        raise CallRefused(*NO_SESSION_ID)
    try:
        person = User.objects.get(pk=request.user.pk)
        end_session(origin=origin_of(request, data, person), user=person, public_id=wanted)
    except SessionEnded as error:
        raise CallRefused(*NO_SESSION) from error
    return success(ENDED)


def _shown(session: AnySession, who: Caller) -> dict[str, Any]:
    return {
        "id": session.public_id,
        "place": "app" if session.in_app else "back-office",
        "device": session.device,
        "startedAt": int(session.started_at.timestamp()),
        "current": session.public_id == str(who.session_id),
    }
