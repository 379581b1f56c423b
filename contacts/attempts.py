"""How often a password may be tried: counted before it is looked at, and so exact at any number at once.

Attempts are counted for each account, and for each address, whatever the account. An address from which
the holder has signed in before has a counter of its own for them, and no other: whoever attacks the account
from elsewhere does not shut them out of it. Who shares that address with them can.
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
from contacts.models import Claim, KnownAddress, User

# So long an address stays known after the last sign-in from it.
KNOWN_FOR = timedelta(days=180)
# Each known address has attempts of its own: so many of a person are known, the last used.
MOST_KNOWN = 10
# The longest period that anything is counted in.
LONGEST_PERIOD = timedelta(days=1)


class TooManyAttempts(Exception):
    """The password was not looked at: whoever tries has to wait (answers.md, Too many requests).

    `of` names the account or the address that was tried too often.
    """

    def __init__(self, of: tuple[object, ...]) -> None:
        super().__init__(*of)
        self.of = of


class _Counter(NamedTuple):
    of: tuple[object, ...]
    limit: int


def password_is_right(
    right: Callable[[], bool], *, login: str, person: User | None, address: str | None
) -> bool:
    """Whether the password typed at sign-in is right, which `right()` tells; counted as an attempt.

    `login` is the canonical name that was typed, empty if what was typed is none; `person` is whose it
    is, if anybody's. Raises TooManyAttempts, and then `right()` is not called.
    """
    network = network_of(address)
    # Nobody's address is asked for, too: what takes longer for those who are registered would tell.
    known = _known(person or User(pk=0), network).exists()
    # Named as the known address is, of which nobody can tell from where it is: so a pause can be ended.
    of_address = _digest(person or User(pk=0), network)
    holder = _Counter(("holder", login, of_address), settings.SIGN_IN_ATTEMPTS)
    counters = [holder] if known else _of_strangers(login, network)
    if not _counted(right, *counters):
        return False
    forget_count("attempt", *holder.of)
    if person is not None:
        _remember(person, network)
    return True


def forget_attempts(person: User) -> None:
    """End every pause of a person: of their sign-in names, also at the addresses known of them."""
    addresses = KnownAddress.objects.filter(user=person).values_list("digest", flat=True)
    for login in Claim.objects.filter(user=person).values_list("value", flat=True):
        forget_count("attempt", "account", login)
        for digest in addresses:
            forget_count("attempt", "holder", login, digest)
    forget_count("attempt", "signed in", person.pk)
    forget_count("attempt", "second factor", person.pk)


def link_is_known(known: Callable[[], bool], *, address: str | None) -> bool:
    """Whether a link that was opened is one of ours, which `known()` tells; counted of the address, if not.

    Raises TooManyAttempts, and then `known()` is not called.
    """
    of = ("link", network_of(address))
    return _counted(known, _Counter(of, settings.SIGN_IN_ATTEMPTS_PER_ADDRESS))


def counted_of_address(what: str, *, address: str | None) -> None:
    """Count what anybody may do without signing in. Raises TooManyAttempts."""
    _counted(
        lambda: False, _Counter((what, network_of(address)), settings.SIGN_IN_ATTEMPTS_PER_ADDRESS)
    )


def own_password_is_right(right: Callable[[], bool], *, person: User) -> bool:
    """As `password_is_right()`, for somebody who is signed in, from wherever they try."""
    return _counted(right, _Counter(("signed in", person.pk), settings.SIGN_IN_ATTEMPTS))


def code_is_right(right: Callable[[], bool], *, person: User) -> bool:
    """As `own_password_is_right()`, for a code of their second factor: who tries knows the password."""
    return _counted(right, _Counter(("second factor", person.pk), settings.SIGN_IN_ATTEMPTS))


def _counted(right: Callable[[], bool], *counters: _Counter) -> bool:
    """What `right()` says; a password that is right takes back its own count."""
    period = timedelta(minutes=settings.SIGN_IN_PAUSE_MINUTES)
    for counter in counters:
        if count_up("attempt", *counter.of, within=period) > counter.limit:
            raise TooManyAttempts(counter.of)
    found = right()
    if found:
        for counter in counters:
            count_down("attempt", *counter.of)
    return found


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


def _of_strangers(login: str, network: str) -> list[_Counter]:
    # The address first: one that tries too much does not use up the attempts of an account.
    counters = [_Counter(("address", network), settings.SIGN_IN_ATTEMPTS_PER_ADDRESS)]
    if login:
        counters.append(_Counter(("account", login), settings.SIGN_IN_ATTEMPTS))
    return counters


def _remember(person: User, network: str) -> None:
    KnownAddress.objects.get_or_create(user=person, digest=_digest(person, network))
    _known(person, network).update(used_at=timezone.now())
    known = KnownAddress.objects.filter(user=person).order_by("-used_at", "-pk")
    if past := list(known.values_list("pk", flat=True)[MOST_KNOWN:]):
        KnownAddress.objects.filter(pk__in=past).delete()


def _known(person: User, network: str) -> "models.QuerySet[KnownAddress]":
    return KnownAddress.objects.filter(user=person, digest=_digest(person, network))


def _digest(person: User, network: str) -> str:
    of = f"{person.pk} {network}"
    return salted_hmac("contacts.attempts", of, algorithm="sha256").hexdigest()
