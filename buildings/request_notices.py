"""Managers are told by e-mail of who asks to belong: at once, each morning, or never, as each chose.

A request comes due when it is made, and again after each of REMINDED_AFTER, until it is answered. Of each
manager one moment is stored, up to which they were told; it moves on in the transaction that puts the message
into the outbox, so that nothing is told twice or forgotten, whenever `remind_all()` is run or ended.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import Action
from audit.operations import Origin, record
from buildings.models import (
    Membership,
    MembershipQuerySet,
    NoticeChoice,
    RequestNotices,
)
from contacts.message_texts import OVER, NothingToSend, writes
from contacts.models import Kind, Message, Purpose, Status, User
from contacts.operations import (
    lock_person,
)
from contacts.outbox import enqueue, language_of, reached_by

REMINDED_AFTER = (timedelta(hours=24), timedelta(hours=48))
# By then somebody must have come to look: superusers see it.
OVERDUE_AFTER = timedelta(hours=72)
# When those are told who are told daily, on the community's clock.
MORNING = 8
# Of a manager who was never told: further back lies what others were to answer.
_LOOK_BACK = timedelta(days=1)
# What is being written at this moment cannot be seen yet.
_SETTLED = timedelta(minutes=1)
_MOST_LISTED = 20


def waiting_longer_than(period: timedelta) -> Q:
    """Over requests: those made before; it is not known when those of the legacy server were."""
    return Q(started_at=None) | Q(started_at__lt=timezone.now() - period)


def choice_of(user: User) -> NoticeChoice:
    """What the manager chose."""
    notices = RequestNotices.objects.filter(user=user).first()
    return NoticeChoice.AT_ONCE if notices is None else NoticeChoice(notices.choice)


@transaction.atomic
def choose_notices(*, origin: Origin, user: User, choice: NoticeChoice) -> bool:
    """Be told of requests so from now on; whether that was new. Raises PersonErased."""
    user = lock_person(user)
    notices = _notices_of(user, timezone.now())
    if notices.choice == choice:
        return False
    before, notices.choice = notices.choice, choice
    notices.save()
    record(
        origin=origin,
        action=Action.NOTICES_CHOSEN,
        target=user,
        person=user,
        before={"request_notices": before},
        after={"request_notices": choice},
    )
    return True


def tell_managers(*, origin: Origin, request: Membership) -> None:
    """Tell of a new request those managers of its block who are told at once: part of what makes it."""
    told_at_once = Q(user__request_notices=None) | Q(
        user__request_notices__choice=NoticeChoice.AT_ONCE
    )
    managing = Membership.objects.managing().filter(
        told_at_once, block=request.block_id, block__status=Status.ACTIVE
    )
    for manager in {each.user for each in managing.select_related("user").order_by("pk")}:
        _tell(origin, manager, [request.pk])


def remind_all(*, origin: Origin) -> int:
    """Tell every manager what came due since they were told; how many messages were put into the outbox."""
    blocks = Membership.objects.waiting().values("block")
    managing = Membership.objects.managing().filter(block__status=Status.ACTIVE, block__in=blocks)
    managers = User.objects.filter(pk__in=managing.values("user")).order_by("pk")
    return sum(remind(origin=origin, manager=manager) for manager in managers)


@transaction.atomic
def remind(*, origin: Origin, manager: User) -> bool:
    """Tell one manager what came due since they were told; whether there was anything."""
    manager = lock_person(manager)
    now = timezone.now() - _SETTLED
    notices = _notices_of(manager, now)
    if notices.choice == NoticeChoice.NEVER:
        return False
    daily = notices.choice == NoticeChoice.DAILY
    until = _last_morning(now) if daily else now
    due = Q()
    for after in (*REMINDED_AFTER, *([timedelta()] if daily else [])):
        due |= Q(started_at__gt=notices.told_until - after, started_at__lte=until - after)
    requests = [each.pk for each in _answered_by(manager).filter(due).order_by("pk")]
    if notices.told_until >= until or not requests or not _tell(origin, manager, requests):
        return False
    notices.told_until = until
    notices.save()
    return True


def _notices_of(user: User, now: datetime) -> RequestNotices:
    """What is stored of a manager who is locked, or a new row that is not saved yet."""
    found = RequestNotices.objects.filter(user=user).first()
    return found or RequestNotices(user=user, told_until=now - _LOOK_BACK)


def _answered_by(manager: User) -> MembershipQuerySet:
    """The requests that this manager may answer."""
    managed = Membership.objects.managing().filter(user=manager, block__status=Status.ACTIVE)
    return Membership.objects.waiting().filter(block__in=managed.values("block"))


def _last_morning(now: datetime) -> datetime:
    local = timezone.localtime(now)
    today = local.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return today if today <= local else today - timedelta(days=1)


def _tell(origin: Origin, manager: User, requests: list[int]) -> bool:
    to = reached_by(manager, Kind.EMAIL)
    if to:
        enqueue(
            origin=origin,
            purpose=Purpose.REQUESTS,
            kind=Kind.EMAIL,
            to=to,
            user=manager,
            language=language_of(manager),
            values={"requests": requests},
        )
    return bool(to)


@writes(Purpose.REQUESTS)
def _written(message: Message) -> tuple[str, str]:
    """Those requests that still wait, and that whoever is told may still answer."""
    manager = message.user
    if manager is None or choice_of(manager) == NoticeChoice.NEVER:
        raise NothingToSend(OVER)
    found = _answered_by(manager).filter(pk__in=message.values["requests"])
    requests = list(found.select_related("user", "block", "apartment").order_by("pk"))
    if not requests:
        raise NothingToSend(OVER)
    count = len(requests)
    subject = ngettext("%(count)d request waits for you", "%(count)d requests wait for you", count)
    return subject % {"count": count}, "\n".join(_lines(message, requests))


def _lines(message: Message, requests: list[Membership]) -> Iterable[str]:
    yield _("They ask to belong to your block in Omarty:")
    yield ""
    yield from (f"- {_line(each)}" for each in requests[:_MOST_LISTED])
    further = len(requests) - _MOST_LISTED
    if further > 0:
        yield ngettext("and %(count)d more", "and %(count)d more", further) % {"count": further}
    yield ""
    if message.site:
        path = reverse("admin:buildings_membership_changelist")
        link = (
            f"{message.site.rstrip('/')}{path}?{urlencode({'status__exact': Status.PENDING.value})}"
        )
        yield _("Approve or refuse them here: %(link)s") % {"link": link}
    else:
        yield _("Approve or refuse them in the back-office.")
    yield _("How you are told of requests you choose there, above the list of memberships.")


def _line(request: Membership) -> str:
    """A name, and what was asked and when: no contact."""
    facts = {
        "who": " ".join(str(request.user).split()),
        "block": request.block,
        "unit": request.apartment,
        "role": request.get_role_display(),
        "day": date_format(timezone.localtime(request.started_at), "SHORT_DATETIME_FORMAT")
        if request.started_at
        else "–",
    }
    if request.apartment is None:
        return _("%(who)s: block %(block)s, as %(role)s, asked on %(day)s") % facts
    return _("%(who)s: block %(block)s, unit %(unit)s, as %(role)s, asked on %(day)s") % facts
