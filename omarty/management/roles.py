"""The base of `grant` and `revoke`."""

from typing import Any

from django.core.management.base import CommandParser

from buildings.models import Block, Membership, Role
from contacts.models import User
from omarty.management.base import DataCommand, UsageProblem
from omarty.management.people import person


class RoleCommand(DataCommand):
    """A command that changes a person's role in a block. A subclass implements `change_role()`."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("user", metavar="USER", help="An e-mail, a phone, or an id.")
        parser.add_argument("role", metavar="ROLE", choices=Role.values, help=", ".join(Role))
        parser.add_argument("--block", type=int, required=True, metavar="ID")

    def change_role(self, user: User, role: Role, block: Block) -> str:
        """Make the change. Returns a sentence that says what was done; empty if nothing changed."""
        raise NotImplementedError

    def run(self, **options: Any) -> None:
        user, role = person(options["user"]), Role(options["role"])
        block = Block.objects.filter(pk=options["block"]).first()
        if block is None:
            raise UsageProblem(f"There is no block {options['block']}.")
        with self.rolled_back_if_dry():
            done = self.change_role(user, role, block)
        facts = {"person": user.pk, "block": block.pk, "role": role.value, "changed": bool(done)}
        text = done or "No changes."
        self.report(facts, text + (" (Dry run: nothing was written.)" if self.dry_run else ""))


def current_memberships(user: User, block: Block) -> list[Membership]:
    """The person's current memberships in the block."""
    return list(Membership.objects.current().filter(user=user, block=block))
