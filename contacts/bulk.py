"""Registering many people at once: the same rows and entries as `register_user()`, in bulk."""

import secrets
from collections.abc import Sequence
from typing import NamedTuple

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection, transaction

from audit.bulk import insert_like
from audit.models import Action
from audit.operations import Origin, entry, record_each
from contacts.models import Claim, Kind, User


class Newcomer(NamedTuple):
    """A person not yet saved, and the canonical values of their primary contacts."""

    user: User
    claims: dict[Kind, str]


def newcomer(
    *, name: str, phone: tuple[str, str] | None = None, email: tuple[str, str] | None = None
) -> Newcomer:
    """A person without a password; a contact is given as typed and canonical."""
    user = User(
        name=name,
        phone=phone[0] if phone else None,
        email=email[0] if email else None,
        # As Django's own mark, whose random end is drawn ten times slower.
        password=UNUSABLE_PASSWORD_PREFIX + secrets.token_hex(20),
    )
    contacts = {Kind.PHONE: phone, Kind.EMAIL: email}
    return Newcomer(user, {kind: each[1] for kind, each in contacts.items() if each})


@transaction.atomic
def register_people(*, origin: Origin, people: Sequence[Newcomer]) -> None:
    """Save the people; each `user` has its id then. Raises IntegrityError if a contact is claimed already."""
    if not people:
        return
    users = [each.user for each in people]
    _save(users)
    claims = [(each.user.pk, kind, value) for each in people for kind, value in each.claims.items()]
    insert_like(Claim(), ("user_id", "kind", "value"), claims)
    record_each(
        entry(origin=origin, action=Action.USER_REGISTERED, target=User(pk=0), person=User(pk=0)),
        ("target_id", "target_label", "person_id", "person_label"),
        ((user.pk, str(user), user.pk, str(user)) for user in users),
    )


def _save(users: Sequence[User]) -> None:
    if not connection.features.can_return_rows_from_bulk_insert:
        # MySQL does not return the ids of rows written together.
        for user in users:
            user.save(force_insert=True)
        return
    columns = ("name", "email", "phone", "password")
    rows = ((user.name, user.email, user.phone, user.password) for user in users)
    for user, pk in zip(users, insert_like(User(), columns, rows), strict=True):
        user.pk = pk
