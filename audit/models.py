"""The audit log: who did what, to what, when and from where; and its seals."""

import secrets
from typing import Any, Never

from django.db import models
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# Of the reason that somebody gives for what they do, in characters.
REASON_LENGTH = 200


class Action(TextChoices):
    """What was done, or refused if the entry's `refused` says so."""

    SIGNED_IN = "user.signed_in", _("Sign-in")
    SIGNED_OUT = "user.signed_out", _("Sign-out")
    SESSION_RENEWED = "user.session_renewed", _("Session renewed")
    SESSION_ENDED = "user.session_ended", _("Session ended")
    USER_REGISTERED = "user.registered", _("Person registered")
    PASSWORD_CHANGED = "user.password_changed", _("Password changed")  # noqa: S105
    SESSIONS_ENDED = "user.sessions_ended", _("All sessions ended")
    SUPERUSER_REVOKED = "user.superuser_revoked", _("Superuser's right revoked")
    INVITED = "user.invited", _("Invitation made")
    INVITATION_ENDED = "user.invitation_ended", _("Invitation ended")
    INVITATION_USED = "user.invitation_used", _("Invitation used")
    RECOVERY_SENT = "user.recovery_sent", _("Way in sent after a forgotten password")
    MESSAGE_SENT_AGAIN = "message.sent_again", _("Message sent again")
    SECOND_FACTOR_ASKED = "user.second_factor_asked", _("Password right, code asked for")
    SECOND_FACTOR_SET_UP = "user.second_factor_set_up", _("Second factor set up")
    RECOVERY_CODES_MADE = "user.recovery_codes_made", _("New recovery codes made")
    RECOVERY_CODE_USED = "user.recovery_code_used", _("Recovery code used")
    SECOND_FACTOR_OFF = "user.second_factor_off", _("Second factor switched off")
    SECOND_FACTOR_RESET = "user.second_factor_reset", _("Second factor taken off by somebody else")
    SECOND_FACTOR_REQUIRED = "second_factor.required", _("Of whom a second factor is required")
    UNLOCKED = "user.unlocked", _("Pause after wrong passwords ended")
    NOTICES_CHOSEN = "user.notices_chosen", _("E-mails about requests chosen")
    NAME_CORRECTED = "user.name_corrected", _("Name corrected")
    STATUS_CHANGED = "user.status_changed", _("Person's status changed")
    CONTACT_ADDED = "contact.added", _("Contact added")
    CONTACT_CHANGED = "contact.changed", _("Contact edited")
    CONTACT_REMOVED = "contact.removed", _("Contact removed")
    CONTACT_PROMOTED = "contact.promoted", _("Contact used for sign-in")
    CONTACT_TAKEN_BACK = "contact.taken_back", _("Change of a contact taken back")
    CONTACT_HIDDEN = "contact.hidden", _("Contact hidden or shown")
    CONTACTS_REVEALED = "contact.revealed", _("Hidden contacts seen")
    BUILDING_REGISTERED = "building.registered", _("Building registered")
    BUILDING_CHANGED = "building.changed", _("Building edited")
    BLOCK_REGISTERED = "block.registered", _("Block registered")
    BLOCK_CHANGED = "block.changed", _("Block edited")
    APARTMENT_REGISTERED = "apartment.registered", _("Unit registered")
    APARTMENT_CHANGED = "apartment.changed", _("Unit edited")
    APARTMENT_MERGED = "apartment.merged", _("Unit merged into another")
    APARTMENT_RETIRED = "apartment.closed", _("Unit retired")
    APARTMENT_REINSTATED = "apartment.reopened", _("Unit reinstated")
    MEMBERSHIP_STARTED = "membership.started", _("Membership started")
    MEMBERSHIP_APPROVED = "membership.approved", _("Request approved")
    MEMBERSHIP_REOPENED = "membership.reopened", _("Request waits again")
    MEMBERSHIP_REFUSED = "membership.refused", _("Request refused")
    MEMBERSHIP_ROLE_CHANGED = "membership.role_changed", _("Role changed")
    MEMBERSHIP_MOVED = "membership.moved", _("Moved to another unit")
    MEMBERSHIP_ENDED = "membership.ended", _("Membership ended")
    MEMBERSHIP_BANNED = "membership.banned", _("Banned from the block")
    MEMBERSHIP_READMITTED = "membership.readmitted", _("Readmitted to the block")
    USER_ERASED = "user.erased", _("Person anonymised")
    ENTRIES_ARCHIVED = "audit.archived", _("Entries archived")
    EXPORTED = "data.exported", _("Data exported")

    # Moving in from the legacy server.
    LEGACY_CHANGED = "legacy.changed", _("Brought up to date from the legacy server")
    LEGACY_QUARANTINED = "legacy.quarantined", _("Legacy row put in quarantine")
    LEGACY_DONE = "legacy.done", _("Legacy row dealt with")
    LEGACY_REOPENED = "legacy.reopened", _("Legacy row to be dealt with again")
    # Actions of the legacy server's own log that have no counterpart here.
    LEGACY_INSERTED = "legacy.inserted", _("Data inserted (legacy)")
    LEGACY_VIEWED = "legacy.viewed", _("Data viewed (legacy)")
    LEGACY_MEETING = "legacy.meeting", _("Meeting requested (legacy)")
    LEGACY_EVENT = "legacy.event", _("Event created (legacy)")
    LEGACY_DECISION = "legacy.decision", _("Decision created (legacy)")
    LEGACY_NEWS = "legacy.news", _("News added (legacy)")
    LEGACY_OFFER = "legacy.offer", _("Offer created (legacy)")
    LEGACY_SERVICE = "legacy.service", _("Service added (legacy)")
    LEGACY_FAVOURITE = "legacy.favourite", _("Favourite added (legacy)")
    LEGACY_UNIT_ASKED = "legacy.unit_asked", _("Unit asked for (legacy)")
    LEGACY_UPDATED = "legacy.updated", _("Data updated (legacy)")
    LEGACY_COMMENT = "legacy.comment", _("Comment added (legacy)")
    LEGACY_COMPLAINT = "legacy.complaint", _("Complaint made (legacy)")
    LEGACY_SUGGESTION = "legacy.suggestion", _("Suggestion made (legacy)")
    LEGACY_PAYMENT = "legacy.payment", _("Payment (legacy)")
    LEGACY_ACCOUNT = "legacy.account", _("Financial account created (legacy)")
    LEGACY_DELETED = "legacy.deleted", _("Data deleted (legacy)")
    LEGACY_CHAT = "legacy.chat", _("Chat (legacy)")
    LEGACY_OTHER = "legacy.other", _("Something else (legacy)")


class Channel(TextChoices):
    """How an action reached Omarty."""

    API = "api", _("App")
    BACK_OFFICE = "back_office", _("Back-office")
    COMMAND = "command", _("Command")
    LINK = "link", _("Link")
    LEGACY = "legacy", _("Legacy server")


def new_salt() -> str:
    """A fresh value for `Entry.actor_proof` and `Entry.subject_proof`."""
    return secrets.token_hex(16)


class EntryQuerySet(models.QuerySet["Entry"]):
    """Entries can be added and read; nothing in the application changes or deletes them."""

    def update(self, **kwargs: Any) -> Never:
        raise TypeError("Audit entries are never changed.")

    def delete(self) -> Never:
        raise TypeError("Audit entries are never deleted.")


class Entry(models.Model):
    """One entry of the audit log.

    It names records by id and label and has no foreign keys, so that it outlives what it names.
    """

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    request_id = models.UUIDField(_("request id"), db_index=True)
    channel = models.CharField(_("channel"), max_length=20, choices=Channel)

    actor_id = models.BigIntegerField(_("actor's id"), null=True, db_index=True)
    actor_label = models.CharField(_("actor"), max_length=255, blank=True)

    action = models.CharField(_("action"), max_length=40, choices=Action)
    refused = models.CharField(_("refused because"), max_length=100, blank=True)
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH, blank=True)

    target_type = models.CharField(_("kind of record"), max_length=40, blank=True)
    target_id = models.BigIntegerField(_("record's id"), null=True)
    target_label = models.CharField(_("record"), max_length=255, blank=True)

    person_id = models.BigIntegerField(_("person's id"), null=True, db_index=True)
    person_label = models.CharField(_("person concerned"), max_length=255, blank=True)
    block_id = models.BigIntegerField(_("block's id"), null=True, db_index=True)
    block_label = models.CharField(pgettext_lazy("heading", "block"), max_length=255, blank=True)
    apartment_id = models.BigIntegerField(_("unit's id"), null=True)
    apartment_label = models.CharField(pgettext_lazy("heading", "unit"), max_length=255, blank=True)

    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)

    longitude = models.DecimalField(_("longitude"), max_digits=10, decimal_places=7, null=True)
    latitude = models.DecimalField(_("latitude"), max_digits=10, decimal_places=7, null=True)
    ip = models.GenericIPAddressField(_("IP address"), null=True)

    # The salt of the commitment to the actor's part of the entry, and of that to the subject's part.
    # Once such a part is erased: the commitment itself (audit/sealing.py).
    actor_proof = models.CharField(max_length=64, default=new_salt, editable=False)
    subject_proof = models.CharField(max_length=64, default=new_salt, editable=False)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("audit log")
        indexes = [models.Index(fields=["target_type", "target_id"], name="entry_target")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(channel__in=Channel.values), name="entry_channel_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.target_label}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Audit entries are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        raise TypeError("Audit entries are never deleted.")


class Seal(models.Model):
    """Proof of a run of entries: a digest that continues the previous seal's. The seal file has it too."""

    number = models.PositiveIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("when"))
    by = models.CharField(_("by"), max_length=255)
    first_id = models.BigIntegerField(_("first entry"))
    last_id = models.BigIntegerField(_("last entry"))
    entries = models.PositiveIntegerField(_("entries"))
    digest = models.CharField(_("digest"), max_length=64)
    # The file that the entries were moved to; empty while they are in the database.
    archive = models.CharField(_("archive file"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")

    def __str__(self) -> str:
        return f"{self.number}: {self.first_id}–{self.last_id}"
