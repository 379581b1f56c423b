"""Any list as a file, as it is filtered."""

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar, cast

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language_bidi, gettext_lazy
from django.utils.translation import gettext as _

from audit.models import Action
from audit.operations import record
from buildings.models import Block
from omarty.backoffice.base.forms import reason_field
from omarty.backoffice.base.scoped_admin import ScopedAdmin, origin_of, scope
from omarty.tables.columns import ContactColumn, ExportColumn
from omarty.tables.writing import writer

CONTENT_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# A page to print in place of a file.
PAPER = "print"
BATCH = 2_000
MOST_ROWS_OUT = 20_000


def local_time(value: datetime | None) -> datetime | None:
    """A moment on the viewer's clock, to the second, as spreadsheets know it."""
    return value and timezone.localtime(value).replace(microsecond=0, tzinfo=None)


@dataclass(frozen=True)
class Sheet:
    """What goes out of a list, and what it is called: in the file's name and the entry, and above it.

    A row of the list makes one row of the sheet, or by `rows_of` several. It can be printed if `head_of`
    says at the head of which page a row of the list stands; `printed` are the columns of such a page.
    """

    name: str
    title: Any
    columns: Sequence[ExportColumn[Any]]
    rows_of: Callable[[Any], Iterable[Any]] = lambda row: [row]
    head_of: Callable[[Any], str] | None = None
    printed: Sequence[ExportColumn[Any]] = ()

    @property
    def has_contacts(self) -> bool:
        return any(isinstance(column, ContactColumn) for column in self.columns)


class ExportForm(forms.Form):
    """Which kind of file, and why."""

    required_css_class = "required"
    format = forms.ChoiceField(
        label=gettext_lazy("Kind of file"),
        choices=[("xlsx", "XLSX"), ("csv", "CSV")],
    )
    in_full = forms.BooleanField(
        label=gettext_lazy("Contacts in full"),
        required=False,
        help_text=gettext_lazy(
            "Otherwise of a phone the last digits are shown, of an e-mail the first letter and what"
            " follows the @. Hidden ones stay hidden."
        ),
    )
    reason = reason_field()

    def __init__(self, *args: Any, sheet: Sheet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if sheet.head_of:
            formats = cast(forms.ChoiceField, self.fields["format"])
            formats.choices = [*formats.choices, (PAPER, _("To print"))]  # type: ignore[misc]
        if sheet.has_contacts:
            self.fields["reason"].help_text = _(
                "Stored in the audit log. Contacts in full need one."
            )
        else:
            del self.fields["in_full"]

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"].strip()
        if self.cleaned_data.get("in_full") and not reason:
            raise forms.ValidationError(_("Say why you need the contacts in full."))
        return reason


class ExportingAdmin(ScopedAdmin):
    """A list that can be taken out as a file. `export_columns` says with which columns."""

    export_columns: ClassVar[Sequence[ExportColumn[Any]]] = ()
    # How the file's name begins.
    export_name = ""
    change_list_template = "admin/change_list.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=self.address_name("export")), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        query = request.GET.urlencode()
        link = self.address("export") + (f"?{query}" if query else "")
        return super().changelist_view(request, {"export_link": link, **(extra_context or {})})

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for kind and reason, then gives the list as its filters in the address narrow it."""
        title = _("Export: %(list)s") % {"list": self.opts.verbose_name_plural}
        return self.give_out(request, Sheet(self.export_name, title, self.export_columns))

    def give_out(self, request: HttpRequest, sheet: Sheet) -> HttpResponse:
        """The page of one sheet: asks for kind and reason, then gives the file, or the page to print."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        back = self.address("changelist")
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(back)
        count = rows.order_by()[: MOST_ROWS_OUT + 1].count()
        form = ExportForm(request.POST or None, sheet=sheet)
        context = {
            **self.admin_site.each_context(request),
            "title": sheet.title,
            "opts": self.opts,
            "form": form,
            "count": count,
            "most": MOST_ROWS_OUT,
            "back": f"{back}?{request.GET.urlencode()}",
        }
        if not form.is_valid() or count > MOST_ROWS_OUT:
            return TemplateResponse(request, "backoffice/export.html", context)
        asked = form.cleaned_data
        if asked["format"] == PAPER:
            return self._print(request, rows, asked, sheet, context)
        return self._file(request, rows, asked, sheet)

    def _file(
        self, request: HttpRequest, rows: models.QuerySet[Any], asked: Any, sheet: Sheet
    ) -> HttpResponse:
        kind, file, written = asked["format"], io.BytesIO(), 0
        in_full = asked.get("in_full", False)
        with writer(
            kind,
            file,
            [str(column.heading) for column in sheet.columns],
            title=str(self.opts.verbose_name_plural),
            right_to_left=get_language_bidi(),
        ) as table:
            for row in self._batched(rows):
                for each in sheet.rows_of(row):
                    table.write([column.cell(each, in_full=in_full) for column in sheet.columns])
                    written += 1
        self._record(request, rows, asked, sheet, written)
        name = f"{sheet.name}-{timezone.localdate():%Y-%m-%d}.{kind}"
        return HttpResponse(
            file.getvalue(),
            content_type=CONTENT_TYPES[kind],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _print(
        self,
        request: HttpRequest,
        rows: models.QuerySet[Any],
        asked: Any,
        sheet: Sheet,
        context: dict[str, Any],
    ) -> HttpResponse:
        """The pages to print: of each its head, and its rows of cells."""
        in_full = asked.get("in_full", False)
        pages: dict[str, list[list[Any]]] = defaultdict(list)
        for row in self._batched(rows):
            page = pages[cast(Any, sheet.head_of)(row)]
            for each in sheet.rows_of(row):
                page.append([column.cell(each, in_full=in_full) for column in sheet.printed])
        self._record(request, rows, asked, sheet, sum(map(len, pages.values())))
        context |= {"pages": list(pages.items()), "printed": sheet.printed}
        context |= {"today": timezone.localdate()}
        return TemplateResponse(request, "backoffice/print.html", context)

    def _batched(self, rows: models.QuerySet[Any]) -> Iterator[Any]:
        remaining = rows.iterator(chunk_size=BATCH)
        while batch := list(islice(remaining, BATCH)):
            self.before_export(batch)
            yield from batch

    def before_export(self, rows: list[Any]) -> None:
        """A last look at some rows before they go out."""

    def _record(
        self,
        request: HttpRequest,
        rows: models.QuerySet[Any],
        asked: Any,
        sheet: Sheet,
        count: int,
    ) -> None:
        """One entry for each of the user's blocks that rows came from, so that its managers see it."""
        mine = scope(request).sees.ids
        blocks: list[Block | None] = [None]
        if mine is not None:
            found = set(rows.order_by().values_list(self.block_path, flat=True).distinct()) & mine
            blocks = list(Block.objects.filter(pk__in=found or mine))
        origin = origin_of(request, reason=asked["reason"])
        after = {
            "what": sheet.name,
            "rows": count,
            "format": asked["format"],
            "filter": request.GET.urlencode(),
            "full": asked.get("in_full", False),
        }
        for block in blocks:
            record(origin=origin, action=Action.EXPORTED, block=block, after=after)
