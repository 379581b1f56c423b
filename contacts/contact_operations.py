"""Every write to contacts of people: atomic, with its audit entry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeVar, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Action
from audit.operations import Facts, Named, Origin, Where, record
from audit.statements import Select, insert
from contacts.canonical import ContactProblem
from contacts.contact_changes import (
    change_of,
    delete_past_changes,
    end_change,
    is_others_change,
    note_change,
)
from contacts.models import (
    SECONDARY,
    Claim,
    ContactChange,
    Kind,
    SecondaryContact,
    SecondaryEmail,
    SecondaryPhone,
    User,
    new_session_stamp,
)
from contacts.open_invitations import end_open_invitations
from contacts.operations import claims_of, lock_person, refuse_erased, setter
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


class Held(NamedTuple):
    """A contact that a person holds; `pk` is that of a secondary one, None of a primary one."""

    kind: Kind
    value: str
    pk: int | None
    typed: str

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Held":
        """From the columns that `_CLAIM` names."""
        kind, value, email, email_typed, phone, phone_typed = row
        pk, typed = (email, email_typed) if kind == Kind.EMAIL else (phone, phone_typed)
        return cls(Kind(kind), value, pk, typed or "")


_CLAIM = ("kind", "value") + tuple(
    f"{model.__name__.lower()}__{column}"
    for model in (SecondaryEmail, SecondaryPhone)
    for column in ("pk", "typed")
)
_held = Select(Held.of, lambda user_id: Claim.objects.filter(user=user_id).values_list(*_CLAIM))
_held_and_locked = Select(
    Held.of,
    lambda user_id: Claim.objects.filter(user=user_id).select_for_update().values_list(*_CLAIM),
)


def secondary_contacts(user: Named) -> list[Held]:
    """A person's secondary contacts, e-mails first, then phones, each in the order added; one statement."""
    return _in_order(_held(user.pk))


@transaction.atomic
def add_contact(
    *, origin: Origin, user: Named, kind: Kind, typed: str, **where: Unpack[Where]
) -> list[Held]:
    """Add a secondary contact; returns all that the person has then, as `secondary_contacts()` does.

    Raises ContactRefused, PersonErased. Whether somebody else holds it, the database says
    (answers.md, row 12).
    """
    try:
        value = kind.canonical(typed)
    except ContactProblem as error:
        raise ContactRefused(kind, WhyContactRefused.INVALID, error.hint) from error
    # The person's own claims, locked: two requests of one person count and add one after the other.
    held = _held_and_locked(user.pk)
    if not held:
        # An anonymised person has no claims, most others have some: only without any is it asked.
        refuse_erased(User.objects.select_for_update().get(pk=user.pk))
    if any((each.kind, each.value) == (kind, value) for each in held):
        raise ContactRefused(kind, WhyContactRefused.OWN)
    stored = sum(each.kind == kind and each.pk is not None for each in held)
    if stored >= settings.SECONDARY_CONTACTS_LIMIT:
        taken = Claim.objects.filter(kind=kind, value=value).exists()
        raise ContactRefused(kind, WhyContactRefused.TAKEN if taken else WhyContactRefused.LIMIT)
    claim = Claim(user_id=user.pk, kind=kind, value=value, set_by=setter(origin, user))
    try:
        insert(claim)
    except IntegrityError as error:
        raise ContactRefused(kind, WhyContactRefused.TAKEN) from error
    shown = kind.tidy(typed)
    contact = SECONDARY[kind](user_id=user.pk, claim_id=claim.pk, typed=shown)
    insert(contact)
    record(
        origin=origin,
        action=Action.CONTACT_ADDED,
        target=contact,
        person=user,
        after={kind.value: shown},
        **where,
    )
    return _in_order([*held, Held(kind, value, contact.pk, shown)])


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
    held = [claim.secondary for claim in claims_of(user) if claim.secondary is not None]
    further = [Contact(user, each.kind, each) for each in _in_order(held)]
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
    claim = _claim_for(origin, contact, value, claims)
    if claim.value != value:
        claim.value, claim.set_by = value, setter(origin, contact.user)
    try:
        claim.save()
    except IntegrityError as error:
        raise ContactRefused(contact.kind, WhyContactRefused.TAKEN) from error
    before = {contact.kind.value: contact.typed}
    if contact.secondary is not None:
        contact.secondary.claim = claim
        contact.secondary.save(update_fields=["claim"])
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
    claim = _claim_of(contact, claims)
    if not ContactChange.objects.filter(claim=claim).exists():
        claim.delete()


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
    own = _claim_of(primary, claims)
    if _former(contact, secondary.claim.value):
        ContactChange.objects.filter(claim=secondary.claim).delete()
    else:
        _note_promoted(origin, primary, own, secondary.claim)
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
    secondary.claim = own
    secondary.typed, secondary.hidden = old
    secondary.save(update_fields=["claim", "typed", "hidden"])


@transaction.atomic
def take_back_change(*, origin: Origin, secret: str) -> User:
    """Give a person back the contacts that they signed in with; every session ends. Raises ChangeOver.

    Whatever else others changed in these 72 hours is taken back with it: one hand may have done it all.
    """
    user = lock_person(change_of(secret).user)
    # Somebody may have been quicker.
    change_of(secret)
    for change in ContactChange.open(user=user).order_by("kind"):
        _take_back(origin, user, change)
    user.session_stamp = new_session_stamp()
    user.save(update_fields=["session_stamp"])
    delete_sessions(user)
    end_open_invitations(user)
    return user


def _take_back(origin: Origin, user: User, change: ContactChange) -> None:
    kind, former, claim = Kind(change.kind), change.former, change.claim
    primary = Contact(user, kind)
    before = {kind.value: primary.typed}
    if claim is not None and claim.secondary is not None:
        change.delete()
        was_known = claim.recovers_from
        promote_contact(origin=origin, contact=Contact(user, kind, claim.secondary))
        Claim.objects.filter(pk=claim.pk).update(recovers_from=was_known)
        user.refresh_from_db()
    else:
        taken, was = _claim_of(primary, claims_of(user)), (primary.typed, primary.hidden)
        change.delete()
        setattr(user, kind.value, former or None)
        setattr(user, f"{kind}_hidden", change.hidden)
        user.save(update_fields=[kind.value, f"{kind}_hidden"])
        if change.promoted:
            SECONDARY[kind].objects.create(user=user, claim=taken, typed=was[0], hidden=was[1])
        else:
            taken.delete()
    after = {kind.value: former}
    action = Action.CONTACT_TAKEN_BACK
    record(origin=origin, action=action, target=user, person=user, before=before, after=after)


def reveal_contacts(*, origin: Origin, user: User, **where: Unpack[Where]) -> list[Contact]:
    """All contacts of a person, for who has a reason to see the hidden ones: the entry keeps it."""
    record(origin=origin, action=Action.CONTACTS_REVEALED, target=user, person=user, **where)
    return contacts_of(user)


def _record_contact(
    origin: Origin, action: Action, contact: Contact, **facts: Unpack[Facts]
) -> None:
    facts |= {"target": contact.secondary or contact.user, "person": contact.user}
    record(origin=origin, action=action, **facts)


def _former(contact: Contact, value: str) -> Claim | None:
    """The hold on the contact that its holder signed in with, and still does, if that is the value."""
    change = ContactChange.open(user=contact.user, kind=contact.kind).first()
    claim = change.claim if change is not None else None
    return claim if claim is not None and claim.value == value else None


def _served_on(origin: Origin, contact: Contact, claim: Claim) -> Claim:
    """The claim for another value of a primary contact: its own, or a new one while the old one serves on."""
    if not is_others_change(origin, contact.user):
        # What they choose themselves is what serves on if others change it.
        end_change(contact.user, contact.kind)
        return claim
    is_second = ContactChange.open(user=contact.user, kind=contact.kind).exists()
    kept = claim if claim.pk is not None and claim.is_known and not is_second else None
    note_change(origin=origin, user=contact.user, kind=contact.kind, claim=kept)
    if kept is not None:
        claim = Claim(user=contact.user, kind=contact.kind)
    claim.recovers_from = None
    return claim


def _note_promoted(origin: Origin, primary: Contact, own: Claim, promoted: Claim) -> None:
    """Let the primary contact serve on where somebody else puts another in its place."""
    if is_others_change(origin, primary.user):
        kept, promoted.recovers_from = own if own.pk and own.is_known else None, None
        note_change(origin=origin, user=primary.user, kind=primary.kind, claim=kept, promoted=True)
    else:
        end_change(primary.user, primary.kind)
        promoted.recovers_from = timezone.now()
    promoted.save(update_fields=["recovers_from"])


def _locked(contact: Contact) -> tuple[Contact, list[Claim]]:
    """The contact as it is now, and all claims of its holder, locked. Raises ValidationError."""
    user = lock_person(contact.user)
    delete_past_changes(user=user)
    claims = claims_of(user)
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


def _claim_for(origin: Origin, contact: Contact, value: str, claims: list[Claim]) -> Claim:
    """The claim that is to hold a contact written anew; raises ContactRefused if another of theirs does."""
    claim = _claim_of(contact, claims)
    if contact.secondary is None and (former := _former(contact, value)):
        # Whoever corrects the change needs no time to take it back, and it recovers as it did.
        claim.recovers_from = former.recovers_from
        end_change(contact.user, contact.kind)
        claims = claims_of(contact.user)
    elif contact.secondary is None and claim.value != value:
        claim = _served_on(origin, contact, claim)
    elif hasattr(claim, "contact_change") and claim.value != value:
        # What its holder signs in with still is not another's by being written anew.
        claim = Claim(user=contact.user, kind=contact.kind)
    if any((each.kind, each.value) == (contact.kind, value) for each in claims if each != claim):
        raise ContactRefused(contact.kind, WhyContactRefused.OWN)
    if contact.secondary is None and not is_others_change(origin, contact.user):
        claim.recovers_from = timezone.now()
    return claim


def _claim_of(contact: Contact, claims: list[Claim]) -> Claim:
    """The person's claim that belongs to the contact; a new one for a primary that they lack."""
    for claim in claims:
        # What serves on of a contact that was changed is neither a primary one nor a secondary.
        is_own = contact.secondary is not None or not hasattr(claim, "contact_change")
        if claim.kind == contact.kind and claim.secondary == contact.secondary and is_own:
            return claim
    return Claim(user=contact.user, kind=contact.kind)


_Shown = TypeVar("_Shown", Held, SecondaryContact)


def _in_order(contacts: Iterable[_Shown]) -> list[_Shown]:
    further = [each for each in contacts if each.pk is not None]
    return sorted(further, key=lambda contact: (contact.kind == Kind.PHONE, contact.pk))
