"""Sign-in by primary e-mail or phone, for the API and the back-office alike."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from contacts.models import Claim, Kind, User


def parse_login(login: str) -> tuple[Kind, str] | None:
    """The kind of contact that a sign-in name is, and its canonical form; None if it is neither kind."""
    for kind in Kind:
        try:
            return kind, kind.canonical(login)
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
        **credentials: Any,
    ) -> User | None:
        if username is None or password is None:
            return None
        user = self._primary_holder(username)
        if user is None or not user.has_usable_hash():
            # As slow as a real check, so that the time does not reveal who is registered.
            make_password(password)
            return None
        return user if user.check_password(password) else None

    def get_user(self, user_id: int) -> User | None:
        """The person of a back-office session, unless they are not active any more."""
        user = User.objects.filter(pk=user_id).first()
        return user if user is not None and user.is_active else None

    def _primary_holder(self, login: str) -> User | None:
        name = parse_login(login)
        if name is None:
            return None
        kind, value = name
        claim = (
            Claim.objects.filter(kind=kind, value=value)
            .select_related("user", "secondaryemail", "secondaryphone")
            .first()
        )
        return claim.user if claim is not None and claim.secondary is None else None
