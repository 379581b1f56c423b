"""The request's id in each of its log lines."""

import logging
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished
from django.dispatch import receiver

OUTSIDE_OF_A_REQUEST = "-"

# Each thread has its own. `omarty.middleware.request_id` sets it.
current_request_id: ContextVar[str] = ContextVar("request_id", default=OUTSIDE_OF_A_REQUEST)


class RequestIdFilter(logging.Filter):
    """Gives every record a `request_id` for the formatter, "-" outside of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        return True


@receiver(request_finished)
def forget_request_id(**_signal: Any) -> None:
    """The answer has been sent. Not earlier: Django logs a 404 when the middleware has returned."""
    current_request_id.set(OUTSIDE_OF_A_REQUEST)
