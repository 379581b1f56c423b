"""Every write to people: atomic, with its audit entry."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Unpack

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.erasing import Found, Search, erase_person_from_entries
from audit.models import Action
from audit.operations import Named, Origin, Where, entry, record, record_all, save_change
from contacts.attempts import forget_attempts
from contacts.canonical import one_line
from contacts.models import (
    SECONDARY,
    Claim,
    ContactChange,
    Invitation,
    KnownAddress,
    Message,
    RecoveryCode,
    SecondFactor,
    Status,
    User,
    new_session_stamp,
)
from contacts.sessions import delete_sessions


class PersonErased(ValidationError):
    """The person was anonymised, so that nothing can be done to them any more."""

    def __init__(self) -> None:
        super().__init__(_("This person was anonymised."))


@transaction.atomic
def register_user(*, origin: Origin, **fields: Any) -> User:
    """A new person; takes what `UserManager.create_user()` takes, and raises what it raises."""
    user = User.objects.create_user(set_by=setter(origin), **fields)
    record(origin=origin, action=Action.USER_REGISTERED, target=user, person=user)
    return user


def setter(origin: Origin, user: Named | None = None) -> User | None:
    """Who is to answer for a contact that this origin sets for a person: a manager, or nobody."""
    actor = origin.actor if isinstance(origin.actor, User) else None
    own = actor is not None and user is not None and actor.pk == user.pk
    return None if actor is None or own or actor.is_superuser else actor


@transaction.atomic
def correct_name(*, origin: Origin, user: User, name: str, **where: Unpack[Where]) -> bool:
    """Correct a person's name; whether it was another. Raises ValidationError if it is empty."""
    user = User.objects.select_for_update().get(pk=user.pk)
    name = one_line(name)
    if not name:
        raise ValidationError({"name": _("A person needs a name.")})
    return save_change(
        user, {"name": name}, origin=origin, action=Action.NAME_CORRECTED, person=user, **where
    )


@transaction.atomic
def change_password(*, origin: Origin, user: User, password: str) -> None:
    """Give a person a new password, which ends all their sessions.

    Where somebody else does so their contacts recover nothing till they sign in by them.
    """
    if origin.actor is None or origin.actor.pk != user.pk:
        doubt_contacts(user)
    user.set_password(password)
    user.save(update_fields=["password", "session_stamp"])
    delete_sessions(user)
    record(origin=origin, action=Action.PASSWORD_CHANGED, target=user, person=user)


def doubt_contacts(user: User, claims: "models.QuerySet[Claim] | None" = None) -> None:
    """Let contacts that others may have set recover nothing before their holder signs in by them.

    Nor does a link serve that was sent to one of them. Without `claims` it is all of the person's.
    """
    (user.claims.all() if claims is None else claims).update(recovers_from=None)
    ContactChange.objects.filter(user=user).update(digest="", seed=uuid.uuid4())


@transaction.atomic
def change_status(*, origin: Origin, user: User, status: Status) -> None:
    """Activate, suspend or ban a person; a change ends all their sessions.

    Raises PersonErased, and ValidationError if no superuser would be left.
    """
    user = lock_person(user)
    if user.is_superuser and status != Status.ACTIVE:
        _keep_a_superuser(user)
    changed = save_change(
        user, {"status": status}, origin=origin, action=Action.STATUS_CHANGED, person=user
    )
    if changed:
        user.session_stamp = new_session_stamp()
        user.save(update_fields=["session_stamp"])
        delete_sessions(user)


@transaction.atomic
def unlock(*, origin: Origin, user: User) -> None:
    """Let a person who waits after wrong passwords try again at once. Raises PersonErased."""
    user = lock_person(user)
    forget_attempts(user)
    record(origin=origin, action=Action.UNLOCKED, target=user, person=user)


@transaction.atomic
def end_sessions(*, origin: Origin, users: Sequence[User]) -> None:
    """End every session of these people, in the app and in the back-office, at once."""
    locked = User.objects.select_for_update().filter(pk__in=[user.pk for user in users])
    ending = list(locked.order_by("pk"))
    for user in ending:
        user.session_stamp = new_session_stamp()
    User.objects.bulk_update(ending, ["session_stamp"])
    delete_sessions(*ending)
    record_all(
        entry(origin=origin, action=Action.SESSIONS_ENDED, target=user, person=user)
        for user in ending
    )


@transaction.atomic
def revoke_superuser(*, origin: Origin, user: User) -> bool:
    """Take the right to everything away from a person and end their sessions; whether they had it.

    Raises ValidationError if no superuser would be left.
    """
    user = lock_contacts(user)
    if not user.is_superuser:
        return False
    _keep_a_superuser(user)
    user.is_superuser = False
    user.session_stamp = new_session_stamp()
    user.save(update_fields=["is_superuser", "session_stamp"])
    delete_sessions(user)
    record(origin=origin, action=Action.SUPERUSER_REVOKED, target=user, person=user)
    return True


def lock_contacts(user: User) -> User:
    """Until the transaction ends, nobody else changes this person's contacts; the person as of now."""
    # The claims first, as in `add_contact()`: two that lock in one order never wait in a circle.
    claims_of(user, lock=True)
    return User.objects.select_for_update().get(pk=user.pk)


def lock_person(user: User) -> User:
    """As `lock_contacts()`, for somebody with whom something is to be done. Raises PersonErased."""
    user = lock_contacts(user)
    refuse_erased(user)
    return user


def lock_people(user_ids: Iterable[int]) -> list[User]:
    """As `lock_person()`, for many. Raises PersonErased."""
    ids = set(user_ids)
    list(Claim.objects.select_for_update().filter(user__in=ids).order_by("pk"))
    people = list(User.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    for person in people:
        refuse_erased(person)
    return people


def refuse_erased(user: User) -> None:
    """Raises PersonErased."""
    if user.erased_at is not None:
        raise PersonErased


def claims_of(user: User, *, lock: bool = False) -> list[Claim]:
    """A person's claims with their secondary contacts, which none but this transaction changes if locked."""
    own = Claim.objects.filter(user=user).select_related(
        "secondaryemail", "secondaryphone", "contact_change"
    )
    return list(own.select_for_update() if lock else own)


@transaction.atomic
def erase_person(*, origin: Origin, user: User, search: Search, archived: Found) -> Found:
    """Anonymise a person and release their contacts; they can neither sign in nor be used again.

    `search` is what the log holds of them, `archived` what its archives do; returns what the erasure
    records, see `audit.erasing.erase_person_from_entries()`. Raises ValidationError if no superuser
    would be left.
    """
    lock_contacts(user)
    _keep_a_superuser(user)
    held = Claim.objects.filter(user=user).values_list("value", flat=True)
    # Of a forgotten password nobody is named.
    Message.objects.filter(models.Q(user=user) | models.Q(to__in=list(held))).delete()
    ContactChange.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    for model in SECONDARY.values():
        model._default_manager.filter(user=user).delete()
    Claim.objects.filter(user=user).delete()
    KnownAddress.objects.filter(user=user).delete()
    Invitation.objects.filter(user=user).delete()
    SecondFactor.objects.filter(user=user).delete()
    delete_sessions(user)
    user.name = user.user_name = ""
    user.email = user.phone = user.last_login = None
    user.email_hidden = user.phone_hidden = user.is_superuser = False
    user.status = Status.BANNED
    user.erased_at = user.erased_at or timezone.now()
    # This ends all sessions too.
    user.set_password(None)
    user.save()
    return erase_person_from_entries(origin=origin, person=user, search=search, archived=archived)


def _keep_a_superuser(leaving: User) -> None:
    # Locked, so that two who leave at once do not each count on the other.
    superusers = User.objects.select_for_update().filter(is_superuser=True, status=Status.ACTIVE)
    if {user.pk for user in superusers.order_by("pk")} == {leaving.pk}:
        raise ValidationError(_("This is the last superuser: make another one first."))
