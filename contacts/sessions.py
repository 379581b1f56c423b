"""Sessions of the app and the back-office: how they start, are renewed, and end.

A session is there while it serves; what expired, or was signed by a key since replaced, is listed nowhere
and swept. Besides, every token and back-office session is bound to its person's session stamp: a new
password or a ban ends all of them, whatever this module does.
"""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit.models import Action
from audit.operations import Origin, record
from contacts.models import (
    DEVICE_LENGTH,
    AppSession,
    BackofficeSession,
    User,
    app_key,
    backoffice_key,
    key_digest,
)

# So long the refresh token before the last serves too: the answer to it may have been lost on the way.
GRACE = timedelta(seconds=30)
USED_TWICE = gettext_noop("refresh token used twice")

AnySession = AppSession | BackofficeSession


class SessionEnded(Exception):
    """There is no such session, or not any more."""


class TokenUsedTwice(Exception):
    """Somebody has a copy of the refresh token: the session was ended for whoever holds it."""


@transaction.atomic
def start_app_session(*, origin: Origin, user: User, device: str = "") -> AppSession:
    """A sign-in in the app."""
    session = AppSession.objects.create(
        user=user, token_id=uuid.uuid4().hex, device=device[:DEVICE_LENGTH], ip=origin.ip
    )
    record(origin=origin, action=Action.SIGNED_IN, target=user, person=user)
    return session


def renew_app_session(*, origin: Origin, user: User, session_id: int, token_id: str) -> AppSession:
    """The session with a fresh `token_id`, or, if this one was just renewed, the same once more.

    Raises SessionEnded, TokenUsedTwice.
    """
    with transaction.atomic():
        session = _locked(user, session_id)
        serves = _serves(session, token_id)
        if not serves:
            _end_for_reuse(origin, session)
        elif token_id == session.token_id:
            session.former_token_id, session.token_id = token_id, uuid.uuid4().hex
            session.renewed_at, session.signed_by = timezone.now(), app_key()
            session.save(update_fields=["former_token_id", "token_id", "renewed_at", "signed_by"])
            record(origin=origin, action=Action.SESSION_RENEWED, target=user, person=user)
    if not serves:
        raise TokenUsedTwice
    return session


def sign_out_of_app(*, origin: Origin, user: User, session_id: int, token_id: str) -> None:
    """End the session of this refresh token. Raises as `renew_app_session()` does."""
    with transaction.atomic():
        session = _locked(user, session_id)
        serves = _serves(session, token_id)
        if serves:
            session.delete()
            record(origin=origin, action=Action.SIGNED_OUT, target=user, person=user)
        else:
            _end_for_reuse(origin, session)
    if not serves:
        raise TokenUsedTwice


def sessions_of(user: User) -> list[AnySession]:
    """A person's sessions that serve, in the app and the back-office, those begun last first."""
    app = AppSession.objects.filter(user=user, renewed_at__gt=_oldest(), signed_by__in=_app_keys())
    office = BackofficeSession.objects.filter(
        user=user, expire_date__gt=timezone.now(), signed_by=backoffice_key()
    )
    return sorted([*app, *office], key=lambda each: each.started_at, reverse=True)


@transaction.atomic
def end_session(*, origin: Origin, user: User, public_id: str) -> None:
    """End one of a person's sessions. Raises SessionEnded if there is none, or not any more."""
    session = next((each for each in sessions_of(user) if each.public_id == public_id), None)
    if session is None or not session.delete()[0]:
        raise SessionEnded
    after = {"device": session.device}
    record(origin=origin, action=Action.SESSION_ENDED, target=user, person=user, after=after)


def delete_sessions(*users: User) -> None:
    """Delete what is stored of these people's sessions, when they all end."""
    for model in (AppSession, BackofficeSession):
        model._default_manager.filter(user__in=users).delete()


def delete_past_sessions() -> None:
    """Delete the app's sessions that were not renewed in time, and all that no key of today signed."""
    AppSession.objects.filter(renewed_at__lte=_oldest()).delete()
    AppSession.objects.exclude(signed_by__in=_app_keys()).delete()
    BackofficeSession.objects.exclude(signed_by=backoffice_key()).delete()


def _app_keys() -> list[str]:
    return [app_key(), *map(key_digest, settings.JWT_FORMER_KEYS)]


def _oldest() -> datetime:
    return timezone.now() - timedelta(days=settings.REFRESH_TOKEN_DAYS)


def _locked(user: User, session_id: int) -> AppSession:
    session = AppSession.objects.select_for_update().filter(pk=session_id, user=user).first()
    if session is None:
        raise SessionEnded
    return session


def _serves(session: AppSession, token_id: str) -> bool:
    in_time = timezone.now() - session.renewed_at <= GRACE
    return token_id == session.token_id or (in_time and token_id == session.former_token_id)


def _end_for_reuse(origin: Origin, session: AppSession) -> None:
    session.delete()
    user = session.user
    record(
        origin=origin,
        action=Action.SESSION_RENEWED,
        target=user,
        person=user,
        refused=USED_TWICE,
    )
