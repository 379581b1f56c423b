"""People as a table, on the way out."""

from typing import Any

from import_export.fields import Field
from import_export.resources import ModelResource

from audit.resources import Text, When, masked
from contacts.models import HIDDEN, User


def shown_name(user: User) -> str:
    """His name; who has none is a number here, not a phone."""
    return Text().render(user.name or user.user_name or f"#{user.pk}")


def shown_email(user: User) -> str:
    """His primary e-mail as a table may tell it."""
    return HIDDEN if user.email and user.email_hidden else user.email or ""


def shown_phone(user: User, *, in_full: bool) -> str:
    """His primary phone as a table may tell it."""
    if user.phone and user.phone_hidden:
        return HIDDEN
    return (user.phone or "") if in_full else masked(user.phone or "")


class UserResource(ModelResource):
    """People with their primary contacts. Hidden ones stay hidden."""

    id = Field("id", "id")
    name = Field("name", "name", Text())
    email = Field(column_name="email")
    phone = Field(column_name="phone")
    status = Field("get_status_display", "status")
    created_at = Field("created_at", "registered", When())

    class Meta:
        model = User
        fields = ("id", "name", "email", "phone", "status", "created_at")
        export_order = fields

    def __init__(self, *, blocks: Any, in_full: bool = False) -> None:
        super().__init__()
        self.in_full = in_full

    def dehydrate_email(self, user: User) -> str:
        return shown_email(user)

    def dehydrate_phone(self, user: User) -> str:
        return shown_phone(user, in_full=self.in_full)
