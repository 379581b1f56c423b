"""Which units need correction: the dashboard counts them, the list of units filters by it."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from buildings.models import occupied_by_nobody, vacant_with_people

# What is wrong with a unit: the filter's value, the rule over units, and its label.
NEEDS_CORRECTION = {
    "number": (Q(number=None), _("No number")),
    "floor": (Q(floor=None), _("No floor")),
    "people": (occupied_by_nobody(), _("Marked as occupied, but nobody is in them")),
    "vacant": (vacant_with_people(), _("Marked as vacant, but somebody is in them")),
}
