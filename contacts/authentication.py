"""Sign-in by primary e-mail or phone, for the API and the back-office alike."""

from functools import partial
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from contacts.attempts import password_is_right
from contacts.models import Claim, Kind, User
from contacts.operations import lock_contacts


def parse_login(login: str) -> tuple[Kind, str] | None:
    """The kind of contact that a sign-in name is, and the form it is claimed in; None if it is neither."""
    for kind in Kind:
        try:
            return kind, kind.claimed(login)
        except ValueError:
            continue
    return None


class PrimaryContactBackend(BaseBackend):
    """Finds a person by primary e-mail or phone and password, whatever their status is.

    The caller decides what a pending or banned person may do: only those with the password learn it.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        address: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """The person, or None; `address` is where the attempt comes from. Raises TooManyAttempts."""
        if username is None or password is None:
            return None
        name = parse_login(username)
        claim = _claim_for_sign_in(*name) if name else None
        user = claim.user if claim is not None else None
        right = partial(_matches, user, password)
        login = name[1] if name else ""
        if not password_is_right(right, login=login, person=user, address=address):
            return None
        if claim is not None and claim.recovers_from is None:
            _now_known(claim)
        return user

    def get_user(self, user_id: int) -> User | None:
        """The person of a back-office session, unless they are not active any more."""
        user = User.objects.filter(pk=user_id).first()
        return user if user is not None and user.is_active else None


def _matches(user: User | None, password: str) -> bool:
    if user is None or not user.has_usable_hash():
        # As slow as a real check, so that the time does not reveal who is registered.
        make_password(password)
        return False
    return user.check_password(password)


def holder_for_sign_in(kind: Kind, value: str) -> User | None:
    """Who signs in with this contact: it is a primary one, or was until somebody else changed it."""
    claim = _claim_for_sign_in(kind, value)
    return claim.user if claim is not None else None


def _claim_for_sign_in(kind: Kind, value: str) -> Claim | None:
    joined = ("user", "secondaryemail", "secondaryphone", "contact_change")
    claim = Claim.objects.filter(kind=kind, value=value).select_related(*joined).first()
    if claim is None:
        return None
    if (change := getattr(claim, "contact_change", None)) is not None:
        return claim if change.serves_until > timezone.now() else None
    return claim if claim.secondary is None else None


@transaction.atomic
def _now_known(claim: Claim) -> None:
    """Whoever has the password and signs in by a contact knows of it, whoever set it."""
    if lock_contacts(claim.user).session_stamp == claim.user.session_stamp:
        unknown = Claim.objects.filter(pk=claim.pk, value=claim.value, recovers_from=None)
        unknown.update(recovers_from=timezone.now())
