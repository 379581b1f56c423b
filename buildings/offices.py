"""Offices of managers: somebody is appointed; a manager hands theirs over."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.operations import Origin
from buildings.membership_operations import change_role, end_memberships, start_membership
from buildings.models import Block, Membership, Role
from buildings.operations import lock_blocks
from contacts.models import Status, User
from contacts.operations import lock_person


@transaction.atomic
def appoint_manager(*, origin: Origin, user: User, block: Block) -> Membership:
    """The person manages the block from now on, beside what they are in it already.

    Raises ValidationError if they do so already, are banned from it, or cannot sign in.
    """
    lock_blocks([block.pk])
    user = lock_person(user)
    if user.status != Status.ACTIVE:
        raise ValidationError(_("%(who)s is not active, and cannot sign in.") % {"who": user})
    in_block = Membership.objects.current().filter(user=user, block=block)
    if in_block.filter(status=Status.BANNED).exists():
        raise ValidationError(_("%(who)s is banned: readmit them first.") % {"who": user})
    if in_block.active().filter(role=Role.MANAGER).exists():
        raise ValidationError(_("%(who)s manages this block already.") % {"who": user})
    return start_membership(origin=origin, user=user, block=block, role=Role.MANAGER)


@transaction.atomic
def hand_over(*, origin: Origin, office: Membership, to: User, keeps: bool) -> None:
    """Another active member of the block manages it from now on; whoever did so `keeps` the office or not.

    Without it they stay as a resident of the unit that the office names. Raises ValidationError.
    """
    lock_blocks([office.block_id])
    members = Membership.objects.active().filter(block=office.block)
    if not members.filter(user=to).exists():
        raise ValidationError(_("%(who)s is no active member of the block.") % {"who": to})
    appoint_manager(origin=origin, user=to, block=office.block)
    if keeps:
        return
    own = members.filter(user=office.user, apartment=office.apartment, role=Role.RESIDENT)
    if office.apartment_id is None or own.exists():
        end_memberships(origin=origin, memberships=[office])
    else:
        change_role(origin=origin, memberships=[office], role=Role.RESIDENT)
