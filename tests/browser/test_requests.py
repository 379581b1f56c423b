"""Twelve requests are answered one after the other, in the list, by keyboard or by thumb."""

import pytest

from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Apartment, Block, Membership, Occupancy
from contacts.models import Status
from contacts.operations import register_user
from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_pages import violations

REQUESTS = "buildings/membership/"
# From the first page to the answer.
MOST_CLICKS = 2


def twelve_requests():
    """The demo's, and eleven more; most for units that nobody is in."""
    origin, block = Origin.of_command("test"), Block.objects.get(pk=1)
    for number in range(11):
        name = f"Sara Saleh {number}" if number % 2 else f"سارة صالح {number}"
        start_membership(
            origin=origin,
            user=register_user(origin=origin, name=name, phone=f"010555000{number:02}"),
            block=block,
            apartment=Apartment.objects.get(block=block, number=max(2, number)),
            status=Status.PENDING,
        )


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_twelve_requests_are_approved_with_two_clicks_for_the_first_and_one_for_each_more(
    window, tmp_path, language, size
):
    twelve_requests()
    desk = window(language, size)
    desk.sign_in("manager@example.org")
    page = desk.page
    clicks = 1
    desk.follow("#menu a.waiting")
    page.screenshot(path=tmp_path / f"list-{language}.png", full_page=True)
    assert violations(desk) == []
    sizes = page.eval_on_selector_all(
        ".answer button, .answer summary, .answer input[type=checkbox]",
        "all => all.map((each) => each.getBoundingClientRect()).filter(({width}) => width)"
        ".map(({width, height}) => Math.min(width, height))",
    )
    assert len(sizes) >= 24 and min(sizes) >= 24, sizes
    desk.send('.answer button[id^="answer-"]')
    clicks += 1
    assert clicks <= MOST_CLICKS
    assert Membership.objects.waiting().filter(block=1).count() == 11
    for left in range(11, 1, -1):
        # The next one has the focus: whoever has a keyboard presses Enter.
        assert page.evaluate("document.activeElement.id").startswith("answer-")
        assert page.locator(".answer").count() == left
        with page.expect_event("load"):
            page.keyboard.press("Enter")
    refuse_the_last(desk)
    assert not Membership.objects.waiting().filter(block=1).exists()
    occupied = Apartment.objects.filter(block=1, occupancy=Occupancy.OCCUPIED)
    assert {2, *range(4, 11)} <= set(occupied.values_list("number", flat=True))
    assert page.locator("#menu a.waiting").count() == 0


def refuse_the_last(desk):
    """In its row too, with a reason."""
    page = desk.page
    page.click(".answer summary")
    desk.look()
    page.keyboard.press("Tab")
    page.keyboard.type("not known here")
    with page.expect_event("load"):
        page.keyboard.press("Enter")
    desk.look()
    assert page.locator(".messagelist .success").is_visible()
    refused = Membership.objects.get(ended_at__isnull=False)
    assert refused.status == Status.PENDING


def test_requests_are_answered_without_scripts(window):
    desk = window("en", WIDE, java_script_enabled=False)
    desk.sign_in("manager@example.org")
    desk.page.click("#menu a.waiting")
    desk.page.click('.answer button[id^="answer-"]')
    desk.page.wait_for_selector(".messagelist .success")
    assert not Membership.objects.waiting().filter(block=1).exists()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_pages_of_a_request_and_of_the_choice(window, tmp_path, language, size):
    desk = window(language, size)
    desk.sign_in("manager@example.org")
    request = Membership.objects.waiting().get(block=1)
    for name, path in (
        ("request", f"{REQUESTS}{request.pk}/change/"),
        ("approve", f"{REQUESTS}{request.pk}/approve/"),
        ("notices", "notices/"),
    ):
        desk.open(path)
        desk.page.screenshot(path=tmp_path / f"{name}-{language}.png", full_page=True)
        assert violations(desk) == [], name
