"""A form is checked and saved, by the operation that its list names, while nobody else changes what
it is checked against.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.messages.storage import default_storage
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from audit.operations import Origin
from buildings.operations import ApartmentExists, lock_blocks, lock_buildings
from omarty.backoffice.base.forms import changed_in, typed_in
from omarty.backoffice.base.list_editing import CHANGED, EDIT, EditedFormSet, EditedList
from omarty.backoffice.base.request_limits import BACK_LINK, row_id
from omarty.backoffice.base.scoped_admin import ScopedAdmin, origin_of


@dataclass(frozen=True)
class FormLock:
    """The ids of what a form is checked against; buildings are locked before blocks."""

    buildings: Collection[int] = ()
    blocks: Collection[int] = ()


class FormLockAdmin(ScopedAdmin):
    """A list whose forms, a page's and the list's own, are sent under a lock, in one transaction.

    What an operation refuses after its form was found right becomes a message on the same page; a list
    then still has all that was typed.
    Whoever may change nothing here locks nothing.
    """

    def form_lock(self, request: HttpRequest, row_ids: list[int]) -> FormLock:
        """What to lock for a form that shows these rows; for a form that adds one, none."""
        raise NotImplementedError

    def register_row(self, origin: Origin, typed: dict[str, Any]) -> models.Model:
        """Write the row that a form adds, and return it."""
        raise NotImplementedError

    def change_row(self, origin: Origin, row: Any, changes: dict[str, Any]) -> None:
        """Write what a form changes of its row."""
        raise NotImplementedError

    def change_rows(self, origin: Origin, changes: dict[int, dict[str, Any]]) -> None:
        """Write what the list's own form changes, by the ids of its rows: all of it or nothing."""
        raise NotImplementedError

    def save_model(self, request: Any, obj: Any, form: Any, change: Any) -> None:
        origin = origin_of(request, reason=form.cleaned_data.get("reason", ""))
        if not change:
            row = self.register_row(origin, typed_in(form))
            obj.pk, obj._state.adding = row.pk, False
        elif hasattr(request, "_list_changes"):
            # One by one, rows could not trade what must be unique.
            request._list_changes[obj.pk] = changed_in(form)
        else:
            self.change_row(origin, obj, changed_in(form))

    def refuse_form(self, request: HttpRequest, row_ids: list[int]) -> None:
        """Called under the lock. Raises ValidationError if the page's row takes no form any more."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        def answer() -> Any:
            self.refuse_form(request, row_ids)
            return view(request, object_id, form_url, extra_context)

        view = super().changeform_view
        shown = row_id(object_id or "")
        row_ids = [] if shown is None else [shown]
        if request.method != "POST" or not self.has_change_permission(request):
            return view(request, object_id, form_url, extra_context)
        try:
            return self._locked(request, row_ids, answer)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return EditedList

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        base = kwargs.pop("formset", EditedFormSet)
        refusal = getattr(request, "_list_refusal", "")
        formset = type(base.__name__, (base,), {"refusal": refusal})
        return super().get_changelist_formset(request, formset=formset, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        answer = partial(super().changelist_view, request, extra_context)
        if "_save" not in request.POST or not self.has_change_permission(request):
            return answer()
        save = partial(self._save_list, request, answer)
        try:
            return self._locked(request, self._edited_ids(request), save)
        except ValidationError as error:
            return self._refused_list(request, " ".join(error.messages), answer)

    def _save_list(self, request: Any, answer: Callable[[], HttpResponse]) -> HttpResponse:
        """Let Django check the forms, then write all that they change at once."""
        request._list_changes, request._list_refusal = {}, ""
        response = answer()
        if not request._list_changes:
            return response
        self.change_rows(origin_of(request), request._list_changes)
        return HttpResponseRedirect(self.changed_address(request))

    def _refused_list(
        self, request: Any, refusal: str, answer: Callable[[], HttpResponse]
    ) -> HttpResponse:
        """The list with all that was typed, and above it why it was not saved."""
        # Django has said already that it was.
        request._messages = default_storage(request)
        request._list_refusal = refusal
        return answer()

    def changed_address(self, request: Any) -> str:
        """The list of what this request changed, with the way back to the list as it was filtered."""
        query = request.GET.copy()
        query.pop(EDIT, None)
        back = query.get(BACK_LINK, "") if CHANGED in query else query.urlencode()
        shown = {CHANGED: str(request.request_id), **({BACK_LINK: back} if back else {})}
        return f"{self.address('changelist')}?{urlencode(shown)}"

    def _edited_ids(self, request: HttpRequest) -> list[int]:
        """The rows of a list's form. Raises SuspiciousOperation if one is not in the list."""
        posted: list[str] = self._get_edited_object_pks(request, "form")
        row_ids = {row_id(each) for each in posted}
        if None in row_ids:
            raise SuspiciousOperation("what was posted are no ids")
        if self.get_queryset(request).filter(pk__in=row_ids).count() != len(row_ids):
            # Otherwise Django's formset would answer differently for foreign ids than for unknown ones.
            raise SuspiciousOperation("a posted row is not in the list")
        return [each for each in row_ids if each is not None]

    def _locked(
        self, request: HttpRequest, row_ids: list[int], answer: Callable[[], HttpResponse]
    ) -> HttpResponse:
        """Answer under the lock. Raises ValidationError for what an operation refuses."""
        lock = self.form_lock(request, row_ids)
        try:
            with transaction.atomic():
                lock_buildings(lock.buildings)
                lock_blocks(lock.blocks)
                return answer()
        except ApartmentExists as error:
            raise ValidationError(_("The block has a unit of that number already.")) from error
