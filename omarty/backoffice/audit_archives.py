"""Entries of archived periods, for superusers: an archive is chosen and searched for words."""

from collections import deque
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from audit.archives import Period, look_up, periods
from audit.ledger import LedgerProblem
from audit.models import Entry
from contacts.entry_masking import CONTACTS
from omarty.backoffice.base import history
from omarty.backoffice.base.forms import ANY_LANGUAGE
from omarty.backoffice.base.scoped_admin import scope

MOST_FOUND = 200
MOST_WORDS = 8


class ArchiveForm(forms.Form):
    """Which archive, and what to look for in it."""

    archive = forms.ChoiceField(label=gettext_lazy("Period"))
    q = forms.CharField(
        label=gettext_lazy("Words"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=ANY_LANGUAGE),
        help_text=gettext_lazy("Of names of people, units and records, or of reasons."),
    )

    def __init__(self, data: Any, known: list[Period]) -> None:
        super().__init__(data)
        choices = [(each.archive, _label(each)) for each in known]
        self.fields["archive"].choices = choices  # type: ignore[attr-defined]


def _label(period: Period) -> str:
    counted = ngettext("%(count)d entry", "%(count)d entries", period.entries)
    until = date_format(timezone.localtime(period.until), "SHORT_DATE_FORMAT")
    words = {"until": until, "entries": counted % {"count": period.entries}}
    if period.since is None:
        return _("until %(until)s: %(entries)s") % words
    since = date_format(timezone.localtime(period.since), "SHORT_DATE_FORMAT")
    return _("%(since)s to %(until)s: %(entries)s") % {**words, "since": since}


@require_safe
def archives_page(request: HttpRequest) -> HttpResponse:
    """The page: the form, and below it what was found. Nothing is written."""
    if scope(request).sees.ids is not None:
        raise PermissionDenied
    known = periods()
    form = ArchiveForm(request.GET if "archive" in request.GET else None, known)
    context = {
        **admin.site.each_context(request),
        "title": _("Archived entries"),
        "form": form,
        "known": known,
        **(_found(form) if form.is_valid() else {}),
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "backoffice/audit_archives.html", context)


def _found(form: ArchiveForm) -> dict[str, Any]:
    """The newest entries with the words, as a table; or why the archive cannot be read."""
    words = form.cleaned_data["q"].split()[:MOST_WORDS]
    newest: deque[Entry] = deque(maxlen=MOST_FOUND)
    count = 0
    try:
        for each in look_up(form.cleaned_data["archive"], words):
            if all(_names(each, word) for word in words):
                newest.append(each)
                count += 1
    except LedgerProblem as problem:
        return {"problem": str(problem)}
    table: SafeString = history.table_of(list(reversed(newest)))
    return {"table": table, "count": count, "most": MOST_FOUND}


def _names(entry: Entry, word: str) -> bool:
    """Whether the word stands in what is searched: contacts are not, for they may be hidden."""
    texts = [entry.person_label, entry.apartment_label, entry.block_label]
    if entry.target_type not in CONTACTS:
        texts.append(entry.target_label)
    if entry.actor_id is not None:
        texts.append(entry.actor_label)
    if "@" not in word and not any(map(str.isnumeric, word)):
        texts.append(entry.reason)
    return any(word.casefold() in text.casefold() for text in texts)
