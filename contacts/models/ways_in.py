"""Links that let people into their accounts."""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from contacts.emails import EMAIL_LENGTH
from contacts.models.people import Claim, Kind, User


class Invitation(models.Model):
    """A link by which a person sets a password; of its secret only a digest is stored."""

    user = models.ForeignKey(
        User,
        models.PROTECT,
        related_name="invitations",
        verbose_name=pgettext_lazy("heading", "person"),
    )
    # It serves as long as whoever made it may invite the person.
    made_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("made by")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # It was asked for by the person, who has forgotten their password.
    recovers = models.BooleanField(default=False, editable=False)
    # By which kind of contact it was sent; empty where somebody handed it on.
    sent_by = models.CharField(max_length=5, blank=True, editable=False)
    # The person's at that moment: whatever ends their sessions ends the link.
    session_stamp = models.CharField(max_length=32, editable=False)
    made_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("serves until"))
    used_at = models.DateTimeField(_("used"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return f"#{self.pk}"


class RecoveryCode(models.Model):
    """Six figures by which whoever has forgotten their password gets a link; stored is a digest of them."""

    user = models.ForeignKey(User, models.PROTECT, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    session_stamp = models.CharField(max_length=32)
    expires_at = models.DateTimeField()
    # Wrong ones that were tried.
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("code")
        verbose_name_plural = _("codes")

    def __str__(self) -> str:
        return f"#{self.pk}"


class ContactChange(models.Model):
    """Somebody else changed the contact that a person signs in with.

    Until `serves_until` the old one signs in too, and the person can take the change back.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="contact_changes")
    kind = models.CharField(max_length=5, choices=Kind)
    # As it was typed; empty if they had none.
    former = models.CharField(max_length=EMAIL_LENGTH, blank=True)
    hidden = models.BooleanField(default=False)
    # Whether what stands in its place was a secondary contact.
    promoted = models.BooleanField(default=False)
    # The person's hold on it. It goes with this row, unless a secondary contact has it.
    claim = models.OneToOneField(Claim, models.PROTECT, null=True, related_name="contact_change")
    # Of the link that takes it back, and what that is made of with the server's key.
    digest = models.CharField(max_length=64, blank=True)
    seed = models.UUIDField(default=uuid.uuid4, editable=False)
    serves_until = models.DateTimeField()

    class Meta:
        verbose_name = _("change of a contact")
        verbose_name_plural = _("changes of contacts")
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="contact_change_one_open"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @classmethod
    def open(cls, **of: Any) -> "models.QuerySet[ContactChange]":
        """Those that can be taken back still."""
        changes = cls._default_manager.select_related("claim")
        return changes.filter(serves_until__gt=timezone.now(), **of)
