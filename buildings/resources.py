"""Units, blocks and who belongs to them as tables, on the way out."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import Widget

from audit.resources import Text, When
from buildings.models import Apartment, Block, Membership, Occupancy
from buildings.permissions import Blocks
from contacts.resources import shown_email, shown_name, shown_phone


class WholeNumber(Widget):
    """An integer; empty stands for unknown."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)


class OccupancyName(Widget):
    """Its name in the reader's language."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(Occupancy(value).label)


class ApartmentResource(ModelResource):
    """Units, under headings that unit_table.py reads back: mended, the file can come in again."""

    id = Field("id", _("unit id"))
    block_id = Field("block_id", _("block id"))
    block = Field("block", _("block name"), Text())
    number = Field("number", _("number"), WholeNumber())
    floor = Field("floor", _("floor"), WholeNumber())
    name = Field("name", _("name"), Text())
    occupancy = Field("occupancy", _("occupancy"), OccupancyName())
    note = Field("note", _("note"), Text())

    class Meta:
        model = Apartment
        fields = ("id", "block_id", "block", "number", "floor", "name", "occupancy", "note")
        export_order = fields

    def __init__(self, *, blocks: Blocks, in_full: bool = False) -> None:
        super().__init__()


class BlockResource(ModelResource):
    """Blocks, on the way out."""

    id = Field("id", _("id"))
    building = Field("building", _("building"), Text())
    number = Field("number", _("number"), Text())
    name = Field("name", _("name"), Text())
    floors = Field("floors", _("floors"))
    units_planned = Field("units_planned", _("units planned"))
    status = Field("get_status_display", _("status"))

    class Meta:
        model = Block
        fields = ("id", "building", "number", "name", "floors", "units_planned", "status")
        export_order = fields

    def __init__(self, *, blocks: Blocks, in_full: bool = False) -> None:
        super().__init__()


class MembershipResource(ModelResource):
    """Who belongs to these blocks, on the way out. Hidden contacts stay hidden."""

    person = Field("user", _("person"))
    email = Field(column_name=_("email"))
    phone = Field(column_name=_("phone"))
    block = Field("block", _("block"), Text())
    apartment = Field("apartment", _("unit"), Text())
    role = Field("get_role_display", _("role"))
    status = Field("get_status_display", _("status"))
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

    def __init__(self, *, blocks: Blocks, in_full: bool = False) -> None:
        super().__init__()
        self.in_full = in_full

    def dehydrate_person(self, membership: Membership) -> str:
        return shown_name(membership.user)

    def dehydrate_email(self, membership: Membership) -> str:
        return shown_email(membership.user)

    def dehydrate_phone(self, membership: Membership) -> str:
        return shown_phone(membership.user, in_full=self.in_full)
