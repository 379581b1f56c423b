"""One form for all spellings: what the readers of phones, e-mails and names share."""

import re

from contacts.text import clean

_WESTERN = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "0123456789" * 2)
# The keyboards of East Asia have every sign of ASCII in a second width.
_ONE_WIDTH = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}


class ContactProblem(ValueError):
    """A text is no contact of a kind. `hint` says why in the reader's language, if anybody can tell."""

    def __init__(self, hint: object = "") -> None:
        super().__init__(hint)

    @property
    def hint(self) -> str:
        return str(self.args[0])


def with_hint(sentence: str, hint: str) -> str:
    """The sentence with the hint of a ContactProblem, if there is one: "is not a phone number: …"."""
    if not hint:
        return sentence
    bare = sentence.removesuffix(".")
    return f"{bare}: {hint}" + sentence[len(bare) :]


def western_digits(text: str) -> str:
    """The text with Arabic-Indic and Persian digits as 0 to 9."""
    return text if text.isascii() else text.translate(_WESTERN)


def ascii_signs(text: str) -> str:
    """The text with full-width letters, digits and signs as those of ASCII."""
    return text if text.isascii() else text.translate(_ONE_WIDTH)


def tidy_number(typed: str) -> str:
    """A number as it is read: trimmed, Western digits, nothing invisible."""
    return western_digits(clean(typed)).strip()


# Characters that a single line of text, printed or in a file, cannot have.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def one_line(text: str) -> str:
    """The text on one line, nothing in it invisible, with single spaces; names are stored like this."""
    trimmed = clean(text).strip()
    if trimmed.isprintable() and "  " not in trimmed:
        return trimmed
    return " ".join(_CONTROL.sub(" ", trimmed).split())
