"""What messages say, in the language of whom they go to; links and codes are made when one is written."""

from collections.abc import Callable
from typing import NamedTuple

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts.contact_changes import ChangeOver, secret_of
from contacts.models import Kind, Message, Purpose, Status, User
from contacts.outbox import is_known, origin_of
from contacts.recovery import NobodyRecovers, code_for, link_for

NOBODY = gettext_noop("nobody signs in with this contact: nothing was sent")
OVER = gettext_noop("there was nothing to tell any more")


class Written(NamedTuple):
    """A message as it goes out; a text message has no subject."""

    subject: str
    body: str
    language: str


class NothingToSend(Exception):
    """There is nobody to send it to, or nothing to tell any more."""


def written(message: Message) -> Written:
    """The text of a message. Raises NothingToSend."""
    if message.user is not None and message.user.status != Status.ACTIVE:
        raise NothingToSend(OVER)
    with translation.override(message.language or "en"):
        subject, body = _WRITTEN[Purpose(message.purpose)](message)
        return Written(subject, body, translation.get_language())


def invitation_text(person: User, link: str) -> tuple[str, str]:
    """Subject and text of an invitation, in the language that is active."""
    text = _(
        "Hello %(who)s, this is your link to Omarty, the app of your building: %(link)s Open it"
        " and choose a password. It serves once; give it to nobody."
    )
    return _("Your account in Omarty"), text % {"who": person, "link": link}


def _recovery(message: Message) -> tuple[str, str]:
    origin, by_email = origin_of(message), message.kind == Kind.EMAIL
    try:
        _user, secret = (link_for if by_email else code_for)(origin=origin, value=message.to)
    except NobodyRecovers as error:
        raise NothingToSend(NOBODY) from error
    if not by_email:
        return "", _("Omarty code: %(code)s. Do not share it.") % {"code": secret}
    text = _(
        "Somebody, you perhaps, asked for a new password in Omarty. By this link you choose one, within an"
        " hour: %(link)s\n\nIf it was not you, do nothing: your password stays as it is."
    )
    return _("A new password for Omarty"), text % {"link": link_of(message, "invitation", secret)}


def _password_set(_message: Message) -> tuple[str, str]:
    text = _("Your Omarty password was set. Not you? Tell the manager of your block at once.")
    return _("Your password in Omarty was changed"), text


def _contact_changed(message: Message) -> tuple[str, str]:
    if message.user is None or not is_known(message.user, Kind(message.kind), message.to):
        # Somebody else may have set it, as was seen since.
        raise NothingToSend(OVER)
    try:
        secret = secret_of(message)
    except ChangeOver as error:
        raise NothingToSend(OVER) from error
    text = _(
        "Somebody changed the contact that you sign in to Omarty with. For 72 hours you go on signing in with"
        " the old one, too. If you did not want this, take it back here: %(link)s"
    )
    link = link_of(message, "contact_change", secret)
    return _("Your contact for Omarty was changed"), text % {"link": link}


def link_of(message: Message, page: str, secret: str) -> str:
    """The address of a page of ours with this secret, at the site that the message was made at."""
    return message.site.rstrip("/") + reverse(page, args=[secret])


Writer = Callable[[Message], tuple[str, str]]


def writes(purpose: Purpose) -> Callable[[Writer], Writer]:
    """Marks what writes the messages of a purpose, for layers above: it returns subject and text.

    The language of the message is active then. It may raise NothingToSend.
    """

    def mark(writer: Writer) -> Writer:
        _WRITTEN[purpose] = writer
        return writer

    return mark


_WRITTEN: dict[Purpose, Writer] = {
    Purpose.RECOVERY: _recovery,
    Purpose.PASSWORD_SET: _password_set,
    Purpose.CONTACT_CHANGED: _contact_changed,
}
