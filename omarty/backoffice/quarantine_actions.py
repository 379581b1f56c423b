"""Row actions of the quarantine: somebody has dealt with a row, or takes that back."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from omarty.backoffice.base.labels import listed
from omarty.backoffice.base.row_actions import RowAction
from omarty.backoffice.quarantine_words import in_words, kind
from omarty.legacy.models import QuarantinedRow
from omarty.legacy.operations import set_done


class QuarantineAction(RowAction):
    """For rows of the quarantine; only who dealt with them is written, and nothing else."""

    def plan(self) -> list[str]:
        return [listed([f"{kind(row)} {row.key}", in_words(row)]) for row in self.rows]


class MarkDone(QuarantineAction):
    """The row was dealt with: the list of what is to be done has it no more."""

    title = gettext_lazy("Mark as done")
    button = gettext_lazy("Done")

    @classmethod
    def why_refused(cls, row: QuarantinedRow) -> str:
        return "" if row.done_at is None else _("This row was dealt with already.")

    def carry_out(self) -> list[str]:
        count = set_done(origin=self.origin, rows=self.rows, done=True)
        return [
            ngettext("%(count)d row is done.", "%(count)d rows are done.", count) % {"count": count}
        ]


class Reopen(QuarantineAction):
    """The row is to be dealt with after all."""

    title = gettext_lazy("Mark as not done")
    button = gettext_lazy("Not done")

    @classmethod
    def why_refused(cls, row: QuarantinedRow) -> str:
        return _("This row is not marked as done.") if row.done_at is None else ""

    def carry_out(self) -> list[str]:
        set_done(origin=self.origin, rows=self.rows, done=False)
        return [_("The row is to be dealt with again.")]
