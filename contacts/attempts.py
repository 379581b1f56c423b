"""How often a password may be tried: counted before it is looked at, and so exact at any number at once.

Attempts are counted for each account, and for each address, whatever the account. An address from which
the holder has signed in before has a counter of its own for them: whoever attacks the account from
elsewhere does not shut them out of it.
"""

import ipaddress
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from contacts.counting import count_down, count_up, forget_count, forget_past_counts
from contacts.models import KnownAddress, User

# So long an address stays known after the last sign-in from it.
KNOWN_FOR = timedelta(days=180)
# The longest period that anything is counted in.
LONGEST_PERIOD = timedelta(days=1)


class TooManyAttempts(Exception):
    """The password was not looked at: whoever tries has to wait (answers.md, Too many requests)."""


class _Counter(NamedTuple):
    of: tuple[object, ...]
    limit: int


def password_is_right(
    right: Callable[[], bool], *, login: str | None, person: User | None, address: str | None
) -> bool:
    """What `right()` finds, as one attempt. Raises TooManyAttempts, and then it is not called.

    `login` is the canonical name that was typed, empty if it is none, and None where whoever is signed
    in already shows that it is them; `person` is who has that name, if anybody. A password that is
    right undoes its own count.
    """
    network = network_of(address)
    if person is not None and (login is None or _known(person, network).exists()):
        counters = [_of_holder(person, network)]
    else:
        counters = _of_strangers(login or "", network)
    period = timedelta(minutes=settings.SIGN_IN_PAUSE_MINUTES)
    for counter in counters:
        if count_up("attempt", *counter.of, within=period) > counter.limit:
            raise TooManyAttempts
    if not right():
        return False
    for counter in counters:
        count_down("attempt", *counter.of)
    if person is not None:
        _remember(person, network)
    return True


def network_of(address: str | None) -> str:
    """Whom an address stands for: itself, or of IPv6 its /64, which one household has whole."""
    if address is None:
        return ""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        mapped = ip.ipv4_mapped
        return str(mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def forget_past_attempts() -> None:
    """Delete counts of periods that are over, and addresses that were not used for long."""
    forget_past_counts(LONGEST_PERIOD)
    KnownAddress.objects.filter(used_at__lt=timezone.now() - KNOWN_FOR).delete()


def _of_holder(person: User, network: str) -> _Counter:
    return _Counter(("holder", person.pk, network), settings.SIGN_IN_ATTEMPTS)


def _of_strangers(login: str, network: str) -> list[_Counter]:
    # The address first: one that tries too much does not use up the attempts of an account.
    counters = [_Counter(("address", network), settings.SIGN_IN_ATTEMPTS_PER_ADDRESS)]
    if login:
        counters.append(_Counter(("account", login), settings.SIGN_IN_ATTEMPTS))
    return counters


def _remember(person: User, network: str) -> None:
    forget_count("attempt", *_of_holder(person, network).of)
    _, new = KnownAddress.objects.get_or_create(user=person, digest=_digest(person, network))
    if not new:
        _known(person, network).update(used_at=timezone.now())


def _known(person: User, network: str) -> "models.QuerySet[KnownAddress]":
    return KnownAddress.objects.filter(user=person, digest=_digest(person, network))


def _digest(person: User, network: str) -> str:
    of = f"{person.pk} {network}"
    return salted_hmac("contacts.attempts", of, algorithm="sha256").hexdigest()
