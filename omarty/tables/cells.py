"""What a cell may hold on its way out: nothing that a spreadsheet takes for a formula."""

import re
from typing import Any

# A spreadsheet takes what begins so for a formula, full-width signs included.
_SIGNS = "=+\\-@|%＝＋－＠"
_FORMULA = re.compile(f"(?<!')'*[{_SIGNS}\t\r\n]")
# In another country a file is read with another separator: what follows one, or a line's end, begins a
# cell there, even within quotation marks, which count only where they begin a cell.
_BEFORE_FORMULA = (
    f"(?<=[;,|\t]){{}}(?=['\"]*[{_SIGNS}\t\r\n])",
    f"(?<=[\r\n]){{}}(?=['\"]*[{_SIGNS}])",
)
_FORMULA_BEHIND_SEPARATOR = re.compile("|".join(_BEFORE_FORMULA).format("", ""))
_GUARD_BEHIND_SEPARATOR = re.compile("|".join(_BEFORE_FORMULA).format("'", "'"))
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# A character of a text in XLSX that stands for another one, and what would be taken for it.
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_LIKE_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
# No XML can hold these, and no text of ours has a use for them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def safe(value: Any) -> Any:
    """The value as a spreadsheet may have it: what would be a formula has an apostrophe before it."""
    if not isinstance(value, str):
        return value
    text = _FORMULA_BEHIND_SEPARATOR.sub("'", _UNPRINTABLE.sub("\ufffd", value))
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def plain(text: str) -> str:
    """What `safe()` was given: the text without its apostrophes."""
    unguarded = text[1:] if text.startswith("'") and _FORMULA.match(text) else text
    # Most texts have no apostrophe, and to search long ones for a guard takes time.
    return _GUARD_BEHIND_SEPARATOR.sub("", unguarded) if "'" in unguarded else unguarded


def escaped(text: str) -> str:
    """The text as XLSX has it, where _x000D_ is a line break: `unescaped()` gives it back."""
    return _LIKE_ESCAPED.sub("_x005F_", text) if "_x" in text else text


def unescaped(text: str) -> str:
    """The text that a cell of XLSX shows."""
    if "_x" not in text:
        return text
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    # A character beyond the first 65,536 was written as two.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
