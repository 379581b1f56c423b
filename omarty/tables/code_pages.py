"""In which code page a file is that is no Unicode: nothing in it says so but what it reads as."""

import re
from collections.abc import Callable, Sequence

# What Excel saves Arabic and French in comes first: it is the one where others read as well.
CODE_PAGES = {
    "cp1256": "Windows-1256",
    "cp1252": "Windows-1252",
    "iso8859_6": "ISO 8859-6",
    "mac_arabic": "Mac Arabic",
    "cp720": "DOS 720",
}
# Of lines that have letters beyond ASCII, so many are looked at.
_LINES = 2000
# The share of words that may look odd: a name in two scripts, a drawing.
_MOST_ODD = 0.2

_ARABIC = "\u0600-\u06ff"
_SYMBOLS = "¢£¤¥¦§¨©ª¬¯°±²³µ¶¹º¼½¾×÷ƒˆ‰†‡˜"
_LATIN = re.compile("[a-zA-Z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]")
_WORD = re.compile(r"[^\s,;|]+")
# Letters of two scripts in one word, a sign that no word has within or that no letter goes before, what
# no text has.
_ODD = re.compile(
    f"[{_ARABIC}](?![{_ARABIC}])[^\\W\\d_]|(?![{_ARABIC}])[^\\W\\d_][{_ARABIC}]"
    "|[\u064b-\u064d](?=[\u0621-\u0626\u0628-\u064a])"
    f"|(?<![{_ARABIC}])[\u064b-\u0652]"
    f"|(?<=[^\\W\\d_])[{_SYMBOLS}]|[{_SYMBOLS}](?=[^\\W\\d_])"
    "|[\x80-\x9f\u2500-\u25ff\ue000-\uf8ff]"
)


def code_page(sample: bytes, headings: Callable[[str], int]) -> str:
    """The code page that the bytes are in, one of CODE_PAGES; empty where it cannot be told.

    It is the one in which most `headings` are known, and of several the one whose words are words.
    """
    lines = [line for line in sample.splitlines() if not line.isascii()][:_LINES]
    few = b"\n".join(lines)
    ranked = []
    for order, name in enumerate(CODE_PAGES):
        try:
            text = few.decode(name)
            known = headings(sample.decode(name))
        except UnicodeDecodeError:
            continue
        ranked.append((-known, _odd_words(text), order, name, text))
    ranked.sort()
    if not ranked:
        return ""
    best = ranked[0]
    words = len(_words(best[4]))
    # Headings that are known leave no doubt, whatever stands below them.
    sure = any(other[0] > best[0] for other in ranked)
    if best[1] > words * _MOST_ODD and not sure:
        return ""
    rivals: Sequence[str] = [text for known, odd, *_, text in ranked if (known, odd) == best[:2]]
    if best[3] != next(iter(CODE_PAGES)) and any(text != best[4] for text in rivals):
        return ""
    return best[3]


def _words(text: str) -> list[str]:
    """The words that have letters beyond ASCII."""
    return [word for word in _WORD.findall(text) if not word.isascii()]


def _odd_words(text: str) -> int:
    return sum(map(_is_odd, _words(text)))


def _is_odd(word: str) -> bool:
    # No word of a Latin script has hardly a letter that English has as well.
    latin = _LATIN.findall(word)
    foreign = sum(not letter.isascii() for letter in latin)
    return 2 * foreign > max(len(latin), 2) or _ODD.search(word) is not None
