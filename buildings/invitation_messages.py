"""Invitations that are sent: to which contact, asked again at the moment of sending."""

from buildings.models import Membership, Role
from buildings.permissions import reach, why_not_invited
from contacts.invitations import invite
from contacts.message_texts import OVER, NothingToSend, invitation_text, link_of, writes
from contacts.models import Claim, Kind, Message, Purpose, Status, User
from contacts.outbox import origin_of, reached_by


def invited_by(person: User, kind: Kind) -> str:
    """The contact of this kind to which an invitation may be sent; empty if there is none."""
    to = reached_by(person, kind)
    return to if to and may_be_theirs(person, kind, to) else ""


def may_be_theirs(person: User, kind: Kind, value: str) -> bool:
    """Whether a link for the person may go to a contact of theirs, in canonical form.

    Not to one that was written by who neither manages nor managed wherever the person belongs: the link would
    be theirs, whoever sent it.
    """
    claim = Claim.objects.select_related("set_by").filter(kind=kind, value=value).first()
    by = claim.set_by if claim is not None else None
    return by is None or _knew(by, person)


@writes(Purpose.INVITATION)
def _invitation(message: Message) -> tuple[str, str]:
    user, kind, maker = message.user, Kind(message.kind), message.made_by
    if user is None or invited_by(user, kind) != message.to:
        raise NothingToSend(OVER)
    if maker is not None and why_not_invited(user, within=reach(maker).changes) is not None:
        raise NothingToSend(OVER)
    secret = invite(origin=origin_of(message), user=user, made_by=maker, sent_by=kind)[1]
    return invitation_text(user, link_of(message, "invitation", secret))


def _knew(manager: User, person: User) -> bool:
    offices = Membership.objects.filter(user=manager, role=Role.MANAGER, status=Status.ACTIVE)
    current = Membership.objects.current().filter(user=person)
    managed = offices.values("block_id")
    return current.exists() and not current.exclude(block__in=managed).exists()
