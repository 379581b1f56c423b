"""What the legacy import stores for itself: which rows were imported, and which are in quarantine."""

from django.db import models
from django.db.models import Q, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class QuarantineReason(TextChoices):
    """Why a row of the legacy database, or the value of one column, was not imported."""

    ID_UNUSABLE = "id_unusable", _("Its id is not a positive whole number")
    ID_TAKEN = "id_taken", _("Its id belongs to another record here")
    NOT_PHONE = "not_phone", _("Not a phone number")
    NOT_EMAIL = "not_email", _("Not an e-mail address")
    HELD = "held", _("Held by somebody else")
    OWN = "own", _("The person has it already")
    SERVICE = "service", _("Belongs to a service")
    NO_PERSON = "no_person", _("Names no person that came in")
    NO_BLOCK = "no_block", _("Names no block that came in")
    NO_PLACE = "no_place", _("Names a place that did not come in")
    NO_UNIT = "no_unit", _("Names a unit that did not come in")
    UNIT_ELSEWHERE = "unit_elsewhere", _("Names a unit of another block")
    ROLE_UNKNOWN = "role_unknown", _("Unknown role")
    STATUS_UNKNOWN = "status_unknown", _("Unknown status")
    PASSWORD_UNKNOWN = "password_unknown", _("Not a password hash of the legacy server")  # noqa: S105
    NUMBER_TAKEN = "number_taken", _("The block has a unit of that number already")
    OUT_OF_RANGE = "out_of_range", _("Outside the range that the register holds")
    TOO_LONG = "too_long", _("Longer than the register holds; it was cut")
    NOT_A_PLACE = "not_a_place", _("Not a longitude or latitude")
    NO_DATE = "no_date", _("No date that can be read")
    MOVED = "moved", _("Belongs to somebody or something else now; to be moved by hand")
    CHANGED_HERE = "changed_here", _("Changed here as well; the legacy change was not taken")


class LegacyRow(models.Model):
    """A row of the legacy database that was imported: how a later import tells what changed, and where.

    `imported` has two digests by field name: of the legacy value, and of ours after the import.
    """

    table = models.CharField(max_length=40)
    key = models.CharField(max_length=80)
    record_id = models.BigIntegerField(null=True)
    imported = models.JSONField()

    class Meta:
        verbose_name = _("imported legacy row")
        verbose_name_plural = _("imported legacy rows")
        db_table = "buildings_legacyrow"
        constraints = [models.UniqueConstraint(fields=["table", "key"], name="legacy_row_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.key}"


class QuarantinedRow(models.Model):
    """What could not be imported from the legacy database: a whole row, or the value of one column."""

    table = models.CharField(_("legacy table"), max_length=40)
    key = models.CharField(_("legacy id"), max_length=80)
    column = models.CharField(
        _("column"), max_length=64, blank=True, help_text=_("Empty: the whole row.")
    )
    reason = models.CharField(_("reason"), max_length=20, choices=QuarantineReason)
    source = models.JSONField(
        _("legacy row"), help_text=_("As it was read, without passwords and keys.")
    )
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("quarantined legacy row")
        verbose_name_plural = _("quarantined legacy rows")
        db_table = "buildings_quarantinedrow"
        constraints = [
            models.UniqueConstraint(fields=["table", "key", "column"], name="quarantined_once"),
            models.CheckConstraint(
                condition=Q(reason__in=QuarantineReason.values), name="quarantine_reason_known"
            ),
        ]

    def __str__(self) -> str:
        where = f"{self.table} {self.key} {self.column}".strip()
        return f"{where}: {QuarantineReason(self.reason).label}"
