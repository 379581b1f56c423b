"""What a cell may hold on its way out: nothing that a spreadsheet takes for a formula."""

import re
from typing import Any

# A spreadsheet takes what begins so for a formula, full-width signs included.
_FORMULA = re.compile("'*[=+\\-@\t\r\n|%＝＋－＠]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# No XML can hold these, and no text of ours has a use for them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def safe(value: Any) -> Any:
    """The value as a spreadsheet may have it: a text that would be a formula gets an apostrophe first."""
    if not isinstance(value, str):
        return value
    text = _UNPRINTABLE.sub("\ufffd", value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def plain(text: str) -> str:
    """What `safe()` was given: the text without its apostrophe."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
