"""What carries messages: a mail server, and a gateway of text messages that takes a form by HTTP."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils.translation import gettext_noop

from contacts.message_texts import Written
from contacts.models import Message

_SECONDS = 20
# Of an answer, to look for SMS_SUCCESS in.
_MOST_READ = 64 * 1024
INTERRUPTED = gettext_noop("sending was cut off: it may have arrived")
NO_SERVER = gettext_noop("the mail server cannot be reached, or refuses the sign-in")
NOT_TAKEN = gettext_noop("the mail server did not take it")
NO_MAILBOX = gettext_noop("the mail server refused the address for good")
NO_GATEWAY = gettext_noop("the gateway cannot be reached")
GATEWAY_ERROR = gettext_noop("the gateway answered with an error")


class CannotSend(Exception):
    """A message was not sent. With `for_good` no further attempt is of use, or one would send it twice."""

    def __init__(self, problem: str, *, for_good: bool = False) -> None:
        super().__init__(problem)
        self.for_good = for_good


def send_email(message: Message, text: Written) -> None:
    """Raises CannotSend."""
    connection = get_connection()
    try:
        connection.open()
    except (smtplib.SMTPException, OSError) as error:
        raise CannotSend(NO_SERVER) from error
    headers = {"Message-ID": f"<{message.pk}.{message.made_at:%Y%m%d%H%M%S%f}@omarty>"}
    email = EmailMessage(text.subject, text.body, to=[message.to], headers=headers)
    try:
        with _mail_problems():
            connection.send_messages([email])
    finally:
        # Of what the server has taken, no bad end is told.
        with suppress(smtplib.SMTPException, OSError):
            connection.close()


@contextmanager
def _mail_problems() -> Iterator[None]:
    """Tells what happened, and nothing of what the server said: it may repeat the message."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        raise CannotSend(NO_MAILBOX if code >= 500 else NOT_TAKEN, for_good=code >= 500) from error
    except smtplib.SMTPResponseException as error:
        raise CannotSend(NOT_TAKEN) from error
    except (smtplib.SMTPException, OSError) as error:
        raise CannotSend(INTERRUPTED, for_good=True) from error


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        """A gateway that leads elsewhere would have the text and the password sent there."""
        return None


def send_sms(message: Message, text: Written) -> None:
    """Raises CannotSend."""
    values = {"{to}": message.to.lstrip("+"), "{text}": text.body, "{language}": text.language}
    fields = [
        (name, _filled(value, values))
        for name, value in parse_qsl(settings.SMS_FIELDS, keep_blank_values=True)
    ]
    request = Request(settings.SMS_URL, data=urlencode(fields).encode())  # noqa: S310
    try:
        with build_opener(_NoRedirects).open(request, timeout=_SECONDS) as answer:
            found = answer.read(_MOST_READ).decode(errors="replace")
    except HTTPError as error:
        raise CannotSend(GATEWAY_ERROR) from error
    except URLError as error:
        # Nothing was sent where no connection came about.
        if isinstance(error.reason, TimeoutError):
            raise CannotSend(INTERRUPTED, for_good=True) from error
        raise CannotSend(NO_GATEWAY) from error
    except (OSError, HTTPException) as error:
        raise CannotSend(INTERRUPTED, for_good=True) from error
    if settings.SMS_SUCCESS not in found:
        raise CannotSend(GATEWAY_ERROR)


def _filled(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(name, value)
    return template
