"""The dashboard: its figures, and that each links to the list of what it counts."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Apartment, Block, Building, Membership, Occupancy, Role
from buildings.operations import register_apartment, register_block
from contacts.models import Status
from tests.backoffice import Desk
from tests.conftest import person
from tests.proof import Log


@pytest.fixture
def desk():
    return Desk("manager")


@pytest.fixture
def origin():
    return Origin.of_command("test")


def figures(desk):
    """Label to count, and label to address, of every figure on the page."""
    page = desk.page("").context
    every = [*page["figures"], *page["corrections"]]
    return {str(each.label): each.count for each in every}, {
        str(each.label): each.link for each in every
    }


def listed(desk, link):
    """How many rows the list behind a link has."""
    return desk.get(unescape(link)).context["cl"].result_count


def test_a_manager_sees_the_figures_of_the_block(desk):
    counts, _ = figures(desk)
    assert counts == {
        "Requests waiting": 1,
        "Blocks": 1,
        "Units": 10,
        "Occupied units": 2,
        "No number": 0,
        "No floor": 0,
        "Marked as occupied, but nobody is in them": 0,
        "Marked as vacant, but somebody is in them": 0,
    }
    (line,) = desk.page("").context["blocks"]
    assert (line.block.pk, line.units, line.occupied, line.occupancy_rate, line.members) == (
        1,
        10,
        2,
        20,
        3,
    )


def test_a_superuser_sees_every_block():
    counts, _ = figures(Desk("admin"))
    assert (counts["Blocks"], counts["Units"]) == (4, 22)


def test_units_that_need_correction_are_counted(desk, origin):
    block = Block.objects.get(pk=1)
    register_apartment(origin=origin, block=block, number=None, floor=1)
    register_apartment(origin=origin, block=block, number=50, floor=None)
    empty = register_apartment(
        origin=origin, block=block, number=51, floor=1, occupancy=Occupancy.OCCUPIED
    )
    gone = start_membership(origin=origin, user=person("outsider"), block=block, apartment=empty)
    gone.status = Status.BANNED
    gone.save()
    closed = register_apartment(origin=origin, block=block, number=None, floor=None)
    Apartment.objects.filter(pk=closed.pk).update(closed_at="2026-01-01T00:00:00Z")
    counts, links = figures(desk)
    for label in ("No number", "No floor", "Marked as occupied, but nobody is in them"):
        assert counts[label] == 1
        assert listed(desk, links[label]) == 1


def test_a_unit_that_somebody_moved_into_or_was_approved_for_is_vacant_no_more(desk):
    """Where whoever did it took the tick away by which it follows."""
    label = "Marked as vacant, but somebody is in them"
    desk.send("buildings/apartment/6/move-in/", person="3", units_follow="")
    assert figures(desk)[0][label] == 1
    waiting = Membership.objects.get(user=person("pending"))
    desk.send(f"buildings/membership/{waiting.pk}/approve/", units_follow="")
    counts, links = figures(desk)
    assert counts[label] == listed(desk, links[label]) == 2
    assert desk.rows("buildings/apartment/", correction="vacant") == [3, 6]
    assert desk.rows("buildings/apartment/", correction="yes") == [3, 6]
    for unit in (3, 6):
        desk.send(f"buildings/apartment/{unit}/change/", occupancy="lived_in")
    assert figures(desk)[0][label] == 0


def test_a_unit_whose_only_resident_was_erased_needs_correction(desk, tmp_path):
    Membership.objects.filter(user=person("partner")).update(ended_at=timezone.now())
    erased = Log(tmp_path).run("person_erase", "resident@example.org", "--reason=asked for it")
    assert erased["exit"] == 0
    counts, links = figures(desk)
    assert counts["Marked as occupied, but nobody is in them"] == 1
    assert desk.rows("buildings/apartment/", correction="people") == [2]


@pytest.mark.parametrize("name", ["manager", "neighbour", "admin"])
def test_every_figure_links_to_the_list_that_it_counts(name):
    desk = Desk(name)
    counts, links = figures(desk)
    for label, link in links.items():
        assert listed(desk, link) == counts[label], label
    for line in desk.page("").context["blocks"]:
        assert listed(desk, line.units_link) == line.units
        assert listed(desk, line.occupied_link) == line.occupied
        assert listed(desk, line.members_link) == line.members
    days = [day for day in desk.page("").context["days"] if day.entries]
    assert sum(day.entries for day in days) > 0
    for day in days:
        # A page of the audit log does not count: it has at most a hundred.
        lines = desk.get(day.link).context["cl"].result_list
        # A change of several entries is one line.
        entries = [sum(line.together.counts.values()) if line.together else 1 for line in lines]
        assert sum(entries) == min(day.entries, 100)


def test_the_figures_are_on_the_page_as_text_too(desk):
    page = desk.text("")
    assert re.search(r"<strong>10</strong>\s*Units", page)
    assert "20%" in page
    assert 'id="activity"' in page
    assert "As a table" in page


def test_nothing_of_other_blocks(desk):
    entries = desk.page("").context["recent_entries"]
    assert {entry.block_id for entry in entries} == {1}
    assert "نادية" not in desk.text("")


def test_as_many_statements_for_many_blocks(origin):
    desk = Desk("admin")
    with CaptureQueriesContext(connection) as few:
        desk.page("")
    building = Building.objects.get()
    for number in range(40):
        block = register_block(origin=origin, building=building, number=str(100 + number))
        unit = register_apartment(origin=origin, block=block, number=1, floor=1)
        start_membership(
            origin=origin, user=person("outsider"), block=block, apartment=unit, role=Role.MANAGER
        )
    with CaptureQueriesContext(connection) as many:
        page = desk.page("")
    assert len(many) == len(few) <= 12
    assert page.context["further_blocks"] == 14
