"""What a block's page gathers: its managers and how to reach them, figures, what it lacks to begin with.

What a unit's page says of its people is here as well.
"""

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from buildings.models import Apartment, Block, Membership, Occupancy, Role
from buildings.permissions import Blocks, may_hand_over
from contacts.invitations import has_signed_in, never_signed_in
from contacts.models import Status, User
from contacts.open_invitations import open_invitations
from omarty.backoffice.base.scoped_admin import origin_of, scope
from omarty.backoffice.figures import Figure, list_link
from omarty.backoffice.first_steps import Step, steps_of_block
from omarty.backoffice.reaching import ways_to

# Beside each of a unit's people, what may be done, by how they belong to it.
_OFFERED = {
    Status.PENDING: ("approve", "refuse"),
    Status.ACTIVE: ("move-out",),
    # To move out would end the ban, too.
    Status.BANNED: ("readmit",),
}


class BlockHub:
    """One block as a user sees it."""

    def __init__(self, request: HttpRequest, block: Block) -> None:
        self.block = block
        self.changes: Blocks = scope(request).changes
        self.asking = origin_of(request).actor

    @cached_property
    def managers(self) -> list[Membership]:
        """Its active managers, those who are banned everywhere excepted."""
        found = Membership.objects.managing().filter(block=self.block)
        return list(found.select_related("user", "apartment").order_by("pk"))

    def managers_shown(self) -> SafeString:
        """The managers, how to reach each, and what may be done."""
        ways = ways_to(each.user for each in self.managers)
        rows = [(each, ways[each.user_id], list(self._actions(each))) for each in self.managers]
        return render_to_string("backoffice/managers.html", {"managers": rows})

    def _actions(self, office: Membership) -> Any:
        if not self.may_change:
            return
        if may_hand_over(office, asking=self.asking, within=self.changes):
            yield reverse("admin:buildings_membership_hand-over", args=[office.pk]), _("Hand over")
        if _never_came(office.user):
            yield invite_address(office.user), _("Invite")

    @property
    def may_change(self) -> bool:
        """Whether the user may change something in this block."""
        return self.block.pk in self.changes

    @cached_property
    def counts(self) -> dict[str, int]:
        """Its figures by name, each under the conditions of the list that it leads to; two statements."""
        units = Apartment.objects.filter(block=self.block, closed_at=None).aggregate(
            units=Count("pk"), vacant=Count("pk", filter=Q(occupancy=Occupancy.VACANT))
        )
        active = Q(status=Status.ACTIVE)
        never = Q(user__in=User.objects.filter(never_signed_in()))
        members = Membership.objects.current().filter(block=self.block)
        return units | members.aggregate(
            residents=Count("pk", filter=active & Q(role=Role.RESIDENT)),
            waiting=Count("pk", filter=Q(status=Status.PENDING)),
            never=Count("pk", filter=active & never),
        )

    def figures(self) -> list[Figure]:
        """Each figure with its list."""
        counts, units, members = self.counts, "buildings_apartment", "buildings_membership"
        of_block: dict[str, Any] = {"block": self.block.pk}
        active = of_block | {"status__exact": Status.ACTIVE}
        waiting = list_link(members, **of_block, status__exact=Status.PENDING)
        vacant = list_link(units, **of_block, occupancy__exact=Occupancy.VACANT)
        residents = list_link(members, **active, role__exact=Role.RESIDENT)
        never = list_link(members, **active, signed_in="never")
        return [
            Figure(_("Requests waiting"), counts["waiting"], waiting, due=True),
            Figure(_("Units"), counts["units"], list_link(units, **of_block)),
            Figure(_("Vacant units"), counts["vacant"], vacant),
            Figure(_("Residents"), counts["residents"], residents),
            Figure(_("Never signed in"), counts["never"], never),
        ]

    def figures_shown(self) -> SafeString:
        """The figures as links."""
        return render_to_string("backoffice/figures.html", {"figures": self.figures()})

    def next_steps(self) -> list[Step]:
        """What the block lacks to begin with, for whoever may do it."""
        if not self.may_change:
            return []
        never = [each for each in self.managers if _never_came(each.user)]
        return steps_of_block(
            self.block,
            managers=self.managers,
            never=never,
            units=self.counts["units"],
            residents=self.counts["residents"],
        )


def unit_people(unit: Any, *, changeable: bool) -> SafeString:
    """The current people of a unit, whose list fetched them as `current`: how to reach them, what to do.

    At most two statements.
    """
    people = [each.user for each in unit.current]
    ways = ways_to(people) if people else {}
    invited = _invited(people) if people and changeable else {}
    rows = [
        (
            each,
            ways[each.user_id],
            invited.get(each.user_id),
            list(_member_actions(each)) if changeable else [],
        )
        for each in reversed(unit.current)
    ]
    return render_to_string("backoffice/unit_people.html", {"people": rows})


def _invited(people: list[User]) -> dict[int, Any]:
    """Until when the invitation serves of each who has one."""
    return dict(open_invitations(*people).values_list("user_id", "expires_at"))


def _member_actions(membership: Membership) -> Any:
    known = admin.site.get_model_admin(Membership).row_actions  # type: ignore[attr-defined]
    for name in _OFFERED.get(Status(membership.status), ()):
        address = reverse(f"admin:buildings_membership_{name}", args=[membership.pk])
        yield f"{address}?unit={membership.apartment_id}", known[name].title
    is_member = membership.status == Status.ACTIVE
    if is_member and membership.user.status == Status.ACTIVE and _never_came(membership.user):
        yield invite_address(membership.user), _("Invite")


def _never_came(person: User) -> bool:
    return not (has_signed_in(person) or person.is_superuser)


def invite_address(person: User) -> str:
    """Where a link is made for this person."""
    return reverse("admin:contacts_user_invite", args=[person.pk])
