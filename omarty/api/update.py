"""The methods of `POST /omartyapis/Update/`."""

from collections.abc import Iterable
from typing import Any, cast

from audit.models import Action
from buildings.permissions import own_membership
from contacts import operations
from contacts.models import Kind, SecondaryContact, Status
from contacts.operations import ContactRefused, PersonErased, WhyContactRefused
from omarty.api.calls import Call, refusals_recorded
from omarty.api.envelopes import CallRefused
from omarty.api.fields import LATITUDE, LONGITUDE, Integer, Text
from omarty.api.schema import documented
from omarty.api.tokens import STANDINGS

# The empty example keeps the API pages from filling in both.
PHONE_NUMBER = Text(
    "phoneNumber", about="A further phone; leave out `email`.", example="01122334455"
)
EMAIL = Text("email", about="A further e-mail; leave out `phoneNumber`.", example="")
BLOCK_ID = Integer(
    "blockId", label="Block ID", required=True, about="The caller's block.", example=1
)
APARTMENT_ID = Integer(
    "apartmentId", label="Apartment ID", required=True, about="The caller's unit.", example=2
)

WIRE_NAMES = {Kind.EMAIL: "email", Kind.PHONE: "phoneNum"}

# contract/answers.md, AddContact rows 10 to 13.
CONTACT_REFUSED = {
    (Kind.EMAIL, WhyContactRefused.INVALID): "Email is not valid.",
    (Kind.EMAIL, WhyContactRefused.OWN): "Email already set for you",
    (Kind.EMAIL, WhyContactRefused.TAKEN): "Email already set for another user",
    (Kind.EMAIL, WhyContactRefused.LIMIT): "Contacts limit reached.",
    (Kind.PHONE, WhyContactRefused.INVALID): "Phone number is not valid.",
    (Kind.PHONE, WhyContactRefused.OWN): "Phone number already set for you",
    (Kind.PHONE, WhyContactRefused.TAKEN): "Phone number already set for another user",
    (Kind.PHONE, WhyContactRefused.LIMIT): "Contacts limit reached.",
}

_STORED = {
    "1": {"id": "1", "email": "Test.Test@Test.com"},
    "2": {"id": "1", "phoneNum": "01122334455"},
}


@documented(
    "AddContact",
    about="A resident adds a secondary phone or e-mail.",
    fields=(PHONE_NUMBER, EMAIL, BLOCK_ID, APARTMENT_ID, LONGITUDE, LATITUDE),
    data={"E-mail added": {"1": _STORED["1"]}, "Phone added": _STORED},
    messages={
        "Both or neither sent": (200, _STORED | {"error": "No Data Inserted."}),
        **{
            text: (200, _STORED | {"error": text})
            for text in dict.fromkeys(CONTACT_REFUSED.values())
        },
        "blockId empty": (200, "Please enter Block ID."),
        "apartmentId empty": (200, "Please enter Apartment ID."),
        "blockId malformed": (200, "Please enter a valid Block ID."),
        "apartmentId malformed": (200, "Please enter a valid Apartment ID."),
        "longitude malformed": (200, "Please enter a valid longitude."),
        "latitude malformed": (200, "Please enter a valid latitude."),
        "Block unknown": (401, "Block Not Found."),
        "Not his block": (401, "User doesn't have any relation to this block."),
        "Block pending": (200, "Block status is still Binding."),
        "Block banned": (200, "Block is Banned."),
        "Unit not in the block": (200, "apartment not found in block"),
        "Not his unit": (406, "Resident does not relate to this apartment."),
        "Membership pending": (200, "Apartment status is still binding."),
        "Membership banned": (200, "Apartment is Banned."),
    },
)
def add_contact(call: Call) -> dict[str, Any]:
    """Rows 1 to 13 of contract/answers.md, AddContact, in their order."""
    BLOCK_ID.require(call.data)
    APARTMENT_ID.require(call.data)
    block_id = cast(int, BLOCK_ID.read(call.data))
    apartment_id = cast(int, APARTMENT_ID.read(call.data))
    origin = call.origin()
    with refusals_recorded(origin, Action.CONTACT_ADDED):
        membership = own_membership(call.who, block_id=block_id, apartment_id=apartment_id)
    phone, email = PHONE_NUMBER.read(call.data), EMAIL.read(call.data)
    if (phone is None) == (email is None):
        raise _with_contacts(call, "No Data Inserted.")
    kind, typed = (Kind.EMAIL, email) if phone is None else (Kind.PHONE, phone)
    try:
        contacts = operations.add_contact(
            origin=origin,
            user=call.who.user,
            kind=kind,
            typed=cast(str, typed),
            block=membership.block,
            apartment=membership.apartment,
        )
    except PersonErased as erased:
        # As his token is answered from then on.
        raise CallRefused(403, STANDINGS[Status.BANNED]) from erased
    except ContactRefused as refused:
        raise _with_contacts(call, CONTACT_REFUSED[refused.kind, refused.why]) from refused
    return numbered(contacts)


def numbered(contacts: Iterable[SecondaryContact]) -> dict[str, Any]:
    """The contacts as the wire has them: an object keyed "1", "2", …"""
    return {
        str(place): {"id": str(contact.pk), WIRE_NAMES[contact.kind]: contact.typed}
        for place, contact in enumerate(contacts, start=1)
    }


def _with_contacts(call: Call, error: str) -> CallRefused:
    contacts = numbered(operations.secondary_contacts(call.who.user))
    return CallRefused(200, contacts | {"error": error})
