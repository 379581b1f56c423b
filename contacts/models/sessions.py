"""Sign-ins that serve, in the app and in the back-office."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from contacts.models.people import User

# Of what a device is called, in characters.
DEVICE_LENGTH = 60


def key_digest(key: str) -> str:
    """Tells apart by which key a session was signed; says nothing of the key."""
    return salted_hmac("contacts.key", "", secret=key, algorithm="sha256").hexdigest()[:16]


def app_key() -> str:
    """By which key the app's sessions are signed today."""
    return key_digest(settings.JWT_SIGNING_KEY)


def backoffice_key() -> str:
    """By which key the back-office's sessions are signed today."""
    return key_digest(settings.SECRET_KEY)


class AppSession(models.Model):
    """A sign-in in the app: there while it serves. Its tokens carry its id and its person's stamp."""

    in_app = True

    user = models.ForeignKey(
        User,
        models.PROTECT,
        related_name="app_sessions",
        verbose_name=pgettext_lazy("heading", "person"),
    )
    # The ids of the refresh token that serves, and of the one that was traded for it.
    token_id = models.CharField(max_length=32, editable=False)
    former_token_id = models.CharField(max_length=32, blank=True, editable=False)
    signed_by = models.CharField(max_length=16, default=app_key, editable=False)
    started_at = models.DateTimeField(_("signed in"), default=timezone.now)
    renewed_at = models.DateTimeField(_("last used"), default=timezone.now)
    device = models.CharField(_("device"), max_length=DEVICE_LENGTH, blank=True)
    ip = models.GenericIPAddressField(_("IP address"), null=True)

    class Meta:
        verbose_name = _("session in the app")
        verbose_name_plural = _("sessions in the app")

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def public_id(self) -> str:
        """Names it to its person."""
        return str(self.pk)


class BackofficeSession(AbstractBaseSession):
    """A back-office session that knows whose it is; `contacts.session_store` reads and writes it."""

    in_app = False

    user = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        related_name="backoffice_sessions",
        verbose_name=pgettext_lazy("heading", "person"),
    )
    signed_by = models.CharField(max_length=16, default=backoffice_key, editable=False)
    started_at = models.DateTimeField(_("signed in"), default=timezone.now)
    device = models.CharField(_("device"), max_length=DEVICE_LENGTH, blank=True)
    ip = models.GenericIPAddressField(_("IP address"), null=True)

    class Meta:
        verbose_name = _("session in the back-office")
        verbose_name_plural = _("sessions in the back-office")

    @property
    def public_id(self) -> str:
        """Names it to its person; its key would let anybody in."""
        return salted_hmac("contacts.session", self.session_key, algorithm="sha256").hexdigest()[
            :16
        ]

    @classmethod
    def get_session_store_class(cls) -> Any:
        return import_module(settings.SESSION_ENGINE).SessionStore
