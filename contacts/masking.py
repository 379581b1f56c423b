"""Phones and e-mails shown in part, alone or in the middle of a text."""

import re

_EMAIL = re.compile(r"[^\s@\"'<>,;:()]+@[^\s@\"'<>,;:()]+")
# Seven digits or more, however they are grouped; a date is no phone number.
_PHONE = re.compile(r"(?<![\w+-])(?!\d{4}-\d\d-\d\d)\+?\(?\d(?:[\s().\-/]{0,2}\d){6,}")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+(?:\+[\d:]+)?)")
MASK = "•"
SHOWN_DIGITS = 4


def masked_phone(typed: str) -> str:
    """The number with all but its last four characters hidden; empty for none."""
    if not typed:
        return ""
    return MASK * max(len(typed) - SHOWN_DIGITS, SHOWN_DIGITS) + typed[-SHOWN_DIGITS:]


def masked_email(typed: str) -> str:
    """The address with its name hidden but for the first letter."""
    name, _, domain = typed.rpartition("@")
    return f"{name[:1]}{MASK * SHOWN_DIGITS}@{domain}"


def masked_contacts(text: str) -> str:
    """The text with every e-mail address and every phone number in it masked."""
    no_emails = _EMAIL.sub(lambda found: masked_email(found[0]), text)
    # A moment's digits are no phone: every second part is one.
    parts = _MOMENT.split(no_emails)
    parts[::2] = [_PHONE.sub(lambda found: masked_phone(found[0]), part) for part in parts[::2]]
    return "".join(parts)


def is_masked(text: str) -> bool:
    """Whether a contact was hidden when it was exported."""
    return MASK in text
