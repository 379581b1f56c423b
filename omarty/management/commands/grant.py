"""`manage.py grant`: give somebody a role in a block."""

from django.db import transaction

from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Block, Role
from buildings.operations import lock_blocks
from contacts.models import Status, User
from omarty.management.base import CommandRefused
from omarty.management.roles import RoleCommand, held_in


class Command(RoleCommand):
    help = (
        "Give somebody a role in a block, besides those that he has. A block's first manager comes\n"
        "from here; he can appoint the others in the back-office. A block that is pending may be\n"
        "given one too. The block and the person must be registered."
    )
    reads = "the person, the block, and his memberships in it"
    writes = "one membership that is active from now on, and its audit entry; nothing if he has it"

    @transaction.atomic
    def settle(self, user: User, role: Role, block: Block) -> str:
        # Two grants at once make one membership.
        lock_blocks([block.pk])
        if user.erased_at is not None:
            raise CommandRefused(f"{user} was erased: nobody can become that person again.")
        held = held_in(user, block)
        if user.status == Status.BANNED or any(each.status == Status.BANNED for each in held):
            raise CommandRefused(f"{user} is banned: lift the ban in the back-office first.")
        if any((each.role, each.status) == (role, Status.ACTIVE) for each in held):
            return ""
        start_membership(origin=Origin.of_command("grant"), user=user, block=block, role=role)
        return f"{user} is {role.label} of block {block} (id {block.pk}) now."
