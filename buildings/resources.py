"""Units as a table: what a row of a file means, and what a list gives out.

A row with an `id` changes that unit, one without registers a new one. Columns that are left out
are left alone. Every row goes through the operations.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.widgets import Widget

from audit.operations import Origin
from audit.resources import Text, When
from buildings.models import Apartment, Block, Membership, Occupancy
from buildings.operations import ApartmentExists, change_apartment, register_apartment
from buildings.permissions import Blocks
from contacts.canonical import western_digits
from contacts.resources import shown_email, shown_name, shown_phone

CHANGEABLE = ("number", "floor", "name", "occupancy", "note")


class WholeNumber(Widget):
    """An integer, in any digits; empty stands for unknown. Nothing is guessed or cut."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = "" if value is None else western_digits(str(value)).strip()
        try:
            return int(text) if text else None
        except ValueError:
            raise ValueError(_("“%s” is not a whole number.") % value) from None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)


class OccupancyName(Widget):
    """Its name in any of our languages, or the word that the database holds."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        text = "" if value is None else str(value).strip().lower()
        if not text:
            return Occupancy.VACANT
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                for each in Occupancy:
                    if text in (each.value, str(each.label).lower()):
                        return each
        known = ", ".join(str(each.label) for each in Occupancy)
        raise ValueError(_("“%(value)s” is none of: %(known)s.") % {"value": value, "known": known})

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(Occupancy(value).label) if value else ""


class BlockId(WholeNumber):
    """One of the blocks that may be changed; left empty, the only one."""

    def __init__(self, blocks: Blocks) -> None:
        super().__init__()
        self.choices = blocks.only(Block.objects.all(), "pk")
        self.known: dict[int, Block] = {}

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        number = super().clean(value)
        if number is None:
            return self._only()
        if number not in self.known:
            block = self.choices.filter(pk=number).first()
            if block is None:
                raise ValueError(_("There is no block with this id."))
            self.known[number] = block
        return self.known[number]

    def _only(self) -> Block:
        blocks = list(self.choices[:2])
        if len(blocks) != 1:
            raise ValueError(_("Say which block: its id."))
        return blocks[0]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value.pk)


class ApartmentResource(ModelResource):
    """Units of these blocks. Without an origin it only gives out."""

    id = Field("id", "id", WholeNumber(), readonly=True)
    block_name = Field("block", "block", Text(), readonly=True)
    block = Field("block", "block_id")
    number = Field("number", "number", WholeNumber())
    floor = Field("floor", "floor", WholeNumber())
    name = Field("name", "name", Text())
    occupancy = Field("occupancy", "occupancy", OccupancyName())
    note = Field("note", "note", Text())

    class Meta:
        model = Apartment
        fields = ("id", "block_name", "block", *CHANGEABLE)
        export_order = import_order = fields
        # The id is looked up by `get_instance()`: not every file has one.
        import_id_fields = ()
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        store_row_values = True
        store_instance = True
        skip_html_diff = True

    def __init__(
        self, *, blocks: Blocks, origin: Origin | None = None, in_full: bool = False
    ) -> None:
        super().__init__()
        self.origin = origin
        self.units = blocks.only(Apartment.objects.select_related("block"), "block_id")
        self.fields["block"].widget = BlockId(blocks)

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        known = {field.column_name for field in self.fields.values()}
        headers = {str(each).strip() for each in dataset.headers or []}
        if unknown := sorted(headers - known):
            raise ValueError(
                _("Unknown columns: %(names)s. Known are: %(known)s.")
                % {"names": ", ".join(unknown), "known": ", ".join(sorted(known))}
            )

    def get_instance(self, instance_loader: Any, row: Any) -> Apartment | None:
        """The unit that the row's id names; a foreign one is as unknown as none at all."""
        try:
            pk = WholeNumber().clean(row.get("id"))
        except ValueError as error:
            raise ValidationError({"id": str(error)}) from error
        if pk is None:
            return None
        unit = self.units.filter(pk=pk).first()
        if unit is None:
            raise ValidationError({"id": _("There is no unit with this id.")})
        return unit

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        block_id = instance.block_id
        if block_id is None and "block_id" not in row:
            row["block_id"] = None
        if block_id is not None and not row.get("block_id"):
            row["block_id"] = block_id
        super().import_instance(instance, row, **kwargs)
        if block_id is not None and instance.block_id != block_id:
            raise ValidationError({"block": _("A unit stays in its block.")})

    def do_instance_save(self, instance: Any, is_create: bool) -> None:
        assert self.origin is not None, "this resource only gives out"  # noqa: S101
        values = {name: getattr(instance, name) for name in CHANGEABLE}
        try:
            if is_create:
                unit = register_apartment(origin=self.origin, block=instance.block, **values)
                instance.pk = unit.pk
            else:
                change_apartment(origin=self.origin, apartment=instance, changes=values)
        except ApartmentExists as error:
            raise ValidationError(
                {"number": _("The block has a unit of that number already.")}
            ) from error


class BlockResource(ModelResource):
    """Blocks, on the way out."""

    id = Field("id", "id")
    building = Field("building", "building", Text())
    number = Field("number", "number", Text())
    name = Field("name", "name", Text())
    floors = Field("floors", "floors")
    units_planned = Field("units_planned", "units_planned")
    status = Field("get_status_display", "status")

    class Meta:
        model = Block
        fields = ("id", "building", "number", "name", "floors", "units_planned", "status")
        export_order = fields

    def __init__(self, *, blocks: Blocks, in_full: bool = False) -> None:
        super().__init__()


class MembershipResource(ModelResource):
    """Who belongs to these blocks, on the way out. Hidden contacts stay hidden."""

    person = Field("user", "person")
    email = Field(column_name="email")
    phone = Field(column_name="phone")
    block = Field("block", "block", Text())
    apartment = Field("apartment", "unit", Text())
    role = Field("get_role_display", "role")
    status = Field("get_status_display", "status")
    started_at = Field("started_at", "since", When())
    ended_at = Field("ended_at", "until", When())

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
