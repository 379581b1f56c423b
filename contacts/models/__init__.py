"""People, how to reach them, and how they get in."""

from contacts.models.attempts import EventCount, KnownAddress
from contacts.models.messages import Message, MessageState, Purpose
from contacts.models.people import (
    HIDDEN,
    SECONDARY,
    Claim,
    Kind,
    SecondaryContact,
    SecondaryEmail,
    SecondaryPhone,
    Status,
    User,
    UserManager,
    new_session_stamp,
)
from contacts.models.second_factor import RequiredOf, SecondFactor, SecondFactorRule
from contacts.models.sessions import (
    DEVICE_LENGTH,
    AppSession,
    BackofficeSession,
    app_key,
    backoffice_key,
    key_digest,
)
from contacts.models.ways_in import ContactChange, Invitation, RecoveryCode

__all__ = [
    "AppSession",
    "BackofficeSession",
    "Claim",
    "ContactChange",
    "DEVICE_LENGTH",
    "EventCount",
    "HIDDEN",
    "Invitation",
    "Kind",
    "KnownAddress",
    "Message",
    "MessageState",
    "Purpose",
    "RecoveryCode",
    "RequiredOf",
    "SECONDARY",
    "SecondFactor",
    "SecondFactorRule",
    "SecondaryContact",
    "SecondaryEmail",
    "SecondaryPhone",
    "Status",
    "User",
    "UserManager",
    "app_key",
    "backoffice_key",
    "key_digest",
    "new_session_stamp",
]
