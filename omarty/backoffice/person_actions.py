"""What is done to a person's name and contacts."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import HIDDEN, Kind, User
from contacts.operations import (
    Contact,
    ContactRefused,
    add_contact,
    change_contact,
    contacts_of,
    correct_name,
    hide_contact,
    promote_contact,
    remove_contact,
    reveal_contacts,
)
from omarty.backoffice.base.forms import TYPED_AS, SeenForm, contact_input
from omarty.backoffice.base.labels import nothing_changed, objection
from omarty.backoffice.base.row_actions import ActionRefused, RowAction


class PersonAction(RowAction):
    """A task that a person's page offers at its top."""

    def plan(self) -> list[str]:
        return []

    @property
    def what(self) -> dict[str, Any]:
        """What every entry about the person says."""
        return {"origin": self.origin, **self.row.where}


class ContactAction(PersonAction):
    """A task for one contact, which the address names: `?contact=phone-7`.

    Raises Http404 for what is no contact of this person, or none that this is done to; ActionRefused where
    it is sent.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        key = self.request.GET.get("contact", "")
        found = [each for each in contacts_of(self.row) if each.key == key and self.suits(each)]
        if not found:
            raise ActionRefused(_("This contact is gone meanwhile.")) if self.is_bound else Http404
        self.contact = found[0]

    @classmethod
    def fits(cls, row: User) -> bool:
        """Its links stand beside the contacts."""
        return False

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        """Whether it can be done to this contact."""
        return True

    @property
    def shown(self) -> str:
        """The contact as the page may show it."""
        return HIDDEN if self.contact.hidden else self.contact.typed

    def plan(self) -> list[str]:
        return [f"{self.contact.kind.label}: {self.shown}"]


class CorrectName(SeenForm, PersonAction):
    """A person's name was misspelt."""

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
        corrected = correct_name(user=self.row, name=self.cleaned_data["name"], **self.what)
        return [_("The name was corrected.") if corrected else nothing_changed()]


class AddContact(PersonAction):
    """A further phone or e-mail."""

    title = gettext_lazy("Add a contact")
    button = gettext_lazy("Add")

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Kind, initial=Kind.PHONE)
    typed = forms.CharField(
        label=gettext_lazy("Phone or e-mail"), max_length=254, widget=contact_input()
    )

    def carry_out(self) -> list[str]:
        kind, typed = Kind(self.cleaned_data["kind"]), self.cleaned_data["typed"]
        try:
            add_contact(user=self.row, kind=kind, typed=typed, **self.what)
        except ContactRefused as refused:
            raise ValidationError({"typed": objection(kind, refused.why)}) from refused
        return [_("The contact was added.")]


class EditContact(SeenForm, ContactAction):
    """A contact was mistyped."""

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
        self.fields["typed"].widget.attrs |= TYPED_AS[self.contact.kind]

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        """Its form shows it: a hidden one is looked at, or shown, first."""
        return not contact.hidden

    def seen_row(self) -> Any:
        return self.contact.secondary or self.row

    def plan(self) -> list[str]:
        return []

    def carry_out(self) -> list[str]:
        typed = self.cleaned_data["typed"]
        try:
            mended = change_contact(contact=self.contact, typed=typed, **self.what)
        except ContactRefused as refused:
            raise ValidationError({"typed": objection(refused.kind, refused.why)}) from refused
        return [_("The contact was mended.") if mended else nothing_changed()]


class HideContact(ContactAction):
    """Others no longer see it."""

    title = gettext_lazy("Hide")
    button = gettext_lazy("Hide")

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        return not contact.hidden

    def carry_out(self) -> list[str]:
        hide_contact(contact=self.contact, hidden=True, **self.what)
        return [_("The contact is hidden.")]


class ShowContact(ContactAction):
    """Others see it again."""

    title = gettext_lazy("Show")
    button = gettext_lazy("Show")
    needs_reason = True

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        return contact.hidden

    def carry_out(self) -> list[str]:
        hide_contact(contact=self.contact, hidden=False, **self.what)
        return [_("The contact is shown again.")]


class UseForSignIn(ContactAction):
    """A secondary contact becomes the primary one."""

    title = gettext_lazy("Make it the primary one")
    button = gettext_lazy("Make it the primary one")

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        return contact.secondary is not None

    def plan(self) -> list[str]:
        return [
            *super().plan(),
            _("The primary one so far becomes a secondary one. One signs in with the primary one."),
        ]

    def carry_out(self) -> list[str]:
        promote_contact(contact=self.contact, **self.what)
        return [_("The contact is the primary one now.")]


class RemoveContact(ContactAction):
    """A secondary contact goes."""

    title = gettext_lazy("Remove")
    button = gettext_lazy("Remove")
    harms = True

    @classmethod
    def suits(cls, contact: Contact) -> bool:
        return contact.secondary is not None

    def carry_out(self) -> list[str]:
        remove_contact(contact=self.contact, **self.what)
        return [_("The contact was removed.")]


class RevealContacts(PersonAction):
    """Hidden contacts are shown once, to somebody who says why."""

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
        contacts = reveal_contacts(user=self.row, **self.what)
        return [f"{contact.kind.label}: {contact.typed}" for contact in contacts]
