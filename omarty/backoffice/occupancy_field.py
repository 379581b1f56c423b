"""The occupancy that follows when people come and go: offered, ticked, by the forms that have them do so.

It is offered where the unit would need correction without it: marked as vacant though somebody is in it, or
as occupied though nobody is. What else is known of a unit, such as being finished, is left as it is.
"""

from collections.abc import Iterable, Sequence

from django import forms
from django.utils.translation import ngettext

from buildings.models import Apartment, Membership, Occupancy

FIELD = "units_follow"


def vacant(units: Iterable[Apartment | None]) -> set[Apartment]:
    """Those of the units that are marked as vacant."""
    return {
        unit
        for unit in units
        if unit is not None and unit.closed_at is None and unit.occupancy == Occupancy.VACANT
    }


def emptied(leaving: Sequence[Membership]) -> set[Apartment]:
    """The units marked as occupied in which nobody is when these have left; at most one statement."""
    units = {
        row.apartment
        for row in leaving
        if row.apartment is not None and row.apartment.occupancy == Occupancy.OCCUPIED
    }
    staying = Membership.objects.active().filter(apartment__in=units)
    others = staying.exclude(pk__in=[row.pk for row in leaving]).values_list("apartment", flat=True)
    left = set(others) if units else set()
    return {unit for unit in units if unit.pk not in left}


def follow_field(occupancy: Occupancy, units: set[Apartment]) -> dict[str, forms.Field]:
    """The field by which these units become occupied or vacant; none if there are none."""
    if not units:
        return {}
    if occupancy == Occupancy.OCCUPIED:
        label = ngettext(
            "Mark the unit as occupied", "Mark %(count)d units as occupied", len(units)
        )
    else:
        label = ngettext(
            "Mark the unit as vacant: nobody is left in it",
            "Mark %(count)d units as vacant: nobody is left in them",
            len(units),
        )
    words = label % {"count": len(units)}
    return {FIELD: forms.BooleanField(label=words, required=False, initial=True)}


def follows(form: forms.Form) -> bool:
    """Whether it was offered and left ticked."""
    return bool(form.cleaned_data.get(FIELD))
