"""Sign-in, renewal and sign-out of the app: `POST /omartyapis/Auth/…/`."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.http import HttpRequest
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.response import Response

from audit.models import Action
from audit.operations import Origin, record
from contacts.models import Status, User
from omarty.api import tokens
from omarty.api.calls import origin_of
from omarty.api.envelopes import CallRefused, StatusAndMessage, body_of, success
from omarty.api.fields import LATITUDE, LONGITUDE, Text
from omarty.api.schema import REFRESH_FIELD, Page, single
from omarty.api.tokens import STATUS_REFUSED, Refresh
from omarty.lockout import attempted_name

EMAIL = Text("email", required=True, about="E-mail or phone.", example="resident@example.org")
PASSWORD = Text("password", required=True, secret=True, example="omarty-demo")
REFRESH = Text(REFRESH_FIELD, required=True, about="`Refresh` of the last sign-in or renewal.")
# The app sends them; they are not read yet.
UNUSED = (Text("googleToken"), Text("os"), Text("deviceId"))

NO_LOGIN: StatusAndMessage = (406, "Please enter Data (email / password)")
WRONG_LOGIN: StatusAndMessage = (401, "Wrong email or password.")
PAUSE: StatusAndMessage = (429, "Too many attempts, please try again later.")
NO_REFRESH: StatusAndMessage = (406, "Please enter Data (refresh)")
SIGNED_OUT = "Signed out."

_TOKENS = {"Token": "eyJhbGciOiJIUzI1NiJ9.e30.…", "Refresh": "eyJhbGciOiJIUzI1NiJ9.e30.…"}
_DATA = {
    "iat": 1700000000,
    "id": "2",
    "userName": "Sara Example",
    "email": "sara@example.org",
    "phoneNumber": "01000000001",
    "residentImage": "",
}
_STATUS_REFUSED = {
    "Pending": STATUS_REFUSED[Status.PENDING],
    "Banned": STATUS_REFUSED[Status.BANNED],
}
_REFRESH_REFUSED = {
    "Nothing given": NO_REFRESH,
    "Not a token": tokens.MALFORMED,
    "Signed by another server": tokens.BAD_SIGNATURE,
    "Expired": tokens.EXPIRED,
    "Used twice": tokens.SPENT,
    "Session ended": tokens.ENDED,
    **_STATUS_REFUSED,
}


# No cache keeps an answer with tokens in it.
NOT_STORED = {"Cache-Control": "no-store"}


@single(
    Page(
        "Login",
        "Sign in by e-mail or phone.",
        fields=(EMAIL, PASSWORD, *UNUSED, LONGITUDE, LATITUDE),
        data={"Signed in": {"Data": _DATA, **_TOKENS}},
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
    # django-axes and Django's sign-in take Django's own request, not DRF's.
    plain = request._request
    plain.sign_in_name = name
    user = authenticate(plain, username=name, password=password)
    if user is None:
        raise _record_failure(plain, origin, name)
    return success(_sign_in(plain, origin_of(request, data, user), user), NOT_STORED)


def _record_failure(plain: HttpRequest, origin: Origin, name: str) -> CallRefused:
    tried = attempted_name(plain, {"username": name}) or "neither an e-mail nor a phone"
    locked = getattr(plain, "axes_locked_out", False)
    why = "too many attempts" if locked else "wrong name or password"
    record(origin=replace(origin, actor_label=tried), action=Action.SIGNED_IN, refused=why)
    if locked:
        wait = {"Retry-After": str(settings.SIGN_IN_PAUSE_MINUTES * 60)}
        return CallRefused(*PAUSE, headers=wait)
    return CallRefused(*WRONG_LOGIN)


def _sign_in(request: Any, origin: Origin, user: User) -> dict[str, Any]:
    status = Status(user.status)
    if status in STATUS_REFUSED:
        record(
            origin=origin, action=Action.SIGNED_IN, target=user, person=user, refused=status.value
        )
        raise CallRefused(*STATUS_REFUSED[status])
    refresh = Refresh.of(user)
    with transaction.atomic():
        # On this signal Django stores the time, and django-axes forgets earlier failures.
        user_logged_in.send(sender=User, request=request, user=user)
        record(origin=origin, action=Action.SIGNED_IN, target=user, person=user)
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
        "Trade a refresh token, once, for a new pair of tokens.",
        fields=(REFRESH,),
        data={"Renewed": _TOKENS},
        messages=_REFRESH_REFUSED,
    )
)
@api_view(["POST"])
@authentication_classes([])
@permission_classes([])
def renew(request: Any) -> Response:
    """Trade a refresh token for a new pair."""
    user = _spend(request, Action.SESSION_RENEWED)
    return success(_pair(Refresh.of(user)), NOT_STORED)


@single(
    Page(
        "Logout",
        "End the session that a refresh token keeps alive.",
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
    _spend(request, Action.SIGNED_OUT)
    return success(SIGNED_OUT)


def _spend(request: Any, action: Action) -> User:
    """The user of the request's refresh token, which is revoked. Raises CallRefused."""
    data = body_of(request)
    raw = REFRESH.read(data)
    if raw is None:
        raise CallRefused(*NO_REFRESH)
    token = tokens.read(Refresh, raw)
    user = User.objects.filter(pk=tokens.user_id(token)).first()
    if user is None:
        raise CallRefused(*tokens.OF_NOBODY)
    tokens.require_session(user, token)
    with transaction.atomic():
        if not token.spend():
            raise CallRefused(*tokens.SPENT)
        record(origin=origin_of(request, data, user), action=action, target=user, person=user)
    return user


def _pair(refresh: Refresh) -> dict[str, str]:
    return {"Token": str(refresh.access_token), "Refresh": str(refresh)}
