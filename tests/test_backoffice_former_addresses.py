"""Addresses of the back-office that people may have kept lead to where the page is now."""

import re

import pytest

from omarty.backoffice.former_addresses import FORMER_PARAMETERS, FORMER_PATHS
from tests.backoffice import Desk

# Each with an address that it leads to today.
KEPT = {
    "legacy": ("buildings/quarantinedrow/?reason__exact=own", "legacy/quarantinedrow/?reason__exact=own"),
    "floors": ("buildings/block/1/staircase/", "buildings/block/1/add-floors/"),
    "contact": ("contacts/user/3/mend/?contact=phone", "contacts/user/3/edit/?contact=phone"),
    "filter": ("buildings/apartment/?mending=yes&block=1", "buildings/apartment/?correction=yes&block=1"),
    "export": ("buildings/apartment/export/?mending=floor", "buildings/apartment/export/?correction=floor"),
}  # fmt: skip


@pytest.fixture
def desk():
    return Desk("admin")


@pytest.mark.parametrize("name", KEPT)
def test_a_former_address_leads_to_the_page(desk, name):
    former, present = KEPT[name]
    answer = desk.get(f"/admin/{former}", follow=True)
    assert answer.redirect_chain == [(f"/admin/{present}", 302)]
    assert answer.status_code == 200


def test_what_was_typed_into_a_page_at_its_former_address_is_not_carried_out(desk, nothing_changed):
    """A redirect opens the form anew."""
    answer = desk.post("/admin/contacts/user/3/mend/?contact=phone", {"typed": "01099999999"})
    assert (answer.status_code, answer.url) == (302, "/admin/contacts/user/3/edit/?contact=phone")
    assert nothing_changed()


def test_each_former_address_is_tried_here():
    kept = [former for former, _present in KEPT.values()]
    for pattern in FORMER_PATHS:
        assert any(re.match(pattern, former) for former in kept), pattern
    for name in FORMER_PARAMETERS:
        assert any(f"{name}=" in former for former in kept), name
