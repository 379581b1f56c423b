"""The same floor, occupancy or note for many units at once."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from buildings.models import HIGHEST_FLOOR, LOWEST_FLOOR, Apartment, Occupancy
from buildings.operations import refuse, why_unit_refused
from buildings.unit_changes import change_apartments
from omarty.backoffice.base.forms import ANY_LANGUAGE, WholeNumberField
from omarty.backoffice.base.labels import isolated, listed_phrases, nothing_changed, unit_in_block
from omarty.backoffice.base.row_actions import RowAction


class ChangeApartments(RowAction):
    """Sets what is filled in for all units chosen; the rest of them stays as it is."""

    title = gettext_lazy("Change floor, occupancy or note")
    button = gettext_lazy("Change")
    previews = True

    floor = WholeNumberField(
        label=gettext_lazy("Floor"),
        required=False,
        min_value=LOWEST_FLOOR,
        max_value=HIGHEST_FLOOR,
        help_text=gettext_lazy("What is left empty on this page stays as it is."),
    )
    occupancy = forms.ChoiceField(
        label=gettext_lazy("Occupancy"),
        required=False,
        choices=[("", gettext_lazy("As it is")), *Occupancy.choices],
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=Apartment._meta.get_field("note").max_length,
        widget=forms.TextInput(attrs={"class": "vTextField", **ANY_LANGUAGE}),
        help_text=gettext_lazy("In place of the note that a unit has."),
    )
    no_note = forms.BooleanField(label=gettext_lazy("Take the notes away"), required=False)

    @classmethod
    def offered_for(cls, row: Apartment) -> bool:
        # A unit's own page has the fields themselves.
        return False

    @classmethod
    def why_refused(cls, row: Apartment) -> str:
        return why_unit_refused(row)

    @property
    def values(self) -> dict[str, Any]:
        """What is filled in, by the unit's fields."""
        typed = {name: self.cleaned_data.get(name) for name in ("floor", "occupancy", "note")}
        filled = {name: value for name, value in typed.items() if value not in (None, "")}
        return filled | ({"note": ""} if self.cleaned_data.get("no_note") else {})

    def clean(self) -> Any:
        cleaned = super().clean()
        refuse(why_unit_refused(row) for row in self.rows)
        typed = self.cleaned_data
        if typed.get("no_note") and typed.get("note"):
            self.add_error("no_note", _("There is a note above: clear it, or take this tick away."))
        if not self.values and not self.errors:
            raise ValidationError(_("Fill in a floor, an occupancy or a note."))
        return cleaned

    def plan(self) -> list[str]:
        lines = [(row, self._changes(row)) for row in self.rows]
        plan = [
            _("%(unit)s: %(changes)s")
            % {
                "unit": capfirst(unit_in_block(row.block, row)),
                "changes": listed_phrases(changes),
            }
            for row, changes in lines
            if changes
        ]
        same = sum(not changes for _row, changes in lines)
        if same:
            plan.append(
                ngettext(
                    "%(count)d unit has these values already: it stays as it is.",
                    "%(count)d units have these values already: they stay as they are.",
                    same,
                )
                % {"count": same}
            )
        return plan

    def _changes(self, row: Apartment) -> list[str]:
        """What changes of this unit, a phrase for each field."""
        return [
            _phrase(row, name, value)
            for name, value in self.values.items()
            if getattr(row, name) != value
        ]

    def carry_out(self) -> list[str]:
        changes = {row.pk: self.values for row in self.rows}
        count = change_apartments(origin=self.origin, changes=changes)
        if not count:
            return [nothing_changed()]
        return [
            ngettext("%(count)d unit was changed.", "%(count)d units were changed.", count)
            % {"count": count}
        ]

    def outcome_page(self) -> str:
        units = cast(Any, admin.site.get_model_admin(Apartment))
        address: str = units.changed_address(self.request)
        return address


def _phrase(row: Apartment, name: str, value: Any) -> str:
    """ "floor from 2 to 12"; of a field without a value, "floor 12"."""
    field = cast(Any, Apartment._meta.get_field(name))
    choices = dict(field.choices or ())
    before, after = getattr(row, name), choices.get(value, value)
    parts = {
        "field": field.verbose_name,
        "before": isolated(choices.get(before, before)),
        "after": isolated(after),
    }
    if after == "":
        return _("%(field)s %(before)s taken away") % parts
    if before in (None, ""):
        return _("%(field)s %(after)s") % parts
    return _("%(field)s from %(before)s to %(after)s") % parts
