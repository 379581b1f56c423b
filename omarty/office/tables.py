"""Lists as files: any list out as it is filtered, and units in again after a preview."""

import base64
import binascii
import io
import zipfile
import zlib
from pathlib import PurePath
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from import_export.formats.base_formats import CSV, XLSX

from audit.models import Action
from audit.operations import record
from buildings.models import Block
from omarty.office.scope import ScopedAdmin, origin_of, scope

FORMATS = {"csv": CSV, "xlsx": XLSX}
# Spreadsheets know UTF-8 by this mark, and write it themselves.
ENCODING = "utf-8-sig"
MOST_ROWS_IN = 2_000
MOST_ROWS_OUT = 20_000
MOST_BYTES_IN = 512 * 1024
# What a workbook of that size may unfold to.
MOST_BYTES_UNFOLDED = 32 * 1024 * 1024
REASON_LENGTH = 200


class ExportForm(forms.Form):
    """Which kind of file, and why."""

    format = forms.ChoiceField(
        label=gettext_lazy("Kind of file"),
        choices=[("xlsx", "XLSX"), ("csv", "CSV")],
    )
    in_full = forms.BooleanField(
        label=gettext_lazy("Phones in full"),
        required=False,
        help_text=gettext_lazy("Otherwise all but their last digits are masked."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=REASON_LENGTH,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy("The audit log keeps it. Phones in full need one."),
    )

    def __init__(self, *args: Any, phones: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not phones:
            del self.fields["in_full"]
            self.fields["reason"].help_text = _("The audit log keeps it.")

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"].strip()
        if self.cleaned_data.get("in_full") and not reason:
            raise forms.ValidationError(_("Say why you need the phones in full."))
        return reason


class ExportingAdmin(ScopedAdmin):
    """A list that can be taken out as a file. `export_resource` says with which columns."""

    export_resource: Any = None
    # Whether the file has phones, which stay masked unless a reason is given.
    export_phones = False
    change_list_template = "admin/change_list.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=self._name("export")), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        query = request.GET.urlencode()
        link = reverse(f"admin:{self._name('export')}") + (f"?{query}" if query else "")
        return super().changelist_view(request, {"export_link": link, **(extra_context or {})})

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for kind and reason, then gives the list as its filters in the address narrow it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        back = reverse(f"admin:{self._name('changelist')}")
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(back)
        count = rows.order_by()[: MOST_ROWS_OUT + 1].count()
        form = ExportForm(request.POST or None, phones=self.export_phones)
        if form.is_valid() and count <= MOST_ROWS_OUT:
            return self._file(request, rows, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export: %(list)s") % {"list": self.opts.verbose_name_plural},
            "opts": self.opts,
            "form": form,
            "count": count,
            "most": MOST_ROWS_OUT,
            "back": f"{back}?{request.GET.urlencode()}",
        }
        return TemplateResponse(request, "admin/export.html", context)

    def _file(self, request: HttpRequest, rows: models.QuerySet[Any], asked: Any) -> HttpResponse:
        resource = self.export_resource(
            blocks=scope(request).sees, in_full=asked.get("in_full", False)
        )
        dataset = resource.export(rows)
        kind = FORMATS[asked["format"]]()
        content = kind.export_data(dataset)
        if isinstance(content, str):
            content = content.encode(ENCODING)
        self._record(request, rows, asked, len(dataset))
        name = f"{self.opts.model_name}-{timezone.localdate():%Y-%m-%d}.{asked['format']}"
        return HttpResponse(
            content,
            content_type=kind.get_content_type(),
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _record(
        self, request: HttpRequest, rows: models.QuerySet[Any], asked: Any, count: int
    ) -> None:
        """One entry for each of his blocks that rows came from, so that its managers see it."""
        mine = scope(request).sees.ids
        blocks: list[Block | None] = [None]
        if mine is not None:
            found = set(rows.order_by().values_list(self.block_path, flat=True).distinct()) & mine
            blocks = list(Block.objects.filter(pk__in=found or mine))
        origin = origin_of(request)
        after = {
            "list": self.opts.model_name,
            "rows": count,
            "format": asked["format"],
            "filter": request.GET.urlencode(),
            "phones_in_full": asked.get("in_full", False),
        }
        for block in blocks:
            record(
                origin=origin,
                action=Action.EXPORTED,
                block=block,
                reason=asked["reason"],
                after=after,
            )

    def _name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"


class FileForm(forms.Form):
    """A table to bring in: uploaded, or carried from the preview to its confirmation.

    Nothing is left on the server in between, so that any worker can take the second step.
    """

    import_file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )
    carried = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload, carried = cleaned.get("import_file"), cleaned.get("carried")
        if upload is not None:
            if upload.size > MOST_BYTES_IN:
                raise forms.ValidationError(
                    _("The file is larger than %(most)d kB: bring it in in parts.")
                    % {"most": MOST_BYTES_IN // 1024}
                )
            kind, content = PurePath(upload.name).suffix.lower().lstrip("."), upload.read()
        elif carried:
            kind, content = _unpacked(carried)
        else:
            raise forms.ValidationError(_("Choose a file."))
        self.dataset = _dataset(kind, content)
        self.packed = _packed(kind, content)
        return cleaned


def _packed(kind: str, content: bytes) -> str:
    return f"{kind}:{base64.b64encode(zlib.compress(content)).decode()}"


def _unpacked(carried: str) -> tuple[str, bytes]:
    kind, _colon, rest = carried.partition(":")
    try:
        unfolding = zlib.decompressobj()
        return kind, unfolding.decompress(base64.b64decode(rest), MOST_BYTES_IN)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise forms.ValidationError(_("Choose the file again.")) from error


def _dataset(kind: str, content: bytes) -> Any:
    """The file's rows. Raises ValidationError, in words, if it is no such table."""
    if kind not in FORMATS:
        raise forms.ValidationError(_("Choose a CSV or XLSX file."))
    unreadable = forms.ValidationError(
        _("This file cannot be read. Save it again as XLSX, or as CSV in UTF-8.")
    )
    try:
        if kind == "xlsx":
            parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
            if sum(part.file_size for part in parts) > MOST_BYTES_UNFOLDED:
                raise unreadable
        table = FORMATS[kind](encoding=ENCODING).create_dataset(content)
    except forms.ValidationError:
        raise
    # The readers raise whatever they stumble over.
    except Exception as error:
        raise unreadable from error
    if not table.headers or not len(table):
        raise forms.ValidationError(_("The file has no rows below its line of column names."))
    if len(table) > MOST_ROWS_IN:
        raise forms.ValidationError(
            _("The file has more than %(most)d rows: bring it in in parts.")
            % {"most": MOST_ROWS_IN}
        )
    return table


class ImportingAdmin(ExportingAdmin):
    """A list that files can be brought into, by rows of `import_resource`."""

    import_resource: Any = None

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name=self._name("import")), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        link = reverse(f"admin:{self._name('import')}") if self.may_change(request) else ""
        return super().changelist_view(request, {"import_link": link, **(extra_context or {})})

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """First shows what each row would do; confirmed, does all of it or nothing."""
        if not self.may_change(request):
            raise PermissionDenied
        form = FileForm(request.POST or None, request.FILES or None)
        resource = self.import_resource(blocks=scope(request).changes, origin=origin_of(request))
        result = None
        right = False
        if form.is_valid():
            confirmed = "confirm" in request.POST
            result = resource.import_data(
                form.dataset, dry_run=not confirmed, rollback_on_validation_errors=True
            )
            right = not (result.has_errors() or result.has_validation_errors())
            if confirmed and right:
                return self._done(request, result)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import: %(list)s") % {"list": self.opts.verbose_name_plural},
            "opts": self.opts,
            "form": form,
            "columns": [field.column_name for field in resource.get_import_fields()],
            "result": result,
            "rows": [] if result is None else preview(resource, result),
            "right": right,
            "packed": getattr(form, "packed", ""),
        }
        return TemplateResponse(request, "admin/import.html", context)

    def _done(self, request: HttpRequest, result: Any) -> HttpResponse:
        new, changed = result.totals["new"], result.totals["update"]
        told = ", ".join(
            (
                ngettext("%d unit registered", "%d units registered", new) % new,
                ngettext("%d unit changed", "%d units changed", changed) % changed,
            )
        )
        log = reverse("admin:audit_entry_changelist")
        request_id = request.request_id  # type: ignore[attr-defined]
        messages.success(
            request,
            format_html(
                '{}. <a href="{}?request={}">{}</a>', told, log, request_id, _("See the entries")
            ),
        )
        return HttpResponseRedirect(reverse(f"admin:{self._name('changelist')}"))


def preview(resource: Any, result: Any) -> list[dict[str, Any]]:
    """What each row of the file would do: its number, kind, cells with what they replace, errors."""
    lines = []
    for number, row in enumerate(result.rows, start=1):
        errors = _errors(resource, row)
        kind = "wrong" if errors else row.import_type
        cells = [_cell(field, row, kind) for field in resource.get_import_fields()]
        lines.append({"number": number, "kind": kind, "cells": cells, "errors": errors})
    return lines


def _cell(field: Any, row: Any, kind: str) -> dict[str, str]:
    """A cell as it would be, and what it was if that changes."""
    if kind == "wrong":
        given = row.row_values.get(field.column_name)
        return {"now": "" if given is None else str(given), "was": ""}
    now = field.export(row.instance)
    was = field.export(row.original) if row.original is not None else now
    return {"now": now, "was": was if was != now else "", "changed": was != now}


def _errors(resource: Any, row: Any) -> list[tuple[str, str]]:
    """Everything wrong with a row, as column (or empty) and sentence."""
    if row.validation_error is None:
        return [("", str(error.error)) for error in row.errors]
    errors = row.validation_error
    if not hasattr(errors, "error_dict"):
        return [("", text) for text in errors.messages]
    columns = {field.attribute: field.column_name for field in resource.get_import_fields()}
    return [
        (columns.get(name, ""), text)
        for name, texts in errors.message_dict.items()
        for text in texts
    ]
