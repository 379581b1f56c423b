"""What a text that somebody typed, pasted or kept in an old database says, whatever it looks like inside.

Every way in reads text by these functions: the calls, forms, searches, tables, commands, moving in.
"""

import codecs
import html
import re
import unicodedata
from itertools import dropwhile, takewhile

# What no reader sees: soft hyphen, joiners, direction marks and isolates, zero-width spaces, byte order
# marks, variation selectors, fillers, tags. Unicode calls them Default_Ignorable_Code_Point.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_PICTURE = "\u2190-\u2bff\U0001f000-\U0001faff"
# Within a picture of several parts a joiner and a selector say what the picture is.
_INVISIBLE_MARK = re.compile(
    f"(?<![{_PICTURE}\ufe0f])[\u200d\ufe0f]|\u200d(?![{_PICTURE}])|[{_INVISIBLE}](?<![\u200d\ufe0f])"
)
_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")

# Spellings that Arabic writers take for one, beside those that Unicode takes apart into letter and mark.
_ONE_LETTER = str.maketrans(
    "ٱىیۍېةۀہکڪ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹ı", "اييييهههكك" + "0123456789" * 2 + "i", "ـء"
)
_NO_LETTER = re.compile(r"[\W_]+")
# Tatweel and vowel signs.
_OVER_LETTERS = re.compile("[ـ\u064b-\u0652\u0670]")
# Names of two words that are as often written as one: عبد الرحمن, أبو بكر, نور الدين, جاد الله.
_FIRST_OF_TWO = (" عبد ", " ابو ", " ابا ", " ابي ")
_SECOND_OF_TWO = (" الدين ", " الله ", " الاسلام ")
# What stands before a name and is none of it, folded. السيد and سيد are names too.
_TITLES = set(
    "م ا د مهندس المهندس مهندسه المهندسه باشمهندس الباشمهندس دكتور الدكتور دكتوره الدكتوره"  # noqa: SIM905
    " استاذ الاستاذ استاذه الاستاذه حاج الحاج حاجه الحاجه شيخ الشيخ مدام انسه الانسه مستشار المستشار"
    " محاسب المحاسب لوا اللوا عميد العميد عقيد العقيد"
    " mr mrs ms miss mme madam sir dr doctor prof eng engineer hag haj hajj".split()
)
# Characters whose folded form is kept: those of the scripts that people here write.
_REMEMBERED = 5000

_ENTITY = re.compile("&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
# A text may have been spoilt more than once.
_TIMES = 3
# The code pages that UTF-8 is taken for where it is read wrongly.
_ARABIC = "cp1256"
_CODE_PAGES = ("latin-1", "cp1252", _ARABIC)
_ARABIC_LETTER = re.compile("[\u0620-\u064a]")
# What the second byte of a letter in UTF-8 reads as in them: few texts have such a sign.
_SECOND_BYTES = re.compile(
    "["
    + re.escape("".join(bytes(range(0x80, 0xC0)).decode(page, "ignore") for page in _CODE_PAGES))
    + "]"
)
# Each run of question marks is looked at once, from its first.
_LOST = re.compile(
    r"\ufffd|(?<![\w?])\?{2,}+(?!\w)|(?<!\?)\?{3,}+(?=\w)|(?<=\w)\?{2,}+(?=\w)"
    r"|(?<=[\u0620-\u064a])\?(?=[\u0620-\u064a])"
)
# Words of nothing but letters with accents, which no language has, as two beside each other tell.
_ACCENTED = re.compile("[À-ÖØ-öø-ÿ]{2}")
# Letters of Arabic in UTF-8, each of whose bytes was read as a letter or a sign of its own.
_HALVES = re.compile("(?:[ØÙÚÛ][\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]){2}")


def clean(text: str) -> str:
    """The text without what no reader sees, every kind of blank within a line as a space; not trimmed."""
    if text.isascii():
        return text
    return _SPACE.sub(" ", _INVISIBLE_MARK.sub("", text))


def folded(text: str) -> str:
    """One form for all spellings that mean the same name: words of letters and digits, one space between.

    Hamza, ى and ي, ة and ه, tatweel, vowel signs, case of every script, composed or not, punctuation,
    spaces and whose digits do not count; عبد الرحمن is عبدالرحمن.
    """
    words = in_words(text)
    if words.isascii():
        return words
    words = f" {words} "
    for first in _FIRST_OF_TWO:
        words = words.replace(first, first.rstrip())
    for second in _SECOND_OF_TWO:
        words = words.replace(second, second.lstrip())
    return words.strip()


def search_words(text: str) -> list[str]:
    """The words to look for in folded names, each once; where a name is written apart, its parts."""
    return list(dict.fromkeys(in_words(text).split()))


def same_name(one: str, other: str) -> bool:
    """Whether these are spellings of one name, whatever title stands before it and where its spaces are.

    The words' order counts: علي أحمد may be the son of أحمد علي.
    """
    return name_key(one) == name_key(other)


def name_key(name: str) -> str:
    """Equal for spellings of one name, as `same_name()` says."""
    # Of a name without letters there is nothing to fold; ء alone is folded away.
    if key := "".join(words_without_title(name)):
        return key
    bare = _NO_LETTER.sub(" ", _OVER_LETTERS.sub("", clean(name)))
    return " ".join(bare.split()) or name.strip()


def spelling(name: str) -> tuple[str, int]:
    """Equal for names that mean one person where nothing else says so: no title more, no hamza less.

    علا and علاء may be sister and brother, and مدام هاني the wife of هاني.
    """
    return folded(name), name.count("ء")


def repaired(text: str) -> str:
    """The text as it was before a program spoilt it, where it can have been one text only.

    That is so of HTML entities, of UTF-8 that was read as another code page, once or several times, and of
    Arabic of Windows that was read as its Western code page.
    """
    if not may_be_spoilt(text):
        return text
    for _time in range(_TIMES):
        better = _read_as_utf8(_without_entities(text))
        if better == text:
            return _read_as_arabic(text)
        text = better
    return text


def may_be_spoilt(text: str) -> bool:
    """Whether `repaired()` may find something; false of almost every text, and fast."""
    return "&" in text or (
        not text.isascii() and bool(_SECOND_BYTES.search(text) or _ACCENTED.search(text))
    )


def is_lost(text: str) -> bool:
    """Whether letters of it were lost before it came: each is a question mark or U+FFFD now.

    Or, after `repaired()`, the rest of it is still Arabic in UTF-8 that was read as another code page.
    """
    return _LOST.search(text) is not None or _HALVES.search(text) is not None


def is_arabic(text: str) -> bool:
    """Whether there is a letter of Arabic in it."""
    return _ARABIC_LETTER.search(text) is not None


def in_words(text: str) -> str:
    """The text's words of letters and digits, each character folded, one space between."""
    return " ".join(text.translate(_FOLDED).split())


def words_without_title(name: str) -> list[str]:
    """The words of a name, folded, behind the titles that stand before it."""
    words = folded(name).split()
    # A name may be a title too, where there is no other.
    return list(dropwhile(_TITLES.__contains__, words[:-1])) + words[-1:]


def is_title(word: str) -> bool:
    """Whether the word may stand before a name: a letter alone only with a point or stroke behind it."""
    bare = folded(word)
    return bare in _TITLES and (len(bare) > 1 or word[-1:] in "./")


class _Folding(dict[int, str]):
    """The folded form of each character by its number, found when it is first met."""

    def __missing__(self, number: int) -> str:
        # Twice: a sign may stand for capital letters, and a small letter for several.
        plain = unicodedata.normalize("NFKD", clean(chr(number))).casefold()
        letters = unicodedata.normalize("NFKD", plain).translate(_ONE_LETTER)
        bare = "".join(map(_bare, letters))
        if len(self) < _REMEMBERED:
            self[number] = bare
        return bare


def _bare(letter: str) -> str:
    """The letter or figure; nothing for a mark that may be left out; a blank for any other sign."""
    if unicodedata.combining(letter):
        return ""
    # The vowel signs of Devanagari and its like are letters but in name.
    is_letter = letter.isalnum() or unicodedata.category(letter) in {"Mc", "Mn"}
    return letter if is_letter else " "


_FOLDED = _Folding()


def _without_entities(text: str) -> str:
    # Not unescape() of all of it: that takes "&copy=2" of an address for a sign too.
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


def _read_as_utf8(text: str) -> str:
    if text.isascii():
        return text
    for code_page in _CODE_PAGES:
        try:
            # No text of letters is UTF-8 by chance: each of them would have to be half of one.
            read = _decoded(text.encode(code_page, "controls-as-bytes"))
        except UnicodeError:
            continue
        # But in that of Arabic a short word of Persian or Urdu may be: آگ.
        if code_page != _ARABIC or _ARABIC_LETTER.search(read):
            return read
    return text


def _read_as_arabic(text: str) -> str:
    letters = "".join(filter(str.isalpha, text))
    # A name of one or two such letters there may be.
    if len(letters) < 4 or not all("À" <= letter <= "ÿ" for letter in letters):  # noqa: PLR2004
        return text
    try:
        read = text.encode("cp1252").decode(_ARABIC)
    except UnicodeError:
        return text
    return read if all(map(_ARABIC_LETTER.match, filter(str.isalpha, read))) else text


def _decoded(spoilt: bytes) -> str:
    """The bytes as UTF-8, without half a letter at the end where a column was too short."""
    try:
        return spoilt.decode()
    except UnicodeDecodeError as error:
        whole = spoilt[: error.start].decode()
        if error.reason != "unexpected end of data" or whole[-2:].isascii():
            raise
        return whole


# In cp1252 MySQL ("latin1") and browsers read the bytes that Windows leaves open as control characters.
def _control_as_byte(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    # All that stand together at once: for each alone the rest of them would be gone through again.
    controls = "".join(
        takewhile(lambda each: "\x80" <= each <= "\x9f", error.object[error.start : error.end])
    )
    if not controls:
        raise error
    return controls.encode("latin-1"), error.start + len(controls)


codecs.register_error("controls-as-bytes", _control_as_byte)
