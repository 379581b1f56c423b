"""The audit log as a table, and what tables of other apps share with it."""

import json
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import Widget

from audit.models import Entry
from contacts.masking import masked_contacts


class Number(Widget):
    """A number that a spreadsheet can sort and add up; empty stands for unknown."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value


class When(Widget):
    """A moment on the viewer's clock, to the second, as spreadsheets know it."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value and timezone.localtime(value).replace(microsecond=0, tzinfo=None)


class Text(Widget):
    """Words of an entry; a contact among them is told only in part."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return masked_contacts(value)


class Facts(Widget):
    """What fields held, as JSON; a contact among it is told only in part."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else masked_contacts(json.dumps(value, ensure_ascii=False))


class EntryResource(ModelResource):
    """Entries, on the way out. Whoever gives them out hides what must be hidden by now."""

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
    before = Field("before", _("before"), Facts())
    after = Field("after", _("after"), Facts())
    latitude = Field("latitude", _("latitude"), Number())
    longitude = Field("longitude", _("longitude"), Number())
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
            "before",
            "after",
            "latitude",
            "longitude",
            "ip",
            "request_id",
        )
        export_order = fields

    def __init__(self, *, in_full: bool = False) -> None:
        super().__init__()
