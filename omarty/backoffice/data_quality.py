"""Which units want somebody to look after them: the dashboard counts them, the list shows them."""

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from buildings.models import Membership, Occupancy
from contacts.models import Status


def _somebody() -> Q:
    people = Membership.objects.current().filter(apartment=OuterRef("pk"), status=Status.ACTIVE)
    return Q(Exists(people))


# What is wrong with a unit: the filter's word for it, the rule over units, and how it is called.
NEEDS_CORRECTION = {
    "number": (Q(number=None), _("No number")),
    "floor": (Q(floor=None), _("No floor")),
    "people": (
        Q(occupancy=Occupancy.OCCUPIED) & ~_somebody(),
        _("Marked as lived in, but nobody is in them"),
    ),
    "vacant": (
        Q(occupancy=Occupancy.VACANT) & _somebody(),
        _("Marked as vacant, but somebody is in them"),
    ),
}
