"""What every page of the back-office must be, in a real browser."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from audit.models import Entry
from tests.browser.conftest import NARROW, WIDE

MAIN = (
    "",
    "buildings/apartment/",
    "buildings/apartment/?edit=1",
    "buildings/apartment/?q=nothing",
    "buildings/apartment/2/change/",
    "buildings/apartment/add/",
    "buildings/apartment/import/",
    "buildings/apartment/export/",
    "buildings/apartment/2/merge/",
    "buildings/apartment/2/move-in/",
    "buildings/block/",
    "buildings/block/1/change/",
    "buildings/block/1/add-floors/",
    "buildings/membership/",
    "buildings/membership/4/change/",
    "buildings/membership/4/approve/",
    "buildings/membership/4/refuse/",
    "audit/entry/?person=3",
    "contacts/user/",
    "contacts/user/3/change/",
    "audit/entry/",
    "audit/entry/?outcome=refused",
    "password_change/",
    "sessions/",
    "second-factor/",
)


def violations(desk: Any) -> list[str]:
    """Serious and critical ones, each with the element that it is about."""
    # Without `preload` axe asks the server for style sheets at addresses that it makes up.
    options = {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(desk.page, options=options).response["violations"]
    return [
        f"{desk.page.url} {each['id']}: {node['html'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [("en", WIDE, "light"), ("ar", NARROW, "dark")],
    ids=["en-wide-light", "ar-narrow-dark"],
)
def test_the_main_pages_can_be_used_by_everybody(window, language, size, scheme):
    desk = window(language, size, color_scheme=scheme)
    desk.open("login/")
    found = violations(desk)
    desk.sign_in("manager@example.org")
    entry = Entry.objects.filter(block_id=1).latest("pk")
    for path in (*MAIN, f"audit/entry/{entry.pk}/change/"):
        desk.open(path)
        found += violations(desk)
    assert not found, "\n".join(found)


def test_the_language_is_changed_on_the_sign_in_page_and_stays(window):
    desk = window("en")
    desk.open("login/")
    desk.page.get_by_role("button", name="العربيّة").click()
    desk.page.wait_for_load_state()
    desk.language = "ar"
    desk.look()
    desk.sign_in("manager@example.org")
    desk.page.get_by_role("button", name="English").click()
    desk.page.wait_for_load_state()
    desk.language = "en"
    desk.look()


def test_light_and_dark(window):
    desk = window("en")
    desk.open("login/")
    background = "getComputedStyle(document.body).backgroundColor"
    seen = {desk.page.evaluate(background)}
    for _press in range(2):
        desk.page.locator(".theme-toggle").click()
        seen.add(desk.page.evaluate(background))
    assert len(seen) == 2


def test_a_phone_reads_left_to_right_inside_arabic(window):
    desk = window("ar", NARROW)
    desk.sign_in("manager@example.org")
    desk.open("contacts/user/3/change/")
    phone = desk.page.locator("bdi", has_text="01000000002").first
    assert phone.evaluate("each => getComputedStyle(each).direction") == "ltr"


def test_filters_are_folded_on_a_phone_and_open_under_the_thumb(window):
    desk = window("ar", NARROW)
    desk.sign_in("manager@example.org")
    desk.open("buildings/apartment/")
    choice = desk.page.locator('#changelist-filter a[href*="occupancy__exact=lived_in"]')
    assert not choice.is_visible()
    desk.unfold("#changelist-filter")
    assert choice.bounding_box()["height"] >= 40
    desk.follow('#changelist-filter a[href*="occupancy__exact=lived_in"]')
    assert desk.page.locator("#result_list tbody tr").count() == 2


@pytest.mark.parametrize(
    ("path", "sections"), [("buildings/apartment/2/change/", 3), ("contacts/user/3/change/", 4)]
)
def test_a_section_of_one_field_shows_its_title_alone(window, path, sections):
    desk = window("en")
    desk.sign_in("manager@example.org")
    desk.open(path)
    labels = desk.page.locator(".titled label")
    assert labels.count() == sections
    assert not any(label.is_visible() for label in labels.all())


def test_the_api_pages_work_under_the_same_policy(window, live_server):
    desk = window("en")
    desk.page.goto(f"{live_server.url}/omartyapis/docs/")
    desk.page.get_by_text("/omartyapis/Create/").first.click()
    desk.page.get_by_role("button", name="Try it out").first.click()
    assert desk.faults == []
