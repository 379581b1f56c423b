"""Contacts that a user of the back-office types and somebody holds: refused, recorded, and counted.

Each refusal says that the contact is known here. So there are few a day for one user, whichever page
they come from; after them no contact is looked for.
"""

from datetime import timedelta
from typing import Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from audit.models import Action
from audit.operations import Where, record
from buildings.permissions import known_contacts
from contacts.counting import count_down, count_of, count_up
from contacts.models import Claim, Kind
from contacts.refusals import record_refusal
from omarty.backoffice.base.scoped_admin import origin_of, scope

# What entries store as the rule that refused.
CONTACT_TAKEN = gettext_noop("contact held by somebody else")
USED_UP = gettext_noop("too many contacts of other people for one day")
A_DAY = timedelta(days=1)


class ContactTaken(ValidationError):
    """A row action was refused because somebody holds the contact, of whom nothing may be told."""


def may_know(request: HttpRequest, kind: Kind, typed: str) -> bool:
    """Whether somebody holds the contact who may be told of to the user."""
    claims = Claim.objects.filter(kind=kind, value=kind.canonical(typed))
    within = scope(request).changes
    return known_contacts(claims, asking=origin_of(request).actor, within=within).exists()


def refuse_once_used_up(request: HttpRequest, *, action: Action, **where: Unpack[Where]) -> None:
    """Raise ValidationError if the day's number is used up, and record that.

    Call it before any contact is looked for: what takes longer where somebody holds it would tell. Outside of
    a transaction that the error rolls back, or there is no entry.
    """
    if _is_exempt(request):
        return
    if count_of(*_counter(request), within=A_DAY) >= settings.CONTACT_REFUSALS_A_DAY:
        record_refusal(origin=origin_of(request), action=action, refused=USED_UP, **where)
        raise _used_up()


def count_look(request: HttpRequest, *, taken: int, action: Action, **where: Unpack[Where]) -> None:
    """Count that somebody asked for contacts, of which so many are taken; record the refusal of these.

    Raises ValidationError if that is more than the day's number. Call it before an answer tells anything of
    the contacts, of free ones too: others may have used up the number meanwhile. A superuser, who sees
    everybody, is not counted.
    """
    if _is_exempt(request):
        before, within = 0, 0
    else:
        before, within = _counted(request, taken)
    # Used up before: the entries that are there say enough.
    if taken and before < settings.CONTACT_REFUSALS_A_DAY:
        record(
            origin=origin_of(request),
            action=action,
            refused=CONTACT_TAKEN,
            after={"contacts": taken},
            **where,
        )
    if within > settings.CONTACT_REFUSALS_A_DAY:
        raise _used_up()


@transaction.atomic
def _counted(request: HttpRequest, taken: int) -> tuple[int, int]:
    """How many were taken before, and with these; to look at a free one counts while it is looked at."""
    counter, looked = _counter(request), taken or 1
    within = count_up(*counter, within=A_DAY, by=looked)
    if not taken:
        count_down(*counter)
    return within - looked, within


def _is_exempt(request: HttpRequest) -> bool:
    return scope(request).changes.ids is None


def _counter(request: HttpRequest) -> tuple[str, object]:
    return "contact taken", request.user.pk


def _used_up() -> ValidationError:
    return ValidationError(
        _("Too many contacts of other people for one day. Please go on tomorrow.")
    )
