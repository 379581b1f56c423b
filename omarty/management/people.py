"""What commands about one person share: finding whom the operator names, and the reason that they give."""

import re

from audit.models import REASON_LENGTH
from contacts.authentication import parse_login
from contacts.models import Claim, User
from omarty.management.base import CommandRefused, UsageProblem

# Digits of an id that may be a phone; those of people are few else.
_AS_LONG_AS_A_PHONE = 8


def person(text: str) -> User:
    """The person with this e-mail, phone or id; `#7` is an id. Raises CommandRefused if there is none.

    Ids made beside an old server are as long as phones without their zero: what can mean either is refused.
    """
    digits = re.fullmatch("#?([1-9][0-9]{0,17})", text)
    by_id = User.objects.filter(pk=int(digits[1])).first() if digits else None
    login = None if text.startswith("#") else parse_login(text)
    claim = login and Claim.objects.filter(kind=login[0], value=login[1]).first()
    if by_id and claim and claim.user != by_id:
        raise CommandRefused(
            f"{text} is the id of {by_id} and the phone of {claim.user}: write #{text} for the id, or"
            f" {login and login[1]} for the phone."
        )
    if by_id and login and not claim and len(text) >= _AS_LONG_AS_A_PHONE:
        raise CommandRefused(
            f"Nobody has the phone {text}; to mean the person with this id, write #{text}."
        )
    user = claim.user if claim else by_id
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
