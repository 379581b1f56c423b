"""Refusals in the audit log: repeated ones become few entries with a count, so that nobody floods it."""

from datetime import timedelta
from typing import Unpack

from django.db import transaction
from django.utils.translation import gettext_noop

from audit.models import Action
from audit.operations import About, Named, Origin, Unknown, record
from contacts.counting import count_up

TIMES = gettext_noop("times")
PERIOD = timedelta(days=1)


@transaction.atomic
def record_refusal(
    *,
    origin: Origin,
    action: Action,
    refused: str,
    of: tuple[object, ...] = (),
    target: Named | None = None,
    **about: Unpack[About],
) -> None:
    """Record that the rule `refused` stopped somebody.

    The same of one person in one block again within a day leaves an entry the tenth time, the hundredth
    and so on, which says how many times it was so far; blocks that do not exist count as one. `of` says
    who else than the actor is meant.
    """
    block = about.get("block")
    who = of or (origin.actor and origin.actor.pk, origin.actor_label)
    in_block = None if block is None or isinstance(block, Unknown) else block.pk
    times = count_up("refusal", action.value, refused, *who, in_block, within=PERIOD)
    if _is_power_of_ten(times):
        after = {TIMES: times} if times > 1 else None
        record(origin=origin, action=action, refused=refused, after=after, target=target, **about)


def _is_power_of_ten(number: int) -> bool:
    return str(number).rstrip("0") == "1"
