"""Row actions of blocks: add floors with units."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from buildings.models import HIGHEST_FLOOR, HIGHEST_NUMBER, LOWEST_FLOOR, LOWEST_NUMBER
from buildings.operations import ApartmentExists, register_floors
from omarty.backoffice.base.forms import WholeNumberField
from omarty.backoffice.base.labels import listed
from omarty.backoffice.base.row_actions import RowAction

MOST_UNITS = 1000


class Numbering(models.TextChoices):
    """How the units of new floors are numbered."""

    RUNNING = "running", gettext_lazy("Running: 1, 2, 3, …")
    BY_FLOOR = "by_floor", gettext_lazy("By floor: 101, 102, …, 201, 202, …")


class AddFloors(RowAction):
    """Floors of a block, each with the same number of units."""

    title = gettext_lazy("Add floors with units")
    button = gettext_lazy("Register these units")
    previews = True

    lowest = WholeNumberField(
        label=gettext_lazy("From floor"), min_value=LOWEST_FLOOR, max_value=HIGHEST_FLOOR
    )
    highest = WholeNumberField(
        label=gettext_lazy("To floor"), min_value=LOWEST_FLOOR, max_value=HIGHEST_FLOOR
    )
    per_floor = WholeNumberField(
        label=gettext_lazy("Units on each floor"), min_value=1, max_value=99
    )
    numbering = forms.ChoiceField(label=gettext_lazy("Numbered"), choices=Numbering)
    first = WholeNumberField(
        label=gettext_lazy("First number"),
        min_value=LOWEST_NUMBER,
        max_value=HIGHEST_NUMBER,
        initial=1,
        required=False,
        help_text=gettext_lazy("For running numbers."),
    )

    def clean(self) -> Any:
        cleaned = super().clean()
        if self.errors:
            return cleaned
        if self.cleaned_data["lowest"] > self.cleaned_data["highest"]:
            raise ValidationError({"highest": _("The last floor lies below the first.")})
        self.units = self._units()
        if len(self.units) > MOST_UNITS:
            raise ValidationError(_("Register at most %d units at once.") % MOST_UNITS)
        if not all(LOWEST_NUMBER <= number <= HIGHEST_NUMBER for _floor, number in self.units):
            raise ValidationError(
                {"numbering": _("Numbers by floor need floors above the ground; start at floor 1.")}
            )
        self._refuse_taken()
        return cleaned

    def _units(self) -> list[tuple[int, int]]:
        """Floor and number of each."""
        typed = self.cleaned_data
        floors = range(typed["lowest"], typed["highest"] + 1)
        on_floor = range(1, typed["per_floor"] + 1)
        if typed["numbering"] == Numbering.BY_FLOOR:
            # Below floor 1 no number is possible: 0 is one that the check refuses.
            return [
                (floor, floor * 100 + position if floor > 0 else 0)
                for floor in floors
                for position in on_floor
            ]
        first = typed["first"] or 1
        each_floor = [floor for floor in floors for _position in on_floor]
        return [(floor, first + index) for index, floor in enumerate(each_floor)]

    def _refuse_taken(self) -> None:
        numbers = [number for _floor, number in self.units]
        taken = self.row.apartments.filter(number__in=numbers).order_by("number")
        if taken:
            numbers_taken = listed(unit.number for unit in taken[:20])
            raise ValidationError(
                _("The block has units of these numbers already: %s") % numbers_taken
            )

    def plan(self) -> list[str]:
        floors: dict[int, list[str]] = {}
        for floor, number in self.units:
            floors.setdefault(floor, []).append(str(number))
        each_floor = [
            _("Floor %(floor)d: %(numbers)s") % {"floor": floor, "numbers": listed(numbers)}
            for floor, numbers in floors.items()
        ]
        count = len(self.units)
        heading = ngettext(
            "%(count)d unit will be registered:", "%(count)d units will be registered:", count
        )
        return [heading % {"count": count}, *each_floor]

    def carry_out(self) -> list[str]:
        try:
            registered = register_floors(origin=self.origin, block=self.row, units=self.units)
        except ApartmentExists as error:
            raise ValidationError(
                _("Somebody registered one of these numbers meanwhile.")
            ) from error
        return [
            ngettext(
                "%(count)d unit was registered.",
                "%(count)d units were registered.",
                len(registered),
            )
            % {"count": len(registered)}
        ]

    def outcome_page(self) -> str:
        return reverse("admin:buildings_apartment_changelist") + f"?block={self.row.pk}"
