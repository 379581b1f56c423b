"""The outbox: messages are rows of the change that they tell of; `contacts.sending` sends them after it."""

from datetime import timedelta
from typing import Any

import phonenumbers
from django.conf import settings
from django.core.management import call_command
from django.db import models, transaction
from django.utils import timezone

from audit.models import Action, Channel
from audit.operations import Origin, record
from contacts.models import Claim, Kind, Message, MessageState, Purpose, User
from contacts.text import is_arabic

# Of messages that were sent or given up.
KEPT_FOR = timedelta(days=90)
# How long a message is worth sending: for a code somebody waits.
_WORTH_SENDING = {
    Purpose.INVITATION: timedelta(days=3),
    Purpose.RECOVERY: timedelta(minutes=15),
    Purpose.PASSWORD_SET: timedelta(days=3),
    Purpose.CONTACT_CHANGED: timedelta(days=3),
    # A reminder follows.
    Purpose.REQUESTS: timedelta(days=1),
}


def has_way(kind: Kind) -> bool:
    """Whether something is set up by which messages of this kind leave the server."""
    return bool(settings.EMAIL_URL if kind is Kind.EMAIL else settings.SMS_URL)


def goes_to(kind: Kind, to: str) -> bool:
    """Whether messages are sent to this contact, which is in canonical form; in a trial they are shown."""
    if not has_way(kind):
        return settings.DEBUG
    if kind is Kind.EMAIL:
        # In canonical form a name of other letters is another mailbox's, and few servers take the real one.
        return not to.startswith("xn--")
    return country_of(to) in settings.SMS_COUNTRIES


def country_of(number: str) -> str:
    """The two letters of the country of a number in canonical form; empty for none."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""


def language_of(user: User) -> str:
    """In which language a person is written to, of whom nothing but the name tells it."""
    return "ar" if is_arabic(user.name) else "en"


@transaction.atomic
def enqueue(*, origin: Origin, purpose: Purpose, kind: Kind, to: str, **fields: Any) -> Message:
    """A message to a contact in canonical form, to be sent after this transaction.

    `fields` are further ones of Message: user, language, values.
    """
    message = Message.objects.create(
        purpose=purpose,
        kind=kind,
        to=to,
        made_by=origin.actor if isinstance(origin.actor, User) else None,
        channel=origin.channel,
        ip=origin.ip,
        request_id=origin.request_id,
        site=origin.site or _own_site(),
        expires_at=timezone.now() + _WORTH_SENDING[purpose],
        **fields,
    )
    if settings.DEBUG and not has_way(kind):
        # In a trial nothing else calls it.
        transaction.on_commit(lambda: call_command("send_messages", "--quiet"), robust=True)
    return message


def origin_of(message: Message) -> Origin:
    """Who had it made, and from where, for the entry of what is done when it is sent."""
    return Origin(
        channel=Channel(message.channel),
        actor=message.made_by,
        ip=message.ip,
        site=message.site,
        request_id=message.request_id,
    )


def tell(origin: Origin, user: User, purpose: Purpose, *, by: list[Kind], **fields: Any) -> None:
    """Tell a person what happened to their account, by the first of these kinds that reaches them."""
    found = [(kind, to) for kind in by if (to := reached_by(user, kind))]
    for kind, to in found[:1]:
        enqueue(
            origin=origin,
            purpose=purpose,
            kind=kind,
            to=to,
            user=user,
            language=language_of(user),
            **fields,
        )


def reached_by(user: User, kind: Kind) -> str:
    """The primary contact of this kind in canonical form, if messages are sent there; else empty.

    One that somebody else set is not known to be theirs before it recovers a password: till then it is the
    contact before, if that serves still.
    """
    now = timezone.now()
    known = Claim.objects.filter(user=user, kind=kind, recovers_from__lte=now)
    primary = _primary(user, kind)
    serving = models.Q(value=primary) | models.Q(contact_change__serves_until__gt=now)
    values = known.filter(serving).values_list("value", flat=True)
    reached = sorted(values, key=lambda value: value != primary)
    return next((value for value in reached if goes_to(kind, value)), "")


def is_known(user: User, kind: Kind, value: str) -> bool:
    """Whether the person knows of this contact of theirs, as `Claim.is_known` says."""
    known = Claim.objects.filter(user=user, recovers_from__lte=timezone.now())
    return known.filter(kind=kind, value=value).exists()


def _primary(user: User, kind: Kind) -> str:
    typed = user.email if kind is Kind.EMAIL else user.phone
    try:
        return kind.canonical(typed) if typed else ""
    except ValueError:
        # Taken once, and none today.
        return ""


def _own_site() -> str:
    """Where links lead in messages that a command has sent."""
    host = next(iter(settings.ALLOWED_HOSTS), "").strip("*.")
    scheme = "https" if settings.HTTPS else "http"
    return f"{scheme}://{host}/" if host and not settings.DEBUG else ""


@transaction.atomic
def send_again(*, origin: Origin, message: Message) -> bool:
    """Let a message that failed be sent after all; whether it had failed."""
    now = timezone.now()
    failed = Message.objects.filter(pk=message.pk, state=MessageState.FAILED)
    again = failed.update(
        state=MessageState.WAITING,
        attempts=0,
        next_at=now,
        expires_at=now + _WORTH_SENDING[Purpose(message.purpose)],
        problem="",
    )
    if again:
        action = Action.MESSAGE_SENT_AGAIN
        record(origin=origin, action=action, target=message, person=message.user)
    return bool(again)


def delete_past_messages() -> None:
    """Delete what was sent, or given up, long ago."""
    over = Message.objects.filter(state__in=(MessageState.SENT, MessageState.FAILED))
    over.filter(made_at__lt=timezone.now() - KEPT_FOR).delete()
