"""A workbook to fill in with units and to import."""

import io
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.text import capfirst
from django.utils.translation import get_language_bidi
from django.views.decorators.http import require_safe

from buildings.models import Block
from buildings.unit_import.template import fillable_columns
from omarty.backoffice.base.export import CONTENT_TYPES, ExportingAdmin
from omarty.backoffice.base.scoped_admin import scope
from omarty.tables.template import write_template


class ApartmentTemplateAdmin(ExportingAdmin):
    """The part of the list of units that offers a template for an import."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_safe(self.template_view))
        name = self.address_name("template")
        return [path("import/template/", view, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        link = self.address("template") if self.may_change(request) else ""
        return super().changelist_view(request, {"template_link": link, **(extra_context or {})})

    def template_view(self, request: HttpRequest) -> HttpResponse:
        """The workbook in the reader's language; it asks for the block unless there is but one."""
        if not self.may_change(request):
            raise PermissionDenied
        changes, blocks = scope(request).changes, None
        if changes.ids is None or len(changes.ids) > 1:
            every = Block.objects.select_related("building").order_by("pk")
            blocks = list(changes.only(every, "pk"))
        file = io.BytesIO()
        write_template(
            file,
            fillable_columns(blocks),
            title=capfirst(str(self.opts.verbose_name_plural)),
            right_to_left=get_language_bidi(),
        )
        return HttpResponse(
            file.getvalue(),
            content_type=CONTENT_TYPES["xlsx"],
            headers={"Content-Disposition": 'attachment; filename="units-template.xlsx"'},
        )
