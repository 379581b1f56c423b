"""Invitations: links by which people whom somebody registered set their password.

A link's secret has 128 bits of chance, and only a digest of it is stored. It serves once, for SERVES_FOR, and
ends when another is made. To open it does not spend it: messengers fetch what they show a preview of.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Unpack

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from audit.models import Action
from audit.operations import Origin, Where, record
from contacts.models import Invitation, Kind, Purpose, Status, User
from contacts.open_invitations import end_open_invitations, open_invitations
from contacts.operations import change_password, doubt_contacts, lock_person
from contacts.outbox import tell

SERVES_FOR = timedelta(days=14)
_SECRET_BYTES = 16


class WhyLinkRefused(Enum):
    """Why a link does not serve."""

    UNKNOWN = "unknown"
    USED = "used"
    ENDED = "ended"
    EXPIRED = "expired"
    PERSON = "person"


class LinkRefused(Exception):
    """The link does not serve, or not any more."""

    def __init__(self, why: WhyLinkRefused) -> None:
        super().__init__(why.value)
        self.why = why


def has_signed_in(user: User) -> bool:
    """Whether a person has, or could have, signed in: here, or with a password of the old server."""
    no_password = not user.password or user.password.startswith(UNUSABLE_PASSWORD_PREFIX)
    return user.last_login is not None or not no_password


def never_signed_in() -> models.Q:
    """Over people: those of whom `has_signed_in()` says no."""
    none = models.Q(password="") | models.Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return models.Q(last_login=None) & none


@transaction.atomic
def invite(
    *,
    origin: Origin,
    user: User,
    made_by: User | None,
    sent_by: Kind | None = None,
    **where: Unpack[Where],
) -> tuple[Invitation, str]:
    """A new invitation of the person, and its secret; earlier ones end. Raises PersonErased."""
    user = lock_person(user)
    end_open_invitations(user)
    invitation, secret = make_link(user, made_by=made_by, sent_by=sent_by)
    record(origin=origin, action=Action.INVITED, target=user, person=user, **where)
    return invitation, secret


def make_link(
    user: User,
    *,
    made_by: User | None = None,
    sent_by: Kind | None = None,
    recovers: bool = False,
    serves_for: timedelta = SERVES_FOR,
) -> tuple[Invitation, str]:
    """A link for a person who is locked, and its secret. Who asks for one does not end what others made."""
    open_invitations(user).filter(recovers=recovers).update(ended_at=timezone.now())
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    invitation = Invitation.objects.create(
        user=user,
        made_by=made_by,
        sent_by=sent_by or "",
        recovers=recovers,
        digest=_digest(secret),
        session_stamp=user.session_stamp,
        expires_at=timezone.now() + serves_for,
    )
    return invitation, secret


@transaction.atomic
def end_invitations(*, origin: Origin, user: User, **where: Unpack[Where]) -> bool:
    """End the person's open invitations; whether there was any."""
    user = lock_person(user)
    ended = end_open_invitations(user)
    if ended:
        record(origin=origin, action=Action.INVITATION_ENDED, target=user, person=user, **where)
    return bool(ended)


def opened(secret: str, *, still_serves: Callable[[Invitation], bool]) -> Invitation:
    """The invitation of this secret. Raises LinkRefused.

    `still_serves` says whether whoever made it may invite the person today.
    """
    found = Invitation.objects.select_related("user", "made_by").filter(digest=_digest(secret))
    invitation = found.first()
    if invitation is None:
        raise LinkRefused(WhyLinkRefused.UNKNOWN)
    if invitation.used_at is not None:
        raise LinkRefused(WhyLinkRefused.USED)
    if invitation.ended_at is not None:
        raise LinkRefused(WhyLinkRefused.ENDED)
    if invitation.expires_at <= timezone.now():
        raise LinkRefused(WhyLinkRefused.EXPIRED)
    user = invitation.user
    # A new password, a suspension, all sessions ended, a sign-in: the account is not as it was.
    changed = user.session_stamp != invitation.session_stamp or (
        user.last_login is not None and user.last_login > invitation.made_at
    )
    if changed or user.status != Status.ACTIVE or not still_serves(invitation):
        raise LinkRefused(WhyLinkRefused.PERSON)
    return invitation


@transaction.atomic
def accept(
    *,
    origin: Origin,
    secret: str,
    password: str,
    still_serves: Callable[[Invitation], bool],
) -> User:
    """Give the person of this link their password, which spends it. Raises LinkRefused.

    Of several at once one succeeds, for each waits for the person.
    """
    lock_person(opened(secret, still_serves=still_serves).user)
    invitation = opened(secret, still_serves=still_serves)
    invitation.used_at = timezone.now()
    invitation.save(update_fields=["used_at"])
    user = invitation.user
    is_first = not has_signed_in(user)
    record(origin=origin, action=Action.INVITATION_USED, target=user, person=user)
    # By a contact that they still know of.
    others_first = sorted(Kind, key=lambda kind: kind == invitation.sent_by)
    tell(origin, user, Purpose.PASSWORD_SET, by=others_first)
    change_password(origin=origin, user=user, password=password)
    if is_first or not invitation.recovers:
        # Others said what they sign in with, and may have passed the link on.
        doubt_contacts(user)
    return user


def _digest(secret: str) -> str:
    return salted_hmac("contacts.invitations", secret, algorithm="sha256").hexdigest()
