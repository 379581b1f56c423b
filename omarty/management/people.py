"""What commands about one person share: finding whom the operator names, and the reason that they give."""

import re

from audit.models import REASON_LENGTH
from contacts.authentication import parse_login
from contacts.models import Claim, User
from omarty.management.base import CommandRefused, UsageProblem


def person(text: str) -> User:
    """The person with this e-mail, phone or id. Raises CommandRefused if there is none."""
    login = parse_login(text)
    claim = login and Claim.objects.filter(kind=login[0], value=login[1]).first()
    if claim:
        return claim.user
    number = int(text) if re.fullmatch("[0-9]{1,18}", text) else 0
    user = User.objects.filter(pk=number).first()
    if user is None:
        raise CommandRefused(f"Nobody has the e-mail, phone or id {text!r}.")
    return user


def reason_of(text: str | None) -> str:
    """What `--reason` says, for the entries; empty without it. Raises UsageProblem if blank or too long."""
    if text is None:
        return ""
    reason = text.strip()
    if not 1 <= len(reason) <= REASON_LENGTH:
        raise UsageProblem(f"--reason must have 1 to {REASON_LENGTH} characters.")
    return reason
