"""When two spellings name the same phone (contract/answers.md, "The same phone"), and how one is shown."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache

import phonenumbers
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

from contacts.canonical import ContactProblem, ascii_signs, western_digits
from contacts.text import clean

PHONE_LENGTH = 40
# Of any number in the world, with its country's code.
_FEWEST_DIGITS, _MOST_DIGITS = 8, 15
# With fewer it may be one of a city, whose code is missing.
_FEWEST_WITH_CODE = 9

EGYPT = 20
# Egypt's mobile numbers have ten digits from here on. Of its landlines only Qalyubia's begin so:
# those of Tenth of Ramadan, 015, are as long as a mobile number that lacks a digit.
_MOBILE, _MOBILE_DIGITS, _QALYUBIA = "1", 10, "13"

# What people write beside a number.
_LABELS = {
    *(
        "mob",
        "mobile",
        "cell",
        "tel",
        "telephone",
        "phone",
        "ph",
        "home",
        "work",
        "whatsapp",
        *("no", "number", "m", "t", "wa", "whats", "app", "line"),
    ),
    *("ت", "م", "تليفون", "تلفون", "هاتف", "موبايل", "موبيل", "محمول", "جوال", "رقم"),
    *("التليفون", "الهاتف", "الموبايل", "المحمول", "واتس", "واتساب", "اب", "آب"),
}
_WORD = re.compile(r"[^\W\d_]+")
_EXTENSION = re.compile(
    r"(?:(?<![^\W\d_])(?:ext(?:ension|n)?|x)|#|تحويل[ةه]|داخل[يى])[ .:=]{0,3}([0-9]{1,6})$",
    re.IGNORECASE,
)
_FIRST = re.compile(r"[+0-9]|\((?=[ +(0-9])")
_LAST = "+0123456789"
# A dash may follow a number; before one it is a minus, unless a word stands there.
_BEFORE = re.compile("[ .,:;=/'\"`‘’“”؛(\\[]*")
_BESIDE = re.compile("[ .,:;=/'\"`‘’“”؛()\\[\\]-]*")
# What a spreadsheet makes of a number: a fraction of nothing, and a power of ten.
_FRACTION = re.compile(r"(?<=[0-9]{6})\.0{1,9}(?= ?\+?$)")
_POWER = re.compile(r"[0-9]{1,20}(?:[.,][0-9]{1,20})?[eE]\+?[0-9]{1,3}")
# A plus, even where it is typed last; a country's code in brackets; digits and what separates them.
_BODY = re.compile(r"(\(?\+)?\(?[0-9][0-9() \t./,_-]*(\+?)\)?")
# A spreadsheet writes dates so.
_DATE = re.compile(
    r"(?:19|20)[0-9]{2}([-/.])[0-9]{1,2}\1[0-9]{1,2}|[0-9]{1,2}([-/.])[0-9]{1,2}\2(?:19|20)[0-9]{2}"
)
# "27370011/12" is two numbers.
_SECOND = re.compile(r"(?<=[0-9]{6}) ?[^0-9 ] ?[0-9]{1,2}$")
# "3) 25888121" is the third of a list.
_LISTED = re.compile(r"[1-9][0-9]?\)")
# "5850000/01", "5850000 (03)": a number of seven digits or eight, as dialled within its city, and another's
# end, or the city's code behind it. Mobile numbers begin with 1.
_GROUP = re.compile("[0-9]+")
_LOCAL, _LOCAL_DIGITS, _MOST_MORE = set("23456789"), {7, 8}, 3
_NO_DIGIT, _NO_NUMBER = re.compile("[^0-9]+"), re.compile("[^+0-9]+")
# Within one number these part groups; between whole numbers, numbers.
_JOINED = re.compile("[._,/]")

_NOT_MOBILE = _("a mobile number in Egypt has 11 digits, and begins with 010, 011, 012 or 015")
_SHORTENED = _("a spreadsheet has shortened it: make the cell text, and type it again")
_SEVERAL = _("it looks like more than one number")
_A_DATE = _("it looks like a date")
_LETTERS = _("there are letters in it")
_TOO_SHORT = _("it is too short, or the code of its city is missing")
_ABROAD = _("a number abroad begins with + and the code of its country")


class PhoneProblem(ContactProblem):
    """A text is no phone number."""


def tidy_phone(typed: str) -> str:
    """The number as it is stored and given back: as typed, trimmed, Western digits, nothing invisible."""
    text = _plain(typed)
    tidy = text.strip()
    # A form that was sent with a bare "+" arrives with a blank in its place.
    return f"+{tidy}" if typed[:1] == " " and _lost_its_plus(tidy) else tidy


def canonical_phone(typed: str) -> str:
    """The E.164 form; a number without a country's code is read in `settings.PHONE_REGION`.

    Raises PhoneProblem if it is not a possible phone number, or may be several.
    """
    return _e164(_number(tidy_phone(typed)))


def claimed_phone(typed: str) -> str:
    """As `canonical_phone()`; also of what is no number today but was taken for one, and may be claimed."""
    tidy = tidy_phone(typed)
    try:
        return _e164(_number(tidy))
    except PhoneProblem:
        number = _parsed(*_digits(tidy))
        if number is None or not _is_possible(number):
            raise
        return _e164(number)


def shown_phone(typed: str) -> str:
    """The number in the one spelling that pages show: as dialled at home, or with its country's code."""
    return _shown(typed, settings.PHONE_REGION)


@lru_cache(maxsize=1000)
def _shown(typed: str, region: str) -> str:
    tidy = tidy_phone(typed)
    try:
        number = _number(tidy)
    except PhoneProblem:
        return tidy
    extension = _EXTENSION.search(tidy)
    more = f" ext. {extension[1]}" if extension else ""
    if number.country_code == phonenumbers.country_code_for_region(region):
        at_home = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        return _NO_DIGIT.sub("", at_home) + more
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL) + more


def _plain(typed: str) -> str:
    """The text with one character for all that look alike: digits, signs, dashes, blanks."""
    text = western_digits(ascii_signs(clean(typed)))
    if text.isascii():
        return text
    dashes = "".join("-" if unicodedata.category(each) == "Pd" else each for each in text)
    return dashes.translate({ord("−"): "-", ord("٫"): ".", ord("٬"): ",", ord("،"): ","})


def _lost_its_plus(tidy: str) -> bool:
    """Whether it is no number of here, not even one with a digit missing or too many, but one of abroad."""
    if tidy[:1] not in set("23456789") or len(_NO_DIGIT.sub("", tidy)) < _FEWEST_WITH_CODE:
        # No code begins with 0; of what begins as mobile numbers of ours do, only what is real counts.
        return tidy[:1] == "1" and not _is_one(tidy) and _is_real(f"+{tidy}")
    return not _is_one(tidy) and _is_one(f"+{tidy}")


def _is_one(tidy: str) -> bool:
    try:
        return bool(_number(tidy))
    except PhoneProblem:
        return False


def _number(tidy: str) -> PhoneNumber:
    """The one number that the text means. Raises PhoneProblem."""
    plus, digits = _digits(tidy)
    for number in _with_code(digits) if plus else _at_home(digits):
        return number
    raise PhoneProblem(_why_none(plus, digits))


def _digits(tidy: str) -> tuple[bool, str]:
    """Whether the number begins with a country's code, and its digits. Raises PhoneProblem."""
    if len(tidy) > PHONE_LENGTH:
        raise PhoneProblem(_SEVERAL)
    if _POWER.fullmatch(tidy):
        raise PhoneProblem(_SHORTENED)
    body = _FRACTION.sub("", _without_words(_EXTENSION.sub("", tidy)))
    found = _BODY.fullmatch(body)
    if found is None or (found[1] and found[2]):
        raise PhoneProblem(_LETTERS if _WORD.search(body) else "")
    if sum(len(_NO_DIGIT.sub("", part)) >= _FEWEST_DIGITS - 1 for part in _JOINED.split(body)) > 1:
        raise PhoneProblem(_SEVERAL)
    if _DATE.fullmatch(body):
        raise PhoneProblem(_A_DATE)
    second = _SECOND.search(body)
    if (
        _is_local_and_more(body)
        or (_LISTED.match(body) and not _is_real(_NO_NUMBER.sub("", body)))
        or _has_stray_digits(body)
        or (second is not None and _is_one(body[: second.start()]))
    ):
        raise PhoneProblem(_SEVERAL)
    plus = bool(found[1] or found[2])
    digits = _NO_DIGIT.sub("", body)
    if not plus and digits[:2] == "00":
        plus, digits = True, digits[2:]
    if plus and "(0)" in body:
        # What is dialled at home only: +49 (0)151 …
        digits = _NO_DIGIT.sub("", body.replace("(0)", "")).removeprefix("00")
    return plus, digits


def _is_local_and_more(body: str) -> bool:
    *groups, last = _GROUP.findall(body)
    local = "".join(groups)
    return body[0] in _LOCAL and len(local) in _LOCAL_DIGITS and len(last) <= _MOST_MORE


def _has_stray_digits(body: str) -> bool:
    """Whether a number stands behind that of a line in a list, or before a digit or two that are none of its.

    "1) 034845753" would be a mobile number. A first 2 is how Egypt's code is written.
    """
    groups = [found.span() for found in _GROUP.finditer(body)]
    if len(groups) < 2:
        return False
    (begin, end), (last, _end) = groups[0], groups[-1]
    if begin == 0 and end == 1 and body[0] in "13456789" and _is_real(body[groups[1][0] :]):
        return True
    head = body[:last].rstrip(" ().,/_-\t")
    in_one = _NO_NUMBER.sub("", body)
    return len(body) - last <= 2 and _is_real(head) and not _is_real(in_one)


def _is_real(body: str) -> bool:
    """Whether the text is one number that may be given out."""
    try:
        return phonenumbers.is_valid_number(_number(body))
    except PhoneProblem:
        return False


def country_code_of(value: str) -> int:
    """The country's code of an E.164 number."""
    return phonenumbers.parse(value).country_code or 0


def may_be_abroad(typed: str, value: str, codes: Collection[int]) -> bool:
    """Whether a number without a code, read at home as `value`, may be one of the countries of these codes.

    A mobile number at home is none; what does not begin with 0 may be one of any city.
    """
    number = phonenumbers.parse(value)
    plus, digits = _digits(tidy_phone(typed))
    with_code = plus or number.country_code in codes
    if not codes or with_code or phonenumbers.number_type(number) == PhoneNumberType.MOBILE:
        return False
    regions = map(phonenumbers.region_code_for_country_code, codes)
    there = filter(None, (_parsed(False, digits, region) for region in regions))
    return digits[:1] != "0" or any(map(phonenumbers.is_valid_number, there))


def _without_words(text: str) -> str:
    """The text from the first character of the number to its last. Raises PhoneProblem."""
    first = _FIRST.search(text)
    if first is None:
        raise PhoneProblem(_LETTERS if _WORD.search(text) else "")
    end = max(map(text.rfind, _LAST)) + 1
    for beside, without_words in ((text[: first.start()], _BEFORE), (text[end:], _BESIDE)):
        words = _WORD.findall(beside)
        around = _BESIDE if words else without_words
        if not all(word.casefold() in _LABELS for word in words):
            raise PhoneProblem(_LETTERS)
        if not around.fullmatch(_WORD.sub("", beside)):
            raise PhoneProblem
    return text[first.start() : end]


def _with_code(digits: str) -> Iterator[PhoneNumber]:
    """The numbers that digits after a plus can mean, the most likely first."""
    if digits[:1] == "0" and digits[:2] != "00":
        # No country's code begins with it, but every city's here.
        yield from _possible(_parsed(False, digits))
    yield from _possible(_parsed(True, digits.lstrip("0")))
    yield from _after_two(digits)


def _at_home(digits: str) -> Iterator[PhoneNumber]:
    """The numbers that digits without a plus can mean, the most likely first."""
    yield from _possible(_parsed(False, digits))
    yield from _after_two(digits)
    # No number of Egypt, whose mobile ones begin with 1; abroad, nothing but a real number is believed.
    number = None if digits[:1] in "01" else _parsed(True, digits)
    if number is not None and number.country_code != EGYPT and phonenumbers.is_valid_number(number):
        yield number


def _after_two(digits: str) -> Iterator[PhoneNumber]:
    """The mobile number of Egypt whose country's code was written +2 or +02, as its 0 begins the number."""
    bare = digits.lstrip("0")
    number = _parsed(True, f"{EGYPT}{bare[1:]}") if bare[:1] == "2" else None
    if number is not None and phonenumbers.number_type(number) == PhoneNumberType.MOBILE:
        yield number


def _possible(number: PhoneNumber | None) -> Iterator[PhoneNumber]:
    if number is not None and (
        _is_possible(number) if number.country_code != EGYPT else _is_of_egypt(number)
    ):
        yield number


def _is_possible(number: PhoneNumber) -> bool:
    # Not is_possible_number(): it accepts numbers without area code, which exist in several cities.
    verdict = phonenumbers.is_possible_number_with_reason(number)
    return verdict == ValidationResult.IS_POSSIBLE


def _is_of_egypt(number: PhoneNumber) -> bool:
    valid, digits = (
        phonenumbers.is_valid_number(number),
        phonenumbers.national_significant_number(number),
    )
    if digits.startswith("0"):
        # What is typed in place of a number: 0000000000.
        return False
    if digits.startswith(_MOBILE):
        return valid and (len(digits) == _MOBILE_DIGITS or digits.startswith(_QALYUBIA))
    landline = phonenumbers.is_possible_number_for_type_with_reason(
        number, PhoneNumberType.FIXED_LINE
    )
    return valid or landline == ValidationResult.IS_POSSIBLE


def _parsed(plus: bool, digits: str, region: str = "") -> PhoneNumber | None:
    try:
        return phonenumbers.parse(f"+{digits}" if plus else digits, region or settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return None


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _why_none(plus: bool, digits: str) -> object:
    """What is wrong with digits that are no number, in words; empty where nobody can tell."""
    if len(digits) > _MOST_DIGITS:
        return _SEVERAL
    if len(digits) < _FEWEST_DIGITS:
        return _TOO_SHORT
    if digits.removeprefix(str(EGYPT)).lstrip("0").startswith(_MOBILE):
        return _NOT_MOBILE
    return "" if plus else _ABROAD
