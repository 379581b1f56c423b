"""When two spellings name the same phone or the same e-mail (contract/answers.md, "The same phone")."""

import re

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

EMAIL_LENGTH = 254
PHONE_LENGTH = 40

_WESTERN = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "0123456789" * 2)
# Invisible marks in a number that was copied from right-to-left text.
_DIRECTION_MARKS = dict.fromkeys(
    map(ord, "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
# The characters of a number. No letters: phonenumbers would read them as keypad digits.
_PHONE = re.compile(r"\+?\(?\d[\d \t\xa0().\-/]*", re.ASCII)


def western_digits(text: str) -> str:
    """The text with Arabic-Indic and Persian digits as 0 to 9."""
    return text.translate(_WESTERN)


def tidy_phone(typed: str) -> str:
    """The number as it is stored and shown: trimmed, Western digits, no direction marks."""
    return western_digits(typed).translate(_DIRECTION_MARKS).strip()


def canonical_phone(typed: str) -> str:
    """The E.164 form; a number without a country code is read in `settings.PHONE_REGION`.

    Raises ValueError if it is not a possible phone number.
    """
    tidy = tidy_phone(typed)
    if len(tidy) > PHONE_LENGTH or not _PHONE.fullmatch(tidy):
        raise ValueError("not a phone number")
    try:
        # 00 is the prefix for calls abroad in Egypt and most countries; "+" means the same anywhere.
        number = phonenumbers.parse(re.sub(r"^00", "+", tidy), settings.PHONE_REGION)
    except phonenumbers.NumberParseException as error:
        raise ValueError("not a phone number") from error
    # Not is_possible_number(): it accepts numbers without area code, which exist in several cities.
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise ValueError("not a possible phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def canonical_email(typed: str) -> str:
    """The address in lower case, its domain in ASCII. Raises ValueError if it is not an e-mail address."""
    email = typed.strip()
    # Before anything reads it: what turns a domain into ASCII takes quadratic time.
    if len(email) > EMAIL_LENGTH:
        raise ValueError("longer than an e-mail address can be")
    try:
        validate_email(email)
        local, domain = email.rsplit("@", 1)
        # Django's case-insensitive pattern accepts a few letters that only look like ASCII.
        if not local.isascii() or not local.isprintable():
            raise ValueError("not an e-mail address")
        canonical = f"{local}@{domain.encode('idna').decode('ascii')}".lower()
    except (ValidationError, ValueError) as error:
        raise ValueError("not an e-mail address") from error
    if len(canonical) > EMAIL_LENGTH:
        raise ValueError("longer than an e-mail address can be")
    return canonical


# Characters that a single line of text, printed or in a file, cannot have.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def one_line(text: str) -> str:
    """The text on one line, without control characters, with single spaces; names are stored like this."""
    trimmed = text.strip()
    if trimmed.isprintable() and "  " not in trimmed:
        return trimmed
    return " ".join(_CONTROL.sub(" ", text).split())
