"""What the cells of a table of units say: each function reads the text of one, or raises CellProblem."""

import re
from functools import lru_cache

from django.utils.translation import gettext as _

from buildings.models import HIGHEST_NUMBER, LOWEST_NUMBER, Occupancy
from contacts.canonical import ContactProblem, ascii_signs, western_digits, with_hint
from contacts.masking import is_masked
from contacts.models import Kind
from contacts.several import contacts_in
from contacts.text import clean, folded


class CellProblem(ValueError):
    """A cell does not hold what its column wants; the text is for the operator."""


class NameProblem(CellProblem):
    """What stands in place of a number may be a name."""


_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_MINUS = str.maketrans("−٫", "-.")
# What programs that know fractions alone write behind a whole number; three digits would be thousands.
_NO_FRACTION = re.compile(r"(?<=[0-9])(?:\.0{1,2}|\.0{4,9}|,0{1,2})$")
# How a spreadsheet shows a number that is too long for its cell, and writes it into a CSV.
_SHORTENED = re.compile(r"[+-]?[0-9]{1,3}(?:[.,][0-9]{1,18})?[eE]\+?[0-9]{1,3}")
# Excel takes ="010…" for a text, and shows it without.
_AS_TEXT = re.compile(r'="([^"]*)"')
# What a spreadsheet shows, in any language, where a formula failed, has not ended, or its result is too
# long for the cell; the file holds it as if it were the value.
_FAILED_FORMULA = re.compile(
    r"#{2,}|#[¡¿]?[^\W\d_][^\W_]*(?:[/_ ]?[^\W_]+)?[!?]"
    r"|#(?:NULL|DIV/0|VALUE|REF|NAME|NUM|N/[A-Z]{1,2}|N[A-Z]|NODATA|ERR(?:OR)?|GETTING_DATA)"
    r"|(?:Err|خطأ):\s?[0-9]{3}|Loading(?:\.\.\.|…)"
)
_BEFORE_FAILED = frozenset("#ELخ")

# What people write into a cell that has nothing to say.
_STROKES = re.compile("[-\u2010-\u2015\u2212ـ_.…~*/\\\\،,;:|'\"`]{1,16}|[•·●○▪◦]{1,2}")
_NAMES_TOO = frozenset({"nil", "na"})
# What programs write that have nothing to say, exactly as they do: Nan and Nat are people.
_OF_PROGRAMS = frozenset(
    {"nan", "NaN", "-nan", "NaT", "<NA>", "<na>", "null", "NULL", "undefined", "\\N"}
)
_NOTHING = _NAMES_TOO | {
    folded(word)
    for word in ("n/a", "n.a.", "none", "null", "nothing", "not available", "not applicable")
    + ("لا يوجد", "لايوجد", "لا توجد", "لاتوجد", "لا شيء", "لاشيء", "لا شئ", "لاشئ", "بدون", "لا")
    + ("غير موجود", "غير متوفر", "غير متاح", "ليس له", "ليس لها")
}
# Cells that are no longer are remembered: a table says the same in many.
_REMEMBERED = 40
_LONGEST_NOTHING = max(map(len, _NOTHING)) + 2
_NO_CONTACT = re.compile("(?:no|without|لا يوجد|لايوجد|لا توجد|لاتوجد|بدون|ليس له|ليس لها)(?: .*)?")
# In a folded text: so many that they may be a phone.
_DIGITS = re.compile("[0-9](?: ?[0-9]){4}")
# What stands for the cell above.
_DITTO = re.compile("[\"“”″〃]{1,2}|//|''|,,|،،")
_ZEROS = re.compile(r"0+(?:\.0+)?")
_ZEROS_AS_PHONE = re.compile(r"[+(]{0,2}[0٠۰](?:[ ().,/_–-]{0,3}[0٠۰])*\)?")
# A number below nought, which no phone is.
_NEGATIVE = re.compile("[-−–][0-9٠-٩۰-۹]")

_BESIDE = re.compile(r"[/|\\]")

# The words that occupancies are read by: the labels first, then what they were called and are known as.
# Never guessed: who the unit belongs to, and that it is to let.
_OCCUPANCY_WORDS = {
    Occupancy.VACANT: ("vacant", "خالية", "empty", "شاغرة", "شاغر", "فارغة", "خالي", "فارغ")
    + ("فاضية", "فاضي", "unoccupied"),
    Occupancy.OCCUPIED: ("occupied", "مشغولة", "lived in", "مسكونة", "ساكنة", "ساكن", "مشغول")
    + ("مسكون", "مأهولة", "مأهول", "بها سكان", "به سكان", "مؤجرة", "مؤجر", "rented", "rented out")
    + ("tenanted", "leased", "inhabited", "owner occupied", "occupied by owner", "tenant occupied")
    + ("occupied by tenant", "يسكنها المالك", "مسكونة بالمالك", "مسكونة بمستأجر"),
    Occupancy.UNOCCUPIED: (
        "owned, unoccupied",
        "owned but unoccupied",
        "مملوكة غير مشغولة",
        "مملوكة وغير مشغولة",
        "closed",
        "مغلقة",
        "مغلق",
        "مقفولة",
        "مقفول",
        "مقفلة",
        "مقفل",
        "مسكرة",
        "مسكر",
        "غير مسكونة",
        "غير مسكون",
        "غير مشغولة",
        "غير مشغول",
    ),
    Occupancy.BEING_FINISHED: ("being finished", "تحت التشطيب", "قيد التشطيب", "جاري التشطيب")
    + ("under finishing", "نصف تشطيب", "على الطوب", "على المحارة", "عظم"),
}
_OCCUPANCY_OF = {
    folded(word): each.value for each, words in _OCCUPANCY_WORDS.items() for word in words
}


# What people write before the number of a unit.
_UNIT_WORD = re.compile(
    r"(?:(?:unit|flat|apartment|apt|no|رقم|وحدة|الوحدة|شقة|الشقة)[ .:#/-]{1,3}){1,2}(?=[0-9٠-٩۰-۹]{1,6}$)",
    re.I,
)
# "101-102", "5 + 6".
_FIGURES = re.compile("[0-9]+")
_SEVERAL_NUMBERS = re.compile(r"[0-9]{1,6}(?:\s?(?:[-–+/\\&,،و]|[Aa]nd)\s?[0-9]{1,6}){1,9}")
# "Shop 4 and 5", "B12/B13".
_SEVERAL_NAMED = re.compile(
    r"[^\W\d_]{0,12} ?[0-9]{1,6}[^\W\d_]? ?(?:[&+,،|\\]|\b(?:and|or|to|plus|و|الى|إلى)\b|\bو) ?"
    r"[^\W\d_]{0,12} ?[0-9]{1,6}[^\W\d_]?"
    r"|(?P<word>[^\W\d_]{1,12}) ?[0-9]{1,6} ?[-–/] ?(?P=word) ?[0-9]{1,6}"
    r"|(?:shops|flats|units|محلات|شقق|وحدات) ?[0-9]{1,6} ?[-–/] ?[0-9]{1,6}"
    r"|[0-9]{1,6}[^\W\d_] ?/ ?[0-9]{1,6}[^\W\d_]",
    re.IGNORECASE,
)
# What a row says that sums up: one of the words, alone or with what may stand beside it.
_SUMS = frozenset(
    map(
        folded,
        ("total", "totals", "subtotal", "sum", "average", "إجمالي", "مجموع", "جملة", "متوسط"),
    )
)
_BESIDE_SUMS = frozenset(
    map(
        folded,
        (
            "grand",
            "sub",
            "units",
            "flats",
            "unit",
            "of",
            "all",
            "the",
            "عام",
            "كلي",
            "وحدات",
            "للوحدات",
        ),
    )
) | frozenset(
    map(
        folded,
        (
            "عدد",
            "شقق",
            "للشقق",
            "سكان",
            "count",
            "number",
            "rows",
            "apartments",
            "residents",
            "people",
        )
        + ("occupied", "vacant"),
    )
)


def sums_up(text: str) -> bool:
    """Whether a cell says that its row is a sum of others."""
    return _are_sums(folded(text))


def _are_sums(folded_text: str) -> bool:
    words = [word.removeprefix("ال") for word in folded_text.split() if not word.isdecimal()]
    return not _SUMS.isdisjoint(words) and (_SUMS | _BESIDE_SUMS).issuperset(words)


def meant(text: str) -> str:
    """The text of a cell without what nobody means by it; empty if it says that there is nothing."""
    return _meant(text) if len(text) <= _REMEMBERED else _meant.__wrapped__(text)


@lru_cache(8192)
def _meant(text: str) -> str:
    text = _bare(text)
    return "" if _is_nothing(text) else text


def meant_name(text: str) -> str:
    """As `meant()`, of a person's name: there are people who are called Nil."""
    text = _bare(text)
    is_name = folded(text) in _NAMES_TOO and text not in _OF_PROGRAMS
    return "" if not is_name and _is_nothing(text) else text


def means_nobody(resident: str, *, has_contact: bool) -> bool:
    """Whether the name of a resident says that there is none: Nil with a phone is somebody's name."""
    return _ZEROS.fullmatch(resident) is not None or (
        not has_contact and folded(resident) in _NAMES_TOO
    )


def _bare(text: str) -> str:
    """Raises CellProblem for what repeats the cell above: who sorts the rows means another one."""
    text = clean(text).strip()
    if _DITTO.fullmatch(text):
        raise CellProblem(_("stands for the cell above: write it out"))
    if text.startswith('="') and (found := _AS_TEXT.fullmatch(text)):
        return found[1].strip()
    return text


def _is_nothing(text: str) -> bool:
    if len(text) > _LONGEST_NOTHING or text.isdecimal() or text.startswith("#"):
        return False
    return text in _OF_PROGRAMS or _STROKES.fullmatch(text) is not None or folded(text) in _NOTHING


def whole_number(text: str) -> int | None:
    """A whole number in any digits, as any program writes it; None for any other text."""
    if not text.isascii():
        text = western_digits(clean(text)).translate(_MINUS)
    digits = text.strip().removeprefix("'")
    if not digits.isdecimal():
        digits = _NO_FRACTION.sub("", digits)
    return int(digits) if _INTEGER.fullmatch(digits) else None


@lru_cache(8192)
def read_number(text: str) -> int:
    """The number of a unit."""
    number = whole_number(_UNIT_WORD.sub("", text))
    refuse_sum(folded(text))
    if number is None and _are_several(western_digits(clean(text)).strip()):
        raise CellProblem(
            _(
                "is more than one number: give each unit a row, or a unit that was made of several the number"
                " of one of them, and write the rest into the note"
            )
        )
    if number is None and has_letters(text):
        raise NameProblem(
            _(
                "is not a whole number: give the unit a number of its own and write this into the"
                " column name, or have such units called by their names"
            )
        )
    if number is None or not LOWEST_NUMBER <= number <= HIGHEST_NUMBER:
        raise CellProblem(
            _("is not a whole number from %(lowest)d to %(highest)d")
            % {"lowest": LOWEST_NUMBER, "highest": HIGHEST_NUMBER}
        )
    return number


def _are_several(text: str) -> bool:
    """Whether it is of several numbers, equally long: "4/1" may be the floor and the unit."""
    numbers = _FIGURES.findall(text)
    if len(numbers) > 1 and _SEVERAL_NAMED.fullmatch(text):
        return True
    return (
        len(set(map(len, numbers))) == 1
        and len(numbers[0]) > 1
        and _SEVERAL_NUMBERS.fullmatch(text) is not None
    )


def has_letters(text: str) -> bool:
    """Whether a unit may be called so, as 12A or Shop 4; raises CellProblem for a shortened number."""
    _refuse_shortened(text)
    return any(map(str.isalpha, text)) and not text.startswith("#")


def read_id(text: str) -> int:
    """The id of a record."""
    number = whole_number(text)
    if number is None or number < 1:
        raise CellProblem(_("is not an id"))
    return number


def read_text(longest: int, text: str) -> str:
    """A text of so many characters at most."""
    if len(text) > longest:
        raise CellProblem(_("is longer than %d characters") % longest)
    if text[:1] in _BEFORE_FAILED and _FAILED_FORMULA.fullmatch(text):
        raise CellProblem(_("is what a spreadsheet shows where a formula failed"))
    return text


def read_words(longest: int, text: str) -> str:
    """As `read_text()`, where a row that sums up others may say so."""
    if len(text) <= _REMEMBERED:
        _refuse_words_of_sums(text)
    return read_text(longest, text)


@lru_cache(8192)
def _refuse_words_of_sums(text: str) -> None:
    refuse_sum(folded(text))


def refuse_sum(folded_text: str) -> None:
    """Raise CellProblem if the cell says that its row is a sum of others."""
    if _are_sums(folded_text):
        raise CellProblem(_("sums up other rows: take this row out"))


def is_occupancy(folded_text: str) -> bool:
    """Whether it says how a unit is used."""
    return bool(_occupancy_of(folded_text))


@lru_cache(1024)
def read_occupancy(text: str) -> str:
    """The stored code of an occupancy."""
    found = {_occupancy(text)} if _occupancy(text) else set(map(_occupancy, _BESIDE.split(text)))
    code = found.pop()
    if code and not found:
        return code
    known = _("; ").join(str(each.label) for each in Occupancy)
    raise CellProblem(_("is none of: %s") % known)


def _occupancy(text: str) -> str:
    return _occupancy_of(folded(text))


def _occupancy_of(words: str) -> str:
    bare = " ".join(word.removeprefix("ال") for word in words.split())
    return _OCCUPANCY_OF.get(words) or _OCCUPANCY_OF.get(bare, "")


def read_contacts(kind: Kind, text: str) -> list[tuple[str, str]]:
    """The contacts in a cell, each as typed and canonical, in their order.

    What was masked or hidden when it was exported reports nothing.
    """
    if is_masked(text):
        return []
    text = text.removeprefix("'").strip()
    if _ZEROS.fullmatch(text) or _ZEROS_AS_PHONE.fullmatch(text) or _says_none(text):
        return []
    if kind is Kind.PHONE and _NEGATIVE.match(text):
        raise CellProblem(_("is not a phone number"))
    try:
        return contacts_in(kind, text)
    except ContactProblem as problem:
        known = {Kind.PHONE: _("is not a phone number"), Kind.EMAIL: _("is not an e-mail address")}
        raise CellProblem(with_hint(known[kind], problem.hint)) from None


def _says_none(text: str) -> bool:
    """Whether it says in words that there is no contact, and holds none behind them."""
    if "@" in text:
        return False
    words = folded(text)
    return (
        _NO_CONTACT.fullmatch(words) is not None
        and _DIGITS.search(words) is None
        and "@" not in ascii_signs(text)
    )


def _refuse_shortened(text: str) -> None:
    if _SHORTENED.fullmatch(western_digits(text)):
        raise CellProblem(
            _("was shortened by the spreadsheet: format the column as text and write it again")
        )
