"""Reads the dates of a legacy database: each spelling that has one meaning, and no other."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from contacts.canonical import western_digits
from contacts.text import clean, folded

CAIRO = ZoneInfo("Africa/Cairo")

# What months are called in English, to which any beginning of three letters leads, and in Egypt.
_ENGLISH = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_ARABIC = (
    *("يناير", "فبراير", "مارس", "ابريل", "مايو", "يونيو", "يوليو", "اغسطس", "سبتمبر"),
    *("اكتوبر", "نوفمبر", "ديسمبر"),
)

# The legacy server wrote 2023-05-04 16:05:06, 2023-05-04 04:05:06pm, 2023-05-04 04-05-06pm and
# 2023:05:04 04-05-06pm, and some of its calls 16:05:06pm. People and tools wrote others.
_DAYS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"(?P<year>\d{4})(?P<mark>[-:/.])(?P<month>\d\d?)(?P=mark)(?P<day>\d\d?)",
        r"(?P<either>\d\d?)(?P<mark>[-/.])(?P<other>\d\d?)(?P=mark)(?P<year>\d{4})",
        r"(?:[a-z]{3,9},? )?(?P<day>\d\d?)[- ](?P<name>[^\W\d]+),?[- ](?P<year>\d{4})",
        r"(?P<name>[^\W\d]+) (?P<day>\d\d?),? (?P<year>\d{4})",
    )
)
_CLOCK = re.compile(
    r"(?:,? |T)(?P<hour>\d\d?)(?P<mark>[-:])(?P<minute>\d\d)(?:(?P=mark)(?P<second>\d\d)(?:[.,]\d+)?)?"
    r" ?(?P<half>[ap]\.?m\.?|ص|م|صباح[اً]+|مساءً?|مساءا)? ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?",
    re.I,
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)")
_MORNING, _EVENING = {"am", "a m", "ص", "صباحا"}, {"pm", "p m", "م", "مسا", "مساا"}


def moment(text: str | None) -> datetime | None:
    """A legacy date in UTC; without a zone it is Cairo time. None for an empty, zero or unclear one."""
    tidy = " ".join(western_digits(clean(text or "")).split())
    tidy = _COMPACT.sub(r"\1-\2-\3 \4:\5:\6", tidy) if _COMPACT.fullmatch(tidy) else tidy
    for pattern in _DAYS:
        if found := pattern.match(tidy):
            day, rest = _day(found.groupdict()), tidy[found.end() :]
            clock = _CLOCK.fullmatch(rest)
            if day is None or (rest and clock is None):
                return None
            return _at(day, clock.groupdict() if clock else {})
    return None


def _at(day: tuple[int, int, int], clock: dict[str, str | None]) -> datetime | None:
    hour, minute, second = (int(clock.get(name) or 0) for name in ("hour", "minute", "second"))
    zone = clock.get("zone")
    try:
        hour = _of_24(hour, folded(clock.get("half") or ""))
        there = datetime.strptime(_offset(zone), "%z").tzinfo if zone else CAIRO
        return datetime(*day, hour, minute, second, tzinfo=there).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str) -> str:
    return "Z" if zone.upper() in ("UTC", "GMT") else zone.upper()


def _of_24(hour: int, half: str) -> int:
    """The hour of the day. Raises ValueError where half and hour disagree ("13am", "0pm")."""
    if half in _MORNING and hour > 12 or half in _EVENING and hour == 0:
        raise ValueError(half)
    if half in _MORNING:
        return hour % 12
    return hour + 12 if half in _EVENING and hour < 12 else hour


def _day(found: dict[str, str]) -> tuple[int, int, int] | None:
    """Year, month and day; None where it is unclear which of two numbers is the month."""
    year = int(found["year"])
    if "name" in found:
        month = _month(found["name"])
        return (year, month, int(found["day"])) if month else None
    if "month" in found:
        return year, int(found["month"]), int(found["day"])
    day, month = int(found["either"]), int(found["other"])
    if day != month and max(day, month) <= 12:
        return None
    return (year, month, day) if month <= 12 else (year, day, month)


def _month(name: str) -> int | None:
    plain = folded(name)
    for number, (english, arabic) in enumerate(zip(_ENGLISH, _ARABIC, strict=True), 1):
        if plain == folded(arabic) or (len(plain) >= 3 and english.startswith(plain)):
            return number
    return None
