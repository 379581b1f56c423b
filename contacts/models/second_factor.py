"""What people prove themselves by besides their password, and of whom it is required."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from contacts.models.people import User


class SecondFactor(models.Model):
    """An authenticator that a person has set up, and their recovery codes.

    The authenticator's key is nowhere: it is derived from `seed` and SECRET_KEY. `codes` has digests.
    """

    user = models.OneToOneField(
        User,
        models.PROTECT,
        related_name="second_factor",
        verbose_name=pgettext_lazy("heading", "person"),
    )
    set_up_at = models.DateTimeField(_("set up"), default=timezone.now, editable=False)
    seed = models.CharField(max_length=64, editable=False)
    # Of the code used last: none of its time or before serves again.
    last_step = models.BigIntegerField(editable=False)
    # Of the recovery codes that nobody has used.
    codes: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list, editable=False)

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return f"#{self.pk}"


class RequiredOf(models.TextChoices):
    """Of whom a second factor is required in the back-office."""

    NOBODY = "nobody", _("Nobody: who wants one sets it up")
    SUPERUSERS = "superusers", _("Superusers")
    STAFF = "staff", _("Everybody who signs in to the back-office")


class SecondFactorRule(models.Model):
    """The community's choice: one row."""

    required_of = models.CharField(
        _("required of"), max_length=10, choices=RequiredOf, default=RequiredOf.NOBODY
    )

    class Meta:
        verbose_name = _("rule of second factors")
        verbose_name_plural = _("rules of second factors")

    def __str__(self) -> str:
        return f"#{self.pk}"
