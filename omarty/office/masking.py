"""What entries tell of contacts: only of those that their holder has, and does not hide, today."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from audit.cells import masked_contacts
from audit.models import Entry
from contacts.models import HIDDEN, SECONDARY, Kind, User

# The kinds of record whose label is a contact.
CONTACTS = tuple(model.__name__.lower() for model in SECONDARY.values())


def hide_contacts(entries: Sequence[Entry]) -> None:
    """Mask what these entries tell of contacts that are hidden, or gone, by now: one statement."""
    telling = [each for each in entries if each.before or each.after or _is_contact(each)]
    open_ones = _open({each.person_id for each in telling})
    for entry in telling:
        shown = open_ones[entry.person_id]
        if _is_contact(entry) and entry.target_label not in shown:
            entry.target_label = entry.target_label and HIDDEN
        entry.before, entry.after = _masked(entry.before, shown), _masked(entry.after, shown)


def _is_contact(entry: Entry) -> bool:
    return entry.target_type in CONTACTS


def _open(people: Iterable[int | None]) -> dict[int | None, set[str]]:
    """The contacts of each of these people that anybody who sees him may see, as typed."""
    ids = [pk for pk in people if pk is not None]
    found: dict[int | None, set[str]] = defaultdict(set)
    if not ids:
        return found
    users = User.objects.filter(pk__in=ids)
    primary = (
        users.filter(**{f"{kind}_hidden": False}).values_list("pk", kind.value) for kind in Kind
    )
    further = (
        model.objects.filter(user_id__in=ids, hidden=False).values_list("user_id", "typed")
        for model in SECONDARY.values()
    )
    for pk, typed in next(primary).union(*primary, *further, all=True):
        found[pk].add(typed)
    return found


def _masked(value: Any, shown: set[str], name: str = "") -> Any:
    """The value without contacts that are not `shown`; `name` is the field that holds it."""
    if isinstance(value, dict):
        return {key: _masked(each, shown, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_masked(each, shown, name) for each in value]
    if not isinstance(value, str) or not value or value in shown:
        return value
    return HIDDEN if name in Kind.values else masked_contacts(value)
