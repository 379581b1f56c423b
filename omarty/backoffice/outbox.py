"""The outbox for superusers: which messages went to whom, and which did not; what they say is not stored."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.masking import masked_contacts
from contacts.models import Message, MessageState
from contacts.outbox import send_again
from omarty.backoffice.base import history
from omarty.backoffice.base.row_actions import OfficeAdmin, RowAction


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
            send_again(origin=self.origin, message=message)
        return [_("It is sent in a moment.")]


@admin.register(Message)
class MessageAdmin(OfficeAdmin):
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
