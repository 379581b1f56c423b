"""Find anything by the key `/`, and the page of residents to print."""

import pytest

from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_pages import violations


@pytest.mark.parametrize(
    ("language", "size", "scheme", "key"),
    [("en", WIDE, "light", "/"), ("ar", NARROW, "dark", "ظ")],
    ids=["en-wide", "ar-narrow"],
)
def test_anything_is_found_by_a_key_and_the_residents_are_printed(
    window, tmp_path, language, size, scheme, key
):
    desk = window(language, size, color_scheme=scheme)
    desk.sign_in("manager@example.org")
    page = desk.open("buildings/apartment/")
    press = f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))"
    page.evaluate(press)
    assert page.evaluate("document.activeElement.matches('#find input')")
    # Where somebody types, it is a character.
    page.keyboard.type("0002/")
    assert page.input_value("#find input") == "0002/"
    page.fill("#find input", "0002")
    with page.expect_event("load"):
        page.keyboard.press("Enter")
    desk.look()
    assert page.locator(".found a", has_text="Rami Resident").is_visible()
    found = violations(desk)
    page.screenshot(path=tmp_path / f"find-{language}.png", full_page=True)
    desk.follow(".found a[href$='/user/3/change/']")
    desk.open("find/?q=zzzzz")
    found += violations(desk)
    desk.open("find/")
    page.screenshot(path=tmp_path / f"empty-{language}.png")
    found += violations(desk)

    desk.open("buildings/apartment/")
    desk.follow(".object-tools a[href*='/residents/']")
    page.select_option("#id_format", "print")
    desk.send()
    found += violations(desk)
    assert page.locator("tbody tr").count() == 11
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.screenshot(path=tmp_path / f"residents-{language}.png", full_page=True)
    page.emulate_media(media="print")
    assert not page.locator("[data-print]").is_visible()
    page.screenshot(path=tmp_path / f"printed-{language}.png", full_page=True)
    assert not found, "\n".join(found)
