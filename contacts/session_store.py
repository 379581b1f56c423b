"""Django's sessions in the database, each with whose it is; `SESSION_ENGINE` names this module."""

import time
from datetime import datetime
from typing import Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from contacts.attempts import forget_past_attempts
from contacts.contact_changes import delete_past_changes
from contacts.models import DEVICE_LENGTH, BackofficeSession
from contacts.outbox import delete_past_messages
from contacts.recovery import delete_past_codes
from contacts.sessions import delete_past_sessions

# What a session has of its own sign-in: its time, device and address.
SIGNED_IN = "signed_in"
# When it was stored last, in seconds; a session in use is stored again that long after.
STORED, RENEWED_AFTER = "stored", 60 * 60


class SessionStore(DatabaseStore):
    """Fills the columns of a BackofficeSession from what the session has."""

    @classmethod
    def get_model_class(cls) -> type[BackofficeSession]:
        return BackofficeSession

    def create_model_instance(self, data: dict[str, Any]) -> BackofficeSession:
        row = cast(BackofficeSession, super().create_model_instance(data))
        row.user_id = data.get(SESSION_KEY) and int(data[SESSION_KEY])
        if SIGNED_IN in data:
            noted = data[SIGNED_IN]
            row.started_at = datetime.fromisoformat(noted["at"])
            row.device, row.ip = noted["device"][:DEVICE_LENGTH], noted["ip"]
        return row

    def save(self, must_create: bool = False) -> None:
        self[STORED] = int(time.time())
        super().save(must_create)

    @classmethod
    def clear_expired(cls) -> None:
        """`manage.py clearsessions`: all that has passed of sign-in, also sessions of the app and counts."""
        super().clear_expired()
        delete_past_sessions()
        forget_past_attempts()
        delete_past_messages()
        delete_past_changes()
        delete_past_codes()


def note_sign_in(session: Any, user_agent: str, ip: str | None) -> None:
    """Note in a session that somebody has just signed in, with which browser and from where."""
    at = timezone.now().isoformat()
    session[SIGNED_IN] = {"at": at, "device": device_name(user_agent), "ip": ip}


def renew_if_due(session: Any) -> None:
    """Let somebody's session be stored and its cookie sent anew, where that was an hour ago."""
    if SESSION_KEY in session and time.time() - session.get(STORED, 0) >= RENEWED_AFTER:
        session.modified = True


# What a browser's User-Agent names, the more special first: all name more than themselves.
BROWSERS = {
    "CriOS": "Chrome",
    "FxiOS": "Firefox",
    "EdgiOS": "Edge",
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac", "Linux")


def device_name(user_agent: str) -> str:
    """What people call the browser and its device: "Chrome, Android"; empty if it says neither."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), "")
    system = next((name for name in SYSTEMS if name in user_agent), "")
    return ", ".join(filter(None, (browser, system)))
