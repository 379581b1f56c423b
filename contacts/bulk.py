"""Many people and contacts at once: the same rows and entries as `register_user()` and `add_contact()`."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection, transaction
from django.db.models import Count

from audit.bulk import insert_like
from audit.models import Action
from audit.operations import Named, Origin, entry, record_each
from contacts.models import SECONDARY, Claim, Kind, SecondaryContact, User
from contacts.operations import setter

_OF_CLAIM = ("user_id", "kind", "value", "set_by_id")


class ReportedContact(NamedTuple):
    """A contact that somebody is said to have."""

    kind: Kind
    typed: str
    # Canonical.
    value: str


class Addition(NamedTuple):
    """A contact that a registered person gets beside those that they have, and where that is done."""

    user: User
    contact: ReportedContact
    block: Named
    apartment: Named


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
    by = _key_of(setter(origin))
    claims = [
        (each.user.pk, kind, value, by) for each in people for kind, value in each.claims.items()
    ]
    insert_like(Claim(), _OF_CLAIM, claims)
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


def secondary_counts(users: Iterable[int | None]) -> dict[tuple[int, Kind], int]:
    """How many secondary contacts of each kind these people have; their claims are locked for more."""
    ids = list(users)
    # As `add_contact()` does: who adds at the same time counts afterwards.
    list(Claim.objects.select_for_update().filter(user__in=ids).order_by("pk"))
    return {
        (each["user"], kind): each["count"]
        for kind, model in SECONDARY.items()
        for each in model._default_manager.filter(user__in=ids)
        .values("user")
        .annotate(count=Count("pk"))
    }


@transaction.atomic
def add_contacts(*, origin: Origin, additions: Iterable[Addition]) -> None:
    """Add secondary contacts. Their number and whose they are the caller has looked at.

    Raises IntegrityError if one is claimed already.
    """
    by_kind: dict[Kind, list[Addition]] = defaultdict(list)
    for each in additions:
        by_kind[each.contact.kind].append(each)
    for kind, those in by_kind.items():
        _add_contacts(origin, kind, those)


def _add_contacts(origin: Origin, kind: Kind, additions: Sequence[Addition]) -> None:
    claims = [
        (each.user.pk, kind, each.contact.value, _key_of(setter(origin, each.user)))
        for each in additions
    ]
    ids = insert_like(Claim(), _OF_CLAIM, claims)
    if not ids:
        # MySQL does not return them.
        values = [each.contact.value for each in additions]
        stored = Claim.objects.filter(kind=kind, value__in=values).values_list("value", "pk")
        id_of = dict(stored)
        ids = [id_of[value] for value in values]
    like = SECONDARY[kind]()
    rows = [
        (each.user.pk, claim, each.contact.typed)
        for each, claim in zip(additions, ids, strict=True)
    ]
    contacts = insert_like(like, ("user_id", "claim_id", "typed"), rows)
    if not contacts:
        of_claim = SECONDARY[kind]._default_manager.filter(claim__in=ids)
        contact_of = dict(of_claim.values_list("claim", "pk"))
        contacts = [contact_of[claim] for claim in ids]
    _record_additions(origin, like, additions, contacts)


def _record_additions(
    origin: Origin, like: SecondaryContact, additions: Sequence[Addition], ids: Sequence[int]
) -> None:
    columns = [
        f"{thing}_{what}"
        for thing in ("target", "person", "block", "apartment")
        for what in ("id", "label")
    ]
    rows = (
        (pk, each.contact.typed, *_named(each.user), *_named(each.block), *_named(each.apartment))
        + ({each.contact.kind.value: each.contact.typed},)
        for each, pk in zip(additions, ids, strict=True)
    )
    added = entry(origin=origin, action=Action.CONTACT_ADDED, target=like)
    record_each(added, [*columns, "after"], rows)


def _key_of(user: User | None) -> int | None:
    return user.pk if user is not None else None


def _named(thing: Named) -> tuple[int, str]:
    return thing.pk, str(thing)
