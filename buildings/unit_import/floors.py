"""Which floor people mean: G, B1, 1st, "1-", الدور الثاني, roof."""

import re
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext as _

from buildings.models import HIGHEST_FLOOR, LOWEST_FLOOR
from buildings.unit_import.cells import CellProblem, whole_number
from contacts.canonical import western_digits
from contacts.text import clean, folded

# The floor above the last one: which that is only the block can say.
ROOF: Final = "roof"

# "-1", "1-" as right-to-left cells have it, "(1)" as accountants write it.
_NEGATIVE = re.compile(r"- ?([0-9]{1,3})|([0-9]{1,3}) ?-|\( ?-?([0-9]{1,3}) ?\)")
# A minus beside a word, and apart from it: before the figure or behind it, as right-to-left cells have it.
# "B-2" is told before.
_MINUS = re.compile(r"(?:^|[\s(:/,_#])-[^\W_]|^[A-Za-z]-[0-9]|^[^A-Za-z]*[0-9]-$")
# "- 2 -", as people set a number in the middle.
_BETWEEN_DASHES = re.compile(r"-\s*[0-9]+\s*-")
# What may be a minus, or part the figure from the word: "Floor-2", "Level - 2", "Floor (2)".
_UNCLEAR = re.compile(r"-\s*[0-9]+(?![0-9A-Za-z])|[0-9]\s*-(?![A-Za-z])|\([0-9]+\)")
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_COUNTED = re.compile(r"([0-9]{1,3})(?: ?(?:st|nd|rd|th))?|[fl] ?([0-9]{1,3})|([0-9]{1,3}) ?f")
_BASEMENT = re.compile(r"(?:b|basement|بدروم|بدرون|قبو)(?: ?([0-9]{1,2}))?")
_SURPLUS = "the,at,on,floor,flr,fl,level,lvl,storey,story,no,number" + (
    ",دور,الدور,طابق,الطابق,رقم,علوي,العلوي,متكرر,المتكرر"
)
_BASEMENTS = "basement,lower ground,lg,lgf,underground,cellar" + (
    ",بدروم,بدرون,قبو,سرداب,تسويه,تحت ارض,تحت ارضي,ارضي منخفض"
)
_GROUNDS = "g,gf,gr,grd,gnd,ground,rc,rdc,rez de chaussee,ارضي,ارض"
_MEZZANINES = "m,mz,mf,me,mezz,mez,mezzanine,mezanine,ميزانين,ميزنين,مسروق,مسحور"
_ROOFS = "roof,rf,roof top,rooftop,روف,رووف,سطح,سطوح"
_LASTS = "last,top,اخير"
# Beside the ground floor: some mean the one above it.
_UPPER = "علوي"
_ORDINALS = {
    "first,one,اول,اولي,واحد": 1,
    "second,two,ثاني,ثانيه,تاني,تانيه,ثان,اثنين,اتنين": 2,
    "third,three,ثالث,ثالثه,تالت,تالته,ثلاثه,تلاته": 3,
    "fourth,forth,four,رابع,رابعه,اربعه": 4,
    "fifth,five,خامس,خامسه,خمسه": 5,
    "sixth,six,سادس,سادسه,سته": 6,
    "seventh,seven,سابع,سابعه,سبعه": 7,
    "eighth,eight,ثامن,ثامنه,تامن,تامنه,ثمانيه,تمانيه": 8,
    "ninth,nine,تاسع,تاسعه,تسعه": 9,
    "tenth,ten,عاشر,عاشره,عشره": 10,
    "eleventh,eleven,حادي عشر,حاديه عشر,حداشر,احد عشر": 11,
    "twelfth,twelve,ثاني عشر,ثانيه عشر,تاني عشر,اتناشر,اثنا عشر": 12,
    "thirteenth,thirteen,ثالث عشر,ثالثه عشر,تالت عشر,تلتاشر,تلاتاشر,ثلاثه عشر": 13,
    "fourteenth,fourteen,رابع عشر,رابعه عشر,اربعتاشر,اربعه عشر": 14,
    "fifteenth,fifteen,خامس عشر,خامسه عشر,خمستاشر,خمسه عشر": 15,
    "sixteenth,sixteen,سادس عشر,سادسه عشر,ستاشر,سته عشر": 16,
    "seventeenth,seventeen,سابع عشر,سابعه عشر,سبعتاشر,سبعه عشر": 17,
    "eighteenth,eighteen,ثامن عشر,ثامنه عشر,تامن عشر,تمنتاشر,ثمانيه عشر": 18,
    "nineteenth,nineteen,تاسع عشر,تاسعه عشر,تسعتاشر,تسعه عشر": 19,
    "twentieth,twenty,عشرون,عشرين": 20,
    "thirtieth,thirty,ثلاثون,ثلاثين": 30,
}
# Twenty-first, الحادي والعشرون.
_UNITS = {
    word: floor for words, floor in _ORDINALS.items() for word in words.split(",") if floor < 10
}
_UNITS |= {"حادي": 1, "حاديه": 1}
_ABOVE_TWENTY = {
    words: 20 + floor
    for word, floor in _UNITS.items()
    for words in (f"twenty {word}", f"{word} والعشرون", f"{word} والعشرين")
}
_FLOOR_OF = _ABOVE_TWENTY | {
    word: floor
    for words, floor in {_BASEMENTS: -1, _GROUNDS: 0, **_ORDINALS}.items()
    for word in words.split(",")
}


_SURPLUS_WORDS, _ROOF_WORDS, _MEZZANINE_WORDS, _LAST_WORDS = (
    frozenset(words.split(",")) for words in (_SURPLUS, _ROOFS, _MEZZANINES, _LASTS)
)


@lru_cache(1024)
def read_floor(text: str) -> int | str:
    """The floor that is meant, or ROOF. Raises CellProblem."""
    number = _numbered(text)
    floor = _worded(_words(text)) if number is None else number
    if floor == 0 and number is None and _UPPER in folded(text):
        raise CellProblem(_("does not say which floor: write the number"))
    if number is None and isinstance(floor, int) and floor > 0:
        floor = _signed(floor, _dashed(text))
        if floor is None:
            raise CellProblem(
                _(
                    "may be a floor above the ground or below: write the number alone, such as 2 or -2"
                )
            )
    if isinstance(floor, str) or (floor is not None and LOWEST_FLOOR <= floor <= HIGHEST_FLOOR):
        return floor
    raise CellProblem(
        _(
            "is not a whole number from %(lowest)d to %(highest)d"
            " (0 is the ground floor, -1 the first basement)"
        )
        % {"lowest": LOWEST_FLOOR, "highest": HIGHEST_FLOOR}
    )


def _signed(floor: int, text: str) -> int | None:
    """The floor of a text that says which one in words too; None if it may be above the ground or below."""
    if _BETWEEN_DASHES.search(text):
        return None
    if _MINUS.search(text):
        return -floor
    may_be_below = -floor >= LOWEST_FLOOR and _UNCLEAR.search(text)
    return None if may_be_below else floor


def roof_unknown() -> str:
    """Why a roof is refused where nothing says which floor it is."""
    return _("is a roof, and of the block it is not known how many floors it has: write the number")


def _numbered(text: str) -> int | None:
    digits = _dashed(text)
    if found := _NEGATIVE.fullmatch(digits):
        return -int(next(filter(None, found.groups())))
    return whole_number(digits)


def _dashed(text: str) -> str:
    return _DASHES.sub("-", western_digits(clean(text))).strip()


def _words(text: str) -> str:
    """The words that say which, without those that say that it is a floor."""
    words = [word for word in folded(text).split() if word not in _SURPLUS_WORDS]
    initials = all(len(word) == 1 and word.isalpha() for word in words)
    return ("" if initials else " ").join(word.removeprefix("ال") for word in words)


def _worded(words: str) -> int | str | None:
    if words in _ROOF_WORDS:
        return ROOF
    if words in _MEZZANINE_WORDS:
        raise CellProblem(
            _(
                "is no floor with a number: write the floor that it lies above, and the word into note"
            )
        )
    if words in _LAST_WORDS:
        raise CellProblem(_("does not say which floor: write the number"))
    if words in _FLOOR_OF:
        return _FLOOR_OF[words]
    if found := _COUNTED.fullmatch(words):
        return int(next(filter(None, found.groups())))
    if found := _BASEMENT.fullmatch(words):
        return -int(found[1] or 1)
    first, _space, rest = words.partition(" ")
    if first in {"basement", "بدروم", "بدرون", "قبو"} and rest in _FLOOR_OF:
        return -_FLOOR_OF[rest]
    return None
