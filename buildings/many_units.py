"""What `operations.py` does to one unit, to many at once: a fixed number of statements for each batch."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.models import Action
from audit.operations import Origin, as_json, entry, record_all
from buildings.models import Apartment, Membership
from buildings.operations import refuse, why_unit_refused

BATCH = 500


@transaction.atomic
def retire_apartments(*, origin: Origin, apartments: Iterable[Apartment]) -> None:
    """Take the units out of the register. Raises ValidationError as `retire_apartment()` does."""
    units = _locked(each.pk for each in apartments)
    refuse(map(why_unit_refused, units))
    lived_in = set(
        Membership.objects.current().filter(apartment__in=units).values_list("apartment", flat=True)
    )
    refuse(
        _("People belong to unit %(unit)s: move them out, or merge it.") % {"unit": unit}
        for unit in units
        if unit.pk in lived_in
    )
    retired = {"closed_at": timezone.now()}
    changes = {unit.pk: retired for unit in units}
    _save(units, changes, origin=origin, action=Action.APARTMENT_RETIRED)


@transaction.atomic
def reinstate_apartments(*, origin: Origin, apartments: Iterable[Apartment]) -> None:
    """Put retired units back into the register. Raises ValidationError as `reinstate_apartment()` does."""
    units = _locked(each.pk for each in apartments)
    refuse(
        _("Unit %(unit)s is in use already.") % {"unit": unit}
        for unit in units
        if unit.closed_at is None
    )
    reinstated = {"closed_at": None, "merged_into_id": None}
    changes = {unit.pk: reinstated for unit in units}
    _save(units, changes, origin=origin, action=Action.APARTMENT_REINSTATED)


def _locked(unit_ids: Iterable[int]) -> list[Apartment]:
    """The units as they are now, locked."""
    locked = Apartment.objects.select_for_update().filter(pk__in=list(unit_ids))
    return list(locked.prefetch_related("block").order_by("pk"))


def _save(
    units: Iterable[Apartment],
    changes: Mapping[int, dict[str, Any]],
    *,
    origin: Origin,
    action: Action,
) -> int:
    """Write what differs, an entry for each unit of which anything does; returns how many these are."""
    changed, entries = [], []
    names: set[str] = set()
    for unit in units:
        new = {key: value for key, value in changes[unit.pk].items() if getattr(unit, key) != value}
        if not new:
            continue
        before = as_json({key: getattr(unit, key) for key in new})
        for key, value in new.items():
            setattr(unit, key, value)
        after = as_json(new)
        about: Any = {"target": unit, "block": unit.block, "apartment": unit}
        entries.append(entry(origin=origin, action=action, before=before, after=after, **about))
        changed.append(unit)
        names |= new.keys()
    if changed:
        Apartment.objects.bulk_update(changed, sorted(names), batch_size=BATCH)
    record_all(entries)
    return len(changed)
