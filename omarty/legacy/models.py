"""What the legacy import stores for itself: which rows were imported, and which are in quarantine."""

from django.conf import settings
from django.db import models
from django.db.models import Q, TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class QuarantineReason(TextChoices):
    """Why a row of the legacy database, or the value of one column, was not imported."""

    ID_UNUSABLE = "id_unusable", _("Its id is not a positive whole number")
    ID_TAKEN = "id_taken", _("Its id belongs to another record here")
    LOST = "lost", _("Letters of it were lost: each is a question mark")
    NOT_PHONE = "not_phone", _("Not a phone number")
    NOT_EMAIL = "not_email", _("Not an e-mail address")
    HELD = "held", _("Held by somebody else")
    OWN = "own", _("The person has it already")
    ENDED = "ended", _("The person had it already, and it has ended here")
    LIMIT = "limit", _("The person has as many contacts as allowed")
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


# Reasons of whole rows for which there is nothing to do.
HARMLESS_ROWS = (QuarantineReason.OWN, QuarantineReason.SERVICE)


def harmless() -> Q:
    """Over the quarantine: what only says again what is here, or belongs to no person."""
    return Q(column="", reason__in=HARMLESS_ROWS)


class OwnIds(models.Model):
    """From which id on records are numbered that are made here; one row once a move has begun."""

    first = models.BigIntegerField()

    class Meta:
        verbose_name = _("first own id")
        verbose_name_plural = _("first own ids")

    def __str__(self) -> str:
        return str(self.first)


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
    gone_at = models.DateTimeField(
        _("deleted at the source"),
        null=True,
        blank=True,
        help_text=_("When a run first missed it."),
    )
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("done by"),
        related_name="+",
        null=True,
        blank=True,
    )

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

    @property
    def is_harmless(self) -> bool:
        """Whether nothing is missing here: a row that only says again what is here, or of a service."""
        return self.reason in HARMLESS_ROWS and not self.column
