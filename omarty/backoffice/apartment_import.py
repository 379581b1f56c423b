"""Units from a file: a preview of every row, then all of it or nothing.

It reads and saves what `import_units` reads and saves: one table, one set of rules.
"""

import base64
import binascii
import hashlib
import json
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.crypto import salted_hmac
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.models import Action
from audit.operations import Origin
from buildings.models import Block
from buildings.operations import lock_blocks
from buildings.permissions import Blocks
from buildings.unit_import.columns import COLUMNS, Column
from buildings.unit_import.headings import HeadingsProblem, is_known
from buildings.unit_import.rows import Effect, RowProblem, Unit
from buildings.unit_import.save import Outcome
from buildings.unit_import.staging import Staging
from buildings.unit_import.steps import save_staged, stage_table
from buildings.unit_import.unit_table import UnitTable
from omarty.backoffice.apartment_template import ApartmentTemplateAdmin
from omarty.backoffice.base.forms import BlockField
from omarty.backoffice.base.labels import listed
from omarty.backoffice.base.scoped_admin import origin_of, scope
from omarty.backoffice.base.taken_contacts import count_look
from omarty.tables.limits import OF_A_PAGE, Deadline, TimeProblem
from omarty.tables.reading import TableFile, TableProblem
from omarty.tables.xlsx_pictures import without_pictures

# Of a table without the pictures in it: so much a form carries.
MOST_BYTES = 512 * 1024
# With them.
MOST_UPLOADED = settings.LARGE_UPLOADS["/admin/buildings/apartment/import/"]
# A page shows thousands of cells.
LONGEST_CELL = 200


@dataclass
class Preview:
    """What a file's rows do, one line for each; `outcome` is set once they have done it.

    `columns` are the file's own headings of the columns that are read; a line has a cell for each.
    """

    columns: list[str]
    lines: list[dict[str, Any]]
    right: bool
    # Rows that were refused because of a contact of somebody outside the user's blocks.
    strangers: int = 0
    asks_for_contacts: bool = False
    # The digest of the file's bytes.
    file: str = ""
    outcome: Outcome | None = None
    # What to tell of what was read and what was not.
    notes: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many rows there are of each kind."""
        return Counter(line["kind"] for line in self.lines)

    @property
    def digest(self) -> str:
        """Tells whether what is confirmed is still what a preview of ours showed, of the same file."""
        shown = json.dumps([self.file, self.lines])
        return salted_hmac("backoffice.import", shown, algorithm="sha256").hexdigest()


def preview_or_save(
    file: TableFile,
    *,
    block_id: int | None,
    within: Blocks,
    origin: Origin,
    confirmed: str,
    ignore: Collection[str] = (),
) -> Preview:
    """Save the table's rows if all are right and what they do is what was `confirmed`; else nothing.

    Nothing either if the table's deadline passes before all is done: no statement is begun after it.
    Raises TableProblem, HeadingsProblem; IntegrityError if somebody takes a number or contact meanwhile.
    """
    try:
        with Staging() as staging:
            table = stage_table(
                file, staging, block_id=block_id, within=within, ignore=ignore, advance=_unwatched
            )
            with transaction.atomic(), connection.execute_wrapper(_before(file.deadline)):
                lock_blocks(pk for pk in staging.blocks() if pk in within)
                done = list(
                    save_staged(
                        staging, table.reader, origin=origin, within=within, advance=_unwatched
                    )
                )
                preview = _preview(file, table, done, list(staging.problems()))
                if preview.right and preview.digest == confirmed:
                    preview.outcome = Outcome()
                    for each in done:
                        preview.outcome.add(each)
                else:
                    transaction.set_rollback(True)
                file.deadline.check()
    except TimeProblem as error:
        raise TableProblem(f"{file.name}: {error}") from error
    return preview


def _before(deadline: Deadline) -> Callable[..., Any]:
    """Lets a statement of the database begin only before the deadline."""

    def execute(does: Callable[..., Any], *statement: Any) -> Any:
        deadline.check()
        return does(*statement)

    return execute


def _preview(
    file: TableFile, table: UnitTable, done: Sequence[Outcome], problems: Sequence[RowProblem]
) -> Preview:
    reader, notes = table.reader, table.notes
    units = [unit for each in done for unit in each.units]
    lines = list(_lines(table, units, problems))
    # What needs correction comes first: the rest may be hundreds of rows.
    lines.sort(key=lambda line: line["kind"] != "problem")
    headings = [table.headings[index] for index, _column in reader.columns]
    strangers = sum(each.strangers for each in done)
    asks = any(each.asks_for_contacts for each in done)
    return Preview(
        headings,
        lines,
        right=not problems,
        strangers=strangers,
        asks_for_contacts=asks,
        file=hashlib.sha256(file.path.read_bytes()).hexdigest(),
        notes=notes,
    )


def _unwatched(done: int) -> None:
    """Nobody waits for so few rows."""


def _lines(
    table: UnitTable, units: Sequence[Unit], problems: Sequence[RowProblem]
) -> Iterator[dict[str, Any]]:
    """Each row's place, kind, cells with what they replace, and everything wrong with it."""
    unit_of = {row.row: unit for unit in units for row in unit.rows}
    wrong: dict[int, list[tuple[str, str]]] = {}
    for problem in problems:
        wrong.setdefault(problem.row, []).append((problem.column, problem.sentence))
    for number, texts in table.rows():
        unit = None if number in wrong else unit_of.get(number)
        cells = [
            _cell(column, texts[index] if index < len(texts) else "", unit, number)
            for index, column in table.reader.columns
        ]
        kind = "problem" if unit is None else _kind(unit, number)
        errors = wrong.get(number, [])
        sheet, shown = table.where(number)
        line = {"number": shown, "kind": kind, "cells": cells, "errors": errors}
        yield line | ({"sheet": sheet} if sheet else {})


def _kind(unit: Unit, row: int) -> str:
    if unit.effect is Effect.NEW:
        return "new"
    changed = unit.effect is Effect.CHANGED or row in unit.arriving | unit.enlarging
    return "update" if changed else "skip"


def _cell(column: Column, text: str, unit: Unit | None, row: int) -> dict[str, Any]:
    """A cell as the file has it, and what it replaces; what is longer than a page can show is cut."""
    text = Truncator(text).chars(LONGEST_CELL)
    if unit is None or unit.effect is Effect.NEW or not text:
        return {"now": text, "was": "", "changed": False}
    if column.of_resident is not None:
        changed = row in unit.arriving or (column.contact and row in unit.enlarging)
        return {"now": text, "was": "", "changed": changed}
    changed = column.field in unit.changes
    was = column.show(unit.stored[column.field]) if changed else None
    return {"now": text, "was": "" if was is None else str(was), "changed": changed}


class FileForm(forms.Form):
    """A table to bring in: uploaded, or carried from the preview to its confirmation.

    Nothing is left on the server in between, so that any worker can take the second step.
    """

    required_css_class = "required"
    import_file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )
    block = BlockField(
        label=gettext_lazy("Block"),
        queryset=Block.objects.none(),
        required=False,
        empty_label=gettext_lazy("As the file says"),
        help_text=gettext_lazy("Of every row, where the file has no column of block ids."),
    )
    carried = forms.CharField(required=False, widget=forms.HiddenInput)
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, within: Blocks, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.only: int | None = None
        if within.ids is None:
            # All blocks there are would be no choice but a list of its own.
            del self.fields["block"]
        elif len(within.ids) == 1:
            (self.only,) = within.ids
            del self.fields["block"]
        else:
            blocks = within.only(Block.objects.order_by("pk"), "pk")
            self.fields["block"].queryset = blocks  # type: ignore[attr-defined]

    @property
    def block_id(self) -> int | None:
        """The block of rows that name none."""
        block = self.cleaned_data.get("block")
        return self.only if block is None else block.pk

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload, carried = cleaned.get("import_file"), cleaned.get("carried")
        if upload is not None:
            self.file_name, self.content = upload.name, _content(upload)
        elif carried:
            self.file_name, self.content = _unpacked(carried)
        elif not self.errors:
            raise forms.ValidationError(_("Choose a file."))
        return cleaned

    @property
    def packed(self) -> str:
        """The file as the preview carries it to the confirmation."""
        parts = (self.file_name.encode(), zlib.compress(self.content))
        return ":".join(base64.b64encode(part).decode() for part in parts)


def _content(upload: UploadedFile) -> bytes:
    """The file without the pictures in it."""
    if (upload.size or 0) > MOST_UPLOADED:
        raise forms.ValidationError(
            _(
                "The file is larger than %(most)d MB. Pictures make it large: delete them, or save the"
                " table as CSV."
            )
            % {"most": MOST_UPLOADED >> 20}
        )
    content, left_out = without_pictures(upload.read())
    if len(content) - left_out > MOST_BYTES:
        raise forms.ValidationError(
            _("The file is larger than %(most)d kB: bring it in in parts.")
            % {"most": MOST_BYTES // 1024}
        )
    return content


def _unpacked(carried: str) -> tuple[str, bytes]:
    name, _colon, rest = carried.partition(":")
    try:
        decompressor = zlib.decompressobj()
        content = decompressor.decompress(base64.b64decode(rest), MOST_UPLOADED)
        return base64.b64decode(name).decode(), content
    except (binascii.Error, zlib.error, ValueError) as error:
        raise forms.ValidationError(_("Choose the file again.")) from error


class ApartmentImportAdmin(ApartmentTemplateAdmin):
    """The part of the list of units that brings files in."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name=self.address_name("import")), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        link = self.address("import") if self.may_change(request) else ""
        return super().changelist_view(request, {"import_link": link, **(extra_context or {})})

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """First shows what each row would do; confirmed, does all of it or nothing."""
        if not self.may_change(request):
            raise PermissionDenied
        form = FileForm(request.POST or None, request.FILES or None, within=scope(request).changes)
        preview = self._preview(request, form) if form.is_valid() else None
        if preview is not None and preview.outcome is not None:
            return self._done(request, preview.outcome)
        if preview is not None and preview.right and form.cleaned_data["confirmed"]:
            messages.warning(
                request,
                _("Something that this file is about was changed meanwhile. Look at it again."),
            )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import: %(list)s") % {"list": self.opts.verbose_name_plural},
            "back": self.address("changelist"),
            "template": self.address("template"),
            "opts": self.opts,
            "form": form,
            "preview": preview,
            "columns": [column.title for column in COLUMNS if column.read is not None],
            "packed": form.packed if preview is not None else "",
            "block_id": form.data.get("block", ""),
        }
        return TemplateResponse(request, "backoffice/import.html", context)

    def _preview(self, request: HttpRequest, form: FileForm) -> Preview | None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(form.content)
            file.flush()
            try:
                table = TableFile(
                    Path(file.name), name=form.file_name, limits=OF_A_PAGE, known=is_known
                )
                preview = preview_or_save(
                    table,
                    block_id=form.block_id,
                    within=scope(request).changes,
                    origin=origin_of(request),
                    confirmed=form.cleaned_data["confirmed"],
                )
            except (TableProblem, HeadingsProblem) as error:
                form.add_error(None, str(error))
                return None
            except IntegrityError:
                form.add_error(
                    None, _("Somebody changed the same units at the same moment. Try again.")
                )
                return None
        try:
            self._count_contacts(request, form, preview)
        except ValidationError as spent:
            form.add_error(None, spent)
            return None
        if not preview.lines:
            form.add_error(None, _("The file has no rows below its line of column names."))
            return None
        return preview

    def _count_contacts(self, request: HttpRequest, form: FileForm, preview: Preview) -> None:
        """Raises ValidationError if the preview asks for contacts and the day's number is used up."""
        if preview.outcome is not None or not preview.asks_for_contacts:
            return
        block = Block.objects.filter(pk=form.block_id or 0).first()
        action = Action.MEMBERSHIP_STARTED
        count_look(request, action=action, taken=preview.strangers, block=block)

    def _done(self, request: HttpRequest, outcome: Outcome) -> HttpResponse:
        new, changed, people = outcome.created, outcome.updated, outcome.memberships
        counts = [
            ngettext("%(count)d unit registered", "%(count)d units registered", new)
            % {"count": new},
            ngettext("%(count)d unit edited", "%(count)d units edited", changed)
            % {"count": changed},
        ]
        if people:
            counts.append(
                ngettext("%(count)d person moved in", "%(count)d people moved in", people)
                % {"count": people}
            )
        log = reverse("admin:audit_entry_changelist")
        request_id = request.request_id  # type: ignore[attr-defined]
        messages.success(
            request,
            format_html(
                '{}. <a href="{}?request={}">{}</a>',
                listed(counts),
                log,
                request_id,
                _("See the entries"),
            ),
        )
        return HttpResponseRedirect(self.address("changelist"))
