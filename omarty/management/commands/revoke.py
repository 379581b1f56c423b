"""`manage.py revoke`: take a role in a block from somebody."""

from django.core.exceptions import ValidationError

from audit.operations import Origin
from buildings.membership_operations import end_memberships
from buildings.models import Block, Role
from contacts.models import User
from omarty.management.base import CommandRefused
from omarty.management.roles import RoleCommand, held_in


class Command(RoleCommand):
    help = (
        "Take a role in a block from somebody: his memberships of that role end and are kept as past\n"
        "ones. A block that has a manager keeps at least one."
    )
    reads = "the person, the block, and his memberships in it"
    writes = "the end of those memberships, and an audit entry for each; nothing if he has none"

    def settle(self, user: User, role: Role, block: Block) -> str:
        ending = [each for each in held_in(user, block) if each.role == role]
        if not ending:
            return ""
        try:
            end_memberships(origin=Origin.of_command("revoke"), memberships=ending)
        except ValidationError as error:
            raise CommandRefused(" ".join(error.messages)) from error
        return f"{user} is {role.label} of block {block} (id {block.pk}) no longer."
