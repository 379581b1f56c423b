"""The outbox for superusers: which messages went to whom, and which did not; what they say is not stored."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from buildings.permissions import Blocks
from contacts.masking import masked_contacts
from contacts.models import Message, MessageState
from contacts.outbox import send_again
from omarty.backoffice.base import history
from omarty.backoffice.base.row_actions import RowAction, RowActionsAdmin


class SendAgain(RowAction):
    """Send a message after all that could not be sent."""

    title = gettext_lazy("Send again")
    button = gettext_lazy("Send again")

    @classmethod
    def why_refused(cls, row: Message) -> str:
        if row.state == MessageState.FAILED:
            return ""
        return _("Only what failed is sent again.")

    def carry_out(self) -> list[str]:
        for message in self.rows:
            send_again(message)
        return [_("It is sent in a moment.")]


@admin.register(Message)
class MessageAdmin(RowActionsAdmin):
    """What was sent, waits or failed, the newest first."""

    when_empty = gettext_lazy("Invitations, forgotten passwords and notices will be listed here.")
    row_actions = {"send-again": SendAgain}
    bulk = ("send-again",)
    list_display = ("number", "made_at", "purpose", "contact", "person", "state", "told", "sent_at")
    list_filter = ("state", "purpose", "kind")
    list_select_related = ("user",)
    sortable_by = ()
    ordering = ("-pk",)
    fields = readonly_fields = (
        "purpose",
        "contact",
        "person",
        "made_at",
        "state",
        "attempts",
        "told",
        "next_at",
        "sent_at",
        "shown",
    )

    def within(self, blocks: Blocks, rows: Any) -> Any:
        """All of them: a message belongs to no block."""
        return rows

    def block_ids(self, row: Message) -> list[int]:
        """None."""
        return []

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        return rows if self.has_view_permission(request) else rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and getattr(request.user, "is_superuser", False))

    def may_change(self, request: HttpRequest, row: Any = None) -> bool:
        """Whether the user may have a message sent again."""
        return self.has_view_permission(request)

    def lock(self, rows: Sequence[Message]) -> None:
        ids = [row.pk for row in rows]
        list(Message.objects.select_for_update().filter(pk__in=ids).order_by("pk"))

    def page_title(self, row: Message) -> str:
        return str(row)

    def phone_lines(self, row: Message) -> tuple[str, str]:
        return (
            row.get_purpose_display(),
            f"{row.get_state_display()} {row.problem and _(row.problem)}",
        )

    @admin.display(description=gettext_lazy("number"))
    def number(self, row: Message) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("to"))
    def contact(self, row: Message) -> SafeString:
        return format_html('<bdi dir="ltr">{}</bdi>', masked_contacts(row.to))

    @admin.display(description=gettext_lazy("person"))
    def person(self, row: Message) -> SafeString | str:
        return format_html("<bdi>{}</bdi>", row.user) if row.user else history.NOTHING

    @admin.display(description=gettext_lazy("problem"))
    def told(self, row: Message) -> str:
        return _(row.problem) if row.problem else history.NOTHING
