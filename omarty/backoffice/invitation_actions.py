"""Row actions that make links for people to set a password by: of a person, of many, of a whole block."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import segno
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.operations import Origin
from buildings.invitation_messages import may_be_theirs
from buildings.models import Block, Membership
from buildings.permissions import WhyNotInvited, why_not_invited
from contacts.canonical import ContactProblem
from contacts.contact_operations import Contact
from contacts.invitations import SERVES_FOR, end_invitations, invite, never_signed_in
from contacts.message_texts import invitation_text
from contacts.models import Kind, Status, User
from contacts.open_invitations import open_invitations
from contacts.outbox import language_of
from omarty.backoffice.base.labels import unit_in_block
from omarty.backoffice.base.row_actions import MOST_AT_ONCE, RowAction
from omarty.backoffice.base.scoped_admin import scope
from omarty.backoffice.person_actions import PersonAction, membership_of
from omarty.backoffice.reaching import dialled

_REASONS = {
    WhyNotInvited.SUPERUSER: gettext_lazy("%(who)s is a superuser: they get no link."),
    WhyNotInvited.NOT_ACTIVE: gettext_lazy("%(who)s is not active, and cannot sign in."),
    WhyNotInvited.SIGNED_IN: gettext_lazy(
        "%(who)s has a password already. Who has forgotten it asks a superuser for a link."
    ),
    WhyNotInvited.NO_MEMBER: gettext_lazy("%(who)s is no member of your blocks."),
    WhyNotInvited.ELSEWHERE: gettext_lazy(
        "%(who)s belongs to another manager's block as well: ask a superuser for a link."
    ),
}


def why_refused(request: HttpRequest, person: User) -> str:
    """Why the user may not invite the person, in words; empty if they may."""
    why = why_not_invited(person, within=scope(request).changes)
    return "" if why is None else _REASONS[why] % {"who": person}


class Invite(RowAction):
    """A link for each person chosen, to copy, to send or to print; nobody sees it again."""

    title = gettext_lazy("Invite")
    button = gettext_lazy("Make the link")
    shows = prints = True

    class Media:
        js = ("omarty/invitations.js",)

    @classmethod
    def why_refused_to(cls, request: HttpRequest, row: Any) -> str:
        return why_refused(request, row)

    @classmethod
    def offered_for(cls, row: Any) -> bool:
        return True

    def people(self) -> list[User]:
        """Whom it is done to."""
        return self.rows

    def plan(self) -> list[str]:
        people = self.people()
        days = {"days": SERVES_FOR.days}
        return [
            *map(str, people),
            _("By the link they set a password. It serves once, for %(days)d days.") % days,
            *[
                _("The link that %s got before ends.") % person
                for person in people
                if open_invitations(person).exists()
            ],
        ]

    def carry_out(self) -> list[str]:
        return [invitation_card(self.request, self.origin, person) for person in self.people()]


def invitation_card(request: HttpRequest, origin: Origin, person: User) -> SafeString:
    """Invite the person: their link, in every form in which it is sent or printed. Raises ValidationError."""
    if refused := why_refused(request, person):
        raise ValidationError(refused)
    membership = membership_of(request, person)
    where: Any = {}
    if membership is not None:
        where = {"block": membership.block, "apartment": membership.apartment}
    maker = request.user if isinstance(request.user, User) else None
    invitation, secret = invite(origin=origin, user=person, made_by=maker, **where)
    link = request.build_absolute_uri(reverse("invitation", args=[secret]))
    until = date_format(timezone.localtime(invitation.expires_at), "DATE_FORMAT")
    context = {
        "person": person,
        "unit": membership and unit_in_block(membership.block, membership.apartment),
        "link": link,
        "until": until,
        "image": segno.make(link, error="m").svg_data_uri(scale=4, border=2),
        "ways": list(_ways(person, link)),
    }
    return render_to_string("backoffice/invitation.html", context)


class InviteBlock(Invite):
    """A link for everybody of a block who never signed in, as cards to print."""

    title = gettext_lazy("Invite all who never signed in")
    button = gettext_lazy("Make the links")

    @classmethod
    def why_refused_to(cls, request: HttpRequest, row: Any) -> str:
        if _never_signed_in(row).exists():
            return ""
        return _("Everybody of this block has signed in, or has a password.")

    def people(self) -> list[User]:
        within = scope(self.request).changes
        # In the order in which others lock them.
        found = _never_signed_in(self.row).order_by("pk")[:MOST_AT_ONCE]
        return [person for person in found if why_not_invited(person, within=within) is None]

    def plan(self) -> list[str]:
        count = len(self.people())
        sentence = ngettext(
            "%(count)d person gets a link by which to set a password, on a card to print.",
            "%(count)d people get a link each by which to set a password, on cards to print.",
            count,
        )
        return [sentence % {"count": count}, _("Links that they got before end.")]

    def carry_out(self) -> list[str]:
        return super().carry_out() or [_("There is nobody whom you may invite.")]


class EndInvitation(PersonAction):
    """Take a link back that somebody has and has not used."""

    title = gettext_lazy("End the invitation")
    button = gettext_lazy("End the invitation")
    harms = True

    @classmethod
    def why_refused_to(cls, request: HttpRequest, row: User) -> str:
        if not open_invitations(row).exists():
            return _("There is no open invitation.")
        # A superuser's link is not a manager's to end, where they could make none.
        return "" if scope(request).changes.ids is None else why_refused(request, row)

    def plan(self) -> list[str]:
        return [_("The link that %s has no longer serves.") % self.row]

    def carry_out(self) -> list[str]:
        end_invitations(user=self.row, **self.facts)
        return [_("The invitation was ended.")]


def _never_signed_in(block: Block) -> QuerySet[User]:
    members = Membership.objects.active().filter(block=block).values("user")
    found: QuerySet[User] = User.objects.filter(never_signed_in(), pk__in=members)
    return found.filter(status=Status.ACTIVE, is_superuser=False, erased_at=None)


def _ways(person: User, link: str) -> Iterable[tuple[str, str]]:
    """Name and address of each program that sends a ready text, to what the person does not hide."""
    with translation.override(language_of(person)):
        subject, text = invitation_text(person, link)
    phone, email = (
        contact.typed if not contact.hidden and _may_be_theirs(contact) else ""
        for contact in (Contact(person, Kind.PHONE), Contact(person, Kind.EMAIL))
    )
    number = dialled(phone)
    yield _("WhatsApp"), f"https://wa.me/{number.lstrip('+')}?text={quote(text)}"
    if number:
        yield _("SMS"), f"sms:{number}?body={quote(text)}"
    if email:
        yield _("E-mail"), f"mailto:{quote(email)}?subject={quote(subject)}&body={quote(text)}"


def _may_be_theirs(contact: Contact) -> bool:
    try:
        value = contact.kind.canonical(contact.typed)
    except ContactProblem:
        return False
    return may_be_theirs(contact.user, contact.kind, value)
