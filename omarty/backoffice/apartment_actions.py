"""Row actions of units: move somebody in, everybody out; merge, retire, reinstate."""

from datetime import time
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.models import Action
from audit.operations import Where
from buildings.membership_operations import end_memberships, merge_apartment, start_membership
from buildings.models import (
    Apartment,
    Membership,
    Occupancy,
    Role,
)
from buildings.operations import (
    reinstate_apartment,
    retire_apartment,
    why_unit_refused,
)
from contacts.models import Status, User
from omarty.backoffice.base.forms import DayField, moment_of
from omarty.backoffice.base.labels import listed
from omarty.backoffice.base.request_limits import row_id
from omarty.backoffice.base.row_actions import RowAction
from omarty.backoffice.newcomer import NewcomerAction
from omarty.backoffice.occupancy_field import emptied, follow_field, follows, vacant


class MergeApartment(RowAction):
    """A unit that was registered twice is merged into the right one."""

    title = gettext_lazy("Merge into another unit")
    button = gettext_lazy("Merge")
    harms = True
    previews = True

    into = forms.ModelChoiceField(
        label=gettext_lazy("The right unit"),
        queryset=Apartment.objects.none(),
        help_text=gettext_lazy("Its number and floor stay as they are."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = self.row.block.apartments.filter(closed_at=None).exclude(pk=self.row.pk)
        cast(Any, self.fields["into"]).queryset = others.order_by("number", "pk")

    @classmethod
    def why_refused(cls, row: Apartment) -> str:
        return why_unit_refused(row)

    def plan(self) -> list[str]:
        into = self.cleaned_data["into"]
        units = {"doubled": self.row, "into": into}
        moving = self.row.memberships.select_related("user").order_by("pk")
        people = [
            listed(
                [
                    each.user,
                    each.get_role_display(),
                    _("left already") if each.ended_at else each.get_status_display(),
                ]
            )
            for each in moving
        ]
        heading = (
            _("These move from unit %(doubled)s to unit %(into)s:")
            if people
            else _("Nobody belongs to unit %(doubled)s.")
        )
        return [
            heading % units,
            *people,
            _("Unit %(doubled)s is retired; its history is shown at unit %(into)s.") % units,
        ]

    def carry_out(self) -> list[str]:
        into = self.cleaned_data["into"]
        merge_apartment(origin=self.origin, doubled=self.row, into=into)
        return [
            _("Unit %(doubled)s was merged into unit %(into)s.")
            % {"doubled": self.row, "into": into}
        ]

    def outcome_page(self) -> str:
        return reverse("admin:buildings_apartment_change", args=[self.cleaned_data["into"].pk])


class RetireApartment(RowAction):
    """A unit is taken out of the register."""

    title = gettext_lazy("Retire the unit")
    button = gettext_lazy("Retire")
    harms = True

    @classmethod
    def why_refused(cls, row: Apartment) -> str:
        return why_unit_refused(row)

    def plan(self) -> list[str]:
        sentence = _(
            "Unit %s will no longer be in use. Its history stays, and it can be reinstated."
        )
        return [sentence % self.row]

    def carry_out(self) -> list[str]:
        retire_apartment(origin=self.origin, apartment=self.row)
        return [_("Unit %s was retired.") % self.row]


class ReinstateApartment(RowAction):
    """A retired unit is put back into the register."""

    title = gettext_lazy("Reinstate the unit")
    button = gettext_lazy("Reinstate")

    @classmethod
    def why_refused(cls, row: Apartment) -> str:
        return "" if why_unit_refused(row) else _("This unit is in use already.")

    def plan(self) -> list[str]:
        return [_("Unit %s will be in use again. Nobody's membership changes.") % self.row]

    def carry_out(self) -> list[str]:
        reinstate_apartment(origin=self.origin, apartment=self.row)
        return [_("Unit %s was reinstated.") % self.row]


class PersonSelect(AutocompleteSelect):
    """Shows the chosen person again in a refused form, and bears values that are no ids."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [each for each in value if row_id(each) is not None], attr)


class MoveIn(NewcomerAction):
    """Somebody joins a unit: a person of the user's blocks, or a new one."""

    title = gettext_lazy("Move somebody in")
    button = gettext_lazy("Move in")
    again = gettext_lazy("Move in, then the next person")
    field_order = ("person",)
    if_taken = gettext_lazy(
        "If they belong to one of your blocks, choose them above; anybody else asks for the "
        "unit in the app, and you approve."
    )

    person = forms.ModelChoiceField(
        label=gettext_lazy("Person"),
        queryset=User.objects.none(),
        required=False,
        help_text=gettext_lazy(
            "Of your blocks. Leave it empty for somebody new, and fill in below."
        ),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role, initial=Role.RESIDENT)
    day = DayField(label=gettext_lazy("Since"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person = cast(Any, self.fields["person"])
        people = cast(Any, admin.site.get_model_admin(User))
        person.queryset = people.choosable(self.request, User.objects.all())
        person.widget = PersonSelect(Membership._meta.get_field("user"), admin.site)
        person.widget.choices = person.choices
        # Of a family all have the day of the first.
        self.initial = {
            name: self.request.GET[name] for name in ("role", "day") if name in self.request.GET
        }

    def further_fields(self) -> dict[str, forms.Field]:
        return follow_field(Occupancy.OCCUPIED, vacant([self.row]))

    @property
    def asks_for_contact(self) -> Action | None:
        chosen = self.cleaned_data.get("person") is not None
        return None if chosen else Action.MEMBERSHIP_STARTED

    @property
    def where(self) -> Where:
        return {"block": self.row.block, "apartment": self.row}

    @classmethod
    def why_refused(cls, row: Apartment) -> str:
        return why_unit_refused(row)

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
        return cleaned

    def carry_out(self) -> list[str]:
        person = self.cleaned_data["person"] or self.register()
        role = Role(self.cleaned_data["role"])
        if Membership.objects.current().filter(user=person, apartment=self.row, role=role).exists():
            raise ValidationError({"person": _("This person has that role in the unit already.")})
        start_membership(
            origin=self.origin,
            user=person,
            block=self.row.block,
            apartment=self.row,
            role=role,
            started_at=moment_of(self.cleaned_data["day"], time.min),
            units_follow=follows(self),
        )
        return [_("%(who)s moved into unit %(unit)s.") % {"who": person, "unit": self.row}]

    def outcome_page(self) -> str:
        if "_again" not in self.data:
            return ""
        same = {"role": self.cleaned_data["role"], "day": self.cleaned_data["day"].isoformat()}
        return f"{self.request.path}?{urlencode(same)}"


class MoveEverybodyOut(RowAction):
    """All members of a unit leave it; who merely asks for it goes on asking, who is banned stays so."""

    title = gettext_lazy("Move everybody out")
    button = gettext_lazy("Move everybody out")
    harms = True

    day = DayField(label=gettext_lazy("On"))

    def further_fields(self) -> dict[str, forms.Field]:
        return follow_field(Occupancy.VACANT, emptied(self.leaving))

    @property
    def leaving(self) -> list[Membership]:
        """The memberships that end, of which the unit's list fetched the people."""
        return _members(self.row)

    @classmethod
    def why_refused(cls, row: Any) -> str:
        return "" if _members(row) else _("Nobody belongs to unit %(doubled)s.") % {"doubled": row}

    def plan(self) -> list[str]:
        return [listed([each.user, each.get_role_display()]) for each in self.leaving]

    def carry_out(self) -> list[str]:
        leaving = self.leaving
        end_memberships(
            origin=self.origin,
            memberships=leaving,
            ended_at=moment_of(self.cleaned_data["day"], time.max),
            units_follow=follows(self),
        )
        count = len({each.user_id for each in leaving})
        return [
            ngettext("%(count)d person moved out.", "%(count)d people moved out.", count)
            % {"count": count}
        ]


def _members(unit: Any) -> list[Membership]:
    return [each for each in unit.current if each.status == Status.ACTIVE]
