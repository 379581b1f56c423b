"""`manage.py grant`: give a person a role in a block."""

from django.db import transaction

from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Block, Role
from buildings.operations import lock_blocks
from contacts.models import Status, User
from omarty.management.base import CommandRefused
from omarty.management.roles import RoleCommand, current_memberships


class Command(RoleCommand):
    help = (
        "Give a person a role in a block, in addition to the roles they have. A block's first manager\n"
        "is made here; they can appoint others in the back-office. A pending block may be given a\n"
        "manager too. The block and the person must be registered."
    )
    reads = "the person, the block, and their memberships in it"
    writes = (
        "one membership, active from now on, and its audit entry; nothing if they have it already"
    )

    @transaction.atomic
    def change_role(self, user: User, role: Role, block: Block) -> str:
        # So that two grants at the same time make one membership.
        lock_blocks([block.pk])
        if user.erased_at is not None:
            raise CommandRefused(f"{user} was anonymised: nobody can become that person again.")
        memberships = current_memberships(user, block)
        if user.status == Status.BANNED or any(
            each.status == Status.BANNED for each in memberships
        ):
            raise CommandRefused(f"{user} is banned: lift the ban in the back-office first.")
        if any((each.role, each.status) == (role, Status.ACTIVE) for each in memberships):
            return ""
        start_membership(origin=Origin.of_command("grant"), user=user, block=block, role=role)
        return f"{user} is {role.label} of block {block} (id {block.pk}) now."
