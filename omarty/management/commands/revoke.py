"""`manage.py revoke`: take a role in a block away from a person."""

from django.core.exceptions import ValidationError

from audit.operations import Origin
from buildings.membership_operations import end_memberships
from buildings.models import Block, Role
from contacts.models import User
from omarty.management.base import CommandRefused
from omarty.management.roles import RoleCommand, current_memberships


class Command(RoleCommand):
    help = (
        "Take a role in a block away from a person: their memberships with that role end, and stay as\n"
        "former memberships. A block's last manager cannot be revoked."
    )
    reads = "the person, the block, and their memberships in it"
    writes = "the end of those memberships, and an audit entry for each; nothing if there is none"

    def change_role(self, user: User, role: Role, block: Block) -> str:
        ending = [each for each in current_memberships(user, block) if each.role == role]
        if not ending:
            return ""
        try:
            end_memberships(origin=Origin.of_command("revoke"), memberships=ending)
        except ValidationError as error:
            raise CommandRefused(" ".join(error.messages)) from error
        return f"{user} is {role.label} of block {block} (id {block.pk}) no longer."
