"""Bearer tokens: how they are signed, read and refused (contract/answers.md, "No or bad token").

Every token carries its session and its user's session stamp. The end of the session ends its access and
refresh tokens at once; a ban or a new password changes the stamp, and with it ends those of all sessions.
"""

import hashlib
from datetime import timedelta
from typing import Any, TypeVar

import jwt
from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from buildings.permissions import Caller, PersonRow, caller
from contacts.models import AppSession, Status, User
from omarty.api.envelopes import CallRefused, StatusAndMessage

STAMP = "stamp"
SESSION = "session"

# What is wrong with a token.
BAD_SIGNATURE: StatusAndMessage = (401, "Signature verification failed")
ENDED: StatusAndMessage = (401, "Session has ended, please sign in again")
EXPIRED: StatusAndMessage = (401, "Expired token")
MALFORMED: StatusAndMessage = (401, "Wrong number of segments")
OF_NOBODY: StatusAndMessage = (401, "User not found")
SPENT: StatusAndMessage = (401, "Token was used already")
WRONG_KIND: StatusAndMessage = (401, "Token is of the wrong kind")

# The legacy texts: there at sign-in only, here at every call too (legacy-facts.md, 3.1).
STATUS_REFUSED: dict[Status, StatusAndMessage] = {
    Status.PENDING: (
        403,
        "This email Status is Binding, please wait until it is activated.",
    ),
    Status.BANNED: (
        403,
        "This email is Banned by Omarty Super Admin, please contact the administration.",
    ),
}


# The clocks of two servers differ, and one may be put back.
LEEWAY = timedelta(seconds=30)


class KeyRing(TokenBackend):
    """Signs with the current key; reads what the current or a former one signed."""

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        try:
            return super().decode(token, verify)
        except TokenBackendError as error:
            if not isinstance(error.__cause__, jwt.InvalidSignatureError):
                raise
            for key in settings.JWT_FORMER_KEYS:
                former = TokenBackend(self.algorithm, signing_key=key, leeway=LEEWAY)
                try:
                    return former.decode(token, verify)
                except TokenBackendError as tried:
                    if not isinstance(tried.__cause__, jwt.InvalidSignatureError):
                        raise
            raise


_KEYS = KeyRing("HS256", signing_key=settings.JWT_SIGNING_KEY, leeway=LEEWAY)


class Access(AccessToken):
    """What an app sends with every call."""

    _token_backend = _KEYS


class Refresh(RefreshToken):
    """What an app trades for a new pair of tokens, once."""

    _token_backend = _KEYS
    access_token_class = Access

    @classmethod
    def of(cls, session: AppSession) -> "Refresh":
        """The session's token. All in it comes from the session: made twice, it is the same."""
        token = cls()
        token.current_time = session.renewed_at
        token.set_iat(at_time=session.renewed_at)
        token.set_exp(from_time=session.renewed_at)
        token[api_settings.JTI_CLAIM] = session.token_id
        token[api_settings.USER_ID_CLAIM] = str(session.user.pk)
        token[STAMP] = session.user.session_stamp
        token[SESSION] = session.pk
        return token

    @property
    def access_token(self) -> Access:
        access = Access()
        kept = {
            name: value for name, value in self.payload.items() if name not in self.no_copy_claims
        }
        access.payload |= kept
        access.set_iat(at_time=self.current_time)
        access.set_exp(from_time=self.current_time)
        own_id = hashlib.sha256(f"access {self[api_settings.JTI_CLAIM]}".encode())
        access[api_settings.JTI_CLAIM] = own_id.hexdigest()[:32]
        return access


AnyToken = TypeVar("AnyToken", bound=Token)


def read(kind: type[AnyToken], raw: Any) -> AnyToken:
    """The token. Raises CallRefused (401), which says what is wrong with it."""
    try:
        return kind(raw)
    except TokenError as error:
        raise CallRefused(*_token_problem(error)) from error
    except UnicodeEncodeError as error:
        # Half of a character, which no token has.
        raise CallRefused(*MALFORMED) from error
    except KeyError as error:
        # Signed by us, but without a claim that every token of ours has.
        raise CallRefused(*WRONG_KIND) from error


def _token_problem(error: TokenError) -> StatusAndMessage:
    found = error.__cause__.__cause__ if error.__cause__ is not None else None
    match found:
        case jwt.ExpiredSignatureError():
            return EXPIRED
        case jwt.InvalidSignatureError() | jwt.InvalidAlgorithmError():
            return BAD_SIGNATURE
        case jwt.DecodeError():
            return MALFORMED
    return WRONG_KIND


def require_session(user: User | PersonRow, token: Token) -> None:
    """Raises CallRefused: 403 for a pending or banned user, 401 for a token whose session has ended."""
    status = Status(user.status)
    if status in STATUS_REFUSED:
        raise CallRefused(*STATUS_REFUSED[status])
    if token.get(STAMP) != user.session_stamp:
        raise CallRefused(*ENDED)


def user_id(token: Token) -> int:
    """Whose token it is. Raises CallRefused (401) where it names nobody."""
    return _id(token.get(api_settings.USER_ID_CLAIM, ""), WRONG_KIND)


def session_id(token: Token) -> int:
    """Of which session it is. Raises CallRefused (401) where it names none, as tokens of old do."""
    return _id(token.get(SESSION, ""), ENDED)


def _id(claimed: Any, otherwise: StatusAndMessage) -> int:
    text = str(claimed)
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise CallRefused(*otherwise)
    return int(text)


class BearerToken(BaseAuthentication):
    """Who asks: `request.user`, and as `request.auth` the Caller with their memberships; one statement."""

    def authenticate(self, request: Any) -> tuple[PersonRow, Caller] | None:
        scheme, _, raw = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = read(Access, raw.strip())
        who = caller(user_id(token), session_id=session_id(token))
        if who is None:
            raise CallRefused(*OF_NOBODY)
        require_session(who.user, token)
        if who.session_id is None:
            raise CallRefused(*ENDED)
        return who.user, who

    def authenticate_header(self, request: Any) -> str:
        return "Bearer"
