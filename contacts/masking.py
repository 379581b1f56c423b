"""Phones and e-mails shown in part, alone or in the middle of a text."""

import re
from typing import Protocol

from django.db.models import Q

from contacts.models import HIDDEN, SECONDARY, Kind
from contacts.text import clean

# A name is tried from its first character alone: from each, a long text without "@" would take for ever.
_WORD = r"[^\s@＠\"'<>,;:()]"
# With blanks around the sign it is an address only if a dot follows: not "me @ home".
_EMAIL = re.compile(
    rf"((?<!{_WORD}){_WORD}+|\"[^\"@\n]{{1,64}}\")"
    rf"(?:[@＠]|\s{{0,2}}[@＠]\s{{0,2}}(?={_WORD}{{1,99}}\.{_WORD}))({_WORD}+)"
)
# Seven digits or more, however they are grouped; a comma and a blank part the numbers of a list.
_PHONE = re.compile(r"(?<!\d)[+(]{0,3}\d(?:(?:[^\w,;@]|_|[,;](?!\s)){0,4}\d){6,}")
# A date is no phone number, nor is the time beside it, nor an amount.
_TIME = r"(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[+-]\d\d:\d\d)?(?!\d))?"
_MOMENT = re.compile(
    r"((?<![\d./-])(?:(?:19|20)\d\d([-/.])\d\d?\2\d\d?(?!\d)"
    r"|\d\d?([-/.])\d\d?\3(?:19|20)\d\d(?!\d))"
    + _TIME
    + r"|(?<![\d,])[1-9]\d{0,2}(?:,\d{3}){1,4}(?![\d,]))"
)
MASK = "•"
SHOWN_DIGITS = 4
# What `masked_phone()` and `masked_email()` write, and HIDDEN.
_MASKED = re.compile(
    f"{MASK}{{3,}}[^{MASK}@]{{0,{SHOWN_DIGITS}}}|[^{MASK}]?{MASK}{{3,}}@[^{MASK}@]*"
)


class AnyContact(Protocol):
    """A primary or secondary contact, in whichever form."""

    @property
    def kind(self) -> Kind: ...

    @property
    def typed(self) -> str: ...

    @property
    def hidden(self) -> bool: ...


def visible() -> Q:
    """Over claims: those on contacts that their holder does not hide."""
    found = Q()
    for kind, model in SECONDARY.items():
        secondary = model.__name__.lower()
        primary = {f"{secondary}__isnull": True, f"user__{kind}_hidden": False}
        found |= Q(kind=kind) & (Q(**{f"{secondary}__hidden": False}) | Q(**primary))
    return found


def shown_contact(contact: AnyContact, *, in_full: bool, as_typed: bool = False) -> str:
    """The contact as a list or page may show it, or, `as_typed`, a file; empty for none.

    What its holder hides stays hidden, also in full; anything else is masked unless in full.
    """
    if not contact.typed:
        return ""
    if contact.hidden:
        return HIDDEN
    text = contact.typed if as_typed else contact.kind.shown(contact.typed)
    if in_full:
        return text
    return masked_phone(text) if contact.kind == Kind.PHONE else masked_email(text)


def masked_phone(typed: str) -> str:
    """The number with all but its last four characters masked; empty for none."""
    if not typed:
        return ""
    number = typed.partition(" ext")[0]
    return MASK * max(len(number) - SHOWN_DIGITS, SHOWN_DIGITS) + number[-SHOWN_DIGITS:]


def masked_email(typed: str) -> str:
    """The address with its name masked but for the first letter."""
    name, _, domain = typed.rpartition("@")
    return f"{name[:1]}{MASK * SHOWN_DIGITS}@{domain}"


def masked_contacts(text: str) -> str:
    """The text with every e-mail address and every phone number in it masked."""
    no_emails = _EMAIL.sub(lambda found: masked_email(f"{found[1]}@{found[2]}"), clean(text))
    # A moment's digits are no phone: every second part is one.
    masked, last = [], 0
    for moment in (*_MOMENT.finditer(no_emails), None):
        between = no_emails[last : moment.start() if moment else None]
        masked.append(_PHONE.sub(lambda found: masked_phone(found[0]), between))
        if moment:
            masked.append(moment[0])
            last = moment.end()
    return "".join(masked)


def is_masked(text: str) -> bool:
    """Whether all contacts of a cell were masked or hidden when it was exported."""
    return MASK in text and all(_MASKED.fullmatch(part.strip()) for part in text.split(";"))
