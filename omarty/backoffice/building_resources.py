"""Units, blocks and who belongs to them as tables, on the way out."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import Widget

from buildings.models import Apartment, Block, Membership, Occupancy
from omarty.backoffice.entry_resources import Number, When
from omarty.backoffice.person_resources import shown_email, shown_phone


class OccupancyName(Widget):
    """Its name in the reader's language."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(Occupancy(value).label)


class ApartmentResource(ModelResource):
    """Units, under headings that unit_table.py reads back: mended, the file can come in again."""

    id = Field("id", _("unit id"), Number())
    block_id = Field("block_id", _("block id"), Number())
    block = Field("block", _("block name"))
    number = Field("number", _("number"), Number())
    floor = Field("floor", _("floor"), Number())
    name = Field("name", _("name"))
    occupancy = Field("occupancy", _("occupancy"), OccupancyName())
    note = Field("note", _("note"))

    class Meta:
        model = Apartment
        fields = ("id", "block_id", "block", "number", "floor", "name", "occupancy", "note")
        export_order = fields

    def __init__(self, *, in_full: bool = False) -> None:
        super().__init__()


class BlockResource(ModelResource):
    """Blocks, on the way out."""

    id = Field("id", _("id"), Number())
    building = Field("building", _("building"))
    number = Field("number", _("number"))
    name = Field("name", _("name"))
    floors = Field("floors", _("floors"), Number())
    units_planned = Field("units_planned", _("units planned"), Number())
    status = Field("get_status_display", _("status"))

    class Meta:
        model = Block
        fields = ("id", "building", "number", "name", "floors", "units_planned", "status")
        export_order = fields

    def __init__(self, *, in_full: bool = False) -> None:
        super().__init__()


class MembershipResource(ModelResource):
    """Who belongs to these blocks, on the way out. Hidden contacts stay hidden."""

    person = Field("user", _("person"))
    email = Field(column_name=_("email"))
    phone = Field(column_name=_("phone"))
    block = Field("block", _("block"))
    apartment = Field("apartment", _("unit"))
    role = Field("get_role_display", _("role"))
    status = Field("standing", _("status"))
    started_at = Field("started_at", _("since"), When())
    ended_at = Field("ended_at", _("until"), When())

    class Meta:
        model = Membership
        fields = (
            "person",
            "email",
            "phone",
            "block",
            "apartment",
            "role",
            "status",
            "started_at",
            "ended_at",
        )
        export_order = fields

    def __init__(self, *, in_full: bool = False) -> None:
        super().__init__()
        self.in_full = in_full

    def dehydrate_email(self, membership: Membership) -> str:
        return shown_email(membership.user)

    def dehydrate_phone(self, membership: Membership) -> str:
        return shown_phone(membership.user, in_full=self.in_full)
