"""The audit log as a table, and what tables of other apps share with it."""

from typing import Any

from django.utils import timezone
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import Widget

from audit.models import Entry

# Spreadsheets take a text that starts so for a formula; an apostrophe before it says it is none.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
SHOWN = 3


def masked(contact: str) -> str:
    """A phone or e-mail of which only the end is told."""
    return "•" * max(0, len(contact) - SHOWN) + contact[-SHOWN:]


class Text(Widget):
    """Free text: trimmed on the way in, never a formula on the way out."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = "" if value is None else str(value).strip()
        return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        text = "" if value is None else str(value)
        return f"'{text}" if text.startswith(FORMULA) else text


class When(Widget):
    """A moment, in the viewer's zone, in a form that sorts."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"


class EntryResource(ModelResource):
    """Entries, on the way out. Of a contact only the last characters are told, for it may be hidden by
    now; what fields held before and after stays behind for the same reason.
    """

    at = Field("at", "when", When())
    channel = Field("get_channel_display", "way in")
    actor = Field("actor_label", "who", Text())
    action = Field("get_action_display", "action")
    refused = Field("refused", "refused because", Text())
    reason = Field("reason", "reason", Text())
    target = Field("target_label", "record", Text())
    person = Field("person_label", "person", Text())
    block = Field("block_label", "block", Text())
    apartment = Field("apartment_label", "unit", Text())
    latitude = Field("latitude", "latitude")
    longitude = Field("longitude", "longitude")
    ip = Field("ip", "IP address")
    request_id = Field("request_id", "request")

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
