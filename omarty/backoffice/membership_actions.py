"""Row actions of memberships: approve, refuse, change the role, move out, ban, readmit."""

from datetime import time
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from buildings.membership_operations import (
    approve_memberships,
    ban_memberships,
    change_role,
    end_memberships,
    readmit_memberships,
    refuse_memberships,
    why_membership_refused,
    why_role_refused,
)
from buildings.models import Membership, Occupancy, Role
from contacts.models import Status
from omarty.backoffice.base.forms import DayField, SeenForm, moment_of
from omarty.backoffice.base.labels import listed, nothing_changed, unit_in_block
from omarty.backoffice.base.row_actions import RowAction
from omarty.backoffice.occupancy_field import emptied, follow_field, follows, vacant


class MembershipAction(RowAction):
    """For current memberships of one status; None: of any."""

    status: Status | None = None

    @property
    def count(self) -> int:
        """How many memberships it is done to."""
        return len(self.rows)

    @classmethod
    def why_refused(cls, row: Membership) -> str:
        return why_membership_refused(row, cls.status)

    def outcome_page(self) -> str:
        """The unit's page, if that led here."""
        unit = self.row.apartment_id
        if unit is None or self.request.GET.get("unit") != str(unit):
            return ""
        return reverse("admin:buildings_apartment_change", args=[unit])

    def plan(self) -> list[str]:
        return [listed([row.user, unit_in_block(row.block, row.apartment)]) for row in self.rows]


class ApproveRequest(MembershipAction):
    """Requests become active memberships."""

    title = gettext_lazy("Approve")
    button = gettext_lazy("Approve")
    status = Status.PENDING

    def further_fields(self) -> dict[str, forms.Field]:
        return follow_field(Occupancy.OCCUPIED, vacant(row.apartment for row in self.rows))

    def carry_out(self) -> list[str]:
        approve_memberships(origin=self.origin, memberships=self.rows, units_follow=follows(self))
        return [
            ngettext(
                "%(count)d person was approved.", "%(count)d people were approved.", self.count
            )
            % {"count": self.count}
        ]


class RefuseRequest(MembershipAction):
    """Requests end without approval, and stay as former memberships."""

    title = gettext_lazy("Refuse")
    button = gettext_lazy("Refuse")
    harms = True
    status = Status.PENDING
    needs_reason = True

    def carry_out(self) -> list[str]:
        refuse_memberships(origin=self.origin, memberships=self.rows)
        return [
            ngettext("%(count)d person was refused.", "%(count)d people were refused.", self.count)
            % {"count": self.count}
        ]


class Ban(MembershipAction):
    """Members may use nothing of the block."""

    title = gettext_lazy("Ban from the block")
    button = gettext_lazy("Ban")
    harms = True
    status = Status.ACTIVE
    needs_reason = True

    def carry_out(self) -> list[str]:
        ban_memberships(origin=self.origin, memberships=self.rows)
        return [
            ngettext("%(count)d person was banned.", "%(count)d people were banned.", self.count)
            % {"count": self.count}
        ]


class Readmit(MembershipAction):
    """Bans end."""

    title = gettext_lazy("Readmit")
    button = gettext_lazy("Readmit")
    status = Status.BANNED

    def carry_out(self) -> list[str]:
        readmit_memberships(origin=self.origin, memberships=self.rows)
        return [
            ngettext(
                "%(count)d person was readmitted.", "%(count)d people were readmitted.", self.count
            )
            % {"count": self.count}
        ]


class ChangeRole(SeenForm, MembershipAction):
    """A member gets another role in the block."""

    title = gettext_lazy("Change the role")
    button = gettext_lazy("Change the role")
    guarded = ("role",)

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].initial = self.row.role

    @classmethod
    def why_refused(cls, row: Membership) -> str:
        return why_role_refused(row)

    def seen_row(self) -> Any:
        return self.row

    def carry_out(self) -> list[str]:
        role = Role(self.cleaned_data["role"])
        if role == self.row.role:
            return [nothing_changed()]
        change_role(origin=self.origin, memberships=self.rows, role=role)
        return [_("%(who)s: %(role)s.") % {"who": self.row.user, "role": role.label}]


class MoveOut(MembershipAction):
    """Members left; their memberships stay as former ones."""

    title = gettext_lazy("Move out")
    button = gettext_lazy("Move out")
    harms = True

    day = DayField(label=gettext_lazy("On"))

    def further_fields(self) -> dict[str, forms.Field]:
        return follow_field(Occupancy.VACANT, emptied(self.rows))

    def carry_out(self) -> list[str]:
        end_memberships(
            origin=self.origin,
            memberships=self.rows,
            ended_at=moment_of(self.cleaned_data["day"], time.max),
            units_follow=follows(self),
        )
        return [
            ngettext("%(count)d person moved out.", "%(count)d people moved out.", self.count)
            % {"count": self.count}
        ]
