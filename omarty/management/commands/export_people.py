"""`manage.py export_people`: the people, their contacts, and where they belong."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet

from buildings.models import Block, Membership
from contacts.contact_operations import Contact
from contacts.models import Kind, SecondaryContact, SecondaryEmail, SecondaryPhone, User
from omarty.management.exports import ExportCommand, moment
from omarty.tables.columns import ContactColumn, ExportColumn


class Person(NamedTuple):
    """A row of the file."""

    user: User
    phones: Sequence[SecondaryContact]
    emails: Sequence[SecondaryContact]
    memberships: Sequence[str]


class Command(ExportCommand):
    help = (
        "Write the people to a table, one in a row: contacts, status, and where they belong now.\n\n"
        "With --block, those who belong to it now or did once. --since and --until look at the day\n"
        "that a person was registered."
    )
    reads = "people, contacts and memberships"
    what = "people"
    columns = [
        ExportColumn[Person]("id", lambda row: row.user.pk),
        ExportColumn[Person]("name", lambda row: row.user.name),
        ExportColumn[Person]("name in the app", lambda row: row.user.user_name),
        ContactColumn[Person]("phone", lambda row: [Contact(row.user, Kind.PHONE)]),
        ContactColumn[Person]("email", lambda row: [Contact(row.user, Kind.EMAIL)]),
        ContactColumn[Person]("further phones", lambda row: row.phones),
        ContactColumn[Person]("further emails", lambda row: row.emails),
        ExportColumn[Person]("status", lambda row: row.user.status),
        ExportColumn[Person]("superuser", lambda row: "yes" if row.user.is_superuser else "no"),
        ExportColumn[Person]("registered", lambda row: moment(row.user.created_at)),
        ExportColumn[Person]("belongs to", lambda row: "; ".join(row.memberships)),
    ]
    dated = "created_at"

    def selected(self, block: Block | None) -> QuerySet[User]:
        if block is None:
            return User.objects.all()
        return User.objects.filter(pk__in=Membership.objects.filter(block=block).values("user"))

    def rows(self, batch: Sequence[User]) -> Iterator[Person]:
        phones = _of_each(SecondaryPhone.objects.filter(user__in=batch))
        emails = _of_each(SecondaryEmail.objects.filter(user__in=batch))
        memberships = _memberships(batch)
        for user in batch:
            yield Person(user, phones[user.pk], emails[user.pk], memberships[user.pk])


def _of_each(contacts: Iterable[Any]) -> dict[int, list[Any]]:
    """The contacts by their holder, in the order added."""
    found = defaultdict(list)
    for each in sorted(contacts, key=lambda contact: contact.pk):
        found[each.user_id].append(each)
    return found


def _memberships(people: Sequence[User]) -> dict[int, list[str]]:
    """Where each person belongs now, in words."""
    found = defaultdict(list)
    current = Membership.objects.current().filter(user__in=people)
    for each in current.select_related("block", "apartment").order_by("pk"):
        unit = f", unit {each.apartment}" if each.apartment else ""
        where = f"block {each.block} (id {each.block_id}){unit}"
        found[each.user_id].append(f"{where}: {each.role}, {each.status}")
    return found
