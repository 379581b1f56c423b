"""What there is to do first in a community, or a block, that lacks something to begin with."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from buildings.models import Apartment, Block, Building, Membership, Occupancy, Role
from buildings.permissions import Blocks
from omarty.backoffice.base.labels import building_name, unit_in_block
from omarty.backoffice.base.scoped_admin import scope
from omarty.backoffice.figures import list_link

# The address of a page, and what one does there.
Step = tuple[str, str]


@dataclass(frozen=True)
class Begun:
    """What there is in the blocks that a user changes: the first, one that nobody manages, units, and people
    who do not manage them.
    """

    first: Block | None
    unmanaged: Block | None
    units: bool
    residents: bool


def first_steps(request: HttpRequest, begun: Begun | None = None) -> list[Step]:
    """What the user does first in their blocks, in its order; nothing once units have residents.

    At most five statements; where it is known what there is, one.
    """
    changes = scope(request).changes
    if not changes:
        return []
    begun = begun or _begun(changes)
    if begun.units and begun.residents:
        return []
    if begun.first is None:
        return [_register_first()] if changes.ids is None else []
    if begun.unmanaged is not None and changes.ids is None:
        words = {"block": unit_in_block(begun.unmanaged)}
        title = _("Appoint the first manager of %(block)s") % words
        return [(appoint_address(begun.unmanaged), title)]
    if not begun.units:
        return units_steps(begun.first)
    return [(list_link("buildings_apartment"), _("Move people in"))]


def with_managed(blocks: QuerySet[Block]) -> Any:
    """The blocks, each with `managed`: whether somebody does so."""
    return blocks.annotate(
        managed=Exists(Membership.objects.managing().filter(block=OuterRef("pk")))
    )


def _begun(changes: Blocks) -> Begun:
    blocks = changes.only(Block.objects.order_by("pk"), "pk")
    units = changes.only(Apartment.objects.filter(closed_at=None), "block_id")
    residents = changes.only(Membership.objects.active().exclude(role=Role.MANAGER), "block_id")
    return Begun(
        first=blocks.first(),
        unmanaged=with_managed(blocks).filter(managed=False).first(),
        units=units.exists(),
        residents=residents.exists(),
    )


def _register_first() -> Step:
    building = Building.objects.order_by("-pk").first()
    return register_building_step() if building is None else register_block_step(building)


def register_building_step() -> Step:
    """To begin with."""
    return reverse("admin:buildings_building_add"), _("Register a building")


def register_block_step(building: Building) -> Step:
    """A block of this building."""
    address = f"{reverse('admin:buildings_block_add')}?building={building.pk}"
    return address, _("Register a block of %(building)s") % {"building": building_name(building)}


def appoint_address(block: Block) -> str:
    """Where somebody is appointed manager of this block."""
    return reverse("admin:buildings_block_appoint", args=[block.pk])


def units_steps(block: Block) -> list[Step]:
    """How a block gets its units."""
    return [
        (
            reverse("admin:buildings_block_add-floors", args=[block.pk]),
            _("Add floors with units"),
        ),
        (reverse("admin:buildings_apartment_import"), _("Import units from a file")),
    ]


def steps_of_block(
    block: Block, *, managers: list[Membership], never: list[Any], units: int, residents: int
) -> list[Step]:
    """What this block lacks to begin with; `never` are those of its managers who have not signed in yet."""
    steps = []
    if not managers:
        steps.append((appoint_address(block), _("Appoint the first manager")))
    if managers and len(never) == len(managers):
        invite = reverse("admin:contacts_user_invite", args=[never[0].user_id])
        steps.append((invite, _("Invite %(who)s to sign in") % {"who": never[0].user}))
    if not units:
        steps += units_steps(block)
    elif not residents:
        vacant = list_link("buildings_apartment", block=block.pk, occupancy__exact=Occupancy.VACANT)
        steps.append((vacant, _("Move people in")))
    return steps
