"""For 72 hours after somebody else changed the contact that a person signs in with, the old one serves on.

So no manager takes an account over: the change is told to the old contact, which goes on signing in and can
take it back. The new one recovers no forgotten password until 72 hours after its holder was told, and none
where they could not be told: a superuser's link lets them in then. Who never signed in loses nothing.
"""

from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from audit.operations import Origin
from contacts.invitations import has_signed_in
from contacts.models import Claim, ContactChange, Kind, Message, Purpose, User
from contacts.outbox import tell

SERVES_FOR = timedelta(hours=72)
_SECRET_BYTES = 16


class ChangeOver(Exception):
    """The change cannot be taken back any more, or there is none of this secret."""


def note_change(
    *, origin: Origin, user: User, kind: Kind, claim: Claim | None, promoted: bool = False
) -> None:
    """Let the contact that a person signed in with serve on, and tell them there.

    `claim` is the person's hold on it; None if they had none of this kind that they know of: what somebody
    else set before does not serve on. Part of the operation that changes it. Of several changes in a row
    the first contact is what serves on. They are told by a contact that nobody else set.
    """
    serves_until = timezone.now() + SERVES_FOR
    delete_past_changes(user=user, kind=kind)
    change, is_new = ContactChange.objects.get_or_create(
        user=user,
        kind=kind,
        defaults={
            "former": getattr(user, kind.value) if claim else "",
            "hidden": getattr(user, f"{kind.value}_hidden") if claim else False,
            "claim": claim,
            "promoted": promoted,
            "serves_until": serves_until,
        },
    )
    if not is_new:
        ContactChange.objects.filter(pk=change.pk).update(
            serves_until=serves_until, promoted=promoted
        )
    own_first = sorted(Kind, key=lambda each: each != kind)
    tell(origin, user, Purpose.CONTACT_CHANGED, by=own_first, values={"change": change.pk})


def was_told(message: Message) -> None:
    """The person was sent the message of a change: the 72 hours begin."""
    change = ContactChange.objects.filter(pk=message.values["change"]).first()
    if change is not None:
        change.serves_until = timezone.now() + SERVES_FOR
        change.save(update_fields=["serves_until"])
        untold = Claim.objects.filter(user=change.user_id, kind=change.kind, recovers_from=None)
        # Not what serves on: of that they know as before.
        primary = untold.filter(secondaryemail=None, secondaryphone=None, contact_change=None)
        primary.update(recovers_from=change.serves_until)


def is_others_change(origin: Origin, user: User) -> bool:
    """Whether somebody else changes a person who has signed in, and could lose their account by it."""
    actor = origin.actor.pk if origin.actor is not None else None
    return actor != user.pk and has_signed_in(user)


def secret_of(message: Message) -> str:
    """The secret of the link that takes back the change which a message tells of. Raises ChangeOver.

    It is the same in every message of the change, so that none ends what another told.
    """
    change = ContactChange.open(pk=message.values["change"]).first()
    if change is None:
        raise ChangeOver
    secret = _secret_of(change)
    ContactChange.objects.filter(pk=change.pk).update(digest=_digest(secret))
    return secret


def change_of(secret: str) -> ContactChange:
    """The change that this link takes back. Raises ChangeOver."""
    change = ContactChange.open(digest=_digest(secret)).select_related("user").first()
    if change is None:
        raise ChangeOver
    return change


def end_change(user: User, kind: Kind) -> None:
    """Let the former contact serve no more, such as when it is the primary one again."""
    _delete(ContactChange.objects.filter(user=user, kind=kind))


def delete_past_changes(**of: Any) -> None:
    """Delete changes that cannot be taken back any more, and the holds on contacts that nobody uses."""
    _delete(ContactChange.objects.filter(serves_until__lte=timezone.now(), **of))


@transaction.atomic
def _delete(changes: "models.QuerySet[ContactChange]") -> None:
    claims = list(changes.exclude(claim=None).values_list("claim", flat=True))
    changes.delete()
    unused = Claim.objects.filter(pk__in=claims, secondaryemail=None, secondaryphone=None)
    unused.delete()


def _secret_of(change: ContactChange) -> str:
    """128 bits that only this server can make of what is stored."""
    mac = salted_hmac(
        "contacts.contact_changes.secret", f"{change.pk} {change.seed}", algorithm="sha256"
    )
    return urlsafe_b64encode(mac.digest()[:_SECRET_BYTES]).decode().rstrip("=")


def _digest(secret: str) -> str:
    return salted_hmac("contacts.contact_changes", secret, algorithm="sha256").hexdigest()
