"""Contacts that a user of the back-office types and somebody else holds: refused, recorded, and counted.

Each refusal says that the contact is known here. So there are few a day for one user, whichever page
they come from; after them nothing is said of any contact.
"""

from datetime import timedelta
from typing import Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from audit.models import Action
from audit.operations import Where, record
from contacts.counting import count_down, count_up
from omarty.backoffice.base.scoped_admin import origin_of, scope

# What entries store as the rule that refused.
CONTACT_TAKEN = gettext_noop("contact held by somebody else")
A_DAY = timedelta(days=1)


class ContactTaken(ValidationError):
    """A row action was refused because somebody else holds the contact."""


def count_look(request: HttpRequest, *, taken: int, action: Action, **where: Unpack[Where]) -> None:
    """Count that somebody asks for contacts, of which so many are taken; record the refusal of these.

    Raises ValidationError once the day's number is used up. Call it before an answer tells anything of the
    contacts, of free ones too: used up, all answers are the same. A superuser, who sees everybody, is not
    counted.
    """
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
        raise ValidationError(
            _("Too many contacts of other people for one day. Please go on tomorrow.")
        )


def _counted(request: HttpRequest, taken: int) -> tuple[int, int]:
    """How many were taken before, and with these; to look at a free one counts while it is looked at."""
    if scope(request).changes.ids is None:
        return 0, 0
    counter, looked = ("contact taken", request.user.pk), taken or 1
    within = count_up(*counter, within=A_DAY, by=looked)
    if not taken:
        count_down(*counter)
    return within - looked, within
