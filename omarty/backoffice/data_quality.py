"""Which units need correction: the dashboard counts them, the list of units filters by it."""

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from buildings.models import Membership, Occupancy
from contacts.models import Status


def _has_people() -> Q:
    people = Membership.objects.current().filter(apartment=OuterRef("pk"), status=Status.ACTIVE)
    return Q(Exists(people))


# What is wrong with a unit: the filter's value, the rule over units, and its label.
NEEDS_CORRECTION = {
    "number": (Q(number=None), _("No number")),
    "floor": (Q(floor=None), _("No floor")),
    "people": (
        Q(occupancy=Occupancy.OCCUPIED) & ~_has_people(),
        _("Marked as occupied, but nobody is in them"),
    ),
    "vacant": (
        Q(occupancy=Occupancy.VACANT) & _has_people(),
        _("Marked as vacant, but somebody is in them"),
    ),
}
