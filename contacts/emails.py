"""When two spellings name the same e-mail address (contract/answers.md)."""

import re
import unicodedata
from urllib.parse import unquote

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from contacts.canonical import ContactProblem, ascii_signs
from contacts.text import clean

EMAIL_LENGTH = 254
# In ASCII, a name in another script begins so, as a domain does (RFC 3490).
_OTHER_SCRIPT = "xn--"

# "Nadia Fathy <nadia@example.org>"
_IN_BRACKETS = re.compile("<([^<>]*)>$")
_LATIN = re.compile("[a-zA-Z\u00aa-\u024f\u1e00-\u1eff\u212a\u212b]")
_SCHEME = re.compile("mailto:(?://)?", re.IGNORECASE)
# What people write before an address, and in brackets behind it.
_LABEL = re.compile(
    r"^(?:e-?mail|mail|(?:ال)?بريد(?: الإلكتروني| الالكتروني)?|[إا]يميل)\s?[:：]\s?", re.IGNORECASE
)
_REMARK = re.compile(r"\s\([^()@]{1,30}\)$")
_AFTER = " .,;:،؛"
_AROUND = "\"'“”‘’«»()[]"

_TOO_LONG = _("it is longer than an e-mail address can be")
_COMMA = _("there is a comma in it: a dot or another sign belongs there")
_NO_AT = _("there is no @ in it")
_BLANK = _("there is a blank in it")


class EmailProblem(ContactProblem):
    """A text is no e-mail address."""


def tidy_email(typed: str) -> str:
    """The address as it is stored and given back: as typed, without what stands around it."""
    text = ascii_signs(clean(typed)).strip()
    text = _REMARK.sub("", _LABEL.sub("", text))
    text = text.rstrip(_AFTER)
    bracketed = _IN_BRACKETS.search(text)
    # Two people's addresses are not one of them.
    if bracketed and (
        "@" not in (beside := text[: bracketed.start()]) or _is(bracketed[1], beside)
    ):
        text = bracketed[1]
    scheme = _SCHEME.match(text.lstrip())
    if scheme is not None:
        text = unquote(text.lstrip()[scheme.end() :].partition("?")[0])
    return text.strip().strip(_AROUND).rstrip(_AFTER)


def _is(address: str, beside: str) -> bool:
    """Whether what stands beside an address is the same address."""
    return address.strip().casefold() == beside.strip().strip(_AROUND).casefold()


def canonical_email(typed: str) -> str:
    """The address in lower case, in ASCII. Raises EmailProblem if it is not an e-mail address."""
    email = tidy_email(typed)
    # Before anything reads it: what turns a domain into ASCII takes quadratic time.
    if len(email) > EMAIL_LENGTH:
        raise EmailProblem(_TOO_LONG)
    name, _at, domain = email.rpartition("@")
    try:
        canonical = f"{_ascii_name(name)}@{_ascii_domain(domain)}".lower()
        validate_email(canonical)
    except (ValidationError, UnicodeError) as error:
        raise EmailProblem(_why_none(email)) from error
    if len(canonical) > EMAIL_LENGTH:
        raise EmailProblem(_TOO_LONG)
    return canonical


def _ascii_name(name: str) -> str:
    if name.isascii():
        # What begins as another script's form in ASCII would be taken for a name in that script.
        if not name.isprintable() or f".{name}".lower().find(f".{_OTHER_SCRIPT}") >= 0:
            raise EmailProblem
        return name
    return ".".join(map(_ascii_part, name.split(".")))


def _ascii_part(part: str) -> str:
    """A part of a name in ASCII. Raises EmailProblem where letters of several scripts may look alike."""
    if part.isascii():
        return part
    composed = unicodedata.normalize("NFC", part)
    if _LATIN.search(part + composed) or unicodedata.normalize("NFKC", part) != composed:
        raise EmailProblem
    if not all(each.isascii() or unicodedata.category(each)[0] in "LMN" for each in part):
        raise EmailProblem
    return _OTHER_SCRIPT + composed.lower().encode("punycode").decode("ascii")


def _ascii_domain(domain: str) -> str:
    """By IDNA 2008: ß is not ss."""
    if domain.isascii():
        return domain
    return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")


def _why_none(email: str) -> object:
    if "@" not in email:
        return _NO_AT
    if "," in email or "،" in email:
        return _COMMA
    return _BLANK if " " in email else ""
