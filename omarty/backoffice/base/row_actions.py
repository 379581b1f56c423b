"""Row actions: a page that says what will be done, asks for details, and calls one operation."""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audit.models import Action
from audit.operations import Origin, Where
from buildings.permissions import Blocks
from omarty.backoffice.base.forms import reason_field
from omarty.backoffice.base.scoped_admin import ScopedAdmin, ask_again, origin_of, scope
from omarty.backoffice.base.taken_contacts import (
    ContactTaken,
    count_look,
    refuse_once_used_up,
)

# Their ids are fields of the page's form, and Django reads at most a thousand fields.
MOST_AT_ONCE = 500


class ActionRefused(Exception):
    """What was sent cannot be done any more: it was done already, or its object is gone."""


class RowAction(forms.Form):
    """Something that is done to one row, or to those chosen in a list.

    `title` heads its page, `button` is on its button; `needs_reason` makes the reason obligatory.
    With `previews` the first POST is answered by its plan, and only the same plan sent again is
    carried out. With `shows` the outcome is shown on the page itself.
    """

    title: ClassVar[Any]
    button: ClassVar[Any]
    needs_reason = False
    # Whether it takes something from somebody: its button then has another colour.
    harms = False
    previews = False
    shows = False
    # Whether its outcome is to be printed.
    prints = False
    # Whether the page that shows its outcome no longer offers it.
    once = False
    # On a second button, which carries it out too and opens the same page again; empty for none.
    again: ClassVar[Any] = ""
    # Managers may not do it.
    superusers_only = False

    required_css_class = "required"
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, rows: list[Any], request: HttpRequest) -> None:
        self.rows = rows
        self.row = rows[0]
        self.request = request
        super().__init__(data)
        self.fields.update(self.further_fields())
        if "reason" not in self.fields:
            self.fields["reason"] = reason_field(required=self.needs_reason)

    def further_fields(self) -> dict[str, forms.Field]:
        """Fields that it has for some rows only."""
        return {}

    @property
    def origin(self) -> Origin:
        """Who acts and why, for the operation."""
        return origin_of(self.request, reason=self.cleaned_data["reason"])

    @property
    def where(self) -> Where:
        """Block and unit for the entry of a refusal."""
        return {}

    @property
    def asks_for_contact(self) -> Action | None:
        """What it does with a typed contact, which somebody else may have; None where there is none."""
        return None

    @classmethod
    def why_refused(cls, row: Any) -> str:
        """A sentence that says why it cannot be done to this row; empty if it can."""
        return ""

    @classmethod
    def why_refused_to(cls, request: HttpRequest, row: Any) -> str:
        """The same, where it depends on who asks."""
        return cls.why_refused(row)

    @classmethod
    def offered_for(cls, row: Any) -> bool:
        """Whether the row's page offers it."""
        return not cls.why_refused(row)

    def plan(self) -> list[str]:
        """What will be done, one item each; with `previews` it may read the cleaned fields."""
        return [str(row) for row in self.rows]

    def carry_out(self) -> list[str]:
        """Do it. Returns the outcome: its first item is the message; with `shows` all are shown.

        Raises ValidationError.
        """
        raise NotImplementedError

    def outcome_page(self) -> str:
        """The address that shows its outcome; empty: the page that it was called from."""
        return ""

    def next_steps(self) -> list[tuple[str, Any]]:
        """Address and title of what there is to do next, beside an outcome that the page itself shows."""
        return []

    def is_confirmed(self) -> bool:
        """Whether the plan is the one that the page showed before; if not, the page shows it now."""
        digest = hashlib.sha256("\n".join(self.plan()).encode()).hexdigest()
        if not self.previews or self.cleaned_data["confirmed"] == digest:
            return True
        self.data = dict(self.data.items()) | {"confirmed": digest}
        return False


class RowActionsAdmin(ScopedAdmin):
    """A list with `row_actions`, each by the last part of its address.

    Those named in `bulk` are offered for many rows of the list as well.
    """

    row_actions: ClassVar[dict[str, type[RowAction]]] = {}
    bulk: tuple[str, ...] = ()
    change_form_template = "backoffice/change_form.html"

    def lock(self, rows: Sequence[Any]) -> None:
        """Lock what these rows' actions show and change until the transaction ends."""
        raise NotImplementedError

    def get_urls(self) -> list[Any]:
        return [
            path(
                f"<int:object_id>/{name}/",
                self.admin_site.admin_view(partial(self.row_action_view, name=name)),
                name=self.address_name(name),
            )
            for name in self.row_actions
        ] + super().get_urls()

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        if self.may_change(request):
            for name in self.bulk:
                run = partial(RowActionsAdmin.run_on_many, name=name)
                actions[name] = (cast(Any, run), name, self.row_actions[name].title)
        return actions

    def offered(self, request: HttpRequest, row: Any) -> list[tuple[str, Any]]:
        """Address and title of each action that this user can do to this row."""
        if not self.may_change(request, row):
            return []
        return [
            (self.address(name, row.pk), action.title)
            for name, action in self.row_actions.items()
            if self._may(request, action)
            and action.offered_for(row)
            and not action.why_refused_to(request, row)
        ]

    def _may(self, request: HttpRequest, action: type[RowAction]) -> bool:
        return not action.superusers_only or scope(request).changes.ids is None

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        row = context["original"]
        context["row_actions"] = [] if row is None else self.offered(request, row)
        return super().render_change_form(request, context, *args, **kwargs)

    def row_action_view(self, request: HttpRequest, object_id: int, name: str) -> HttpResponse:
        """The page of one row's action. Only a POST locks anything, so that reading never waits."""
        row = self._changeable(request, object_id)
        if row is None:
            return self._unknown(request, str(object_id))
        if not self._may(request, self.row_actions[name]):
            raise PermissionDenied
        if request.method != "POST":
            return self._open(request, row, name, None)
        with transaction.atomic():
            self.lock([row])
            # While this request waited for the lock, others may have changed the row and the rights.
            ask_again(request)
            row = self._changeable(request, object_id)
            if row is None:
                return self._unknown(request, str(object_id))
            return self._open(request, row, name, request.POST)

    def _changeable(self, request: HttpRequest, object_id: int) -> Any:
        """The row; None if the user sees no such row. Raises PermissionDenied if they may only look at it."""
        row = self.get_object(request, str(object_id))
        if row is not None and not self.may_change(request, row):
            raise PermissionDenied
        return row

    def back_from(self, request: HttpRequest, row: Any) -> str:
        """Where an action leads when it is done or left: to the row's own page."""
        return self.address("change", row.pk)

    def _open(self, request: HttpRequest, row: Any, name: str, sent: Any) -> HttpResponse:
        back = self.back_from(request, row)
        why_refused = self.row_actions[name].why_refused_to(request, row)
        if why_refused:
            self.message_user(request, why_refused, messages.ERROR)
            return HttpResponseRedirect(back)
        try:
            form = self.row_actions[name](sent, rows=[row], request=request)
        except ActionRefused as refused:
            self.message_user(request, str(refused), messages.WARNING)
            return HttpResponseRedirect(back)
        return self._answer(request, form, back=back)

    def _unknown(self, request: HttpRequest, object_id: str) -> HttpResponse:
        # The answer of Django's own pages for an id that they do not find.
        answer: HttpResponse = cast(Any, self)._get_obj_does_not_exist_redirect(
            request, self.opts, object_id
        )
        return answer

    def run_on_many(self, request: HttpRequest, chosen: Any, *, name: str) -> HttpResponse | None:
        """An action on the rows chosen in the list: first a page that names them, then its confirmation.

        Only the confirmation locks anything.
        """
        if "sure" not in request.POST:
            return self._open_many(request, chosen, name, None)
        with transaction.atomic():
            self.lock(list(chosen[:MOST_AT_ONCE]))
            # As for one row: others may have changed the rows and the rights.
            ask_again(request)
            return self._open_many(request, chosen.all(), name, request.POST)

    def _open_many(
        self, request: HttpRequest, chosen: Any, name: str, sent: Any
    ) -> HttpResponse | None:
        rows = list(chosen[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            self.message_user(
                request, _("Choose at most %d at once.") % MOST_AT_ONCE, messages.ERROR
            )
            return None
        # Of a list that is chosen whole, the first POST names only the rows of one page.
        posted = set(request.POST.getlist(ACTION_CHECKBOX_NAME))
        whole = request.POST.get("select_across") == "1"
        if not rows or (not whole and {str(row.pk) for row in rows} != posted):
            self.message_user(
                request,
                _("Nothing was done: some of the rows chosen are no longer in this list."),
                messages.ERROR,
            )
            return None
        changes = scope(request).changes
        if not all(changes.meet(self.block_ids(row)) for row in rows):
            raise PermissionDenied
        form = self.row_actions[name](sent, rows=rows, request=request)
        hidden = [("action", name), ("sure", "1")]
        hidden += [(ACTION_CHECKBOX_NAME, str(row.pk)) for row in rows]
        return self._answer(request, form, back=request.get_full_path(), hidden=hidden)

    def _subtitle(self, rows: list[Any]) -> str:
        if len(rows) == 1:
            return self.page_title(rows[0])
        return ngettext("%(count)d chosen", "%(count)d chosen", len(rows)) % {"count": len(rows)}

    def _answer(
        self, request: HttpRequest, form: RowAction, *, back: str, hidden: Any = ()
    ) -> HttpResponse:
        outcome: list[str] = []
        if form.is_bound and form.is_valid() and form.is_confirmed():
            try:
                outcome = _carried_out(request, form)
            except ValidationError as refused:
                form.add_error(None, refused)
            else:
                if not form.shows:
                    self.message_user(request, outcome[0], messages.SUCCESS)
                    return HttpResponseRedirect(form.outcome_page() or back)
        ready = not form.previews or (form.is_bound and form.is_valid())
        context = {
            **self.admin_site.each_context(request),
            "title": form.title,
            "subtitle": self._subtitle(form.rows),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
            "plan": form.plan() if ready and not outcome else [],
            "outcome": outcome,
            "next_steps": form.next_steps() if outcome else [],
            "prints": form.prints,
            "over": bool(outcome) and (form.prints or form.once),
            "harms": form.harms and ready,
            "button": form.button if ready else gettext_lazy("Preview"),
            "again": form.again,
            "hidden": hidden,
            "back": (form.outcome_page() if outcome else "") or back,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "backoffice/row_action.html", context)


def _carried_out(request: HttpRequest, form: RowAction) -> list[str]:
    """What `form.carry_out()` returns or raises, unless the day's number of contacts is used up."""
    action = form.asks_for_contact
    if action is None:
        with transaction.atomic():
            return form.carry_out()
    refuse_once_used_up(request, action=action, **form.where)
    try:
        with transaction.atomic():
            done = form.carry_out()
            count_look(request, taken=0, action=action, **form.where)
    except ValidationError as refused:
        taken = int(isinstance(refused, ContactTaken))
        count_look(request, taken=taken, action=action, **form.where)
        raise
    return done


class OfficeAdmin(RowActionsAdmin):
    """A list of rows that belong to no block: superusers alone see it, and act on its rows."""

    def within(self, blocks: Blocks, rows: Any) -> Any:
        return rows

    def block_ids(self, row: Any) -> list[int]:
        return []

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        return rows if self.has_view_permission(request) else rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and getattr(request.user, "is_superuser", False))

    def may_change(self, request: HttpRequest, row: Any = None) -> bool:
        """Whether the user may act on a row."""
        return self.has_view_permission(request)

    def lock(self, rows: Sequence[Any]) -> None:
        ids = [row.pk for row in rows]
        list(self.model._default_manager.select_for_update().filter(pk__in=ids).order_by("pk"))
