"""Messages to people: rows first, sent after the change that they tell of."""

import uuid

from django.db import models
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.models import Channel
from contacts.emails import EMAIL_LENGTH
from contacts.models.people import Kind, User


class Purpose(TextChoices):
    """What a message is for."""

    INVITATION = "invitation", _("Invitation")
    RECOVERY = "recovery", _("Forgotten password")
    PASSWORD_SET = "password_set", _("A password was set")  # noqa: S105
    CONTACT_CHANGED = "contact_changed", _("A contact for sign-in was changed")
    REQUESTS = "requests", _("Requests to belong")


class MessageState(TextChoices):
    """Where a message stands."""

    WAITING = "waiting", _("Waiting")
    # Somebody sends it now, or was ended while they did.
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")


class Message(models.Model):
    """A message in the outbox. What it says is written when it is sent: no link or code is stored with it."""

    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose)
    kind = models.CharField(_("kind"), max_length=5, choices=Kind)
    # In canonical form.
    to = models.CharField(_("to"), max_length=EMAIL_LENGTH)
    # Of a forgotten password nobody is named: who holds the contact is looked up when it is sent.
    user = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        related_name="messages",
        verbose_name=pgettext_lazy("heading", "person"),
    )
    made_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", verbose_name=_("made by")
    )
    channel = models.CharField(max_length=20, choices=Channel, default=Channel.COMMAND)
    ip = models.GenericIPAddressField(null=True)
    request_id = models.UUIDField(default=uuid.uuid4)
    # Where its links lead: how the server is called by whoever made it.
    site = models.CharField(max_length=255, blank=True)
    language = models.CharField(max_length=5, blank=True)
    values = models.JSONField(default=dict)
    # What was written to the console, in a trial where nothing is set up to send by.
    shown = models.TextField(_("text"), blank=True)

    state = models.CharField(
        _("state"), max_length=10, choices=MessageState, default=MessageState.WAITING
    )
    made_at = models.DateTimeField(_("made"), default=timezone.now)
    # It is sent no earlier and no later.
    next_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    problem = models.CharField(_("problem"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(fields=["state", "next_at"], name="message_due"),
            models.Index(fields=["kind", "claimed_at"], name="message_of_day"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=MessageState.values), name="message_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
