"""How legacy users, and their further phones and e-mails, are imported."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db import models

from audit.models import Action, Channel, Entry
from audit.operations import Origin
from contacts.contact_operations import WhyContactRefused
from contacts.hashers import PHPBcryptHasher
from contacts.models import SECONDARY, Kind, Status, User
from contacts.several import phones_in
from omarty.legacy.importer import LegacyTable, imported_ids
from omarty.legacy.models import QuarantineReason as Reason
from omarty.legacy.parsing import Incoming, reference, whole
from omarty.legacy.person_operations import (
    adopt_contacts,
    adopt_users,
    change_adopted_contact,
    change_adopted_user,
)
from omarty.legacy.source import EMAILS, PHONES, USERS, SourceRow

STATUSES = {1: Status.PENDING, 2: Status.ACTIVE, 3: Status.BANNED}

_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
# No password matches it: the person must be given a new one.
_NO_PASSWORD = "!"  # noqa: S105

_COLUMNS = {Kind.EMAIL: "Email", Kind.PHONE: "PhoneNum"}
_REASONS = {
    (Kind.EMAIL, WhyContactRefused.INVALID): Reason.NOT_EMAIL,
    (Kind.PHONE, WhyContactRefused.INVALID): Reason.NOT_PHONE,
    (Kind.EMAIL, WhyContactRefused.OWN): Reason.OWN,
    (Kind.PHONE, WhyContactRefused.OWN): Reason.OWN,
    (Kind.EMAIL, WhyContactRefused.TAKEN): Reason.HELD,
    (Kind.PHONE, WhyContactRefused.TAKEN): Reason.HELD,
}


class UserTable(LegacyTable):
    """People, with the password hashes, phones and e-mails that they sign in with."""

    name = USERS
    select = (
        "SELECT ID, Name, UserName, Email, Password, PhoneNum, StatusID, Hide, CreatedAt"
        " FROM Resident_User ORDER BY ID"
    )
    model = changeable = User

    def read(self, row: SourceRow) -> Incoming:
        incoming = Incoming(self.name, row)
        incoming.text("name", "Name", 255)
        incoming.text("user_name", "UserName", 100)
        for kind, column in _COLUMNS.items():
            incoming.put(kind.value, column, _contact(incoming, kind) or None)
        incoming.choice("status", "StatusID", STATUSES, Status.PENDING)
        incoming.created()
        _read_password(incoming)
        # 0 none, 1 e-mail, 2 phone, 3 both; any other value hides both.
        hidden = whole(row["Hide"]) or 0
        incoming.put("email_hidden", "Hide", hidden not in (0, 2))
        incoming.put("phone_hidden", "Hide", hidden not in (0, 1))
        return incoming

    def people(self, row: SourceRow) -> set[int | None]:
        return {reference(row["ID"])}

    def create(self, origin: Origin, rows: Sequence[Incoming]) -> Mapping[str, User]:
        users = {row.key: User(pk=row.id, **row.values) for row in rows}
        by_id = {row.id: row for row in rows}
        for user_id, kind, why in adopt_users(origin=origin, users=list(users.values())):
            by_id[user_id].wait(kind.value, _REASONS[kind, why])
        return users

    def change(self, origin: Origin, record: Any, row: Incoming, changes: dict[str, Any]) -> None:
        for kind, why in change_adopted_user(origin=origin, user=record, changes=changes):
            row.wait(kind.value, _REASONS[kind, why])

    def only_renewed(self, record: Any, name: str) -> bool:
        """A password's hash is renewed at the first sign-in; when it is changed, an entry says so."""
        if name != "password":
            return False
        changed = Entry.objects.filter(
            action=Action.PASSWORD_CHANGED, target_type="user", target_id=record.pk, refused=""
        )
        return not changed.exclude(channel=Channel.LEGACY).exists()


def _contact(incoming: Incoming, kind: Kind) -> str:
    """The column's contact; of several phones the first, the others come in later (further_phones.py)."""
    raw = incoming.source[_COLUMNS[kind]] or ""
    # Of what is no contact nothing may be left: then it is refused as it came.
    text = incoming.cleaned(_COLUMNS[kind]) or raw.strip()
    return phones_in(text)[0] if kind is Kind.PHONE and text else text


def _read_password(incoming: Incoming) -> None:
    encoded = incoming.source["Password"] or ""
    known = _BCRYPT.fullmatch(encoded)
    if not known:
        incoming.parts["Password"] = Reason.PASSWORD_UNKNOWN
    incoming.put("password", "Password", PHPBcryptHasher.adopt(encoded) if known else _NO_PASSWORD)


class ContactTable(LegacyTable):
    """Further phones, or e-mails, of people; those of services are in the same table."""

    kind: ClassVar[Kind]
    model: ClassVar[type[models.Model]]

    def read(self, row: SourceRow) -> Incoming:
        incoming = Incoming(self.name, row)
        column = _COLUMNS[self.kind]
        incoming.put("user_id", "UserID", reference(row["UserID"]))
        incoming.put("typed", column, _contact(incoming, self.kind))
        incoming.put("hidden", "Hide", (whole(row["Hide"]) or 0) != 0)
        incoming.created()
        return incoming

    def people(self, row: SourceRow) -> set[int | None]:
        return {reference(row["UserID"])}

    def relate(self, rows: Sequence[Incoming]) -> None:
        people = imported_ids(USERS, (row.values["user_id"] for row in rows))
        for row in rows:
            if row.values["user_id"] is None and reference(row.source["ServiceID"]):
                row.refused = Reason.SERVICE
            elif row.values["user_id"] not in people:
                row.refused = Reason.NO_PERSON

    def create(self, origin: Origin, rows: Sequence[Incoming]) -> Mapping[str, Any]:
        people = User.objects.in_bulk({row.values["user_id"] for row in rows})
        contacts = {
            row.key: SECONDARY[self.kind](
                pk=row.id, user=people[row.values["user_id"]], **_without_user(row)
            )
            for row in rows
        }
        refused = adopt_contacts(origin=origin, kind=self.kind, contacts=list(contacts.values()))
        for row in rows:
            if (why := refused.get(row.id)) is not None:
                row.refused = _REASONS[self.kind, why]
        return contacts

    def change(self, origin: Origin, record: Any, row: Incoming, changes: dict[str, Any]) -> None:
        why = change_adopted_contact(origin=origin, contact=record, changes=changes)
        if why is not None:
            row.wait("typed", _REASONS[self.kind, why])
            row.waiting |= changes.keys()


def _without_user(row: Incoming) -> dict[str, Any]:
    return {name: value for name, value in row.values.items() if name != "user_id"}


class EmailTable(ContactTable):
    """Further e-mails."""

    name = EMAILS
    select = "SELECT ID, UserID, ServiceID, Email, Hide, CreatedAt FROM Emails ORDER BY ID"
    kind = Kind.EMAIL
    model = changeable = SECONDARY[Kind.EMAIL]


class PhoneTable(ContactTable):
    """Further phones."""

    name = PHONES
    select = "SELECT ID, UserID, ServiceID, PhoneNum, Hide, CreatedAt FROM PhoneNums ORDER BY ID"
    kind = Kind.PHONE
    model = changeable = SECONDARY[Kind.PHONE]
