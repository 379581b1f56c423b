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


def count_look(request: HttpRequest, *, taken: int, action: Action, **where: Unpack[Where]) -> str:
    """Count that somebody asks for contacts, of which so many are taken, and record the refusal of these.

    Returns what to say once the day's number is used up, else an empty text. It must be asked for before
    an answer tells anything of the contacts, of free ones too: used up, all answers are the same. A
    superuser, who sees everybody, is not counted.
    """
    counted = scope(request).changes.ids is not None
    of, most, looked = (
        ("contact taken", request.user.pk),
        settings.CONTACT_REFUSALS_A_DAY,
        taken or 1,
    )
    within = count_up(*of, within=A_DAY, by=looked) if counted else 0
    if counted and not taken:
        count_down(*of)
    # Used up before: the entries that are there say enough.
    if taken and within - looked < most:
        record(
            origin=origin_of(request),
            action=action,
            refused=CONTACT_TAKEN,
            after={"contacts": taken},
            **where,
        )
    return too_many() if within > most else ""


def too_many() -> str:
    """The message for somebody who typed too many contacts of others on one day."""
    return _("Too many contacts of other people for one day. Please go on tomorrow.")
