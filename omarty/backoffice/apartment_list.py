"""Units edited in their list: the form of each, and what they are checked for together."""

from typing import Any, cast

from django.core.exceptions import ValidationError
from django.forms.models import construct_instance
from django.utils.translation import gettext as _

from buildings.operations import why_unit_refused
from buildings.unit_changes import NumberMove, refused_moves
from omarty.backoffice.base.forms import ModelForm, SeenForm
from omarty.backoffice.base.list_editing import EditedFormSet


class ApartmentListForm(SeenForm, ModelForm):
    """A unit in the list. Whether its number is free is a question to all forms together."""

    guarded = ("number", "floor", "occupancy")
    changes: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What was typed before somebody retired the unit is refused in words, not ignored.
        typed = any(self.add_prefix(name) in self.data for name in self.guarded)
        read_only = why_unit_refused(self.instance) and not typed
        if self.instance.pk and (read_only or self.instance.block_id not in self.changes):
            for field in self.fields.values():
                field.disabled = True

    def seen_row(self) -> Any:
        return self.instance

    def clean(self) -> Any:
        cleaned = super().clean()
        if why_unit_refused(self.instance) and self.has_changed():
            self.add_error("number", why_unit_refused(self.instance))
        return cleaned

    def _post_clean(self) -> None:
        # The model's constraints would be a statement each for every row: its fields alone are checked.
        if not self.has_changed():
            return
        form = cast(Any, self)
        construct_instance(self, self.instance, self._meta.fields)
        try:
            self.instance.clean_fields(exclude=form._get_validation_exclusions())
        except ValidationError as error:
            form._update_errors(error)

    @property
    def number_move(self) -> NumberMove | None:
        """The number that the unit gives up and the one that it wants; None if it keeps its own."""
        if "number" not in self.changed_data or "number" not in self.cleaned_data:
            return None
        block_id: int = self.instance.block_id
        given_up, wanted = self.initial["number"], self.cleaned_data["number"]
        return NumberMove(self.instance.pk, block_id, given_up, wanted)


class ApartmentFormSet(EditedFormSet):
    """The list's forms; units may trade numbers within one save."""

    def clean(self) -> None:
        super().clean()
        forms: Any = {form.instance.pk: form for form in self.forms}
        moves = [move for form in forms.values() if (move := form.number_move)]
        for move in refused_moves(moves):
            sentence = _("The block has a unit of that number already.")
            forms[move.unit_id].add_error("number", sentence)
