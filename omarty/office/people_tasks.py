"""What is done to people's memberships: requests, moving in and out, roles, bans."""

from datetime import date, datetime, time
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from buildings.models import Apartment, Membership, Role
from buildings.operations import (
    approve_memberships,
    ban_memberships,
    change_role,
    closed,
    end_memberships,
    hindrance,
    readmit_memberships,
    refuse_memberships,
    role_hindrance,
    start_membership,
)
from contacts.models import Claim, Kind, Status, User
from contacts.operations import Objection, register_user
from omarty.office.forms import ANY_LANGUAGE, SeenForm, contact_input
from omarty.office.places import listed, place
from omarty.office.tasks import Task
from omarty.office.values import EARLIEST, row_id
from omarty.office.words import nothing_changed, objection


class MembershipTask(Task):
    """A task for those of one status who have not left; None: of any."""

    status: Status | None = None

    @property
    def count(self) -> int:
        """How many it is done to."""
        return len(self.rows)

    @classmethod
    def hindrance(cls, row: Membership) -> str:
        return hindrance(row, cls.status)

    def plan(self) -> list[str]:
        return [listed([row.user, place(row.block, row.apartment)]) for row in self.rows]


class Approve(MembershipTask):
    """They belong from now on."""

    title = gettext_lazy("Approve")
    button = gettext_lazy("Approve")
    status = Status.PENDING

    def carry_out(self) -> list[str]:
        approve_memberships(origin=self.origin, memberships=self.rows, reason=self.reason)
        return [
            ngettext(
                "%(count)d person was approved.", "%(count)d people were approved.", self.count
            )
            % {"count": self.count}
        ]


class Refuse(MembershipTask):
    """They do not belong; the request is kept."""

    title = gettext_lazy("Refuse")
    button = gettext_lazy("Refuse")
    harms = True
    status = Status.PENDING
    needs_reason = True

    def carry_out(self) -> list[str]:
        refuse_memberships(origin=self.origin, memberships=self.rows, reason=self.reason)
        return [
            ngettext("%(count)d person was refused.", "%(count)d people were refused.", self.count)
            % {"count": self.count}
        ]


class Ban(MembershipTask):
    """They may use nothing of the block."""

    title = gettext_lazy("Ban from the block")
    button = gettext_lazy("Ban")
    harms = True
    status = Status.ACTIVE
    needs_reason = True

    def carry_out(self) -> list[str]:
        ban_memberships(origin=self.origin, memberships=self.rows, reason=self.reason)
        return [
            ngettext("%(count)d person was banned.", "%(count)d people were banned.", self.count)
            % {"count": self.count}
        ]


class Readmit(MembershipTask):
    """A ban ends."""

    title = gettext_lazy("End the ban")
    button = gettext_lazy("End the ban")
    status = Status.BANNED

    def carry_out(self) -> list[str]:
        readmit_memberships(origin=self.origin, memberships=self.rows, reason=self.reason)
        return [
            ngettext(
                "%(count)d person was readmitted.", "%(count)d people were readmitted.", self.count
            )
            % {"count": self.count}
        ]


class ChangeRole(SeenForm, MembershipTask):
    """Somebody is something else in the block."""

    title = gettext_lazy("Change the role")
    button = gettext_lazy("Change the role")
    guarded = ("role",)

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].initial = self.row.role

    @classmethod
    def hindrance(cls, row: Membership) -> str:
        return role_hindrance(row)

    def seen_row(self) -> Any:
        return self.row

    def carry_out(self) -> list[str]:
        role = Role(self.cleaned_data["role"])
        if role == self.row.role:
            return [nothing_changed()]
        change_role(origin=self.origin, memberships=self.rows, role=role, reason=self.reason)
        return [_("%(who)s: %(role)s.") % {"who": self.row.user, "role": role.label}]


class DayField(forms.DateField):
    """The day of something that has happened: today, or one before."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        validators = [MinValueValidator(EARLIEST)]
        super().__init__(initial=timezone.localdate, widget=widget, validators=validators, **kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and value > timezone.localdate():
            raise ValidationError(_("This day has not come yet."))


class MoveOut(MembershipTask):
    """Somebody left; that he was here is kept."""

    title = gettext_lazy("Move out")
    button = gettext_lazy("Move out")
    harms = True

    day = DayField(label=gettext_lazy("On"))

    def carry_out(self) -> list[str]:
        end_memberships(
            origin=self.origin,
            memberships=self.rows,
            ended_at=_moment(self.cleaned_data["day"], time.max),
            reason=self.reason,
        )
        return [
            ngettext("%(count)d person moved out.", "%(count)d people moved out.", self.count)
            % {"count": self.count}
        ]


class PersonSelect(AutocompleteSelect):
    """Shows the chosen person again in a form that was refused, whatever was posted in his place."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [each for each in value if row_id(each) is not None], attr)


class MoveIn(Task):
    """Somebody belongs to a unit: a person of the user's blocks, or a new one."""

    title = gettext_lazy("Move somebody in")
    button = gettext_lazy("Move in")

    person = forms.ModelChoiceField(
        label=gettext_lazy("Person"),
        queryset=User.objects.none(),
        required=False,
        help_text=gettext_lazy(
            "Of your blocks. Leave it empty for somebody new, and fill in below."
        ),
    )
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
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role, initial=Role.RESIDENT)
    day = DayField(label=gettext_lazy("Since"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person = cast(Any, self.fields["person"])
        known = admin.site.get_model_admin(User).get_queryset(self.request)
        person.queryset = known.filter(erased_at=None)
        person.widget = PersonSelect(Membership._meta.get_field("user"), admin.site)
        person.widget.choices = person.choices

    @classmethod
    def hindrance(cls, row: Apartment) -> str:
        return closed(row)

    def plan(self) -> list[str]:
        return []

    def clean(self) -> Any:
        cleaned = super().clean()
        typed = self.cleaned_data
        new = typed.get("name"), typed.get("phone") or typed.get("email")
        if typed.get("person") is not None and any(new):
            raise ValidationError(_("Choose a person, or fill in a new one, not both."))
        if typed.get("person") is None and not all(new) and not self.errors:
            raise ValidationError(
                _("Choose a person, or fill in the name and a phone or e-mail of a new one.")
            )
        for kind in Kind:
            self._check_contact(kind)
        return cleaned

    def _check_contact(self, kind: Kind) -> None:
        try:
            if self.cleaned_data.get(kind):
                kind.canonical(self.cleaned_data[kind])
        except ValueError:
            self.add_error(kind, objection(kind, Objection.INVALID))

    def carry_out(self) -> list[str]:
        person = self.cleaned_data["person"] or self._register()
        role = Role(self.cleaned_data["role"])
        if Membership.objects.current().filter(user=person, apartment=self.row, role=role).exists():
            raise ValidationError({"person": _("This person belongs to the unit so already.")})
        start_membership(
            origin=self.origin,
            user=person,
            block=self.row.block,
            apartment=self.row,
            role=role,
            started_at=_moment(self.cleaned_data["day"], time.min),
            reason=self.reason,
        )
        return [_("%(who)s moved into unit %(unit)s.") % {"who": person, "unit": self.row}]

    def _register(self) -> User:
        typed = self.cleaned_data
        try:
            return register_user(
                origin=self.origin,
                name=typed["name"],
                phone=typed["phone"] or None,
                email=typed["email"] or None,
            )
        except IntegrityError as error:
            kind = _taken_kind(typed)
            raise ValidationError({kind: self._taken(kind)}) from error

    def _taken(self, kind: Kind) -> str:
        return (
            objection(kind, Objection.TAKEN)
            + " "
            + _(
                "If it is somebody of your blocks, choose the person above; somebody else asks for the "
                "unit in the app, and you approve."
            )
        )


def _taken_kind(typed: dict[str, Any]) -> Kind:
    held = [
        kind
        for kind in Kind
        if typed[kind]
        and Claim.objects.filter(kind=kind, value=kind.canonical(typed[kind])).exists()
    ]
    return held[0] if held else Kind.PHONE


def _moment(day: date, at: time) -> datetime | None:
    """That time of the day; None, which is now, for today."""
    if day == timezone.localdate():
        return None
    return timezone.make_aware(datetime.combine(day, at))
