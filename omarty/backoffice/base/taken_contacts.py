"""Contacts that a user of the back-office types and somebody else holds: refused, recorded, and counted.

Each refusal says that the contact is known here. So there are few a day for one user, whichever page
they come from.
"""

from datetime import timedelta
from typing import Any, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from audit.models import Action
from audit.operations import Where, record
from contacts.counting import count_up
from omarty.backoffice.base.scoped_admin import origin_of, scope

# What entries store as the rule that refused.
CONTACT_TAKEN = gettext_noop("contact held by somebody else")
A_DAY = timedelta(days=1)


class ContactTaken(ValidationError):
    """A row action was refused because somebody else holds the contact; `action` is what was tried."""

    def __init__(self, message: Any, *, action: Action) -> None:
        super().__init__(message)
        self.action = action


def count_taken(
    request: HttpRequest, *, action: Action, contacts: int = 1, **where: Unpack[Where]
) -> str:
    """Record the refusal of so many contacts; what to say once the day's number is used up, else empty.

    A superuser, who sees everybody, is not counted.
    """
    before = 0
    if scope(request).changes.ids is not None:
        within = count_up("contact taken", request.user.pk, within=A_DAY, by=contacts)
        before = within - contacts
        if before >= settings.CONTACT_REFUSALS_A_DAY:
            # The entries that are there say enough.
            return too_many()
    record(
        origin=origin_of(request),
        action=action,
        refused=CONTACT_TAKEN,
        after={"contacts": contacts},
        **where,
    )
    return too_many() if before + contacts > settings.CONTACT_REFUSALS_A_DAY else ""


def too_many() -> str:
    """The message for somebody who typed too many contacts of others on one day."""
    return _("Too many contacts of other people for one day. Please go on tomorrow.")
