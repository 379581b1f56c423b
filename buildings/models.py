"""Buildings, their blocks and units, and who belongs to them with what right."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q, TextChoices
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from contacts.constraints import CompositeForeignKey
from contacts.folding import FoldedField, FoldedModel, FoldedRows
from contacts.models import Status, User

# contract/answers.md, CreateApartment rows 1 and 2.
LOWEST_FLOOR, HIGHEST_FLOOR = -20, 200
LOWEST_NUMBER, HIGHEST_NUMBER = 1, 999_999


class Occupancy(TextChoices):
    """Whether anybody lives in a unit."""

    VACANT = "vacant", _("Vacant")
    OCCUPIED = "lived_in", _("Occupied")
    UNOCCUPIED = "closed", _("Owned, unoccupied")
    BEING_FINISHED = "being_finished", _("Being finished")


class Role(TextChoices):
    """What a person is in a block."""

    MANAGER = "manager", _("Block manager")
    CASHIER = "cashier", _("Cashier")
    BOARD = "board", _("Board member")
    VENDOR = "vendor", _("Vendor")
    CLIENT = "client", _("Client")
    RESIDENT = "resident", _("Resident")
    WATCHMAN = "watchman", _("Watchman")


# The statuses of blocks and memberships: in Arabic both are feminine, and a person is not.
STATUS_LABELS = {
    Status.PENDING.value: _("Pending"),
    Status.ACTIVE.value: pgettext_lazy("block or membership", "Active"),
    Status.BANNED.value: pgettext_lazy("block or membership", "Banned"),
}


class Building(FoldedModel):
    """A compound or address that one or more blocks stand in."""

    name_ar = models.CharField(_("Arabic name"), max_length=255, blank=True)
    name_en = models.CharField(_("English name"), max_length=255, blank=True)
    country = models.CharField(_("country"), max_length=128, blank=True)
    governorate = models.CharField(_("governorate"), max_length=128, blank=True)
    city = models.CharField(_("city"), max_length=128, blank=True)
    region = models.CharField(_("region"), max_length=128, blank=True)
    street = models.CharField(_("street"), max_length=128, blank=True)
    folded = FoldedField(max_length=1000, derived_from=("name_ar", "name_en", "street", "city"))

    objects = FoldedRows["Building"].as_manager()

    class Meta:
        verbose_name = _("building")
        verbose_name_plural = _("buildings")

    def __str__(self) -> str:
        return self.name_en or self.name_ar or ", ".join(self.address) or f"#{self.pk}"

    @property
    def address(self) -> list[str]:
        """What a building without a name is called by: street and city, or what else is known."""
        near = [self.street, self.city]
        return [text for text in near if text] or [
            text for text in (self.region, self.governorate, self.country) if text
        ]


class Block(FoldedModel):
    """A part of a building with its own entrance."""

    building = models.ForeignKey(
        Building,
        models.PROTECT,
        verbose_name=pgettext_lazy("heading", "building"),
        related_name="blocks",
    )
    number = models.CharField(pgettext_lazy("block", "number"), max_length=32)
    name = models.CharField(pgettext_lazy("block", "name"), max_length=128, blank=True)
    folded = FoldedField(max_length=200, derived_from=("number", "name"))
    floors = models.PositiveIntegerField(_("floors"), null=True, blank=True)
    units_planned = models.PositiveIntegerField(_("units planned"), null=True, blank=True)
    longitude = models.DecimalField(
        _("longitude"),
        max_digits=10,
        decimal_places=7,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    latitude = models.DecimalField(
        _("latitude"),
        max_digits=10,
        decimal_places=7,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    status = models.CharField(
        _("status"), max_length=10, choices=STATUS_LABELS, default=Status.ACTIVE
    )
    created_at = models.DateTimeField(_("registered"), default=timezone.now, editable=False)

    objects = FoldedRows["Block"].as_manager()

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="block_status_known"
            ),
        ]

    def __str__(self) -> str:
        return block_label(self.number, self.name)


def block_label(number: str, name: str) -> str:
    """The label of a block: its number and name."""
    return f"{number} {name}".strip()


class Apartment(FoldedModel):
    """A unit of a block. Number and floor may be unknown: legacy data has such units.

    A unit with history is never deleted; `closed_at` says since when it is retired, and `merged_into`
    which unit took over its people if it had been registered twice.
    """

    block = models.ForeignKey(
        Block,
        models.PROTECT,
        verbose_name=pgettext_lazy("heading", "block"),
        related_name="apartments",
    )
    number = models.IntegerField(
        pgettext_lazy("unit", "number"),
        null=True,
        blank=True,
        validators=[MinValueValidator(LOWEST_NUMBER), MaxValueValidator(HIGHEST_NUMBER)],
    )
    floor = models.IntegerField(
        _("floor"),
        null=True,
        blank=True,
        validators=[MinValueValidator(LOWEST_FLOOR), MaxValueValidator(HIGHEST_FLOOR)],
    )
    name = models.CharField(pgettext_lazy("unit", "name"), max_length=32, blank=True)
    folded = FoldedField(max_length=64, derived_from=("name",))
    occupancy = models.CharField(
        _("occupancy"), max_length=20, choices=Occupancy, default=Occupancy.VACANT
    )
    note = models.CharField(_("note"), max_length=255, blank=True)
    closed_at = models.DateTimeField(_("retired"), null=True, blank=True, editable=False)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        verbose_name=_("merged into"),
        related_name="merged",
        null=True,
        blank=True,
        editable=False,
    )
    created_at = models.DateTimeField(_("registered"), default=timezone.now, editable=False)

    objects = FoldedRows["Apartment"].as_manager()

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        constraints = [
            models.UniqueConstraint(
                fields=["block", "number"],
                name="apartment_number_once",
                violation_error_message=_("The block has a unit of that number already."),
            ),
            models.UniqueConstraint(fields=["id", "block"], name="apartment_of_block"),
            models.CheckConstraint(
                condition=Q(number__isnull=True)
                | Q(number__gte=LOWEST_NUMBER, number__lte=HIGHEST_NUMBER),
                name="apartment_number_range",
            ),
            models.CheckConstraint(
                condition=Q(floor__isnull=True)
                | Q(floor__gte=LOWEST_FLOOR, floor__lte=HIGHEST_FLOOR),
                name="apartment_floor_range",
            ),
            models.CheckConstraint(
                condition=Q(occupancy__in=Occupancy.values), name="apartment_occupancy_known"
            ),
        ]

    def __str__(self) -> str:
        return unit_label(self.pk, self.number, self.name)


def unit_label(pk: int | None, number: int | None, name: str) -> str:
    """The label of a unit: its number and name, or its id if it has no number."""
    label = f"#{pk}" if number is None else str(number)
    return f"{label} ({name})" if name else label


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Current and former memberships."""

    def current(self) -> "MembershipQuerySet":
        """Those that have not ended."""
        return self.filter(ended_at__isnull=True)

    def waiting(self) -> "MembershipQuerySet":
        """Requests: those that nobody has approved or refused yet."""
        return self.current().filter(status=Status.PENDING)

    def active(self) -> "MembershipQuerySet":
        """Current ones that are neither asked for nor banned."""
        return self.current().filter(status=Status.ACTIVE)

    def managing(self) -> "MembershipQuerySet":
        """The active ones of managers who are not banned themselves."""
        return self.active().filter(role=Role.MANAGER, user__status=Status.ACTIVE)


class Membership(models.Model):
    """A person in a block, usually in one of its units. It ends when they move out, and stays stored."""

    user = models.ForeignKey(
        User,
        models.PROTECT,
        verbose_name=pgettext_lazy("heading", "person"),
        related_name="memberships",
    )
    block = models.ForeignKey(
        Block,
        models.PROTECT,
        verbose_name=pgettext_lazy("heading", "block"),
        related_name="memberships",
    )
    apartment = models.ForeignKey(
        Apartment,
        models.PROTECT,
        verbose_name=pgettext_lazy("heading", "unit"),
        related_name="memberships",
        null=True,
        blank=True,
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.RESIDENT)
    status = models.CharField(
        _("status"), max_length=10, choices=STATUS_LABELS, default=Status.PENDING
    )
    started_at = models.DateTimeField(_("since"), null=True, blank=True)
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        # The menu of every page counts who waits.
        indexes = [models.Index(fields=["status", "ended_at", "block"], name="membership_waiting")]
        constraints = [
            CompositeForeignKey(
                fields=["apartment", "block"],
                to_fields=["id", "block"],
                name="membership_apartment_in_block",
                violation_error_message=_("The unit is not in this block."),
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="membership_status_known"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True)
                | Q(started_at__isnull=True)
                | Q(ended_at__gte=models.F("started_at")),
                name="membership_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        """Only the person's name: the audit log stores it as a label, independent of language."""
        return str(self.user)

    @property
    def waits(self) -> bool:
        """Whether it is a request that nobody has answered yet."""
        return self.ended_at is None and self.status == Status.PENDING

    @property
    def standing(self) -> str:
        """The status in the reader's language; "Ended" for a former membership, whatever its status."""
        return gettext("Ended") if self.ended_at is not None else self.get_status_display()


class NoticeChoice(TextChoices):
    """When a manager is told by e-mail of who asks to belong to their blocks."""

    AT_ONCE = "at_once", _("At once, and again after 24 and 48 hours")
    DAILY = "daily", _("Once a day, in the morning")
    NEVER = "never", _("Never")


class RequestNotices(models.Model):
    """How a manager is told of requests, and up to when they were; who has no row is told at once."""

    user = models.OneToOneField(
        User,
        models.PROTECT,
        related_name="request_notices",
        verbose_name=pgettext_lazy("heading", "person"),
    )
    choice = models.CharField(
        _("e-mails about requests"),
        max_length=10,
        choices=NoticeChoice,
        default=NoticeChoice.AT_ONCE,
    )
    # Of what came due until then the manager was told.
    told_until = models.DateTimeField(_("told until"))

    class Meta:
        verbose_name = _("e-mails about requests")
        verbose_name_plural = _("e-mails about requests")
        constraints = [
            models.CheckConstraint(
                condition=Q(choice__in=NoticeChoice.values), name="notice_choice_known"
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)


def occupied_by_nobody() -> Q:
    """Over units: marked as occupied, though nobody is an active member."""
    return Q(occupancy=Occupancy.OCCUPIED) & ~_has_members()


def vacant_with_people() -> Q:
    """Over units: marked as vacant, though somebody is an active member."""
    return Q(occupancy=Occupancy.VACANT) & _has_members()


def _has_members() -> Q:
    return Q(Exists(Membership.objects.active().filter(apartment=OuterRef("pk"))))
