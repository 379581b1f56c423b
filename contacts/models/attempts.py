"""What is counted: attempts, refusals, and from where people have signed in."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models.people import User


class KnownAddress(models.Model):
    """A person has signed in from this address. `digest` tells nobody from which."""

    user = models.ForeignKey(User, models.PROTECT, related_name="known_addresses")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(_("last used"), default=timezone.now)

    class Meta:
        verbose_name = _("known address")
        verbose_name_plural = _("known addresses")
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="known_address_once"),
        ]

    def __str__(self) -> str:
        return self.digest[:8]


class EventCount(models.Model):
    """How often something happened in a period, such as a refusal. `digest` tells nobody of whom."""

    digest = models.CharField(max_length=64, primary_key=True)
    since = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("count")
        verbose_name_plural = _("counts")

    def __str__(self) -> str:
        return f"{self.digest[:8]}: {self.count}"
