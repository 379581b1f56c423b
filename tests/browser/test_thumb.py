"""What one touches, types and scrolls on a phone and at a desk."""

from typing import Any

import pytest

from buildings.models import Apartment
from tests.browser.conftest import NARROW, WIDE

UNITS = "buildings/apartment/"


def box(desk: Any, selector: str) -> Any:
    return desk.page.locator(selector).first.evaluate(
        "each => each.getBoundingClientRect().toJSON()"
    )


@pytest.mark.parametrize(
    ("path", "size"),
    [
        (f"{UNITS}6/move-in/", (390, 480)),
        (f"{UNITS}6/move-in/", NARROW),
        (f"{UNITS}2/change/", (1280, 900)),
    ],
)
def test_no_field_that_one_tabs_to_hides_behind_the_bar_of_buttons(window, path, size):
    desk = window("en", size)
    desk.sign_in("manager@example.org")
    desk.open(path)
    for _press in range(30):
        desk.page.keyboard.press("Tab")
        if desk.page.evaluate(
            "document.activeElement.matches('main .form-row input, main .form-row select')"
        ):
            focused = desk.page.evaluate("document.activeElement.getBoundingClientRect().bottom")
            bar = box(desk, ".submit-row")
            assert focused <= bar["top"] or focused <= bar["y"], desk.page.evaluate(
                "document.activeElement.id"
            )


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_present_tab_can_be_seen_in_the_header_of_a_phone(window, language):
    desk = window(language, NARROW)
    desk.sign_in("manager@example.org")
    for path in (UNITS, "buildings/block/", "audit/entry/"):
        desk.open(path)
        tab = box(desk, "#menu [aria-current]")
        assert tab["left"] >= 0
        assert tab["right"] <= NARROW[0]


@pytest.mark.parametrize("path", ["", "contacts/user/3/change/"])
def test_what_is_pressed_on_a_phone_is_as_large_as_a_thumb(window, path):
    desk = window("ar", NARROW)
    desk.sign_in("manager@example.org")
    desk.open(path)
    sizes = desk.page.eval_on_selector_all(
        ".panel td a, .row-actions a, .record-table td a",
        "all => all.map((each) => each.getBoundingClientRect()).map(({width, height}) => [width, height])",
    )
    assert sizes
    assert min(min(size) for size in sizes) >= 44, sizes


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_rows_buttons_stand_at_the_end_of_its_card_on_a_phone(window, language):
    window(language, NARROW).sign_in("manager@example.org")
    desk = window(language, NARROW)
    desk.sign_in("manager@example.org")
    gaps = []
    for path, button, label in (
        ("contacts/user/3/change/", ".record-table .row-actions a:last-child", ".record-table td"),
        ("sessions/", ".as-cards button", ".as-cards tbody td"),
    ):
        desk.open(path)
        end, cell = box(desk, button), box(desk, label)
        near = end["left"] - cell["left"] if language == "ar" else cell["right"] - end["right"]
        gaps.append(abs(near))
    assert max(gaps) <= 1, gaps


def test_save_stays_in_sight_in_a_long_list(window):
    desk = window("ar", NARROW)
    desk.sign_in("manager@example.org")
    desk.open(f"{UNITS}?edit=1")
    save = box(desk, "#changelist-form [name=_save]")
    assert 0 < save["bottom"] <= NARROW[1]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nobody_leaves_a_list_with_unsaved_edits_unasked(window, size):
    desk = window("en", size)
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    desk.page.on("dialog", answer)
    desk.sign_in("manager@example.org")
    desk.open(f"{UNITS}?edit=1")
    desk.follow('#menu a[href$="/apartment/"]')
    desk.follow("#edit-list")
    assert asked == []
    desk.open_row(desk.page.locator("#result_list tbody tr").nth(1))
    desk.page.fill('[name="form-1-floor"]', "5")
    assert desk.page.locator(".unsaved").inner_text() == "Not saved yet."
    desk.page.click('#menu a[href$="/block/"]')
    desk.page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert desk.page.url.endswith(f"{UNITS}?edit=1")
    desk.send('#changelist-form [name="_save"]')
    assert asked == ["beforeunload"]
    assert Apartment.objects.get(pk=2).floor == 5


def test_a_long_name_is_cut_at_its_end(window):
    desk = window("ar", NARROW)
    desk.sign_in("manager@example.org")
    desk.unfold("#user-tools")
    name = desk.page.locator("#user-tools strong")
    assert name.evaluate("each => getComputedStyle(each).direction") == "ltr"
