"""That a user is who they are: their password again, a code; each try is counted and leaves an entry."""

from collections.abc import Callable
from functools import partial

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import Action
from audit.operations import Origin, record
from contacts.attempts import TooManyAttempts, own_password_is_right
from contacts.models import User
from contacts.refusals import record_refusal
from contacts.second_factor import WRONG_CODE, typed_code, use_code
from omarty.lockout import PAUSED, WRONG, too_many_attempts


class CodeInput(forms.TextInput):
    """An input that is empty again after a code was refused: it would be typed anew anyway."""

    def format_value(self, value: object) -> None:
        return None


class CodeField(forms.CharField):
    """A code as it counts, however it was typed."""

    widget = CodeInput

    def __init__(self, *, figures_only: bool = False) -> None:
        attributes = {"dir": "ltr", "autocomplete": "one-time-code", "autocapitalize": "characters"}
        if figures_only:
            attributes["inputmode"] = "numeric"
        super().__init__(label=gettext_lazy("Code"), max_length=40)
        self.widget.attrs |= attributes

    def clean(self, value: object) -> str:
        return typed_code(super().clean(value))


def password_field() -> forms.CharField:
    """One's own password, typed again."""
    attributes = {"autocomplete": "current-password", "dir": "ltr", "class": "vTextField"}
    return forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs=attributes),
    )


def refuse_wrong_password(
    typed: str, *, user: User, origin: Origin, action: Action, words: str = ""
) -> None:
    """Raises ValidationError, with `words`, unless this is the user's password."""
    right = partial(own_password_is_right, partial(user.check_password, typed), person=user)
    words = words or _("This is not your password.")
    _refuse_wrong(right, user=user, origin=origin, action=action, why=WRONG, words=words)


def refuse_wrong_code(code: str, *, user: User, origin: Origin, action: Action) -> None:
    """Spend a code of the user's second factor. Raises ValidationError if it is wrong."""
    right = partial(use_code, origin=origin, user=user, code=code)
    words = wrong_code()
    _refuse_wrong(right, user=user, origin=origin, action=action, why=WRONG_CODE, words=words)


def wrong_code() -> str:
    """What is told of a code that does not serve."""
    return _("This code is wrong or too old, or was used already. Wait for the next one.")


def _refuse_wrong(
    right: Callable[[], bool], *, user: User, origin: Origin, action: Action, why: str, words: str
) -> None:
    try:
        if right():
            return
    except TooManyAttempts as error:
        record_refusal(origin=origin, action=action, refused=PAUSED, of=error.of)
        raise ValidationError(too_many_attempts(), code=PAUSED) from error
    record(origin=origin, action=action, target=user, person=user, refused=why)
    raise ValidationError(words)
