"""The quarantine in the back-office: to be read, filtered and searched; only the import writes it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from buildings.models import QuarantinedRow


class QuarantinedRowAdmin(admin.ModelAdmin[QuarantinedRow]):
    """What could not come in from the legacy database, with its reason and the row as it was."""

    list_display = ("table", "key", "column", "reason", "at")
    list_filter = ("table", "reason")
    search_fields = ("=key", "source")
    ordering = ("table", "pk")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
