"""Refusals in the audit log: repeated ones become few entries with a count, so that nobody floods it."""

from datetime import timedelta
from typing import Unpack

from django.db import transaction
from django.utils.translation import gettext_noop

from audit.models import Action
from audit.operations import Origin, Where, record
from contacts.counting import count_up

TIMES = gettext_noop("times")
PERIOD = timedelta(days=1)


@transaction.atomic
def record_refusal(*, origin: Origin, action: Action, refused: str, **where: Unpack[Where]) -> None:
    """Record that the rule `refused` stopped somebody.

    The same of one person in one block again within a day leaves an entry the tenth time, the hundredth
    and so on, which says how many times it was so far.
    """
    who = origin.actor.pk if origin.actor is not None else origin.actor_label
    block = where.get("block")
    in_block = None if block is None else block.pk
    times = count_up("refusal", action.value, refused, who, in_block, within=PERIOD)
    if str(times).strip("0") == "1":
        after = {TIMES: times} if times > 1 else None
        record(origin=origin, action=action, refused=refused, after=after, **where)
