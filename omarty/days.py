"""Days on the community's clock."""

from datetime import date, datetime, time

from django.utils import timezone


def midnight(day: date) -> datetime:
    """The day's first moment on the community's clock."""
    return timezone.make_aware(datetime.combine(day, time.min))
