"""What `grant` and `revoke` share."""

from typing import Any

from django.core.management.base import CommandParser

from buildings.models import Block, Membership, Role
from contacts.models import User
from omarty.management.base import DataCommand, UsageProblem
from omarty.management.people import person


class RoleCommand(DataCommand):
    """A command about somebody's role in a block. A subclass does its work in `settle()`."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="An e-mail, a phone, or an id.")
        parser.add_argument("role", metavar="ROLE", choices=Role.values, help=", ".join(Role))
        parser.add_argument("--block", type=int, required=True, metavar="ID")

    def settle(self, user: User, role: Role, block: Block) -> str:
        """Do it; what was done, in words. Empty if it was so already."""
        raise NotImplementedError

    def run(self, **options: Any) -> None:
        user, role = person(options["user"]), Role(options["role"])
        block = Block.objects.filter(pk=options["block"]).first()
        if block is None:
            raise UsageProblem(f"There is no block {options['block']}.")
        with self.kept():
            done = self.settle(user, role, block)
        facts = {"person": user.pk, "block": block.pk, "role": role.value, "changed": bool(done)}
        told = done or "It is so already; nothing was changed."
        self.report(facts, told + (" (Dry run: nothing was written.)" if self.dry_run else ""))


def held_in(user: User, block: Block) -> list[Membership]:
    """His current memberships in the block."""
    return list(Membership.objects.current().filter(user=user, block=block))
