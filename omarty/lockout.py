"""What the sign-ins of the API and the back-office share: whose attempt it is, and when to wait."""

from django.conf import settings
from django.utils.translation import gettext_noop, ngettext

from contacts.authentication import parse_login

# What entries of refused sign-ins store; pages translate them.
NEITHER = gettext_noop("neither an e-mail nor a phone")
PAUSED = gettext_noop("too many attempts")
WRONG = gettext_noop("wrong name or password")


def attempted_name(typed: str) -> str:
    """The canonical form of what was typed; NEITHER if it is no contact: it may be a password."""
    login = parse_login(typed)
    return login[1] if login else NEITHER


def pause_seconds() -> int:
    """How long the pause after too many attempts lasts at most."""
    return settings.SIGN_IN_PAUSE_MINUTES * 60


def too_many_attempts() -> str:
    """The message for a person who has to wait."""
    minutes = settings.SIGN_IN_PAUSE_MINUTES
    return ngettext(
        "Too many attempts. Please wait up to %(minutes)d minute, then try again.",
        "Too many attempts. Please wait up to %(minutes)d minutes, then try again.",
        minutes,
    ) % {"minutes": minutes}
