"""Figures that lead to the list of what they count."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode


@dataclass(frozen=True)
class Figure:
    """A number with its label and the address of the list that it counts."""

    label: Any
    count: int
    link: str
    due: bool = False


def list_link(name: str, **query: Any) -> str:
    """The address of a list, filtered so."""
    link = reverse(f"admin:{name}_changelist")
    return f"{link}?{urlencode(query)}" if query else link
