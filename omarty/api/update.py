"""The methods of `POST /omartyapis/Update/`."""

from collections.abc import Iterable
from typing import Any, cast

from audit.models import Action
from buildings.permissions import WhyAccessRefused, own_membership
from contacts import contact_operations
from contacts.contact_operations import ContactRefused, Held, WhyContactRefused
from contacts.models import Kind, Status
from contacts.operations import PersonErased
from omarty.api.calls import Call, refusals_recorded
from omarty.api.envelopes import CallRefused, access_refusals
from omarty.api.fields import LATITUDE, LONGITUDE, Integer, Text, refusals_of
from omarty.api.schema import documented, fields_part, part
from omarty.api.tokens import STATUS_REFUSED

# The empty example is there so that the API pages do not fill in both.
PHONE_NUMBER = Text(
    "phoneNumber",
    about="A further phone; leave out `email`.",
    example="01122334455",
    contact=True,
)
EMAIL = Text("email", about="A further e-mail; leave out `phoneNumber`.", example="")
BLOCK_ID = Integer(
    "blockId", label="Block ID", required=True, about="The caller's block.", example=1
)
APARTMENT_ID = Integer(
    "apartmentId", label="Apartment ID", required=True, about="The caller's unit.", example=1
)

WIRE_NAMES = {Kind.EMAIL: "email", Kind.PHONE: "phoneNum"}

# contract/answers.md, AddContact rows 9 to 13.
BOTH_OR_NEITHER = "No Data Inserted."
LIMIT_REACHED = "Contacts limit reached."
CONTACT_REFUSED = {
    (Kind.EMAIL, WhyContactRefused.INVALID): "Email is not valid.",
    (Kind.EMAIL, WhyContactRefused.OWN): "Email already set for you",
    (Kind.EMAIL, WhyContactRefused.TAKEN): "Email already set for another user",
    (Kind.EMAIL, WhyContactRefused.LIMIT): LIMIT_REACHED,
    (Kind.PHONE, WhyContactRefused.INVALID): "Phone number is not valid.",
    (Kind.PHONE, WhyContactRefused.OWN): "Phone number already set for you",
    (Kind.PHONE, WhyContactRefused.TAKEN): "Phone number already set for another user",
    (Kind.PHONE, WhyContactRefused.LIMIT): LIMIT_REACHED,
}

# An example: what AddContact answers to somebody who has two contacts.
_TWO_CONTACTS = {
    "1": {"id": "1", "email": "Test.Test@Test.com"},
    "2": {"id": "1", "phoneNum": "01122334455"},
}
CONTACT = fields_part(
    "Contact",
    {"id": {"type": "string"}, "email": {"type": "string"}, "phoneNum": {"type": "string"}},
    optional=("email", "phoneNum"),
    description="A secondary e-mail, or a secondary phone.",
)
CONTACTS = part("Contacts", type="object", additionalProperties=CONTACT)
CONTACTS_AND_ERROR = fields_part(
    "ContactsAndError",
    {"error": {"type": "string"}},
    additionalProperties=CONTACT,
    description="All the caller's secondary contacts, and why nothing was added.",
)


@documented(
    "AddContact",
    about="A resident adds a secondary phone or e-mail.",
    fields=(PHONE_NUMBER, EMAIL, BLOCK_ID, APARTMENT_ID, LONGITUDE, LATITUDE),
    data={"E-mail added": {"1": _TWO_CONTACTS["1"]}, "Phone added": _TWO_CONTACTS},
    data_shape=CONTACTS,
    message_shape=CONTACTS_AND_ERROR,
    messages={
        "Both or neither sent": (200, _TWO_CONTACTS | {"error": BOTH_OR_NEITHER}),
        **{text: (200, _TWO_CONTACTS | {"error": text}) for text in CONTACT_REFUSED.values()},
        **refusals_of(BLOCK_ID, APARTMENT_ID, LONGITUDE, LATITUDE),
        **access_refusals(
            WhyAccessRefused.BLOCK_UNKNOWN,
            WhyAccessRefused.NOT_IN_BLOCK,
            WhyAccessRefused.BLOCK_PENDING,
            WhyAccessRefused.BLOCK_BANNED,
            WhyAccessRefused.APARTMENT_UNKNOWN,
            WhyAccessRefused.NOT_IN_APARTMENT,
            WhyAccessRefused.MEMBERSHIP_PENDING,
            WhyAccessRefused.MEMBERSHIP_BANNED,
        ),
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
        raise _with_contacts(call, BOTH_OR_NEITHER)
    kind, typed = (Kind.EMAIL, email) if phone is None else (Kind.PHONE, phone)
    try:
        contacts = contact_operations.add_contact(
            origin=origin,
            user=call.who.user,
            kind=kind,
            typed=cast(str, typed),
            block=membership.block,
            apartment=membership.unit,
        )
    except PersonErased as erased:
        # As every later call with this token is answered.
        raise CallRefused(*STATUS_REFUSED[Status.BANNED]) from erased
    except ContactRefused as refused:
        raise _with_contacts(call, CONTACT_REFUSED[refused.kind, refused.why]) from refused
    return numbered(contacts)


def numbered(contacts: Iterable[Held]) -> dict[str, Any]:
    """The contacts as the wire has them: an object keyed "1", "2", …"""
    return {
        str(number): {"id": str(contact.pk), WIRE_NAMES[contact.kind]: contact.typed}
        for number, contact in enumerate(contacts, start=1)
    }


def _with_contacts(call: Call, error: str) -> CallRefused:
    contacts = numbered(contact_operations.secondary_contacts(call.who.user))
    return CallRefused(200, contacts | {"error": error})
