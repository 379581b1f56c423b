"""No regular expression of ours takes quadratic time, whatever it is given."""

import importlib
import pkgutil
import re
import time
from contextlib import suppress

import pytest

from contacts.emails import canonical_email
from contacts.masking import masked_contacts
from contacts.phones import canonical_phone
from contacts.text import clean, folded, is_lost, repaired
from tests.conftest import ONCE

pytestmark = ONCE

APPS = ("audit", "contacts", "buildings", "omarty")
# In seconds: what takes a few milliseconds is too short to be measured, and nobody's attack.
TOO_SHORT = 0.02
SIZE = 20_000
# What makes bad patterns go back and forth, each repeated until it is long.
HOSTILE = (
    "a",
    "1",
    "1-",
    "(1",
    "'",
    "@",
    "a.",
    "a@",
    "=",
    ";=",
    ";'",
    " ",
    "(",
    "\t",
    "٣",
    "2026-01-01T",
    "-",
    "?",
    "&",
    "&#1",
    "<",
    "<mergeCell ",
    "_x",
    "\x80",
    "\u0323\u0301",
    "•",
    "0 ",
    "Ù",
    '"',
    '"a',
    "1;",
    "1, ",
)


def modules():
    for app in APPS:
        package = importlib.import_module(app)
        for each in pkgutil.walk_packages(package.__path__, f"{app}."):
            if ".migrations." not in each.name and not each.name.endswith(("wsgi", "port")):
                yield importlib.import_module(each.name)


def patterns():
    return {
        f"{module.__name__}.{name}": value
        for module in modules()
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }


def seconds(act, text, most=3):
    """The best of three: a slow machine is not a slow pattern."""
    times = []
    for _ in range(most):
        start = time.process_time()
        act(text)
        times.append(time.process_time() - start)
    return min(times)


def assert_linear(act):
    for unit in HOSTILE:
        text = unit * (SIZE // len(unit))
        for hostile in (text, text + "!", "x@" + text, f"a{text} b"):
            if seconds(act, hostile * 4, most=1) < TOO_SHORT:
                continue
            short, long = seconds(act, hostile), seconds(act, hostile * 4)
            if not is_linear(short, long):
                # A few milliseconds are measured badly: what is quadratic is so at twice the length too.
                short, long = seconds(act, hostile * 2), seconds(act, hostile * 8)
            assert is_linear(short, long), (unit, short, long)


def is_linear(short, long):
    # Twice doubled: linear time is four times as long, quadratic sixteen.
    return long < TOO_SHORT or long < 8 * short


def test_there_are_patterns():
    assert len(patterns()) > 10


@pytest.mark.parametrize("name", sorted(patterns()))
def test_doubling_the_text_doubles_the_time_and_no_more(name):
    pattern = patterns()[name]
    if isinstance(pattern.pattern, bytes):
        assert_linear(lambda text: pattern.sub(b"", text.encode()))
        assert_linear(lambda text: pattern.fullmatch(text.encode()))
        return
    assert_linear(lambda text: pattern.sub("", text))
    assert_linear(pattern.fullmatch)


@pytest.mark.parametrize(
    "act", [masked_contacts, canonical_phone, canonical_email, clean, folded, is_lost, repaired]
)
def test_so_does_what_reads_and_masks_contacts(act):
    def tried(text):
        with suppress(ValueError):
            act(text)

    assert_linear(tried)
