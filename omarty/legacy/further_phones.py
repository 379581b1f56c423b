"""Phones that share a column with others: the first is the row's own, and the others come in here.

They come in last, so that no primary contact finds its phone held by one of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import transaction

from audit.operations import Origin
from contacts.contact_operations import (
    Contact,
    ContactRefused,
    WhyContactRefused,
    add_contact,
    hide_contact,
)
from contacts.models import SECONDARY, Kind, User
from contacts.several import phones_in
from omarty.legacy.importer import erased_ids, imported_ids
from omarty.legacy.models import LegacyRow, QuarantinedRow
from omarty.legacy.models import QuarantineReason as Reason
from omarty.legacy.operations import quarantine, remember
from omarty.legacy.parsing import Incoming, digest, reference
from omarty.legacy.source import FURTHER_PHONES, PHONES, USERS, Source, SourceRow

# No two phones are shorter.
_SHORTEST = 14
_SELECTS = {
    USERS: f"SELECT ID, ID AS UserID, PhoneNum, Hide FROM {USERS}"  # noqa: S608
    f" WHERE LENGTH(PhoneNum) > {_SHORTEST} ORDER BY ID",
    PHONES: f"SELECT ID, UserID, PhoneNum, Hide FROM {PHONES}"  # noqa: S608
    f" WHERE LENGTH(PhoneNum) > {_SHORTEST} ORDER BY ID",
}
# Where such a phone stands, in the quarantine.
_COLUMN = "PhoneNum (%d)"
# The values of the column `Hide` that hide no phone.
_SHOWN_BY = {USERS: {"0", "1", None}, PHONES: {"0", None}}
_REASONS: dict[WhyContactRefused | None, Reason] = {
    WhyContactRefused.INVALID: Reason.NOT_PHONE,
    WhyContactRefused.TAKEN: Reason.HELD,
    WhyContactRefused.LIMIT: Reason.LIMIT,
}


@dataclass(frozen=True)
class FurtherPhone:
    """The phone of a row that stands at `place` (2 or more) of its column."""

    table: str
    row: SourceRow
    place: int
    typed: str

    @property
    def key(self) -> str:
        """What is remembered of it: its row, and a digest that does not show it."""
        return f"{self.table} {self.row['ID']} {digest(self.typed)}"


def add_further_phones(source: Source, origin: Origin, tell: Callable[[str], None]) -> int:
    """Add them to their people as secondary phones, each once. Returns how many were added now."""
    return sum(
        _add(origin, phone, tell)
        for table, select in _SELECTS.items()
        for rows in source.batches(select)
        for phone in _of_people_here(table, rows)
    )


def _of_people_here(table: str, rows: list[SourceRow]) -> Iterator[FurtherPhone]:
    several = {}
    for row in rows:
        text = Incoming(table, row).cleaned("PhoneNum")
        if text and len(phones := phones_in(text)) > 1:
            several[row["ID"]] = (row, phones)
    people = {reference(row["UserID"]) for row, _ in several.values()}
    here = imported_ids(USERS, people) - erased_ids(people)
    for row, phones in several.values():
        if reference(row["UserID"]) in here:
            for place, typed in enumerate(phones[1:], 2):
                yield FurtherPhone(table, row, place, typed)


@transaction.atomic
def _add(origin: Origin, phone: FurtherPhone, tell: Callable[[str], None]) -> bool:
    if LegacyRow.objects.filter(table=FURTHER_PHONES, key=phone.key).exists():
        return False
    user = User.objects.get(pk=reference(phone.row["UserID"]) or 0)
    why = None
    try:
        add_contact(origin=origin, user=user, kind=Kind.PHONE, typed=phone.typed)
    except ContactRefused as refused:
        why = refused.why
    else:
        _hide(origin, user, phone)
        tell(f"{phone.table} {phone.row['ID']}: a further phone came in as a secondary one")
    _wait(origin, phone, _REASONS.get(why), tell)
    if why not in _REASONS:
        mark = LegacyRow(table=FURTHER_PHONES, key=phone.key, record_id=user.pk, imported={})
        remember(new=[mark], changed=[])
    return why is None


def _hide(origin: Origin, user: User, phone: FurtherPhone) -> None:
    """Hide it if the first phone of its column is hidden."""
    if phone.row["Hide"] in _SHOWN_BY[phone.table]:
        return
    value = Kind.PHONE.canonical(phone.typed)
    added = SECONDARY[Kind.PHONE].objects.get(user=user, claim__value=value)
    contact = Contact(user, Kind.PHONE, added)
    hide_contact(origin=origin, contact=contact, hidden=True)


def _wait(
    origin: Origin, phone: FurtherPhone, why: Reason | None, tell: Callable[[str], None]
) -> None:
    """Have exactly this reason of the phone in quarantine."""
    row = QuarantinedRow(
        table=phone.table,
        key=str(phone.row["ID"]),
        column=_COLUMN % phone.place,
        reason=why or "",
        source=phone.row,
    )
    place = QuarantinedRow.objects.filter(table=row.table, key=row.key, column=row.column)
    present = place.first()
    if present and (present.reason, present.source) == (why, row.source):
        return
    new = [row] if why else []
    quarantine(origin=origin, new=new, released=[present] if present else [])
    for each in new:
        tell(str(each))
