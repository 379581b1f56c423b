"""Operations that import people and contacts from the legacy server, with the ids that they have there."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from audit.models import Action
from audit.operations import Origin, entry, record_all, save_change
from contacts.contact_changes import end_change
from contacts.contact_operations import WhyContactRefused
from contacts.models import SECONDARY, Claim, Kind, SecondaryContact, User, new_session_stamp
from contacts.operations import doubt_contacts
from contacts.sessions import delete_sessions

# An entry says that they changed, and not their values.
SECRETS = frozenset({"password", "session_stamp"})
# A change of one of these ends the person's sessions.
ENDS_SESSIONS = ("password", "status")
# A contact to claim: the person's id, the kind, and the value as typed.
Wanted = tuple[int, Kind, str]


@transaction.atomic
def adopt_users(
    *, origin: Origin, users: Sequence[User]
) -> list[tuple[int, Kind, WhyContactRefused]]:
    """Import people with their ids and password hashes, and claim their contacts.

    A contact that cannot be claimed is left out, and returned as (person's id, kind, why).
    """
    wanted = [
        (user.pk, kind, typed)
        for user in users
        for kind in Kind
        if (typed := getattr(user, kind.value))
    ]
    claims = _claims(wanted)
    refused = [
        (user_id, kind, claim)
        for (user_id, kind, _), claim in zip(wanted, claims, strict=True)
        if isinstance(claim, WhyContactRefused)
    ]
    left_out = {(user_id, kind) for user_id, kind, _ in refused}
    for user in users:
        for kind in Kind:
            typed = getattr(user, kind.value)
            claimed = typed and (user.pk, kind) not in left_out
            setattr(user, kind.value, kind.tidy(typed) if claimed else None)
    User.objects.bulk_create(users)
    Claim.objects.bulk_create(claim for claim in claims if isinstance(claim, Claim))
    record_all(
        entry(origin=origin, action=Action.USER_REGISTERED, target=user, person=user)
        for user in users
    )
    return refused


@transaction.atomic
def change_adopted_user(
    *, origin: Origin, user: User, changes: dict[str, Any]
) -> list[tuple[Kind, WhyContactRefused]]:
    """Save changes to an imported person. A new contact that cannot be claimed is left out, and returned.

    If somebody else has claimed the new contact, the old one is released all the same: the person has
    given it up, and somebody else may be waiting for it. A new password or status ends their sessions.
    """
    refused = []
    # Of what is no contact nothing may be left: then it is refused as it came.
    tidied = {
        kind.value: kind.tidy(typed) or typed for kind in Kind if (typed := changes.get(kind.value))
    }
    changes = changes | tidied
    for kind in Kind:
        if kind.value in changes and (why := _replace_primary(user, kind, changes[kind.value])):
            refused.append((kind, why))
            if why == WhyContactRefused.TAKEN:
                _replace_primary(user, kind, None)
            remaining = None if why == WhyContactRefused.TAKEN else getattr(user, kind.value)
            changes = changes | {kind.value: remaining}
    if any(changes.get(name, getattr(user, name)) != getattr(user, name) for name in ENDS_SESSIONS):
        changes = changes | {"session_stamp": new_session_stamp()}
        delete_sessions(user)
    if "password" in changes:
        # They have had one there: what a manager wrote here meanwhile is not theirs for that.
        doubt_contacts(user, user.claims.exclude(set_by=None))
    save_change(
        user,
        changes,
        origin=origin,
        action=Action.LEGACY_CHANGED,
        secret=SECRETS,
        person=user,
    )
    return refused


def _replace_primary(user: User, kind: Kind, typed: str | None) -> WhyContactRefused | None:
    # The legacy server says what they sign in with, whatever was changed here.
    end_change(user, kind)
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
    # Another spelling of the primary contact that the person has already.
    primary = getattr(user, kind.value)
    try:
        return bool(primary and typed) and kind.canonical(primary) == kind.canonical(str(typed))
    except ValueError:
        return False


@transaction.atomic
def adopt_contacts(
    *, origin: Origin, kind: Kind, contacts: Sequence[SecondaryContact]
) -> dict[int, WhyContactRefused]:
    """Import secondary contacts of one kind under the ids that they have; their people are loaded.

    A contact that cannot be claimed is left out. Returns why, by id.
    """
    claims = _claims([(each.user.pk, kind, each.typed) for each in contacts])
    refused = {
        contact.pk: claim
        for contact, claim in zip(contacts, claims, strict=True)
        if isinstance(claim, WhyContactRefused)
    }
    new = [claim for claim in claims if isinstance(claim, Claim)]
    Claim.objects.bulk_create(new)
    # MySQL does not return the ids of rows that were inserted in bulk.
    written = _holders(kind, [claim.value for claim in new])
    imported = []
    for contact, claim in zip(contacts, claims, strict=True):
        if isinstance(claim, Claim):
            contact.claim = written[claim.value]
            contact.typed = kind.tidy(contact.typed)
            imported.append(contact)
    SECONDARY[kind]._default_manager.bulk_create(imported)  # type: ignore[arg-type]
    record_all(
        entry(
            origin=origin,
            action=Action.CONTACT_ADDED,
            target=contact,
            person=contact.user,
            after={kind.value: contact.typed},
        )
        for contact in imported
    )
    return refused


@transaction.atomic
def change_adopted_contact(
    *, origin: Origin, contact: SecondaryContact, changes: dict[str, Any]
) -> WhyContactRefused | None:
    """Save changes to an imported contact. If it cannot claim a new value: returns why, saves nothing."""
    if "typed" in changes:
        why = _move_claim(contact, changes["typed"])
        if why is not None:
            return why
        changes = changes | {"typed": contact.kind.tidy(changes["typed"])}
    save_change(contact, changes, origin=origin, action=Action.LEGACY_CHANGED, person=contact.user)
    return None


def _move_claim(contact: SecondaryContact, typed: str) -> WhyContactRefused | None:
    """Change the contact's claim to this value. Returns why it cannot be claimed, or None."""
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
    """For each wanted contact, in order: an unsaved claim, or why it cannot be claimed.

    It queries first, since trying one by one is too slow here; the unique constraint still decides.
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
    claims = Claim.objects.filter(kind=kind, value__in=list(values))
    return {claim.value: claim for claim in claims}
