"""What a cell may hold: no formula on the way out, no half-known contact."""

import re
from typing import Any

# A spreadsheet takes what begins so for a formula, full-width signs included.
_FORMULA = re.compile("'*[=+\\-@\t\r\n|%＝＋－＠]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# No XML can hold these, and no text of ours has a use for them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# What has no place in a line, one that is printed or one of a file.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_EMAIL = re.compile(r"[^\s@\"'<>,;:()]+@[^\s@\"'<>,;:()]+")
# Seven digits or more, however they are grouped; a date is no phone number.
_PHONE = re.compile(r"(?<![\w+-])(?!\d{4}-\d\d-\d\d)\+?\(?\d(?:[\s().\-/]{0,2}\d){6,}")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+(?:\+[\d:]+)?)")
MASK = "•"
SHOWN_DIGITS = 4


def one_line(text: str) -> str:
    """The text as a name is kept: one line, without control characters, one space between words."""
    trimmed = text.strip()
    if trimmed.isprintable() and "  " not in trimmed:
        return trimmed
    return " ".join(_CONTROL.sub(" ", text).split())


def safe(value: Any) -> Any:
    """The value as a spreadsheet may have it: a text that would be a formula gets an apostrophe first."""
    if not isinstance(value, str):
        return value
    text = _UNPRINTABLE.sub("\ufffd", value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def plain(text: str) -> str:
    """What `safe()` was given: the text without its apostrophe."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


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
