"""Sign-in, renewal and sign-out of the app: `POST /omartyapis/Auth/…/`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.http import HttpRequest
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.response import Response
from rest_framework_simplejwt.settings import api_settings

from audit.models import Action
from audit.operations import Origin, record
from contacts.attempts import TooManyAttempts
from contacts.models import Status, User
from contacts.refusals import record_refusal
from contacts.sessions import (
    SessionEnded,
    TokenUsedTwice,
    renew_app_session,
    sign_out_of_app,
    start_app_session,
)
from omarty.api import tokens
from omarty.api.calls import origin_of
from omarty.api.envelopes import CallRefused, StatusAndMessage, body_of, success
from omarty.api.fields import LATITUDE, LONGITUDE, Text
from omarty.api.schema import REFRESH_FIELD, Page, fields_part, part, single
from omarty.api.tokens import STATUS_REFUSED, Refresh
from omarty.lockout import PAUSED, WRONG, attempted_name, pause_seconds
from omarty.retry import retry_on_deadlock

Done = TypeVar("Done")

EMAIL = Text(
    "email", required=True, about="E-mail or phone.", example="manager@example.org", contact=True
)
PASSWORD = Text(
    "password", required=True, secret=True, about="Their password.", example="omarty-demo"
)
REFRESH = Text(
    REFRESH_FIELD,
    required=True,
    about="`Refresh` of the last sign-in or renewal. Each serves once, so that no example can stand here:"
    " paste yours, or in Postman set the variable `refreshToken`.",
    example="{{refreshToken}}",
)
# The app sends them. What it runs on names the session; the rest is not read yet.
SYSTEM = Text("os", about="Names the session, by its first 60 characters.", example="android")
UNUSED = (
    Text("googleToken", about="Sent by the app, not read.", example="unused"),
    Text("deviceId", about="Sent by the app, not read.", example="unused"),
)

NO_LOGIN: StatusAndMessage = (406, "Please enter Data (email / password)")
WRONG_LOGIN: StatusAndMessage = (401, "Wrong email or password.")
# With it comes `Retry-After`, in seconds.
PAUSE: StatusAndMessage = (429, "Too many attempts, please try again later.")
NO_REFRESH: StatusAndMessage = (406, "Please enter Data (refresh)")
SIGNED_OUT = "Signed out."

_TOKENS = {"Token": "eyJhbGciOiJIUzI1NiJ9.e30.…", "Refresh": "eyJhbGciOiJIUzI1NiJ9.e30.…"}
_DATA = {
    "iat": 1700000000,
    "id": "2",
    "userName": "Mona Manager",
    "email": "manager@example.org",
    "phoneNumber": "01000000001",
    "residentImage": "",
}
DATA = fields_part(
    "Data",
    {
        "iat": {"type": "integer", "description": "When they signed in, as a Unix time."},
        "id": {"type": "string"},
        "userName": {"type": "string"},
        "email": {"type": "string", "description": "Empty where they have none."},
        "phoneNumber": {"type": "string", "description": "Empty where they have none."},
        "residentImage": {"type": "string", "description": "Always empty."},
    },
    description="Who has signed in.",
)
TOKENS = {
    "Token": part("Token", type="string", description="For `Authorization: Bearer …`."),
    "Refresh": part("Refresh", type="string", description="Traded for a new pair, once."),
}
PAIR = fields_part("Tokens", TOKENS)
_STATUS_REFUSED = {
    "Pending": STATUS_REFUSED[Status.PENDING],
    "Banned": STATUS_REFUSED[Status.BANNED],
}
_REFRESH_REFUSED = {
    "Nothing given": NO_REFRESH,
    "Not a token": tokens.MALFORMED,
    "Signed by another server": tokens.BAD_SIGNATURE,
    "Expired": tokens.EXPIRED,
    "An access token": tokens.WRONG_KIND,
    "Of nobody": tokens.OF_NOBODY,
    "Used twice": tokens.SPENT,
    "Session ended": tokens.ENDED,
    **_STATUS_REFUSED,
}


@single(
    Page(
        "Login",
        "Sign in by e-mail or phone.",
        fields=(EMAIL, PASSWORD, SYSTEM, *UNUSED, LONGITUDE, LATITUDE),
        data={"Signed in": {"Data": _DATA, **_TOKENS}},
        data_shape=fields_part("SignedIn", {"Data": DATA, **TOKENS}),
        messages={
            "Nothing given": NO_LOGIN,
            "Wrong e-mail, phone or password": WRONG_LOGIN,
            **_STATUS_REFUSED,
            "Too many attempts": PAUSE,
        },
    )
)
@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def login(request: Any) -> Response:
    """Sign in by e-mail or phone."""
    data = body_of(request)
    name, password = EMAIL.read(data), PASSWORD.read(data)
    if name is None or password is None:
        raise CallRefused(*NO_LOGIN)
    origin = origin_of(request, data)
    try:
        user = authenticate(request._request, username=name, password=password, address=origin.ip)
    except TooManyAttempts as error:
        record_refusal(
            origin=_attempt_of(origin, name), action=Action.SIGNED_IN, refused=PAUSED, of=error.of
        )
        raise CallRefused(*PAUSE, headers={"Retry-After": str(pause_seconds())}) from error
    if user is None:
        record(origin=_attempt_of(origin, name), action=Action.SIGNED_IN, refused=WRONG)
        raise CallRefused(*WRONG_LOGIN)
    origin = origin_of(request, data, user)
    device = SYSTEM.read(data) or ""
    return success(
        retry_on_deadlock(lambda: _sign_in(request._request, origin, user, password, device))
    )


def _attempt_of(origin: Origin, name: str) -> Origin:
    return replace(origin, actor_label=attempted_name(name))


def _sign_in(
    request: HttpRequest, origin: Origin, user: User, password: str, device: str
) -> dict[str, Any]:
    status = Status(user.status)
    if status in STATUS_REFUSED:
        record_refusal(
            origin=origin, action=Action.SIGNED_IN, refused=status.value, target=user, person=user
        )
        raise CallRefused(*STATUS_REFUSED[status])
    with transaction.atomic():
        # On this signal Django stores the time. First of all: the person's row is locked by it, and several
        # sign-ins of one person at once wait for each other instead of in a circle.
        user_logged_in.send(sender=User, request=request, user=user)
        # Somebody may have ended all sessions since the password was looked at, or set another one.
        looked_at = user.password
        user.refresh_from_db(fields=["session_stamp", "password"])
        still_right = user.password == looked_at or user.check_password(password)
        if still_right:
            session = start_app_session(origin=origin, user=user, device=device)
        else:
            transaction.set_rollback(True)
    if not still_right:
        record(origin=origin, action=Action.SIGNED_IN, refused=WRONG, target=user, person=user)
        raise CallRefused(*WRONG_LOGIN)
    refresh = Refresh.of(session)
    data = {
        "iat": refresh["iat"],
        "id": str(user.pk),
        "userName": user.user_name or user.name,
        "email": user.email or "",
        "phoneNumber": user.phone or "",
        "residentImage": "",
    }
    return {"Data": data, **_pair(refresh)}


@single(
    Page(
        "Refresh",
        "Trade a refresh token, once, for a new pair of tokens. Within 30 seconds the same token gives the"
        " same pair again, for the answer may have been lost; later it ends the session.",
        fields=(REFRESH,),
        data={"Renewed": _TOKENS},
        data_shape=PAIR,
        messages=_REFRESH_REFUSED,
    )
)
@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def renew(request: Any) -> Response:
    """Trade a refresh token for a new pair."""
    session = _with_session_of(request, renew_app_session)
    return success(_pair(Refresh.of(session)))


@single(
    Page(
        "Logout",
        "End the session of a refresh token: its access token too, at once.",
        fields=(REFRESH,),
        data={"Signed out": SIGNED_OUT},
        messages=_REFRESH_REFUSED,
    )
)
@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def logout(request: Any) -> Response:
    """End the session of a refresh token."""
    _with_session_of(request, sign_out_of_app)
    return success(SIGNED_OUT)


def _with_session_of(request: Any, operation: Callable[..., Done]) -> Done:
    """Do this to the session of the request's refresh token. Raises CallRefused."""
    data = body_of(request)
    raw = REFRESH.read(data)
    if raw is None:
        raise CallRefused(*NO_REFRESH)
    token = tokens.read(Refresh, raw)
    user = User.objects.filter(pk=tokens.user_id(token)).first()
    if user is None:
        raise CallRefused(*tokens.OF_NOBODY)
    tokens.require_session(user, token)
    origin = origin_of(request, data, user)
    try:
        return operation(
            origin=origin,
            user=user,
            session_id=tokens.session_id(token),
            token_id=token[api_settings.JTI_CLAIM],
        )
    except SessionEnded as error:
        raise CallRefused(*tokens.ENDED) from error
    except TokenUsedTwice as error:
        raise CallRefused(*tokens.SPENT) from error


def _pair(refresh: Refresh) -> dict[str, str]:
    return {"Token": str(refresh.access_token), "Refresh": str(refresh)}
