"""Lists on a phone: two lines a row, the first of them soon, everything large enough, nothing that jumps."""

from typing import Any

import pytest

from audit.operations import Origin
from buildings.models import Block, Membership
from buildings.operations import register_apartment
from tests.browser.conftest import NARROW, WIDE
from tests.conftest import person

UNITS = "buildings/apartment/"
LISTS = (
    UNITS,
    "buildings/block/",
    "buildings/building/",
    "buildings/membership/",
    "contacts/user/",
    "audit/entry/",
)
LONG_NAME = "سلمى إبراهيم عبد الحميد El-Sherbiny Abdelwahab"
# A page of a slow 4G line, as Lighthouse has it.
SLOW = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value;
}).observe({ type: "layout-shift", buffered: true });
"""
ROWS = """all => all.map(row => {
  const { top, height } = row.getBoundingClientRect();
  return [top + window.scrollY, height];
})"""
# Column heads, which a phone does not show, are left out, and the link for keyboards.
TOO_SMALL = """
[...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary, textarea")]
  .filter(each => each.checkVisibility() && !each.closest("thead, .skip-to-content-link"))
  .map(each => [each.outerHTML.slice(0, 120), each.getBoundingClientRect()])
  .filter(([, { width, height }]) => Math.min(width, height) < 24)
  .map(([html, { width, height }]) => `${html} ${width} x ${height}`)
"""
BROKEN_WORDS = """() => {
  const broken = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const around = text.parentElement;
    if (!around.checkVisibility() || around.closest("script, thead, select")) continue;
    for (const word of text.data.matchAll(/[^\\s-]+/g)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom / 8)));
      if (lines.size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""


@pytest.fixture
def hundred_units() -> None:
    """In block 1, each with three people, one of whom has a long name."""
    block, origin = Block.objects.get(pk=1), Origin.of_command("test")
    people = [person("manager"), person("resident"), person("neighbour")]
    people[1].name = LONG_NAME
    people[1].save()
    for number in range(11, 101):
        unit = register_apartment(origin=origin, block=block, number=number, floor=number // 4)
        Membership.objects.bulk_create(
            Membership(user=each, block=block, apartment=unit) for each in people
        )


@pytest.fixture
def phone(window: Any, request: pytest.FixtureRequest) -> Any:
    """A manager's, in the language that the test names."""
    phone = window(request.param, NARROW)
    phone.sign_in("manager@example.org")
    return phone


LANGUAGES = pytest.mark.parametrize("phone", ["en", "ar"], indirect=True)


def rows(desk: Any) -> Any:
    """Top and height of each row."""
    return desk.page.eval_on_selector_all("#result_list tbody tr", ROWS)


@LANGUAGES
def test_a_hundred_rows_are_short_and_begin_soon(hundred_units, phone):
    for path in (UNITS, "buildings/membership/"):
        phone.open(path)
        found = rows(phone)
        assert len(found) == 100
        assert found[0][0] <= 400
        assert max(height for _top, height in found) <= 80
        assert phone.page.evaluate("document.documentElement.scrollHeight") <= 9000
    phone.open(f"{UNITS}?q=100")
    assert LONG_NAME[:8] in phone.page.inner_text("#result_list .more > summary")


@LANGUAGES
def test_on_every_list_the_first_row_is_soon_there_and_opens(phone):
    for path in LISTS:
        phone.open(path)
        assert rows(phone)[0][0] <= 400, path
        cells = phone.page.locator("#result_list tbody tr").first.locator(
            "td:not(.action-checkbox, .field-more)"
        )
        assert not any(cell.is_visible() for cell in cells.all())
        phone.page.locator("#result_list .more > summary").first.click()
        assert all(cell.is_visible() for cell in cells.all())
        phone.look()


@LANGUAGES
def test_nothing_on_a_list_is_too_small_to_tap_and_no_word_is_broken(phone):
    resident = person("resident")
    resident.name = LONG_NAME
    resident.save()
    for path in LISTS:
        phone.open(path)
        for folded in phone.page.locator("details:not([open]) > summary").all():
            if folded.is_visible():
                folded.click()
        assert phone.page.evaluate(TOO_SMALL) == [], path
        assert phone.page.evaluate(BROKEN_WORDS) == [], path
        phone.look()


def test_without_scripts_rows_and_filters_unfold_all_the_same(window):
    # Whoever signs in needs no script either.
    desk = window("ar", NARROW, java_script_enabled=False)
    page = desk.page
    page.goto(f"{desk.server}/admin/login/?next=/admin/{UNITS}")
    page.fill("#id_username", "manager@example.org")
    page.fill("#id_password", "omarty-demo")
    page.click("#login-form [type=submit]")
    note = page.locator("#result_list tbody tr").nth(1).locator("td.field-people")
    choice = page.locator('#changelist-filter a[href*="occupancy__exact=lived_in"]')
    assert not note.is_visible() and not choice.is_visible()
    page.locator(".more > summary").nth(1).click()
    page.locator(".fold:has(+ #changelist-filter) > summary").click()
    assert note.is_visible() and choice.is_visible()


def test_no_row_hides_what_is_typed_into_it(window):
    desk = window("en", NARROW)
    desk.sign_in("manager@example.org")
    desk.open(UNITS)
    assert desk.page.locator("#edit-list").is_visible()
    desk.follow("#edit-list")
    row = desk.page.locator("#result_list tbody tr").nth(1)
    row.locator('[name="form-1-floor"]').fill("5")
    row.locator(".more > summary").click()
    assert row.locator('[name="form-1-floor"]').is_visible()


def test_at_a_desk_nothing_is_folded(window):
    desk = window("en", WIDE)
    desk.sign_in("manager@example.org")
    for path in LISTS:
        desk.open(path)
        assert not any(each.is_visible() for each in desk.page.locator(".fold, .more").all())
    desk.open(UNITS)
    for shown in ("td.field-people", "#changelist-filter ul", "#user-tools", ".object-tools"):
        assert desk.page.locator(shown).first.is_visible(), shown


@LANGUAGES
def test_nothing_jumps_while_a_page_loads_over_a_slow_line(hundred_units, phone):
    page = phone.page
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    line.send("Network.emulateNetworkConditions", SLOW)
    page.add_init_script(SHIFTS)
    page.context.set_default_timeout(60_000)
    shifted = {}
    for path in ("", *LISTS):
        phone.open(path)
        page.wait_for_timeout(300)
        shifted[path] = page.evaluate("window.shifted")
    assert max(shifted.values()) <= 0.1, shifted
