"""Several phones in one text."""

import re

from contacts.models import Kind

# What people write between two numbers.
_BETWEEN_PHONES = re.compile(r"[/\\|,;&\n\r\t،؛]+|\s(?:and|or|و|أو|او)\s|[-‐-―−]+", re.I)


def phones_in(text: str) -> list[str]:
    """The phones that a text names, one after the other; the whole text where that is one phone, or none."""
    parts = [part for part in map(str.strip, _BETWEEN_PHONES.split(text)) if part]
    if len(parts) > 1 and not _is_phone(text) and all(map(_is_phone, parts)):
        return parts
    return [text]


def _is_phone(text: str) -> bool:
    try:
        return bool(Kind.PHONE.canonical(text))
    except ValueError:
        return False
