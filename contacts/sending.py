"""Sends what waits in the outbox.

Each message is sent once: whoever sends it marks it first. One whose sending was cut off may have arrived, so
it is told as failed and not sent again. What could not be sent is tried again, later each time, until it is
not worth it any more.
"""

from collections import Counter
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_noop

from contacts.contact_changes import was_told
from contacts.gateways import INTERRUPTED, CannotSend, send_email, send_sms
from contacts.message_texts import NothingToSend, Written, written
from contacts.models import Kind, Message, MessageState, Purpose
from contacts.outbox import country_of, has_way

# After how many minutes each further attempt follows.
_BACK_OFF = (1, 5, 15, 60, 240, 720)
# Longer than any attempt takes.
_CUT_OFF = timedelta(minutes=10)
_AT_ONCE = 200
TOO_LATE = gettext_noop("it could not be sent in time")
NOT_SET_UP = gettext_noop("nothing is set up to send it by")
NO_COUNTRY = gettext_noop("no text messages are sent to this country")
USED_UP = gettext_noop("as many text messages as a day allows were sent")


def send_due() -> Counter[str]:
    """Send what is due; how many messages came into each state. Several may do so at once."""
    now = timezone.now()
    cut_off = Message.objects.filter(state=MessageState.SENDING, claimed_at__lt=now - _CUT_OFF)
    failed = cut_off.update(state=MessageState.FAILED, problem=INTERRUPTED)
    counts = Counter({MessageState.FAILED.value: failed})
    for message in due().order_by("next_at", "pk")[:_AT_ONCE]:
        if _claimed(message):
            _send(message)
            counts[message.state] += 1
    return counts


def due() -> "models.QuerySet[Message]":
    """What is to be sent now."""
    return Message.objects.filter(state=MessageState.WAITING, next_at__lte=timezone.now())


def _claimed(message: Message) -> bool:
    """Whether it is ours to send."""
    waiting = Message.objects.filter(pk=message.pk, state=MessageState.WAITING)
    count = models.F("attempts") + 1
    claimed = waiting.update(state=MessageState.SENDING, claimed_at=timezone.now(), attempts=count)
    if claimed:
        message.refresh_from_db()
    return bool(claimed)


def _send(message: Message) -> None:
    message.state, message.problem = MessageState.SENT, ""
    try:
        if timezone.now() >= message.expires_at:
            raise CannotSend(TOO_LATE, for_good=True)
        _check_quota(message)
        _deliver(message, written(message))
        message.sent_at = timezone.now()
        if message.purpose == Purpose.CONTACT_CHANGED:
            was_told(message)
    except NothingToSend as nothing:
        # Nobody holds the contact, or not any more.
        message.problem = str(nothing)
    except CannotSend as error:
        pause = _BACK_OFF[min(message.attempts, len(_BACK_OFF)) - 1]
        later = timezone.now() + timedelta(minutes=pause)
        given_up = error.for_good or later >= message.expires_at
        message.problem = str(error)
        message.state = MessageState.FAILED if given_up else MessageState.WAITING
        message.next_at = later
    message.save()


def _deliver(message: Message, text: Written) -> None:
    """Raises CannotSend."""
    kind = Kind(message.kind)
    if not has_way(kind):
        message.shown = "\n\n".join(filter(None, (text.subject, text.body)))
        print(f"--- {message.to}\n{message.shown}\n---", flush=True)  # noqa: T201
    elif kind is Kind.EMAIL:
        send_email(message, text)
    else:
        send_sms(message, text)


def _check_quota(message: Message) -> None:
    """Raises CannotSend if there is no way to send it, or none today."""
    kind = Kind(message.kind)
    if not has_way(kind):
        if not settings.DEBUG:
            raise CannotSend(NOT_SET_UP, for_good=True)
        return
    if kind is Kind.EMAIL:
        return
    country = country_of(message.to)
    if country not in settings.SMS_COUNTRIES:
        raise CannotSend(NO_COUNTRY, for_good=True)
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    # This one included, and what others send at this moment.
    states = (MessageState.SENDING, MessageState.SENT)
    sent = Message.objects.filter(kind=kind, claimed_at__gte=today, state__in=states, problem="")
    numbers = list(sent.values_list("to", flat=True)[: settings.SMS_A_DAY + 1])
    there = sum(country_of(number) == country for number in numbers)
    if len(numbers) > settings.SMS_A_DAY or there > settings.SMS_COUNTRIES[country]:
        raise CannotSend(USED_UP)
