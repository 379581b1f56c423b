"""Invitations that serve: what changes a person's way in, or where they belong, ends them."""

from django.db import models
from django.utils import timezone

from contacts.models import Invitation, User


def open_invitations(*users: User) -> "models.QuerySet[Invitation]":
    """Those of these people that serve."""
    unspent = Invitation.objects.filter(user__in=users, used_at=None, ended_at=None)
    return unspent.filter(expires_at__gt=timezone.now())


def end_open_invitations(*users: User) -> int:
    """End them; returns how many there were. Part of a change that has an entry of its own."""
    return open_invitations(*users).update(ended_at=timezone.now())
