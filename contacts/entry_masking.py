"""What entries tell of contacts: nothing of those that their holder hides, or has no more."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Value

from audit.models import Entry
from contacts.masking import masked_contacts
from contacts.models import HIDDEN, SECONDARY, Kind, User

# The kinds of record whose label is a contact.
CONTACTS = tuple(model.__name__.lower() for model in SECONDARY.values())
PERSON = User.__name__.lower()


@dataclass
class Held:
    """What a person has today: contacts that anybody who sees him may see, the kinds of which he
    hides one, and the records that contacts stand in.
    """

    shown: set[str] = field(default_factory=set)
    hiding: set[str] = field(default_factory=set)
    records: set[tuple[str, int]] = field(default_factory=set)

    def tells(self, entry: Entry, kind: str, typed: str) -> bool:
        """Whether the entry may tell this contact.

        What was mended may be told while the contact is there, but not beside one that is hidden: it
        may be the hidden one of before.
        """
        there = (entry.target_type, entry.target_id) in self.records
        return typed in self.shown or (there and kind not in self.hiding)


def hide_contacts(entries: Sequence[Entry]) -> None:
    """Mask what these entries tell of contacts that are hidden, or gone, by now: one statement."""
    telling = [each for each in entries if each.before or each.after or _is_contact(each)]
    people = _held({each.person_id for each in telling})
    for entry in telling:
        held = people[entry.person_id]
        if _is_contact(entry) and entry.target_label not in held.shown:
            entry.target_label = entry.target_label and HIDDEN
        entry.before = _masked(entry.before, entry, held)
        entry.after = _masked(entry.after, entry, held)


def _is_contact(entry: Entry) -> bool:
    return entry.target_type in CONTACTS


def _held(people: Iterable[int | None]) -> dict[int | None, Held]:
    found: dict[int | None, Held] = defaultdict(Held)
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
        held = found[pk]
        held.records.add((record, number))
        if typed and hidden:
            held.hiding.add(kind)
        elif typed:
            held.shown.add(typed)
    return found


def _masked(value: Any, entry: Entry, held: Held, name: str = "") -> Any:
    """The value without contacts that may not be told; `name` is the field that holds it."""
    if isinstance(value, dict):
        return {key: _masked(each, entry, held, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, entry, held, name) for each in value]
    if not isinstance(value, str) or not value:
        return value
    if name in Kind.values:
        return value if held.tells(entry, name, value) else HIDDEN
    return value if value in held.shown else masked_contacts(value)
