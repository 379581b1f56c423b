"""Lines of the server's log: the request's id in each, and little of what is refused."""

import logging
import re
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished
from django.dispatch import receiver

OUTSIDE_OF_A_REQUEST = "-"
# In characters.
LONGEST_REFUSAL = 300
# What stands behind the address of a page that a link opens.
_SECRET = re.compile(r"(/(?:invitation|contact-change|forgotten)/)\S+", re.IGNORECASE)

# Each thread has its own. `omarty.middleware.request_id` sets it.
current_request_id: ContextVar[str] = ContextVar("request_id", default=OUTSIDE_OF_A_REQUEST)


class RequestIdFilter(logging.Filter):
    """Gives every record a `request_id` for the formatter, "-" outside of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        return True


class RefusalFilter(logging.Filter):
    """Of a request that was refused, one line and not all of its address: tracebacks are of our own faults.

    Whoever asks for what there is not could fill the disk otherwise.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
            record.msg, record.args = record.getMessage()[:LONGEST_REFUSAL], None
        return True


class SecretFilter(logging.Filter):
    """Takes the secrets of links out of every line: whoever reads the log is not to get in by them."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _SECRET.search(text := record.getMessage()):
            record.msg, record.args = _SECRET.sub(r"\1…", text), None
        return True


@receiver(request_finished)
def forget_request_id(**_signal: Any) -> None:
    """The answer has been sent. Not earlier: Django logs a 404 when the middleware has returned."""
    current_request_id.set(OUTSIDE_OF_A_REQUEST)
