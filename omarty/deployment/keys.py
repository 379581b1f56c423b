"""Whether the secrets are secret."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Warning

# Files that everybody can read, and that secrets are copied from.
PUBLISHED = (".env.example", "README.md", "SECURITY.md", "tests/environment.py")
# NIST SP 800-131A; a random text of 32 bytes has far more.
BITS = 128
# Hexadecimal has up to 16.
FEWEST_CHARACTERS = 10
# So long are typed words on average, and numbers touch them once or twice: in one of some 5000 random texts
# of 32 bytes, and in one of 100 000 of 48.
WORD, MOST_NUMBERS = 3.5, 2
HOW_TO_MAKE_ONE = 'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'


def warnings() -> Iterator[CheckMessage]:
    """About SECRET_KEY, JWT_SIGNING_KEY and the former keys."""
    used = {"SECRET_KEY": settings.SECRET_KEY, "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY}
    for name, secret in used.items():
        remedy = (
            f"Put the output of `{HOW_TO_MAKE_ONE}` into .env as {name}, and restart the server."
        )
        yield from _weaknesses(name, secret, remedy)
        if secret in settings.JWT_FORMER_KEYS:
            yield Warning(f"{name} is also one of JWT_FORMER_KEYS.", hint=remedy, id="omarty.W003")
    for secret in settings.JWT_FORMER_KEYS:
        yield from _weaknesses(
            "One of JWT_FORMER_KEYS", secret, "Remove it from JWT_FORMER_KEYS in .env, and restart."
        )


def _weaknesses(name: str, secret: str, remedy: str) -> Iterator[CheckMessage]:
    if any(secret in text for text in _published()):
        yield Warning(
            f"{name} stands in a file that everybody can read.", hint=remedy, id="omarty.W001"
        )
    elif why := _not_random(secret):
        yield Warning(f"{name} {why}.", hint=remedy, id="omarty.W002")


def _published() -> Iterator[str]:
    for name in PUBLISHED:
        file = settings.BASE_DIR / name
        if file.is_file():
            yield file.read_text(errors="replace")


def _not_random(secret: str) -> str:
    """Why it cannot be a random text: a sentence's end; empty if it may be one."""
    if _bits(secret) < BITS or len(set(secret)) < FEWEST_CHARACTERS:
        return "is too uniform to be random"
    # "TheKey-OF-2026": The, Key, OF. Of random letters, small and large, a run is short.
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", secret)
    # Nearly every number of a random text does; of a date between dashes none.
    numbers = re.findall(r"(?<=[A-Za-z])\d+|\d+(?=[A-Za-z])", secret)
    if len(numbers) <= MOST_NUMBERS and sum(map(len, words)) >= WORD * len(words) > 0:
        return "reads like words that somebody typed, which can be guessed"
    return ""


def _bits(secret: str) -> float:
    """How much of a secret cannot be guessed from its letters' frequencies, and from its repeating itself."""
    # The shortest text that repeated makes the whole: "abcabc" is found in itself again after 3.
    period = (secret + secret).index(secret, 1)
    once = secret[:period]
    shares = [count / len(once) for count in Counter(once).values()]
    return len(once) * -sum(share * math.log2(share) for share in shares)
