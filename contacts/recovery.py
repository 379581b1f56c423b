"""A forgotten password: a link by e-mail or a code by text message, to a contact that somebody signs in with.

Nobody who asks learns whose a contact is, or whether it is anybody's: to ask only puts a message into the
outbox, and who holds the contact is looked up when that is sent.
"""

import secrets
from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from audit.models import Action
from audit.operations import Origin, record
from contacts.attempts import password_is_right
from contacts.authentication import holder_for_sign_in
from contacts.counting import count_up
from contacts.invitations import has_signed_in, make_link
from contacts.models import Kind, Purpose, RecoveryCode, Status, User
from contacts.operations import lock_person
from contacts.outbox import enqueue, is_known

# How long a link and a code serve.
LINK_SERVES_FOR, CODE_SERVES_FOR = timedelta(hours=1), timedelta(minutes=15)
# Wrong codes, after which the right one does not serve either.
MOST_TRIES = 5
# Messages to one contact in an hour: whoever asks for more gets the same answer and sends nothing.
MOST_AN_HOUR = 3
_HOUR = timedelta(hours=1)


class NobodyRecovers(Exception):
    """Nobody signs in with this contact, or not now."""


@transaction.atomic
def ask(*, origin: Origin, kind: Kind, value: str, language: str) -> None:
    """Have whoever signs in with this contact sent a way in."""
    if count_up("recovery", value, within=_HOUR) <= MOST_AN_HOUR:
        enqueue(
            origin=origin,
            purpose=Purpose.RECOVERY,
            kind=kind,
            to=value,
            language=language,
        )


@transaction.atomic
def link_for(*, origin: Origin, value: str) -> tuple[User, str]:
    """Who recovers by this e-mail, and their link's secret. Raises NobodyRecovers."""
    user = _who_recovers(Kind.EMAIL, value)
    secret = _link(user, Kind.EMAIL, value, LINK_SERVES_FOR)
    record(origin=origin, action=Action.RECOVERY_SENT, target=user, person=user)
    return user, secret


@transaction.atomic
def code_for(*, origin: Origin, value: str) -> tuple[User, str]:
    """Who recovers by this phone, and their code; an earlier one ends. Raises NobodyRecovers."""
    user = _who_recovers(Kind.PHONE, value)
    code = f"{secrets.randbelow(10**6):06}"
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.create(
        user=user,
        digest=_digest(user, value, code),
        session_stamp=user.session_stamp,
        expires_at=timezone.now() + CODE_SERVES_FOR,
    )
    record(origin=origin, action=Action.RECOVERY_SENT, target=user, person=user)
    return user, code


def redeem(*, value: str, code: str, address: str | None) -> str | None:
    """The secret of a link for whoever has this phone and this code, which is spent; None if it is wrong.

    Raises TooManyAttempts: a code counts as a password does.
    """
    user = holder_for_sign_in(Kind.PHONE, value)
    right = password_is_right(
        lambda: user is not None and _is_right(user, value, code),
        login=value,
        person=user,
        address=address,
    )
    if not right or user is None:
        return None
    with transaction.atomic():
        try:
            user = _who_recovers(Kind.PHONE, value)
        except NobodyRecovers:
            # Not any more.
            return None
        spent, _ = _codes(user).filter(digest=_digest(user, value, code)).delete()
        return _link(user, Kind.PHONE, value, CODE_SERVES_FOR) if spent else None


def _link(user: User, kind: Kind, value: str, serves_for: timedelta) -> str:
    """The secret of a link for a person who is locked, by this contact of theirs.

    Of who never signed in the contact is what somebody says of them: it is that manager's link.
    """
    claim = user.claims.select_related("set_by").get(kind=kind, value=value)
    made_by = None if has_signed_in(user) else claim.set_by
    return make_link(user, made_by=made_by, sent_by=kind, recovers=True, serves_for=serves_for)[1]


def delete_past_codes() -> None:
    """Delete codes that do not serve any more."""
    RecoveryCode.objects.filter(expires_at__lte=timezone.now()).delete()


def _is_right(user: User, value: str, code: str) -> bool:
    codes = _codes(user)
    # Counted first, so that of many at once no more are looked at.
    if not codes.filter(tries__lt=MOST_TRIES).update(tries=models.F("tries") + 1):
        return False
    return codes.filter(digest=_digest(user, value, code)).exists()


def _codes(user: User) -> "models.QuerySet[RecoveryCode]":
    """The person's code that is not too old, if their account is as it was."""
    codes = RecoveryCode.objects.filter(user=user, session_stamp=user.session_stamp)
    return codes.filter(expires_at__gt=timezone.now())


def _who_recovers(kind: Kind, value: str) -> User:
    """The holder, locked. Raises NobodyRecovers."""
    user = holder_for_sign_in(kind, value)
    if user is None:
        raise NobodyRecovers
    user = lock_person(user)
    # Whoever changed the contact is not to come in by it, before its holder could take the change back.
    if user.status != Status.ACTIVE or not is_known(user, kind, value):
        raise NobodyRecovers
    return user


def _digest(user: User, value: str, code: str) -> str:
    # A code serves for the phone alone that it was sent to.
    said = f"{user.pk} {value} {code}"
    return salted_hmac("contacts.recovery", said, algorithm="sha256").hexdigest()
