"""Units from a file: a preview of every row, then all of it, or what is right of it, or nothing."""

import tempfile
from pathlib import Path, PurePath
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import Action
from buildings.models import Block
from buildings.unit_import.columns import COLUMNS
from buildings.unit_import.heading_problems import HeadingsProblem
from buildings.unit_import.headings import is_known
from buildings.unit_import.save import Outcome
from omarty.backoffice.apartment_template import ApartmentTemplateAdmin
from omarty.backoffice.base.export import CONTENT_TYPES
from omarty.backoffice.base.labels import isolated, listed
from omarty.backoffice.base.scoped_admin import origin_of, scope
from omarty.backoffice.base.taken_contacts import count_look, refuse_once_used_up
from omarty.backoffice.import_form import FileForm
from omarty.backoffice.import_preview import Preview, preview_or_save
from omarty.tables.limits import OF_A_PAGE, TimeProblem
from omarty.tables.reading import TableFile, TableProblem


class ApartmentImportAdmin(ApartmentTemplateAdmin):
    """The part of the list of units that brings files in."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name=self.address_name("import")), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        link = self.address("import") if self.may_change(request) else ""
        return super().changelist_view(request, {"import_link": link, **(extra_context or {})})

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """First shows what each row would do; confirmed, does all of it, or what is right, or nothing."""
        if not self.may_change(request):
            raise PermissionDenied
        form = FileForm(request.POST or None, request.FILES or None, within=scope(request).changes)
        preview = self._preview(request, form) if form.is_valid() else None
        if preview is not None and preview.outcome is not None:
            return self._done(request, preview)
        if preview is not None and preview.wrong is not None:
            return _download(form.file_name, preview.wrong)
        if preview is not None and form.confirmation.proof and not preview.confirmed:
            messages.warning(
                request,
                _(
                    "Something that this file is about was changed meanwhile, perhaps by this very file."
                    " Look at it again."
                ),
            )
        if preview is not None:
            form.carry(preview.offered)
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
        """What the form's file does, and has done if it was confirmed; None if that is no table."""
        try:
            preview = _read(request, form)
            if preview.outcome is None and preview.asks_for_contacts:
                count_look(request, taken=preview.refused_contacts, **_looking(form))
        except HeadingsProblem as error:
            form.carry(error.offered)
            form.add_error(None, str(error))
        except TimeProblem as error:
            form.add_error(None, self._cut_off(request, form, str(error)))
        except TableProblem as error:
            form.add_error(None, str(error))
        except IntegrityError:
            sentence = _("Somebody changed the same units at the same moment. Try again.")
            form.add_error(None, self._cut_off(request, form, sentence))
        except ValidationError as spent:
            form.add_error(None, spent)
        else:
            if preview.lines:
                return preview
            nothing = _("The file has no rows below its line of column names.")
            form.add_error(None, [nothing, *preview.notes])
        return None

    def _cut_off(self, request: HttpRequest, form: FileForm, sentence: str) -> str:
        """What to tell where the work ended halfway; counted, for that alone may tell of a held contact."""
        try:
            count_look(request, taken=1, **_looking(form))
        except ValidationError as spent:
            return " ".join(spent.messages)
        return sentence

    def _done(self, request: HttpRequest, preview: Preview) -> HttpResponse:
        outcome = preview.outcome or Outcome()
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
        if bad := preview.bad:
            counts.append(
                ngettext("%(count)d wrong row left out", "%(count)d wrong rows left out", bad)
                % {"count": bad}
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


def _read(request: HttpRequest, form: FileForm) -> Preview:
    """Read the form's file; raises what `preview_or_save()` does, and ValidationError."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(form.content)
        file.flush()
        table = TableFile(
            Path(file.name), name=isolated(form.file_name), limits=OF_A_PAGE, known=is_known
        )
        return preview_or_save(
            table,
            form.reading,
            form.confirmation,
            within=scope(request).changes,
            origin=origin_of(request),
            # Whatever was confirmed: only after all the work is it known whether it was seen before.
            before_contacts=lambda: refuse_once_used_up(request, **_looking(form)),
        )


def _looking(form: FileForm) -> Any:
    """What entries say of a file whose contacts are looked for."""
    block = Block.objects.filter(pk=form.block_id or 0).first()
    return {"action": Action.MEMBERSHIP_STARTED, "block": block}


def _download(name: str, wrong: bytes) -> HttpResponse:
    """The wrong rows, named after the file that they are from."""
    kind = "xlsx" if wrong.startswith(b"PK") else "csv"
    disposition = content_disposition_header(True, f"{PurePath(name).stem}.bad.{kind}")
    return HttpResponse(
        wrong,
        content_type=CONTENT_TYPES[kind],
        headers={"Content-Disposition": disposition or "attachment"},
    )
