"""Which filters a list is narrowed by, shown above it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class ActiveFilter:
    """A filter in force: its name, what it lets through, and the list's address without it."""

    title: str
    chosen: str
    without: str


class FilteredList(ChangeList):
    """A list that shows which of its filters are active."""

    def active_filters(self) -> list[ActiveFilter]:
        return [
            ActiveFilter(
                capfirst(str(spec.title)) or "",
                _chosen(spec, self),
                self.get_query_string(remove=_parameters(spec)),
            )
            for spec in self.filter_specs
            if any(self.params.get(name) for name in _parameters(spec))
        ]


def _parameters(spec: Any) -> list[str]:
    return [name for name in spec.expected_parameters() if name]


def _chosen(spec: Any, changelist: ChangeList) -> str:
    if hasattr(spec, "form"):
        return " ".join(_bounds(spec))
    # The first choice is that of no filter.
    for choice in list(spec.choices(changelist))[1:]:
        if choice["selected"]:
            return str(choice["display"])
    return ", ".join(str(changelist.params.get(name, "")) for name in _parameters(spec))


def _bounds(spec: Any) -> Iterator[str]:
    for name, words in ((spec.lookup_kwarg_gte, _("from %s")), (spec.lookup_kwarg_lte, _("to %s"))):
        value = spec.form[name].value()
        if spec.form.is_valid():
            value = spec.form.cleaned_data[name]
        if value not in (None, ""):
            yield words % (
                date_format(value, "SHORT_DATE_FORMAT") if isinstance(value, date) else value
            )
