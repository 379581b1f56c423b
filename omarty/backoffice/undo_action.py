"""Row action of the audit log: taking a change back, all entries of it at once."""

from collections.abc import Sequence
from copy import copy
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.models import Action, Entry
from buildings.undo import (
    INVERSES,
    MOST_ENTRIES,
    UndoOutcome,
    can_be_undone,
    entries_of,
    preview,
    undo,
)
from contacts.entry_masking import hide_contacts
from omarty.backoffice.base.history import Names, changes_in_words, names_in
from omarty.backoffice.base.labels import isolated, listed, unit_in_block
from omarty.backoffice.base.row_actions import RowAction
from omarty.backoffice.base.scoped_admin import scope

# A page tells the others by their number.
MOST_SHOWN = 500


class Undo(RowAction):
    """What the entries of one change did is taken back, as far as it can be."""

    title = gettext_lazy("Undo this change")
    button = gettext_lazy("Undo")
    harms = True
    previews = True
    shows = True
    once = True

    @classmethod
    def why_refused(cls, row: Entry) -> str:
        if not row.refused and can_be_undone(row.action):
            return ""
        others = Entry.objects.filter(request_id=row.request_id, refused="", action__in=INVERSES)
        return "" if others.exists() else _("Nothing of this change can be taken back.")

    @cached_property
    def entries(self) -> list[Entry]:
        """The entries of the change that lie in the user's blocks."""
        return entries_of(self.row.request_id, scope(self.request).changes)

    @cached_property
    def expected(self) -> UndoOutcome:
        """What would be taken back, and what not."""
        within = scope(self.request).changes
        return preview(origin=self.origin, entries=self.entries, within=within)

    def clean(self) -> Any:
        if len(self.entries) > MOST_ENTRIES:
            raise ValidationError(
                _("This change has more than %d entries: it cannot be undone here.") % MOST_ENTRIES
            )
        # A ban needs a reason, this way too.
        bans = any(each.action == Action.MEMBERSHIP_READMITTED for each in self.entries)
        if bans and not self.cleaned_data.get("reason"):
            self.add_error("reason", _("Say why: somebody is banned by this."))
        return super().clean()

    def plan(self) -> list[str]:
        done, refused = len(self.expected.done), len(self.expected.refused)
        return [
            ngettext(
                "%(count)d entry can be taken back.", "%(count)d entries can be taken back.", done
            )
            % {"count": done},
            ngettext(
                "%(count)d entry cannot be taken back.",
                "%(count)d entries cannot be taken back.",
                refused,
            )
            % {"count": refused},
            *_told(self.expected),
        ]

    def carry_out(self) -> list[str]:
        if not self.expected.done:
            raise ValidationError(_("Nothing of this change can be taken back."))
        within = scope(self.request).changes
        outcome = undo(origin=self.origin, entries=self.entries, within=within)
        done, refused = len(outcome.done), len(outcome.refused)
        return [
            ngettext("%(count)d entry was taken back.", "%(count)d entries were taken back.", done)
            % {"count": done},
            *([_not_taken_back(refused)] if refused else []),
            format_html(
                '<a href="{}?request={}">{}</a>',
                reverse("admin:audit_entry_changelist"),
                self.origin.request_id,
                _("See the entries"),
            ),
            *_told(outcome),
        ]


def _not_taken_back(count: int) -> str:
    return ngettext(
        "%(count)d entry was not taken back.", "%(count)d entries were not taken back.", count
    ) % {"count": count}


def _told(outcome: UndoOutcome) -> list[str]:
    """Each entry with what becomes of it: first what cannot be taken back."""
    lines = [*outcome.refused, *((each, "") for each in outcome.done)]
    # Copies: what is masked here is still to be written.
    shown = [(copy(each), why) for each, why in lines[:MOST_SHOWN]]
    entries = [each for each, _why in shown]
    hide_contacts(entries)
    names = names_in(entries)
    told = [_line(each, why, names) for each, why in shown]
    if further := len(lines) - len(shown):
        told.append(
            ngettext("And %(count)d more.", "And %(count)d more.", further) % {"count": further}
        )
    return told


def _line(entry: Entry, why: str, names: Names) -> str:
    what = {"what": _called(entry), "did": _did(entry, names)}
    if why:
        return _("%(what)s: %(did)s – not taken back. %(why)s") % {**what, "why": why}
    return _("%(what)s: %(did)s – taken back: %(how)s.") % {
        **what,
        "how": INVERSES[entry.action].says,
    }


def _called(entry: Entry) -> str:
    """What the entry is about: a unit, or a person in one."""
    where = unit_in_block(entry.block_label, entry.apartment_label) if entry.block_label else ""
    who = isolated(entry.person_label) if entry.person_label else ""
    return capfirst(listed(filter(None, (who, where)))) or isolated(entry.target_label)


def _did(entry: Entry, names: Names) -> str:
    words: Sequence[str] = changes_in_words(entry, names)
    action = entry.get_action_display()
    return f"{action} ({listed(words)})" if words else action


def undo_link(request: HttpRequest, entries: Sequence[Entry], address: Any) -> str:
    """Where a list of one change's entries leads to undo it; empty if that is not offered."""
    changes = scope(request).changes
    for each in entries:
        if can_be_undone(each.action) and not each.refused and each.block_id in changes:
            return str(address("undo", each.pk))
    return ""
