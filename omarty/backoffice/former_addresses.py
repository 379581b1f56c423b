"""Addresses of the back-office that people may have kept, and where each leads now."""

from typing import Any

from django.http import HttpRequest
from django.urls import re_path
from django.utils.http import urlencode
from django.views.generic import RedirectView

# Below /admin/: a former path, and the present one with what the former one's groups matched.
FORMER_PATHS = {
    r"buildings/quarantinedrow/(?P<rest>.*)": "legacy/quarantinedrow/%(rest)s",
    r"buildings/block/(?P<block>\d+)/staircase/": "buildings/block/%(block)s/add-floors/",
    r"contacts/user/(?P<person>\d+)/mend/": "contacts/user/%(person)s/edit/",
}
# A filter's former parameter, and its present one.
FORMER_PARAMETERS = {"mending": "correction"}


def former_urls() -> list[Any]:
    """URL patterns for the site: a redirect, with its query, from each former path."""
    return [
        re_path(rf"^{former}$", RedirectView.as_view(url=f"/admin/{present}", query_string=True))
        for former, present in FORMER_PATHS.items()
    ]


def present_address(request: HttpRequest) -> str:
    """The address of this request with its parameters' present names; empty if it has them already."""
    if not FORMER_PARAMETERS.keys() & request.GET.keys():
        return ""
    query = [
        (FORMER_PARAMETERS.get(name, name), value)
        for name, values in request.GET.lists()
        for value in values
    ]
    return f"{request.path}?{urlencode(query)}"
