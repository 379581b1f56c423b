"""What the commands that take a password share: it is asked for twice, and it must be a good one."""

import getpass
from collections.abc import Callable

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from contacts.models import User
from omarty.management.base import CommandRefused, UsageProblem


def ask(read: Callable[[str], str], prompt: str) -> str:
    """What somebody types. Raises UsageProblem if nobody is there."""
    try:
        return read(prompt)
    except EOFError as error:
        raise UsageProblem("There is nobody to ask: see --help for how to ask nothing.") from error


def ask_password(tell: Callable[[str], None]) -> str:
    """A password, typed twice alike; `tell` says so where the two differ."""
    while True:
        password = ask(getpass.getpass, "Password: ")
        if password == ask(getpass.getpass, "Password again: "):
            return password
        tell("The two passwords differ.")


def check_password(password: str, user: User) -> None:
    """Raises CommandRefused for a password that is too short, too common or like the person's own data."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandRefused(" ".join(error.messages)) from error
