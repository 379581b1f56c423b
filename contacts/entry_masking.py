"""What entries show of contacts: nothing of those that their holder hides, or no longer has."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from django.db.models import Value

from audit.models import Action, Entry
from contacts.masking import masked_contacts
from contacts.models import HIDDEN, SECONDARY, Kind, User

# The kinds of record whose label is a contact.
KIND_OF = {model.__name__.lower(): kind.value for kind, model in SECONDARY.items()}
CONTACTS = tuple(KIND_OF)
LEGACY_COLUMNS = {"Email": Kind.EMAIL.value, "PhoneNum": Kind.PHONE.value}
# Under this name entries of exports have the list's address.
FILTER = "filter"
PERSON = User.__name__.lower()


@dataclass
class ContactsToday:
    """What a person has today: contacts that are shown to others, the kinds of which one is hidden,
    and the records that contacts are stored in.
    """

    shown: set[str] = field(default_factory=set)
    hidden_kinds: set[str] = field(default_factory=set)
    records: set[tuple[str, int]] = field(default_factory=set)

    def may_show(self, entry: Entry, kind: str, typed: str) -> bool:
        """Whether the entry may show this contact.

        The spelling that an edit corrected may be shown too, for a hidden contact is not edited: while
        the contact is there, and no other is hidden, whose it may have become.
        """
        corrected = (
            entry.action == Action.CONTACT_CHANGED and typed in (entry.before or {}).values()
        )
        exists = (entry.target_type, entry.target_id) in self.records
        return typed in self.shown or (corrected and exists and kind not in self.hidden_kinds)


def hide_contacts(entries: Sequence[Entry], *, in_full: bool = False) -> None:
    """Mask contacts in these entries that are hidden, or gone, by now: one statement.

    Numbers and addresses in other texts are masked too, unless in full. A name that was typed at a
    refused sign-in stays masked then too: nobody knows whose it is, and whether they hide it.
    """
    for each in entries:
        if each.actor_id is None:
            each.actor_label = masked_contacts(each.actor_label)
        if not in_full:
            each.reason = masked_contacts(each.reason)
    concerned = [each for each in entries if each.before or each.after or _is_contact(each)]
    people = _contacts_today({each.person_id for each in concerned})
    for entry in concerned:
        today = people[entry.person_id]
        if _is_contact(entry) and entry.target_label not in today.shown:
            entry.target_label = entry.target_label and HIDDEN
        entry.before = _masked(entry.before, entry, today, in_full)
        entry.after = _masked(entry.after, entry, today, in_full)


def _is_contact(entry: Entry) -> bool:
    return entry.target_type in CONTACTS


def _contacts_today(people: Iterable[int | None]) -> dict[int | None, ContactsToday]:
    found: dict[int | None, ContactsToday] = defaultdict(ContactsToday)
    ids = [pk for pk in people if pk is not None]
    if not ids:
        return found
    users = User.objects.filter(pk__in=ids)
    primary = (
        users.values_list("pk", kind.value, f"{kind}_hidden", Value(kind), Value(PERSON), "pk")
        for kind in Kind
    )
    further = (
        model.objects.filter(user_id__in=ids).values_list(
            "user_id", "typed", "hidden", Value(kind), Value(model.__name__.lower()), "pk"
        )
        for kind, model in SECONDARY.items()
    )
    for pk, typed, hidden, kind, record, number in next(primary).union(
        *primary, *further, all=True
    ):
        today = found[pk]
        today.records.add((record, number))
        if typed and hidden:
            today.hidden_kinds.add(kind)
        elif typed:
            today.shown.add(typed)
    return found


def _masked(value: Any, entry: Entry, today: ContactsToday, in_full: bool, name: str = "") -> Any:
    """The value without contacts that may not be shown; `name` is the field that has it."""
    if isinstance(value, dict):
        return {key: _masked(each, entry, today, in_full, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, entry, today, in_full, name) for each in value]
    if not isinstance(value, str) or not value:
        return value
    if name == FILTER:
        # What somebody searched for may be anybody's.
        return masked_contacts(unquote_plus(value))
    # A secondary contact that changed at the legacy server has its value under its field's name, a row
    # that was not imported under the legacy server's.
    name = LEGACY_COLUMNS.get(name, name)
    kind = KIND_OF.get(entry.target_type, name) if name == "typed" else name
    if kind in Kind.values:
        return value if today.may_show(entry, kind, value) else HIDDEN
    return value if in_full or value in today.shown else masked_contacts(value)
