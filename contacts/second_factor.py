"""A second factor for the back-office: codes of an authenticator (RFC 6238), and recovery codes.

An authenticator's key is derived from a stored seed and SECRET_KEY, so that neither the database nor a
copy of it tells it; of recovery codes only digests are stored. Each code serves once.
"""

import base64
import hashlib
import secrets
import string
import time
from urllib.parse import quote, urlencode

from django.db import models, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_noop
from django_otp.oath import TOTP

from audit.models import Action
from audit.operations import Origin, record, save_change
from contacts.attempts import code_is_right
from contacts.canonical import western_digits
from contacts.models import BackofficeSession, RequiredOf, SecondFactor, SecondFactorRule, User
from contacts.operations import lock_person
from contacts.text import clean

ISSUER = "Omarty"
# A phone's clock may be so many steps of half a minute before or behind.
TOLERANCE = 1
RECOVERY_CODES = 10
# Of a recovery code, in letters of five bits each.
_CODE_LENGTH = 12
_LETTERS = f"{string.ascii_uppercase}234567"
# What entries of refused codes store.
WRONG_CODE = gettext_noop("wrong code")
# What entries say of recovery codes that nobody has used.
LEFT = gettext_noop("recovery codes left")


class NoSecondFactor(Exception):
    """The person has none, or none any more."""


class HasSecondFactor(Exception):
    """The person has set one up already."""


class WrongCode(Exception):
    """The code is wrong, too old, or was used before."""


def new_seed() -> str:
    """From which the key of a new authenticator is derived."""
    return secrets.token_hex(32)


def shown_key(seed: str) -> str:
    """The key as it is typed into an authenticator."""
    return base64.b32encode(_key(seed)).decode()


def authenticator_address(user: User, seed: str) -> str:
    """The key and whose it is, as authenticators read it from a QR code."""
    account = quote(f"{ISSUER}:{user.email or user.phone}")
    return f"otpauth://totp/{account}?{urlencode({'secret': shown_key(seed), 'issuer': ISSUER})}"


def second_factor_of(user: User) -> SecondFactor | None:
    """The second factor that a person has set up."""
    return SecondFactor.objects.filter(user=user).first()


def lacks_required(user: User) -> bool:
    """Whether a person who signs in to the back-office has to set one up before anything else."""
    return _who_lacks(required_of()).filter(pk=user.pk).exists()


def required_of() -> RequiredOf:
    """Of whom it is required."""
    rule = SecondFactorRule.objects.first()
    return RequiredOf(rule.required_of) if rule else RequiredOf.NOBODY


@transaction.atomic
def set_up(*, origin: Origin, user: User, seed: str, code: str, session_key: str) -> list[str]:
    """Set up the authenticator that has this seed's key. Returns the recovery codes, which nobody sees again.

    Ends the person's other sessions in the back-office. Raises WrongCode, HasSecondFactor, PersonErased.
    """
    user = lock_person(user)
    if second_factor_of(user):
        raise HasSecondFactor
    step = _step_of(seed, code, after=0)
    if step is None:
        raise WrongCode
    codes = _new_codes()
    digests = [_digest(seed, each) for each in codes]
    SecondFactor.objects.create(user=user, seed=seed, last_step=step, codes=digests)
    _end_office_sessions(user, but=session_key)
    record(origin=origin, action=Action.SECOND_FACTOR_SET_UP, target=user, person=user)
    return codes


def use_code(*, origin: Origin, user: User, code: str) -> bool:
    """Spend a code of the authenticator, or a recovery code; whether it was right.

    Raises TooManyAttempts, and then nothing is looked at.
    """
    return code_is_right(lambda: _spend(origin, user, code), person=user)


@transaction.atomic
def make_recovery_codes(*, origin: Origin, user: User) -> list[str]:
    """New recovery codes in place of the former. Raises NoSecondFactor."""
    factor = _locked(user)
    codes = _new_codes()
    factor.codes = [_digest(factor.seed, each) for each in codes]
    factor.save(update_fields=["codes"])
    record(origin=origin, action=Action.RECOVERY_CODES_MADE, target=user, person=user)
    return codes


@transaction.atomic
def switch_off(*, origin: Origin, user: User, session_key: str) -> None:
    """A person takes off their own; their other sessions in the back-office end. Raises NoSecondFactor."""
    _locked(user).delete()
    _end_office_sessions(user, but=session_key)
    record(origin=origin, action=Action.SECOND_FACTOR_OFF, target=user, person=user)


@transaction.atomic
def reset(*, origin: Origin, user: User) -> None:
    """Take off that of somebody who has lost it, and end their sessions in the back-office.

    Raises NoSecondFactor.
    """
    _locked(user).delete()
    _end_office_sessions(user)
    record(origin=origin, action=Action.SECOND_FACTOR_RESET, target=user, person=user)


@transaction.atomic
def require(*, origin: Origin, of: RequiredOf) -> bool:
    """Require it of these people; whether that is new. Who lacks it signs in to the back-office anew."""
    SecondFactorRule.objects.get_or_create(pk=1)
    rule = SecondFactorRule.objects.select_for_update().get(pk=1)
    action = Action.SECOND_FACTOR_REQUIRED
    changed = save_change(rule, {"required_of": of.value}, origin=origin, action=action)
    if changed:
        BackofficeSession.objects.filter(user__in=_who_lacks(of)).delete()
    return changed


def typed_code(typed: str) -> str:
    """A code as it counts: Western digits, capital letters, nothing between them."""
    return "".join(filter(str.isalnum, western_digits(clean(typed)))).upper()


def is_recovery_code(code: str) -> bool:
    """Whether it has the length of one."""
    return len(code) == _CODE_LENGTH


def _who_lacks(of: RequiredOf) -> "models.QuerySet[User]":
    people = User.objects.filter(second_factor=None)
    if of is RequiredOf.NOBODY:
        return people.none()
    return people if of is RequiredOf.STAFF else people.filter(is_superuser=True)


@transaction.atomic
def _spend(origin: Origin, user: User, code: str) -> bool:
    try:
        factor = _locked(user)
    except NoSecondFactor:
        return False
    if (step := _step_of(factor.seed, code, after=factor.last_step)) is not None:
        factor.last_step = step
        factor.save(update_fields=["last_step"])
        return True
    digest = _digest(factor.seed, code) if is_recovery_code(code) else ""
    if digest not in factor.codes:
        return False
    factor.codes.remove(digest)
    factor.save(update_fields=["codes"])
    left = {LEFT: len(factor.codes)}
    record(origin=origin, action=Action.RECOVERY_CODE_USED, target=user, person=user, after=left)
    return True


def _step_of(seed: str, code: str, *, after: int) -> int | None:
    """The half minute whose code this is, later than `after`; None if it is none of now."""
    totp = TOTP(_key(seed))
    # One moment for all that is asked of it.
    totp.time = time.time()
    right = len(code) == totp.digits and code.isdecimal()
    if not right or not totp.verify(int(code), tolerance=TOLERANCE, min_t=after + 1):
        return None
    step: int = totp.t()
    return step


def _key(seed: str) -> bytes:
    return salted_hmac("contacts.second_factor", seed, algorithm="sha256").digest()[:20]


def _new_codes() -> list[str]:
    return [
        "".join(secrets.choice(_LETTERS) for _letter in range(_CODE_LENGTH))
        for _code in range(RECOVERY_CODES)
    ]


def _digest(seed: str, code: str) -> str:
    # Slow: who has the database is not to find the 60 bits of a code by trying.
    return hashlib.scrypt(code.encode(), salt=seed.encode(), n=2**12, r=8, p=1, dklen=32).hex()


def _locked(user: User) -> SecondFactor:
    factor = SecondFactor.objects.select_for_update().filter(user=user).first()
    if factor is None:
        raise NoSecondFactor
    return factor


def _end_office_sessions(user: User, *, but: str = "") -> None:
    BackofficeSession.objects.filter(user=user).exclude(session_key=but).delete()
