"""The audit log as a table, and what tables of other apps share with it."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import Widget

from audit.cells import masked, safe
from audit.models import Entry


class Text(Widget):
    """Free text, never a formula."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(safe(str(value)))


class When(Widget):
    """A moment, in the viewer's zone, in a form that sorts."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"


class EntryResource(ModelResource):
    """Entries, on the way out. Of a contact only the last characters are told, for it may be hidden by
    now; what fields held before and after stays behind for the same reason.
    """

    at = Field("at", _("when"), When())
    channel = Field("get_channel_display", _("way in"))
    actor = Field("actor_label", _("who"), Text())
    action = Field("get_action_display", _("action"))
    refused = Field("refused", _("refused because"), Text())
    reason = Field("reason", _("reason"), Text())
    target = Field("target_label", _("record"), Text())
    person = Field("person_label", _("person"), Text())
    block = Field("block_label", _("block"), Text())
    apartment = Field("apartment_label", _("unit"), Text())
    latitude = Field("latitude", _("latitude"))
    longitude = Field("longitude", _("longitude"))
    ip = Field("ip", _("IP address"))
    request_id = Field("request_id", _("request"))

    class Meta:
        model = Entry
        fields = (
            "at",
            "channel",
            "actor",
            "action",
            "refused",
            "reason",
            "target",
            "person",
            "block",
            "apartment",
            "latitude",
            "longitude",
            "ip",
            "request_id",
        )
        export_order = fields

    def __init__(self, *, blocks: Any, in_full: bool = False) -> None:
        super().__init__()

    def dehydrate_target(self, entry: Entry) -> str:
        if entry.action.startswith("contact."):
            return masked(entry.target_label)
        return Text().render(entry.target_label)
