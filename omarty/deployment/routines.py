"""What the database says should have been done by now: sweeping, and the demo's accounts removed."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.checks import CheckMessage, Warning
from django.db.models import Q
from django.utils import timezone

from buildings.models import Membership
from contacts.models import AppSession, BackofficeSession, User
from omarty.demo import small
from omarty.deployment.commands import manage, paste

# As long as a timer may fail without being noticed.
SWEPT_WITHIN = timedelta(days=2)
# So many hashes take some ten seconds.
MOST_TRIED = 50


def warnings() -> Iterator[CheckMessage]:
    """About sign-ins that expired, and the demo's people."""
    long_ago = timezone.now() - SWEPT_WITHIN
    unused = long_ago - timedelta(days=settings.REFRESH_TOKEN_DAYS)
    expired = BackofficeSession.objects.filter(expire_date__lt=long_ago).count()
    expired += AppSession.objects.filter(renewed_at__lt=unused).count()
    if expired:
        yield Warning(
            f"{expired} sessions expired more than {SWEPT_WITHIN.days} days ago and are still stored.",
            hint=paste(
                manage("clearsessions"),
                why="Once a day, from a timer (deploy/omarty-daily.timer).",
            ),
            id="omarty.W025",
        )
    yield from _demo_warnings()


def _demo_warnings() -> Iterator[CheckMessage]:
    """The demo's names, of which one contact may have been changed, and whoever has rights: few hashes."""
    emails = [f"{name}@example.org" for name, _phone, _shown in small.PEOPLE]
    phones = [phone for _name, phone, _shown in small.PEOPLE if phone]
    people = User.objects.order_by("pk")
    tried = {*people.filter(Q(email__in=emails) | Q(phone__in=phones))}
    managing = Membership.objects.managing().values("user")
    tried.update(people.filter(is_superuser=True)[:MOST_TRIED])
    tried.update(people.filter(pk__in=managing)[: max(0, MOST_TRIED - len(tried))])
    known = [
        user
        for user in sorted(tried, key=lambda user: user.pk)
        if check_password(small.PASSWORD, user.password)
    ]
    if not known:
        return
    commands = [manage("changepassword", "--random", str(user.pk)) for user in known]
    superusers = [user for user in known if user.is_superuser]
    why = "One after the other."
    if superusers:
        # The last superuser keeps the right, and `createsuperuser` would read what is pasted behind it.
        revoke = "; ".join(manage("revoke_superuser", str(user.pk)) for user in superusers)
        why = (
            f"First the lines below; then `{manage('createsuperuser')}`, which asks; and when that has ended"
            f" `{revoke}`."
        )
    names = ", ".join(user.email or user.phone or str(user.pk) for user in known)
    yield Warning(
        f"The demo's password, which stands in the README, opens {names}.",
        hint=paste(*commands, why=why),
        id="omarty.W026",
    )
