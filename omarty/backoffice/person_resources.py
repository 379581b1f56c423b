"""People as a table, on the way out."""

from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from import_export.resources import ModelResource

from contacts.masking import masked_phone
from contacts.models import HIDDEN, User
from omarty.backoffice.entry_resources import Number, When


def shown_email(user: User) -> str:
    """His primary e-mail as a table may tell it."""
    return HIDDEN if user.email and user.email_hidden else user.email or ""


def shown_phone(user: User, *, in_full: bool) -> str:
    """His primary phone as a table may tell it."""
    if user.phone and user.phone_hidden:
        return HIDDEN
    return (user.phone or "") if in_full else masked_phone(user.phone or "")


class UserResource(ModelResource):
    """People with their primary contacts. Hidden ones stay hidden."""

    id = Field("id", _("id"), Number())
    name = Field("name", _("name"))
    email = Field(column_name=_("email"))
    phone = Field(column_name=_("phone"))
    status = Field("get_status_display", _("status"))
    created_at = Field("created_at", _("registered"), When())

    class Meta:
        model = User
        fields = ("id", "name", "email", "phone", "status", "created_at")
        export_order = fields

    def __init__(self, *, in_full: bool = False) -> None:
        super().__init__()
        self.in_full = in_full

    def dehydrate_email(self, user: User) -> str:
        return shown_email(user)

    def dehydrate_phone(self, user: User) -> str:
        return shown_phone(user, in_full=self.in_full)
