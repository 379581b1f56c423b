"""Every write to people and their contacts: atomic, with its audit entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.erasing import Found, Search, erase_person_from_entries
from audit.models import Action
from audit.operations import Facts, Origin, Where, entry, record, record_all, save_change
from contacts.attempts import forget_attempts
from contacts.canonical import ContactProblem, one_line
from contacts.models import (
    SECONDARY,
    Claim,
    Invitation,
    Kind,
    KnownAddress,
    SecondaryContact,
    Status,
    User,
    new_session_stamp,
)
from contacts.open_invitations import end_open_invitations
from contacts.sessions import delete_sessions


class WhyContactRefused(Enum):
    """Why a contact cannot be added or changed (answers.md, AddContact rows 10 to 13)."""

    INVALID = "invalid"
    OWN = "own"
    TAKEN = "taken"
    LIMIT = "limit"


class ContactRefused(Exception):
    """The contact cannot be added, or changed so."""

    def __init__(self, kind: Kind, why: WhyContactRefused, hint: str = "") -> None:
        super().__init__(f"{kind}: {why.value}")
        self.kind = kind
        self.why = why
        # What is wrong with an invalid one, in words, if anybody can tell.
        self.hint = hint


class PersonErased(ValidationError):
    """The person was anonymised, so that nothing can be done to them any more."""

    def __init__(self) -> None:
        super().__init__(_("This person was anonymised."))


@transaction.atomic
def register_user(*, origin: Origin, **fields: Any) -> User:
    """A new person; takes what `UserManager.create_user()` takes, and raises what it raises."""
    user = User.objects.create_user(**fields)
    record(origin=origin, action=Action.USER_REGISTERED, target=user, person=user)
    return user


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
    """Give a person a new password, which ends all their sessions."""
    user.set_password(password)
    user.save(update_fields=["password", "session_stamp"])
    delete_sessions(user)
    record(origin=origin, action=Action.PASSWORD_CHANGED, target=user, person=user)


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


def secondary_contacts(user: User) -> list[SecondaryContact]:
    """A person's secondary contacts, e-mails first, then phones, each in the order added; one statement."""
    return _in_order(_claims(user))


@transaction.atomic
def add_contact(
    *, origin: Origin, user: User, kind: Kind, typed: str, **where: Unpack[Where]
) -> list[SecondaryContact]:
    """Add a secondary contact; returns all that the person has then, as `secondary_contacts()` does.

    Raises ContactRefused, PersonErased. Whether somebody else holds it, the database says
    (answers.md, row 12).
    """
    try:
        value = kind.canonical(typed)
    except ContactProblem as error:
        raise ContactRefused(kind, WhyContactRefused.INVALID, error.hint) from error
    # The person's own claims, locked: two requests of one person count and add one after the other.
    claims = _claims(user, lock=True)
    if not claims:
        # An anonymised person has no claims, most others have some: only without any is it asked.
        _refuse_erased(User.objects.select_for_update().get(pk=user.pk))
    if any((claim.kind, claim.value) == (kind, value) for claim in claims):
        raise ContactRefused(kind, WhyContactRefused.OWN)
    stored = sum(claim.kind == kind and claim.secondary is not None for claim in claims)
    if stored >= settings.SECONDARY_CONTACTS_LIMIT:
        taken = Claim.objects.filter(kind=kind, value=value).exists()
        raise ContactRefused(kind, WhyContactRefused.TAKEN if taken else WhyContactRefused.LIMIT)
    try:
        claim = Claim.objects.create(user=user, kind=kind, value=value)
    except IntegrityError as error:
        raise ContactRefused(kind, WhyContactRefused.TAKEN) from error
    shown = kind.tidy(typed)
    contact = SECONDARY[kind].objects.create(user=user, claim=claim, typed=shown)
    record(
        origin=origin,
        action=Action.CONTACT_ADDED,
        target=contact,
        person=user,
        after={kind.value: shown},
        **where,
    )
    return _in_order([*claims, claim])


@dataclass(frozen=True)
class Contact:
    """One way to reach a person: the primary e-mail or phone, or, with `secondary`, a further one."""

    user: User
    kind: Kind
    secondary: SecondaryContact | None = None

    @property
    def key(self) -> str:
        """Its name among this person's contacts: "phone" is the primary one, "phone-7" a secondary.

        The number is its claim's, which stays its own where primary and secondary trade places.
        """
        return (
            self.kind.value if self.secondary is None else f"{self.kind}-{self.secondary.claim_id}"
        )

    @property
    def typed(self) -> str:
        """As it was typed; empty for a primary one that the person does not have."""
        return getattr(self._row, self.fields[0]) or ""

    @property
    def hidden(self) -> bool:
        """Whether its holder hides it from others."""
        return bool(getattr(self._row, self.fields[1]))

    def store(self, *, typed: str | None = None, hidden: bool | None = None) -> None:
        """Write its spelling or its visibility; what is None stays."""
        values = dict(zip(self.fields, (typed, hidden), strict=True))
        changed = {name: value for name, value in values.items() if value is not None}
        for name, value in changed.items():
            setattr(self._row, name, value)
        self._row.save(update_fields=list(changed))

    @property
    def _row(self) -> User | SecondaryContact:
        return self.user if self.secondary is None else self.secondary

    @property
    def fields(self) -> tuple[str, str]:
        """The fields of its row that have its spelling and whether it is hidden."""
        secondary = self.secondary is not None
        return ("typed", "hidden") if secondary else (self.kind.value, f"{self.kind}_hidden")


def contacts_of(user: User) -> list[Contact]:
    """Every way to reach a person: primary e-mail and phone if there are any, then the secondary ones."""
    primary = [Contact(user, kind) for kind in Kind]
    further = [Contact(user, each.kind, each) for each in secondary_contacts(user)]
    return [each for each in primary if each.typed] + further


@transaction.atomic
def change_contact(*, origin: Origin, contact: Contact, typed: str, **where: Unpack[Where]) -> bool:
    """Write a contact differently, or give a person the primary one that they lack.

    Returns whether it was written differently before; if not, nothing is written.
    Raises ContactRefused by the same rules as `add_contact()`, or ValidationError if it is gone.
    """
    try:
        value = contact.kind.canonical(typed)
    except ContactProblem as error:
        raise ContactRefused(contact.kind, WhyContactRefused.INVALID, error.hint) from error
    contact, claims = _locked(contact)
    tidy = contact.kind.tidy(typed)
    if contact.typed == tidy:
        return False
    claim = _claim_of(contact, claims)
    if any((each.kind, each.value) == (contact.kind, value) for each in claims if each != claim):
        raise ContactRefused(contact.kind, WhyContactRefused.OWN)
    claim.value = value
    try:
        claim.save()
    except IntegrityError as error:
        raise ContactRefused(contact.kind, WhyContactRefused.TAKEN) from error
    before = {contact.kind.value: contact.typed}
    contact.store(typed=tidy)
    # A link that was sent to the contact as it was is somebody else's now.
    end_open_invitations(contact.user)
    _record_contact(
        origin,
        Action.CONTACT_CHANGED,
        contact,
        before=before,
        after={contact.kind.value: contact.typed},
        **where,
    )
    return True


@transaction.atomic
def remove_contact(*, origin: Origin, contact: Contact, **where: Unpack[Where]) -> None:
    """Take a secondary contact away; whoever comes first may hold it then.

    Raises ValidationError, as all below, for a contact that is gone or is not of the kind that this
    is done to.
    """
    contact, claims = _locked(contact)
    secondary = _secondary_of(contact)
    _record_contact(
        origin,
        Action.CONTACT_REMOVED,
        contact,
        before={contact.kind.value: contact.typed},
        **where,
    )
    secondary.delete()
    _claim_of(contact, claims).delete()


@transaction.atomic
def hide_contact(*, origin: Origin, contact: Contact, hidden: bool, **where: Unpack[Where]) -> bool:
    """Hide a contact from others, or show it again; whether it was otherwise before."""
    contact = _locked(contact)[0]
    if contact.hidden == hidden:
        return False
    # Of a primary one the name of its field says which: "phone_hidden".
    name = contact.fields[1]
    before, after = {name: contact.hidden}, {name: hidden}
    contact.store(hidden=hidden)
    _record_contact(origin, Action.CONTACT_HIDDEN, contact, before=before, after=after, **where)
    return True


@transaction.atomic
def promote_contact(*, origin: Origin, contact: Contact, **where: Unpack[Where]) -> None:
    """Make a secondary contact the primary one; the primary one so far takes its place."""
    contact, claims = _locked(contact)
    secondary = _secondary_of(contact)
    primary = Contact(contact.user, contact.kind)
    old = primary.typed, primary.hidden
    primary.store(typed=contact.typed, hidden=contact.hidden)
    _record_contact(
        origin,
        Action.CONTACT_PROMOTED,
        primary,
        before={contact.kind.value: old[0]},
        after={contact.kind.value: primary.typed},
        **where,
    )
    if not old[0]:
        secondary.delete()
        return
    secondary.claim = _claim_of(primary, claims)
    secondary.typed, secondary.hidden = old
    secondary.save(update_fields=["claim", "typed", "hidden"])


def reveal_contacts(*, origin: Origin, user: User, **where: Unpack[Where]) -> list[Contact]:
    """All contacts of a person, for who has a reason to see the hidden ones: the entry keeps it."""
    record(origin=origin, action=Action.CONTACTS_REVEALED, target=user, person=user, **where)
    return contacts_of(user)


def _record_contact(
    origin: Origin, action: Action, contact: Contact, **facts: Unpack[Facts]
) -> None:
    facts |= {"target": contact.secondary or contact.user, "person": contact.user}
    record(origin=origin, action=action, **facts)


def lock_contacts(user: User) -> User:
    """Until the transaction ends, nobody else changes this person's contacts; the person as of now."""
    # The claims first, as in `add_contact()`: two that lock in one order never wait in a circle.
    _claims(user, lock=True)
    return User.objects.select_for_update().get(pk=user.pk)


def lock_person(user: User) -> User:
    """As `lock_contacts()`, for somebody with whom something is to be done. Raises PersonErased."""
    user = lock_contacts(user)
    _refuse_erased(user)
    return user


def _refuse_erased(user: User) -> None:
    if user.erased_at is not None:
        raise PersonErased


def _locked(contact: Contact) -> tuple[Contact, list[Claim]]:
    """The contact as it is now, and all claims of its holder, locked. Raises ValidationError."""
    user = lock_person(contact.user)
    claims = _claims(user)
    if contact.secondary is None:
        return Contact(user, contact.kind), claims
    for claim in claims:
        if claim.kind == contact.kind and claim.secondary == contact.secondary:
            return Contact(user, contact.kind, claim.secondary), claims
    raise ValidationError(_("This contact is no longer there."))


def _secondary_of(contact: Contact) -> SecondaryContact:
    if contact.secondary is None:
        raise ValidationError(
            _("This is the contact for sign-in: edit it, or use another one for sign-in.")
        )
    return contact.secondary


def _claim_of(contact: Contact, claims: list[Claim]) -> Claim:
    """The person's claim that belongs to the contact; a new one for a primary that they lack."""
    for claim in claims:
        if claim.kind == contact.kind and claim.secondary == contact.secondary:
            return claim
    return Claim(user=contact.user, kind=contact.kind)


def _claims(user: User, *, lock: bool = False) -> list[Claim]:
    own = Claim.objects.filter(user=user).select_related("secondaryemail", "secondaryphone")
    return list(own.select_for_update() if lock else own)


def _in_order(claims: list[Claim]) -> list[SecondaryContact]:
    contacts = [claim.secondary for claim in claims if claim.secondary is not None]
    return sorted(contacts, key=lambda contact: (contact.kind == Kind.PHONE, contact.pk))


@transaction.atomic
def erase_person(*, origin: Origin, user: User, search: Search, archived: Found) -> Found:
    """Anonymise a person and release their contacts; they can neither sign in nor be used again.

    `search` is what the log holds of them, `archived` what its archives do; returns what the erasure
    records, see `audit.erasing.erase_person_from_entries()`. Raises ValidationError if no superuser
    would be left.
    """
    lock_contacts(user)
    _keep_a_superuser(user)
    for model in SECONDARY.values():
        model._default_manager.filter(user=user).delete()
    Claim.objects.filter(user=user).delete()
    KnownAddress.objects.filter(user=user).delete()
    Invitation.objects.filter(user=user).delete()
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
