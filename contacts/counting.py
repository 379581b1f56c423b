"""Counts attempts and refusals exactly, whatever runs at once, in the database that all workers share."""

from datetime import timedelta

from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from contacts.models import EventCount

# One statement, which locks the row from its beginning: of two at once, one waits and none fails.
_COUNT_UP = {
    "sqlite": "INSERT INTO {table} (digest, since, count) VALUES (%s, %s, %s)"
    " ON CONFLICT (digest) DO UPDATE SET"
    " count = CASE WHEN since <= %s THEN excluded.count ELSE count + excluded.count END,"
    " since = CASE WHEN since <= %s THEN excluded.since ELSE since END",
    # Assigned from left to right: `since` is the former one until its own turn.
    "mysql": "INSERT INTO {table} (digest, since, count) VALUES (%s, %s, %s)"
    " ON DUPLICATE KEY UPDATE"
    " count = IF(since <= %s, VALUES(count), count + VALUES(count)),"
    " since = IF(since <= %s, VALUES(since), since)",
}


def count_up(what: str, *of: object, within: timedelta, by: int = 1) -> int:
    """Count `by` more of `what`; returns how many there are in the period, these included.

    `of` tells whose they are: a person, a block and so on, each counted apart; stored is only a digest.
    A period begins with its first event and lasts `within`. In a transaction that is rolled back it counts
    nothing, and until the transaction ends whoever counts the same waits.
    """
    digest = _digest(what, *of)
    now = timezone.now()
    to_column = EventCount._meta.get_field("since").get_db_prep_value
    since, ended = (to_column(at, connection) for at in (now, now - within))
    table = connection.ops.quote_name(EventCount._meta.db_table)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                _COUNT_UP[connection.vendor].format(table=table),
                [digest, since, by, ended, ended],
            )
        # Under the row's lock, so that no two at once get the same number.
        return EventCount.objects.values_list("count", flat=True).get(pk=digest)


def count_of(what: str, *of: object, within: timedelta) -> int:
    """How many `count_up()` has counted in the period."""
    begun = EventCount.objects.filter(pk=_digest(what, *of), since__gt=timezone.now() - within)
    return begun.values_list("count", flat=True).first() or 0


def count_down(what: str, *of: object) -> None:
    """Take one back of what `count_up()` counted."""
    counted = EventCount.objects.filter(pk=_digest(what, *of), count__gt=0)
    counted.update(count=models.F("count") - 1)


def forget_count(what: str, *of: object) -> None:
    """Begin anew with what `count_up()` counted."""
    EventCount.objects.filter(pk=_digest(what, *of)).delete()


def forget_past_counts(older_than: timedelta) -> int:
    """Delete the counts of periods that began so long ago; returns how many."""
    deleted, _ = EventCount.objects.filter(since__lt=timezone.now() - older_than).delete()
    return deleted


def _digest(what: str, *of: object) -> str:
    return salted_hmac("contacts.counting", repr((what, *of)), algorithm="sha256").hexdigest()
