"""`manage.py export_people`: the people, their contacts, and where they belong."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from buildings.models import Block, Membership
from contacts.models import SecondaryEmail, SecondaryPhone, User
from omarty.management.exports import ExportCommand, moment


class Command(ExportCommand):
    help = (
        "Write the people to a table, one in a row: contacts, standing, and where they belong now.\n\n"
        "With --block, those who belong to it now or did once. --since and --until look at the day\n"
        "that a person was registered."
    )
    reads = "people, contacts and memberships"
    what = "people"
    headings = ["id", "name", "name in the app", "phone", "email", "further phones"] + [
        "further emails",
        "status",
        "superuser",
        "registered",
        "belongs to",
    ]
    dated = "created_at"

    def selected(self, block: Block | None) -> QuerySet[User]:
        if block is None:
            return User.objects.all()
        return User.objects.filter(pk__in=Membership.objects.filter(block=block).values("user"))

    def cells(self, page: Sequence[User]) -> Iterator[Sequence[Any]]:
        phones = _of_each(SecondaryPhone.objects.filter(user__in=page))
        emails = _of_each(SecondaryEmail.objects.filter(user__in=page))
        memberships = _memberships(page)
        for user in page:
            further_phones = "; ".join(self.phone(each.typed) for each in phones[user.pk])
            further_emails = "; ".join(self.email(each.typed) for each in emails[user.pk])
            facts = [user.pk, user.name, user.user_name]
            facts += [self.phone(user.phone), self.email(user.email)]
            facts += [further_phones, further_emails, user.status]
            facts += ["yes" if user.is_superuser else "no", moment(user.created_at)]
            yield [*facts, "; ".join(memberships[user.pk])]


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
        place = f"block {each.block} (id {each.block_id}){unit}"
        found[each.user_id].append(f"{place}: {each.role}, {each.status}")
    return found
