"""Erasing a person from all stored data (docs/audit-proof.md, Erasing a person)."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models.functions import Cast

from audit.erasing import Found, Search, Traces
from audit.models import Entry
from audit.operations import Origin
from buildings.membership_operations import end_memberships
from buildings.models import Membership, RequestNotices
from contacts.canonical import western_digits
from contacts.contact_operations import secondary_contacts
from contacts.models import SECONDARY, Claim, User
from contacts.operations import erase_person, lock_contacts
from omarty.admin_urls import admin_url_for
from omarty.legacy.operations import forget_person

# The most rows of one table that are reported to mention a contact.
ROWS_REPORTED = 20


@dataclass(frozen=True)
class Mention:
    """A record that an erasure does not handle and that holds the person's e-mail or phone."""

    what: str
    page: str


def traces_of(user: User, name: str, entries: frozenset[int]) -> Traces:
    """What ties audit entries to the person; those in `entries` that hold the name mean them."""
    values = set(Claim.objects.filter(user=user).values_list("value", flat=True))
    values |= {contact.typed for contact in secondary_contacts(user)}
    values |= {western_digits(value) for value in (user.email, user.phone) if value}
    return Traces(user.pk, tuple(sorted(values)), name, entries)


def is_erased(user: User) -> bool:
    """Whether the person is erased already, apart from the audit log."""
    named = any((user.name, user.user_name, user.email, user.phone))
    current = Membership.objects.current().filter(user=user)
    return not named and not user.claims.exists() and not current.exists()


@transaction.atomic
def erase(*, origin: Origin, user: User, search: Search, archived: Found) -> Found:
    """Erase the person. Returns the ids of entries whose erased parts the audit log records.

    Raises ValidationError if a block would have no manager left, or the register no superuser.
    """
    current = Membership.objects.current().filter(user=user)
    end_memberships(origin=origin, memberships=current.all())
    # Nobody can start a membership once the person is locked; one may have been started before.
    lock_contacts(user)
    end_memberships(origin=origin, memberships=current.all())
    _forget_admin_log(user)
    RequestNotices.objects.filter(user=user).delete()
    forget_person(user=user)
    return erase_person(origin=origin, user=user, search=search, archived=archived)


def _forget_admin_log(user: User) -> None:
    """Remove names and changes from the back-office's log, which Django keeps."""
    kinds: tuple[type[models.Model], ...] = (Membership, *SECONDARY.values())
    records = {
        kind: list(kind._default_manager.filter(user=user).values_list("pk", flat=True))
        for kind in kinds
    }
    records[User] = [user.pk]
    for model, ids in records.items():
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(model), object_id__in=map(str, ids)
        ).update(object_repr=f"#{user.pk}", change_message="")


def mentions(contacts: tuple[str, ...]) -> Iterator[Mention]:
    """Records that still hold one of these contacts: notes, and tables that an erasure does not handle."""
    for model in apps.get_models() if contacts else ():
        texts = [field.name for field in model._meta.concrete_fields if _is_text(field)]
        if model is Entry or not texts:
            continue
        holds = [models.Q(**{f"_{name}__icontains": each}) for name in texts for each in contacts]
        rows = model._default_manager.annotate(
            **{f"_{name}": Cast(name, models.TextField()) for name in texts}
        ).filter(reduce(operator.or_, holds))
        for key in rows.values_list("pk", flat=True)[:ROWS_REPORTED]:
            yield Mention(f"{model._meta.verbose_name} {key}", admin_url_for(model, key))


def _is_text(field: "models.Field[object, object]") -> bool:
    return isinstance(field, models.CharField | models.TextField | models.JSONField)
