"""Every write to people and their contacts: atomic, with its audit entry."""

from enum import Enum
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from audit.erasing import Found, Search
from audit.models import Action
from audit.operations import Named, Origin, erase_person_from_entries, record
from contacts.models import (
    SECONDARY,
    Claim,
    Kind,
    SecondaryContact,
    Status,
    User,
    new_session_stamp,
)


class Objection(Enum):
    """Why a contact cannot be added (answers.md, AddContact rows 10 to 13)."""

    INVALID = "invalid"
    OWN = "own"
    TAKEN = "taken"
    LIMIT = "limit"


class ContactRefused(Exception):
    """The contact cannot be added."""

    def __init__(self, kind: Kind, why: Objection) -> None:
        super().__init__(f"{kind}: {why.value}")
        self.kind = kind
        self.why = why


@transaction.atomic
def register_user(*, origin: Origin, **fields: Any) -> User:
    """A new person; takes what `UserManager.create_user()` takes, and raises what it raises."""
    user = User.objects.create_user(**fields)
    record(origin=origin, action=Action.USER_REGISTERED, target=user, person=user)
    return user


@transaction.atomic
def change_password(*, origin: Origin, user: User, password: str) -> None:
    """Give him a new password, which ends all his sessions."""
    user.set_password(password)
    user.save(update_fields=["password", "session_stamp"])
    record(origin=origin, action=Action.PASSWORD_CHANGED, target=user, person=user)


@transaction.atomic
def change_status(*, origin: Origin, user: User, status: Status, reason: str = "") -> None:
    """Activate, suspend or ban a person; whatever it becomes, his sessions end."""
    before, user.status = user.status, status
    user.session_stamp = new_session_stamp()
    user.save(update_fields=["status", "session_stamp"])
    record(
        origin=origin,
        action=Action.STATUS_CHANGED,
        target=user,
        person=user,
        reason=reason,
        before={"status": before},
        after={"status": status},
    )


def secondary_contacts(user: User) -> list[SecondaryContact]:
    """His secondary contacts, e-mails first, then phones, each in the order added; one statement."""
    return _in_order(_claims(user))


@transaction.atomic
def add_contact(
    *,
    origin: Origin,
    user: User,
    kind: Kind,
    typed: str,
    block: Named | None = None,
    apartment: Named | None = None,
) -> list[SecondaryContact]:
    """Add a secondary contact; returns all that he has then, in the order of `secondary_contacts()`.

    Raises ContactRefused. Whether somebody else holds it, the database says (answers.md, row 12).
    """
    try:
        value = kind.canonical(typed)
    except ValueError as error:
        raise ContactRefused(kind, Objection.INVALID) from error
    # His own claims, locked: two requests of one person count and add one after the other.
    claims = _claims(user, lock=True)
    if any((claim.kind, claim.value) == (kind, value) for claim in claims):
        raise ContactRefused(kind, Objection.OWN)
    held = sum(claim.kind == kind and claim.secondary is not None for claim in claims)
    if held >= settings.SECONDARY_CONTACTS_LIMIT:
        taken = Claim.objects.filter(kind=kind, value=value).exists()
        raise ContactRefused(kind, Objection.TAKEN if taken else Objection.LIMIT)
    try:
        claim = Claim.objects.create(user=user, kind=kind, value=value)
    except IntegrityError as error:
        raise ContactRefused(kind, Objection.TAKEN) from error
    shown = kind.tidy(typed)
    contact = SECONDARY[kind].objects.create(user=user, claim=claim, typed=shown)
    record(
        origin=origin,
        action=Action.CONTACT_ADDED,
        target=contact,
        person=user,
        block=block,
        apartment=apartment,
        after={kind.value: shown},
    )
    return _in_order([*claims, claim])


def _claims(user: User, *, lock: bool = False) -> list[Claim]:
    mine = Claim.objects.filter(user=user).select_related("secondaryemail", "secondaryphone")
    return list(mine.select_for_update() if lock else mine)


def _in_order(claims: list[Claim]) -> list[SecondaryContact]:
    contacts = [claim.secondary for claim in claims if claim.secondary is not None]
    return sorted(contacts, key=lambda contact: (contact.kind == Kind.PHONE, contact.pk))


@transaction.atomic
def erase_person(
    *, origin: Origin, user: User, reason: str, search: Search, archived: Found
) -> Found:
    """Leave of him a number: his row without a name, his contacts free, the audit log without him.

    He cannot sign in any more, and nobody can become him again. `search` is what the log holds of
    him, `archived` what its archives do; returns what the erasure records, see
    `audit.operations.erase_person_from_entries()`.
    """
    for model in SECONDARY.values():
        model._default_manager.filter(user=user).delete()
    Claim.objects.filter(user=user).delete()
    user.name = user.user_name = ""
    user.email = user.phone = user.last_login = None
    user.email_hidden = user.phone_hidden = user.is_superuser = False
    user.status = Status.BANNED
    # This ends his sessions too.
    user.set_password(None)
    user.save()
    return erase_person_from_entries(
        origin=origin, person=user, reason=reason, search=search, archived=archived
    )
