"""Somebody new in a row action's form: name, phone, e-mail; and whose contact it is already."""

from typing import Any

from django import forms
from django.db import IntegrityError
from django.utils.translation import gettext_lazy

from contacts.canonical import ContactProblem
from contacts.contact_operations import WhyContactRefused
from contacts.models import Claim, Kind, User
from contacts.operations import register_user
from omarty.backoffice.base.forms import ANY_LANGUAGE, contact_input
from omarty.backoffice.base.labels import contact_refusal
from omarty.backoffice.base.row_actions import RowAction
from omarty.backoffice.base.taken_contacts import ContactTaken


class NewcomerAction(RowAction):
    """An action that can register the person to whom it is done."""

    # What somebody does whose contact is taken, of whom nothing may be told.
    if_taken: Any = ""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs=ANY_LANGUAGE),
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        required=False,
        max_length=40,
        widget=contact_input(Kind.PHONE),
    )
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        required=False,
        max_length=254,
        widget=contact_input(Kind.EMAIL),
    )

    def clean(self) -> Any:
        cleaned = super().clean()
        for kind in Kind:
            self._check_contact(kind)
        return cleaned

    def _check_contact(self, kind: Kind) -> None:
        try:
            if self.cleaned_data.get(kind):
                kind.canonical(self.cleaned_data[kind])
        except ContactProblem as problem:
            self.add_error(kind, contact_refusal(kind, WhyContactRefused.INVALID, problem.hint))

    def register(self) -> User:
        """The person who was typed, registered now. Raises ContactTaken."""
        typed = self.cleaned_data
        try:
            return register_user(
                origin=self.origin,
                name=typed["name"],
                phone=typed["phone"] or None,
                email=typed["email"] or None,
            )
        except IntegrityError as error:
            taken = (
                f"{contact_refusal(self._taken_kind(), WhyContactRefused.TAKEN)} {self.if_taken}"
            )
            message: dict[str, Any] = {self._taken_kind(): taken}
            raise ContactTaken(message) from error

    def _taken_kind(self) -> Kind:
        typed = self.cleaned_data
        taken = [
            kind
            for kind in Kind
            if typed[kind]
            and Claim.objects.filter(kind=kind, value=kind.canonical(typed[kind])).exists()
        ]
        return taken[0] if taken else Kind.PHONE
