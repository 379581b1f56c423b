"""A row action that sends people their invitation, where something is set up to send by."""

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from buildings.invitation_messages import invited_by
from contacts.masking import masked_contacts
from contacts.models import Kind, Purpose, User
from contacts.outbox import enqueue, language_of
from omarty.backoffice.base.row_actions import RowAction
from omarty.backoffice.invitation_actions import why_refused


class SendInvitation(RowAction):
    """A link for each person chosen, sent by e-mail or text message; nobody here sees it."""

    title = gettext_lazy("Send the invitation")
    button = gettext_lazy("Send")

    kind = forms.ChoiceField(
        label=gettext_lazy("By"),
        choices=[
            (Kind.PHONE, gettext_lazy("Text message, else e-mail")),
            (Kind.EMAIL, gettext_lazy("E-mail, else text message")),
        ],
        initial=Kind.PHONE,
        required=False,
    )

    @classmethod
    def why_refused_to(cls, request: HttpRequest, row: User) -> str:
        if refused := why_refused(request, row):
            return refused
        if any(invited_by(row, kind) for kind in Kind):
            return ""
        return _("%(who)s has no e-mail or phone to which messages are sent from here.") % {
            "who": row
        }

    @classmethod
    def offered_for(cls, row: User) -> bool:
        return any(invited_by(row, kind) for kind in Kind)

    def plan(self) -> list[str]:
        return [
            _("%(who)s: %(contacts)s")
            % {"who": person, "contacts": _(", ").join(map(masked_contacts, self._reached[person]))}
            for person in self.rows
        ]

    @cached_property
    def _reached(self) -> dict[User, list[str]]:
        return {
            person: [to for kind in Kind if (to := invited_by(person, kind))]
            for person in self.rows
        }

    def carry_out(self) -> list[str]:
        first = Kind(self.cleaned_data["kind"] or Kind.PHONE)
        for person in self.rows:
            if refused := self.why_refused_to(self.request, person):
                raise ValidationError(refused)
            kind = (
                first if invited_by(person, first) else next(each for each in Kind if each != first)
            )
            enqueue(
                origin=self.origin,
                purpose=Purpose.INVITATION,
                kind=kind,
                to=invited_by(person, kind),
                user=person,
                language=language_of(person),
            )
        count = len(self.rows)
        sentence = ngettext(
            "%(count)d invitation is on its way.", "%(count)d invitations are on their way.", count
        )
        return [sentence % {"count": count}]
