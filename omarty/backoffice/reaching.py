"""How people are reached: links that dial, or open WhatsApp or a letter; none to what they hide."""

from collections.abc import Iterable
from dataclasses import dataclass

from contacts.canonical import ContactProblem
from contacts.contact_operations import Contact
from contacts.masking import shown_contact
from contacts.models import Claim, Kind, User
from contacts.phones import canonical_phone


@dataclass(frozen=True)
class Way:
    """A contact as it is shown, with the addresses that reach it; these are empty where there is none."""

    shown: str
    address: str = ""
    whatsapp: str = ""


def ways_to(people: Iterable[User]) -> dict[int, list[Way]]:
    """By the id of each person their phones, then their e-mails; one statement for all of them."""
    known = {person.pk: person for person in people}
    contacts = [Contact(person, kind) for person in known.values() for kind in Kind]
    claims = Claim.objects.filter(user__in=known).order_by("pk")
    for claim in claims.select_related("secondaryemail", "secondaryphone"):
        if claim.secondary is not None:
            contacts.append(Contact(known[claim.user_id], Kind(claim.kind), claim.secondary))
    ways: dict[int, list[Way]] = {pk: [] for pk in known}
    for contact in sorted(contacts, key=lambda each: each.kind != Kind.PHONE):
        if contact.typed:
            ways[contact.user.pk].append(_way(contact))
    return ways


def dialled(phone: str) -> str:
    """The number with its country's code; empty for none, or for what is none today."""
    try:
        return canonical_phone(phone) if phone else ""
    except ContactProblem:
        return ""


def _way(contact: Contact) -> Way:
    shown = shown_contact(contact, in_full=True)
    if contact.hidden:
        return Way(shown)
    if contact.kind == Kind.EMAIL:
        return Way(shown, f"mailto:{contact.typed}")
    number = dialled(contact.typed)
    if not number:
        return Way(shown)
    return Way(shown, f"tel:{number}", f"https://wa.me/{number.removeprefix('+')}")
