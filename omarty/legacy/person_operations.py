"""Operations that take people and contacts over from the legacy server, with the ids they had there."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from audit.models import Action
from audit.operations import Origin, entry, record_all, save_change
from contacts.models import SECONDARY, Claim, Kind, SecondaryContact, User, new_session_stamp
from contacts.operations import WhyContactRefused

# The log says that they changed, never to what.
SECRETS = frozenset({"password", "session_stamp"})
# Whoever gets a new one of these signs in anew.
ENDS_SESSIONS = ("password", "status")
# Whose (person's id), which kind, and the value as typed.
Wanted = tuple[int, Kind, str]


@transaction.atomic
def adopt_users(
    *, origin: Origin, users: Sequence[User]
) -> list[tuple[int, Kind, WhyContactRefused]]:
    """New people with ids and password hashes as given; their contacts as typed, claimed here.

    A contact that cannot be held is left out; returned as (person's id, kind, why).
    """
    wanted = [
        (user.pk, kind, typed)
        for user in users
        for kind in Kind
        if (typed := getattr(user, kind.value))
    ]
    claims = _claims(wanted)
    objections = [
        (user_id, kind, claim)
        for (user_id, kind, _), claim in zip(wanted, claims, strict=True)
        if isinstance(claim, WhyContactRefused)
    ]
    left_out = {(user_id, kind) for user_id, kind, _ in objections}
    for user in users:
        for kind in Kind:
            typed = getattr(user, kind.value)
            keeps = typed and (user.pk, kind) not in left_out
            setattr(user, kind.value, kind.tidy(typed) if keeps else None)
    User.objects.bulk_create(users)
    Claim.objects.bulk_create(claim for claim in claims if isinstance(claim, Claim))
    record_all(
        entry(origin=origin, action=Action.USER_REGISTERED, target=user, person=user)
        for user in users
    )
    return objections


@transaction.atomic
def change_adopted_user(
    *, origin: Origin, user: User, changes: dict[str, Any]
) -> list[tuple[Kind, WhyContactRefused]]:
    """Bring a person up to date; a new phone or e-mail that cannot be held is not taken, and returned.

    If somebody else holds the new one, the old one goes: it is not his any more, and the other may
    be waiting for it. A new password or status ends his sessions.
    """
    objections = []
    for kind in Kind:
        if kind.value in changes and (why := _replace_primary(user, kind, changes[kind.value])):
            objections.append((kind, why))
            if why == WhyContactRefused.TAKEN:
                _replace_primary(user, kind, None)
            left = None if why == WhyContactRefused.TAKEN else getattr(user, kind.value)
            changes = changes | {kind.value: left}
    if any(changes.get(name, getattr(user, name)) != getattr(user, name) for name in ENDS_SESSIONS):
        changes = changes | {"session_stamp": new_session_stamp()}
    save_change(
        user,
        changes,
        origin=origin,
        action=Action.LEGACY_CHANGED,
        secret=SECRETS,
        person=user,
    )
    return objections


def _replace_primary(user: User, kind: Kind, typed: str | None) -> WhyContactRefused | None:
    claim = _claims([(user.pk, kind, typed)])[0] if typed else None
    if isinstance(claim, WhyContactRefused) and not _same_value(user, kind, typed):
        return claim
    if isinstance(claim, Claim) or not typed:
        related = SECONDARY[kind].__name__.lower()
        Claim.objects.filter(user=user, kind=kind, **{related: None}).delete()
    if isinstance(claim, Claim):
        claim.save(force_insert=True)
    return None


def _same_value(user: User, kind: Kind, typed: str | None) -> bool:
    # Another spelling of what is his primary already.
    held = getattr(user, kind.value)
    try:
        return bool(held and typed) and kind.canonical(held) == kind.canonical(str(typed))
    except ValueError:
        return False


@transaction.atomic
def adopt_contacts(
    *, origin: Origin, kind: Kind, contacts: Sequence[SecondaryContact]
) -> dict[int, WhyContactRefused]:
    """New secondary contacts of one kind, with ids as given; their people are loaded.

    One that cannot be held is left out; returned as its id and why.
    """
    claims = _claims([(each.user.pk, kind, each.typed) for each in contacts])
    objections = {
        contact.pk: claim
        for contact, claim in zip(contacts, claims, strict=True)
        if isinstance(claim, WhyContactRefused)
    }
    new = [claim for claim in claims if isinstance(claim, Claim)]
    Claim.objects.bulk_create(new)
    # MySQL does not tell the ids of rows written in bulk.
    written = _holders(kind, [claim.value for claim in new])
    taken_in = []
    for contact, claim in zip(contacts, claims, strict=True):
        if isinstance(claim, Claim):
            contact.claim = written[claim.value]
            contact.typed = kind.tidy(contact.typed)
            taken_in.append(contact)
    SECONDARY[kind]._default_manager.bulk_create(taken_in)  # type: ignore[arg-type]
    record_all(
        entry(
            origin=origin,
            action=Action.CONTACT_ADDED,
            target=contact,
            person=contact.user,
            after={kind.value: contact.typed},
        )
        for contact in taken_in
    )
    return objections


@transaction.atomic
def change_adopted_contact(
    *, origin: Origin, contact: SecondaryContact, changes: dict[str, Any]
) -> WhyContactRefused | None:
    """Bring a secondary contact up to date. A new value that cannot be held changes nothing; returned."""
    if "typed" in changes:
        why = _move_claim(contact, changes["typed"])
        if why is not None:
            return why
        changes = changes | {"typed": contact.kind.tidy(changes["typed"])}
    save_change(contact, changes, origin=origin, action=Action.LEGACY_CHANGED, person=contact.user)
    return None


def _move_claim(contact: SecondaryContact, typed: str) -> WhyContactRefused | None:
    """Have the contact's claim hold this value; if it cannot, why."""
    kind, claim, value = contact.kind, contact.claim, _canonical(contact.kind, typed)
    if value is None:
        return WhyContactRefused.INVALID
    if value == claim.value:
        return None
    if holder := _holders(kind, [value]).get(value):
        own = holder.user_id == contact.user_id
        return WhyContactRefused.OWN if own else WhyContactRefused.TAKEN
    claim.value = value
    claim.save(update_fields=["value"])
    return None


def _claims(wanted: Sequence[Wanted]) -> list[Claim | WhyContactRefused]:
    """For each, in order: the claim on it, not yet written, or why there can be none.

    It looks first, for one by one is too slow here; the unique row still has the last word.
    """
    values = [_canonical(kind, typed) for _, kind, typed in wanted]
    holders: dict[tuple[str, str], int] = {}
    for kind in {kind for _, kind, _ in wanted}:
        asked = [value for value, want in zip(values, wanted, strict=True) if want[1] == kind]
        for claim in _holders(kind, filter(None, asked)).values():
            holders[claim.kind, claim.value] = claim.user_id
    outcome: list[Claim | WhyContactRefused] = []
    for (user_id, kind, _), value in zip(wanted, values, strict=True):
        if value is None:
            outcome.append(WhyContactRefused.INVALID)
        elif holder := holders.get((kind, value)):
            outcome.append(WhyContactRefused.OWN if holder == user_id else WhyContactRefused.TAKEN)
        else:
            holders[kind, value] = user_id
            outcome.append(Claim(user_id=user_id, kind=kind, value=value))
    return outcome


def _canonical(kind: Kind, typed: str) -> str | None:
    try:
        return kind.canonical(typed)
    except ValueError:
        return None


def _holders(kind: Kind, values: Iterable[str]) -> dict[str, Claim]:
    held = Claim.objects.filter(kind=kind, value__in=list(values))
    return {claim.value: claim for claim in held}
