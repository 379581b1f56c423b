"""Row actions of people: correct the name; add, edit, hide, show, remove contacts; use one for sign-in."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import Action
from audit.operations import Where
from buildings.models import Membership
from buildings.permissions import members_within
from contacts.contact_operations import (
    Contact,
    ContactRefused,
    WhyContactRefused,
    add_contact,
    change_contact,
    contacts_of,
    hide_contact,
    promote_contact,
    remove_contact,
    reveal_contacts,
)
from contacts.masking import shown_contact
from contacts.models import Kind, Status, User
from contacts.operations import change_status, correct_name, end_sessions, unlock
from contacts.second_factor import reset, second_factor_of
from omarty.backoffice.base.forms import CONTACT_ATTRIBUTES, SeenForm, contact_input
from omarty.backoffice.base.labels import contact_line, contact_refusal, nothing_changed
from omarty.backoffice.base.row_actions import ActionRefused, RowAction
from omarty.backoffice.base.scoped_admin import scope
from omarty.backoffice.base.taken_contacts import ContactTaken, may_know


def membership_of(request: HttpRequest, person: User) -> Membership | None:
    """Their membership in a block that the user changes: entries about the person name that block."""
    rows = members_within(scope(request).changes).filter(user=person)
    return rows.select_related("block", "apartment").order_by("pk").first()


class PersonAction(RowAction):
    """An action that a person's page offers at its top."""

    def plan(self) -> list[str]:
        return []

    @cached_property
    def where(self) -> Where:
        membership = membership_of(self.request, self.row)
        if membership is None:
            return {}
        return {"block": membership.block, "apartment": membership.apartment}

    @property
    def facts(self) -> dict[str, Any]:
        """What every entry about the person states: its origin, block and unit."""
        return {"origin": self.origin, **self.where}

    def refusal(self, refused: ContactRefused, typed: str) -> ValidationError:
        """What stands beside the field of a refused contact."""
        why = refused.why
        if why is WhyContactRefused.OWN and not may_know(self.request, refused.kind, typed):
            # The person hides it.
            why = WhyContactRefused.TAKEN
        message = {"typed": contact_refusal(refused.kind, why, refused.hint)}
        return (ContactTaken if why is WhyContactRefused.TAKEN else ValidationError)(message)


class ContactAction(PersonAction):
    """An action on one contact, which the address names: `?contact=phone-7`.

    For what is no contact of this person, or not one that it suits, a page raises Http404, and a
    sent form ActionRefused.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        key = self.request.GET.get("contact", "")
        found = [each for each in contacts_of(self.row) if each.key == key and self.suits(each)]
        if not found:
            raise ActionRefused(_("This contact is no longer there.")) if self.is_bound else Http404
        self.contact = found[0]

    @classmethod
    def offered_for(cls, row: User) -> bool:
        """Not at the top of the page: its links are beside the contacts."""
        return False

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        """Whether it can be done to this contact."""
        return True

    @property
    def shown(self) -> str:
        """The contact as the page may show it."""
        return shown_contact(self.contact, in_full=True)

    def plan(self) -> list[str]:
        return [contact_line(self.contact.kind, self.shown)]


class CorrectName(SeenForm, PersonAction):
    """Correct a person's name."""

    title = gettext_lazy("Correct the name")
    button = gettext_lazy("Save")
    guarded = ("name",)

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=User._meta.get_field("name").max_length
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].initial = self.row.name

    def seen_row(self) -> Any:
        return self.row

    def carry_out(self) -> list[str]:
        corrected = correct_name(user=self.row, name=self.cleaned_data["name"], **self.facts)
        return [_("The name was corrected.") if corrected else nothing_changed()]


class EndSessions(PersonAction):
    """Sign a person out everywhere, such as after they lost a phone."""

    title = gettext_lazy("End all sessions")
    button = gettext_lazy("End all sessions")
    harms = True
    needs_reason = True

    def plan(self) -> list[str]:
        return [
            _("%s is signed out of the app and the back-office, and has to sign in again.")
            % self.row
        ]

    def carry_out(self) -> list[str]:
        end_sessions(origin=self.origin, users=[self.row])
        return [_("All sessions of %s have ended.") % self.row]


class ChangeStatus(PersonAction):
    """A person's own status, which holds in every block."""

    needs_reason = True
    superusers_only = True
    # From which status, to which.
    before: ClassVar[Status]
    after: ClassVar[Status]

    @classmethod
    def why_refused(cls, row: User) -> str:
        if row.erased_at is None and row.status == cls.before:
            return ""
        return _("%(who)s is not in the status for this: it is “%(status)s”.") % {
            "who": row,
            "status": row.get_status_display(),
        }

    def carry_out(self) -> list[str]:
        change_status(origin=self.origin, user=self.row, status=self.after)
        self.row.refresh_from_db()
        return [
            _("The status of %(who)s is “%(status)s” now.")
            % {"who": self.row, "status": self.row.get_status_display()}
        ]


class Activate(ChangeStatus):
    """A person whose registration waits may sign in from now on."""

    title = gettext_lazy("Activate")
    button = gettext_lazy("Activate")
    before, after = Status.PENDING, Status.ACTIVE

    def plan(self) -> list[str]:
        return [_("%s may sign in from now on.") % self.row]


class Suspend(ChangeStatus):
    """A person may not sign in any more, whatever blocks they belong to."""

    title = gettext_lazy("Suspend")
    button = gettext_lazy("Suspend")
    harms = True
    before, after = Status.ACTIVE, Status.BANNED

    def plan(self) -> list[str]:
        return [
            _("%s is signed out everywhere and cannot sign in. Their memberships stay.") % self.row
        ]

    def clean(self) -> Any:
        if self.row.pk == self.request.user.pk:
            raise ValidationError(_("You cannot suspend yourself: another superuser does it."))
        return super().clean()


class ReadmitPerson(ChangeStatus):
    """A person who was suspended may sign in again."""

    title = gettext_lazy("Readmit the person")
    button = gettext_lazy("Readmit")
    before, after = Status.BANNED, Status.ACTIVE

    def plan(self) -> list[str]:
        return [_("%s may sign in again, by the password that they had.") % self.row]


class Unlock(PersonAction):
    """Who waits after wrong passwords may try again at once."""

    title = gettext_lazy("End the pause after wrong passwords")
    button = gettext_lazy("End the pause")
    superusers_only = True

    def plan(self) -> list[str]:
        return [_("%s may try to sign in again at once.") % self.row]

    def carry_out(self) -> list[str]:
        unlock(origin=self.origin, user=self.row)
        return [_("%s may try again.") % self.row]


class ResetSecondFactor(PersonAction):
    """Take the second factor off somebody who has lost their phone and their recovery codes."""

    title = gettext_lazy("Reset the second factor")
    button = gettext_lazy("Reset the second factor")
    harms = True
    needs_reason = True
    superusers_only = True

    @classmethod
    def why_refused(cls, row: User) -> str:
        if second_factor_of(row):
            return ""
        return _("%(who)s has no second factor.") % {"who": row}

    @classmethod
    def why_refused_to(cls, request: HttpRequest, row: User) -> str:
        if row.pk == request.user.pk:
            return _("You cannot reset your own: switch it off, or another superuser does it.")
        return cls.why_refused(row)

    @classmethod
    def offered_for(cls, row: User) -> bool:
        return True

    def plan(self) -> list[str]:
        return [
            _("%s is signed out of the back-office, and signs in by the password alone.")
            % self.row,
            _("Make sure that it is they who ask, not somebody in their name."),
        ]

    def carry_out(self) -> list[str]:
        reset(origin=self.origin, user=self.row)
        return [_("The second factor of %s was reset.") % self.row]


class AddContact(PersonAction):
    """Add a further phone or e-mail."""

    title = gettext_lazy("Add a contact")
    button = gettext_lazy("Add")

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Kind, initial=Kind.PHONE)
    typed = forms.CharField(
        label=gettext_lazy("Phone or e-mail"), max_length=254, widget=contact_input()
    )

    @property
    def asks_for_contact(self) -> Action:
        return Action.CONTACT_ADDED

    def carry_out(self) -> list[str]:
        kind, typed = Kind(self.cleaned_data["kind"]), self.cleaned_data["typed"]
        try:
            add_contact(user=self.row, kind=kind, typed=typed, **self.facts)
        except ContactRefused as refused:
            raise self.refusal(refused, typed) from refused
        return [_("The contact was added.")]


class EditContact(SeenForm, ContactAction):
    """Change a contact, such as one that was mistyped."""

    title = gettext_lazy("Edit")
    button = gettext_lazy("Save")
    guarded = ("typed",)

    typed = forms.CharField(
        label=gettext_lazy("Phone or e-mail"), max_length=254, widget=contact_input()
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["typed"].label = self.contact.kind.label
        self.fields["typed"].initial = self.contact.typed
        self.fields["typed"].widget.attrs |= CONTACT_ATTRIBUTES[self.contact.kind]

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        """The form shows the contact, so a hidden one must be shown first."""
        return not contact.hidden

    def seen_row(self) -> Any:
        return self.contact.secondary or self.row

    def plan(self) -> list[str]:
        return []

    @property
    def asks_for_contact(self) -> Action:
        return Action.CONTACT_CHANGED

    def carry_out(self) -> list[str]:
        typed = self.cleaned_data["typed"]
        try:
            changed = change_contact(contact=self.contact, typed=typed, **self.facts)
        except ContactRefused as refused:
            raise self.refusal(refused, typed) from refused
        return [_("The contact was edited.") if changed else nothing_changed()]


class HideContact(ContactAction):
    """Hide a contact from others."""

    title = gettext_lazy("Hide")
    button = gettext_lazy("Hide")

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        return not contact.hidden

    def carry_out(self) -> list[str]:
        hide_contact(contact=self.contact, hidden=True, **self.facts)
        return [_("The contact is hidden.")]


class ShowContact(ContactAction):
    """Show a hidden contact to others again."""

    title = gettext_lazy("Show")
    button = gettext_lazy("Show")
    needs_reason = True

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        return contact.hidden

    def carry_out(self) -> list[str]:
        hide_contact(contact=self.contact, hidden=False, **self.facts)
        return [_("The contact is shown again.")]


class UseForSignIn(ContactAction):
    """A secondary contact becomes the primary one, that its holder signs in with."""

    title = gettext_lazy("Use for sign-in")
    button = gettext_lazy("Use for sign-in")

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        return contact.secondary is not None

    def plan(self) -> list[str]:
        return [
            *super().plan(),
            _(
                "The primary contact so far becomes a secondary one. People sign in with a primary one."
            ),
        ]

    def carry_out(self) -> list[str]:
        promote_contact(contact=self.contact, **self.facts)
        return [_("The contact is used for sign-in from now on.")]


class RemoveContact(ContactAction):
    """Remove a secondary contact."""

    title = gettext_lazy("Remove")
    button = gettext_lazy("Remove")
    harms = True

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        return contact.secondary is not None

    def carry_out(self) -> list[str]:
        remove_contact(contact=self.contact, **self.facts)
        return [_("The contact was removed.")]


class RevealContacts(PersonAction):
    """Show a person's hidden contacts once, for a reason."""

    title = gettext_lazy("See hidden contacts")
    button = gettext_lazy("See them")
    needs_reason = True
    shows = True

    @classmethod
    def why_refused(cls, row: User) -> str:
        if any(contact.hidden for contact in contacts_of(row)):
            return ""
        return _("%(who)s hides no contact.") % {"who": row}

    def carry_out(self) -> list[str]:
        contacts = reveal_contacts(user=self.row, **self.facts)
        return [
            contact_line(contact.kind, contact.kind.shown(contact.typed)) for contact in contacts
        ]
