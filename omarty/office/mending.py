"""Which units want somebody to look after them: the dashboard counts them, the list shows them."""

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from buildings.models import Membership, Occupancy
from contacts.models import Status


def _empty() -> Q:
    people = Membership.objects.current().filter(apartment=OuterRef("pk"), status=Status.ACTIVE)
    return Q(occupancy=Occupancy.LIVED_IN) & ~Q(Exists(people))


# What a unit lacks: the filter's word for it, the rule over units, and how it is called.
MENDING = {
    "number": (Q(number=None), _("No number")),
    "floor": (Q(floor=None), _("No floor")),
    "people": (_empty(), _("Marked as lived in, but nobody is in them")),
}
