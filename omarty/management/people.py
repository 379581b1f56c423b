"""Finds the person that an operator names."""

import re

from contacts.authentication import parse_login
from contacts.models import Claim, User
from omarty.management.base import CommandRefused


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
