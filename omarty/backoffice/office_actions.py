"""Row actions about managers: appoint one to a block, hand one's office over to another member."""

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import Action
from audit.operations import Where
from buildings.models import Membership, Role
from buildings.offices import appoint_manager, hand_over
from buildings.permissions import known_contacts, may_hand_over
from contacts.invitations import has_signed_in
from contacts.models import Claim, Kind, Status, User
from omarty.backoffice.base.labels import unit_in_block
from omarty.backoffice.base.scoped_admin import scope
from omarty.backoffice.hubs import BlockHub
from omarty.backoffice.invitation_actions import invitation_card
from omarty.backoffice.membership_actions import MembershipAction
from omarty.backoffice.newcomer import NewcomerAction


class AppointManager(NewcomerAction):
    """Somebody manages a block: a person whose contact the user may know, or a new one, invited at once."""

    title = gettext_lazy("Appoint a manager")
    button = gettext_lazy("Appoint")
    shows = prints = True
    if_taken = gettext_lazy(
        "If they belong to one of your blocks, type a contact of theirs that they do not hide, or change "
        "their role; for anybody else ask a superuser."
    )
    field_order = ("phone", "email", "name")

    class Media:
        js = ("omarty/invitations.js",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["phone"].help_text = _(
            "A phone or an e-mail is enough for somebody who is registered already."
        )
        self.fields["name"].help_text = _("For somebody new.")

    @property
    def asks_for_contact(self) -> Action:
        return Action.MEMBERSHIP_STARTED

    @property
    def where(self) -> Where:
        return {"block": self.row}

    def plan(self) -> list[str]:
        return []

    def clean(self) -> Any:
        cleaned = super().clean()
        if not self.errors and not any(self._typed()):
            raise ValidationError(_("Type a phone or an e-mail."))
        return cleaned

    def _typed(self) -> list[Kind]:
        return [kind for kind in Kind if self.cleaned_data.get(kind)]

    def carry_out(self) -> list[str]:
        person = self._known() or self._new()
        appoint_manager(origin=self.origin, user=person, block=self.row)
        words = {"who": person, "block": unit_in_block(self.row)}
        said = [_("%(who)s manages %(block)s now.") % words]
        if has_signed_in(person):
            return said
        try:
            return [*said, invitation_card(self.request, self.origin, person)]
        except ValidationError as refused:
            return [*said, *refused.messages]

    def _known(self) -> User | None:
        """The person who has what was typed, if the user may know them. Raises ValidationError."""
        found: dict[Kind, User] = {}
        for kind in self._typed():
            value = kind.canonical(self.cleaned_data[kind])
            claims = known_contacts(
                Claim.objects.filter(kind=kind, value=value),
                asking=self.origin.actor,
                within=scope(self.request).changes,
            )
            claim = claims.select_related("user").first()
            if claim is not None:
                found[kind] = claim.user
        if not found:
            return None
        person = next(iter(found.values()))
        if len(set(found.values())) > 1 or len(found) != len(self._typed()):
            raise ValidationError(
                _("One of these is a contact of %(who)s, the other is not: type one of them.")
                % {"who": person}
            )
        name = self.cleaned_data["name"].strip()
        if name and name != person.name:
            raise ValidationError(
                {
                    "name": _(
                        "This contact is that of %(who)s. Leave the name empty to appoint them."
                    )
                    % {"who": person}
                }
            )
        return person

    def _new(self) -> User:
        if not self.cleaned_data["name"].strip():
            raise ValidationError(
                {
                    "name": _(
                        "You know nobody with this contact. Type the name too for somebody new."
                    )
                }
            )
        return self.register()

    def outcome_page(self) -> str:
        return reverse("admin:buildings_block_change", args=[self.row.pk])

    def next_steps(self) -> list[tuple[str, Any]]:
        hub = BlockHub(self.request, self.row)
        invited = "/invite/"
        # The card above is their invitation.
        steps = [step for step in hub.next_steps() if not step[0].endswith(invited)]
        return [*steps, (self.outcome_page(), _("To the page of the block"))]


class MemberField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A member of the block, with their unit."""

    def label_from_instance(self, obj: Any) -> str:
        """Namesakes differ by their units."""
        if obj.apartment is None:
            return str(obj.user)
        return f"{obj.user} ({unit_in_block(obj.block, obj.apartment)})"


class HandOver(MembershipAction):
    """A manager gives their office to another member of the block."""

    title = gettext_lazy("Hand over")
    button = gettext_lazy("Hand over")
    status = Status.ACTIVE
    needs_reason = True
    harms = True

    to = MemberField(
        label=gettext_lazy("To"),
        queryset=Membership.objects.none(),
        help_text=gettext_lazy(
            "Active members of the block. Appoint anybody else as a manager first."
        ),
    )
    ends = forms.BooleanField(
        label=gettext_lazy("The present manager's office ends"),
        initial=True,
        required=False,
        help_text=gettext_lazy("Whoever has a unit stays as its resident."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        managing = Membership.objects.managing().filter(block=self.row.block)
        members = Membership.objects.active().filter(
            block=self.row.block, user__status=Status.ACTIVE
        )
        others = members.exclude(user__in=managing.values("user"))
        cast(Any, self.fields["to"]).queryset = others.select_related(
            "user", "block", "apartment"
        ).order_by("user__name", "pk")

    @classmethod
    def why_refused(cls, row: Membership) -> str:
        if row.role != Role.MANAGER:
            return _("%(who)s is no manager.") % {"who": row.user}
        return super().why_refused(row)

    @classmethod
    def why_refused_to(cls, request: HttpRequest, row: Membership) -> str:
        within = scope(request).changes
        if not may_hand_over(row, asking=cast(Any, request.user), within=within):
            return _("Only %(who)s or a superuser hands this office over.") % {"who": row.user}
        return cls.why_refused(row)

    @cached_property
    def is_superusers(self) -> bool:
        """Whether somebody acts whose own rights do not hang on the office."""
        return scope(self.request).changes.ids is None

    def plan(self) -> list[str]:
        words = {"who": self.row.user, "block": unit_in_block(self.row.block)}
        return [_("%(who)s manages %(block)s.") % words]

    def clean(self) -> Any:
        cleaned = super().clean()
        to = self.cleaned_data.get("to")
        # No manager's link serves once they are none: nobody could come in any more.
        ends = self.cleaned_data.get("ends") and not self.is_superusers
        if to and ends and not has_signed_in(to.user):
            sentence = _(
                "%(who)s has never signed in: invite them first, or keep the office until they have."
            )
            raise ValidationError({"to": sentence % {"who": to.user}})
        return cleaned

    def carry_out(self) -> list[str]:
        to, ends = self.cleaned_data["to"].user, self.cleaned_data["ends"]
        hand_over(origin=self.origin, office=self.row, to=to, keeps=not ends)
        words = {"to": to, "who": self.row.user, "block": unit_in_block(self.row.block)}
        if ends:
            return [_("%(to)s manages %(block)s now, %(who)s no longer.") % words]
        return [_("%(to)s manages %(block)s now, and so does %(who)s.") % words]

    def outcome_page(self) -> str:
        if self.is_superusers or not self.cleaned_data["ends"]:
            return reverse("admin:buildings_block_change", args=[self.row.block_id])
        # Whoever manages no other block is told there that they may no more.
        return reverse("admin:index")
