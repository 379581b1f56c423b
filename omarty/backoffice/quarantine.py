"""Rows that could not come in from the legacy server. Only superusers read them: they are in no block."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from buildings.permissions import Blocks
from omarty.backoffice.base.scoped_admin import ScopedAdmin
from omarty.legacy.models import QuarantinedRow


@admin.register(QuarantinedRow)
class QuarantineAdmin(ScopedAdmin):
    """Each legacy row as it was read, with the reason; only the import writes here."""

    when_empty = _(
        "Rows that the import from the legacy server cannot take in will be listed here."
    )
    list_display = ("table", "key", "column", "reason", "at")
    list_filter = ("table", "reason")
    search_fields = ("=key", "source")
    search_help_text = _("Legacy id, or a word of the row")
    ordering = ("table", "pk")

    def within(self, blocks: Blocks, rows: Any) -> Any:
        """All of them: which block a legacy row belongs to may be unknown."""
        return rows

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        return rows if self.has_view_permission(request) else rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and getattr(request.user, "is_superuser", False))
