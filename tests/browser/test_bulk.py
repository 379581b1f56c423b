"""Jobs on many units, in a real browser: pasted, ticked, traded, by keys."""

from collections.abc import Callable
from typing import Any

import pytest

from audit.models import Entry
from buildings.models import Apartment
from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_pages import violations

UNITS = "buildings/apartment/"
EVERYWHERE = pytest.mark.parametrize(
    ("language", "size"),
    [("en", WIDE), ("ar", WIDE), ("en", NARROW), ("ar", NARROW)],
    ids=["en-wide", "ar-wide", "en-narrow", "ar-narrow"],
)
# What arrives on the clipboard, without asking the machine's.
PASTE = """([selector, text]) => {
  const field = document.querySelector(selector);
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


class Clicks:
    """Presses in a window, counted; to paste counts as one."""

    def __init__(self, desk: Any) -> None:
        self.desk = desk
        self.count = 0

    def press(self, selector: str) -> None:
        self.count += 1 + self.desk.reach(selector)
        self.desk.page.click(selector)

    def follow(self, selector: str) -> None:
        self.count += 1 + self.desk.reach(selector)
        self.desk.follow(selector)

    def paste(self, selector: str, text: str) -> None:
        self.count += 1
        self.desk.page.evaluate(PASTE, [selector, text])


@pytest.fixture
def desk(window: Callable[..., Any]) -> Callable[..., Any]:
    def opened(language: str, size: tuple[int, int], path: str) -> Any:
        desk = window(language, size)
        desk.sign_in("manager@example.org")
        desk.open(path)
        return desk

    return opened


def floor(row: int) -> str:
    return f'[name="form-{row}-floor"]'


def focused(desk: Any) -> str:
    return str(desk.page.evaluate("document.activeElement.name"))


def forty() -> list[int]:
    Apartment.objects.bulk_create(
        Apartment(block_id=1, number=number, floor=8) for number in range(1001, 1041)
    )
    return list(Apartment.objects.filter(floor=8).order_by("number").values_list("pk", flat=True))


@EVERYWHERE
def test_thirty_floors_are_pasted_within_five_clicks(desk, language, size, tmp_path):
    ids = forty()
    at = desk(language, size, f"{UNITS}?floor__range__gte=8")
    clicks = Clicks(at)
    clicks.follow("#edit-list")
    clicks.press(floor(0))
    # As a spreadsheet copies a column: a line each, in Arabic digits too.
    clicks.paste(floor(0), "".join(f"{row % 9 + 1}\r\n" for row in range(29)) + "٢٠\r\n")
    assert "30" in at.page.inner_text("#pasted")
    at.page.screenshot(path=tmp_path / f"pasted-{language}-{size[0]}.png")
    assert violations(at) == []
    clicks.follow("[name=_save]")
    assert clicks.count <= 5
    floors = dict(Apartment.objects.filter(pk__in=ids).values_list("pk", "floor"))
    expected = [row % 9 + 1 for row in range(29)] + [20] + [8] * 10
    assert [floors[pk] for pk in ids] == expected
    # Those that changed are seen, though the filter would leave most of them out; one had its floor.
    assert at.page.locator("#result_list tbody tr").count() == sum(each != 8 for each in expected)
    assert at.page.locator(".just-changed").is_visible()
    at.page.screenshot(path=tmp_path / f"changed-{language}-{size[0]}.png")
    assert violations(at) == []
    at.follow(".just-changed a")
    assert "floor__range__gte=8" in at.page.url


@EVERYWHERE
def test_forty_units_are_given_a_floor(desk, language, size, tmp_path):
    ids = forty()
    at = desk(language, size, f"{UNITS}?floor__range__gte=8")
    clicks = Clicks(at)
    clicks.press("#action-toggle" if size == WIDE else ".select-page")
    clicks.count += 1
    at.page.select_option("[name=action]", "change-values")
    clicks.follow("#changelist-form .actions [type=submit], #changelist-form .actions button")
    at.page.fill("#id_floor", "٤٠" if language == "ar" else "40")
    clicks.follow(".submit-row .default")
    assert at.page.locator("ul.plan li").count() == 40
    at.page.screenshot(path=tmp_path / f"preview-{language}-{size[0]}.png")
    assert violations(at) == []
    clicks.follow(".submit-row .default")
    assert clicks.count <= 5
    assert set(Apartment.objects.filter(pk__in=ids).values_list("floor", flat=True)) == {40}
    assert at.page.locator("#result_list tbody tr").count() == 40
    lines = Entry.objects.filter(action="apartment.changed", target_id__in=ids)
    assert (lines.count(), len(set(lines.values_list("request_id", flat=True)))) == (40, 1)


@EVERYWHERE
def test_two_units_trade_their_numbers(desk, language, size):
    at = desk(language, size, UNITS)
    clicks = Clicks(at)
    clicks.follow("#edit-list")
    at.page.fill('[name="form-2-number"]', "4")
    at.page.fill('[name="form-3-number"]', "3")
    clicks.follow("[name=_save]")
    numbers = dict(Apartment.objects.filter(pk__in=[3, 4]).values_list("pk", "number"))
    assert numbers == {3: 4, 4: 3}
    assert at.page.locator("#result_list tbody tr").count() == 2


@EVERYWHERE
def test_keys_open_the_fields_and_move_through_them(desk, language, size):
    at = desk(language, size, UNITS)
    keys = at.page.keyboard
    at.page.focus("#searchbar")
    keys.press("e")
    assert at.page.input_value("#searchbar") == "e"
    at.page.evaluate("document.activeElement.blur()")
    with at.page.expect_event("load"):
        keys.press("e")
    at.look()
    at.page.focus(floor(0))
    keys.press("Enter")
    assert focused(at) == "form-1-floor"
    keys.press("ArrowDown")
    keys.press("ArrowUp")
    keys.press("Shift+Enter")
    assert focused(at) == "form-0-floor"
    after, before = ("ArrowLeft", "ArrowRight") if language == "ar" else ("ArrowRight", "ArrowLeft")
    # What is typed replaces the field's value, as in a spreadsheet; an arrow leaves it at its end.
    keys.press("ArrowDown")
    keys.type("17")
    assert at.page.input_value(floor(1)) == "17"
    keys.press("ArrowRight")
    assert focused(at) == ("form-1-number" if language == "ar" else "form-1-occupancy")
    at.page.focus(floor(1))
    at.page.locator(floor(1)).select_text()
    keys.press(after)
    assert focused(at) == "form-1-occupancy"
    value = at.page.input_value('[name="form-2-occupancy"]')
    keys.press("ArrowDown")
    assert focused(at) == "form-2-occupancy"
    assert at.page.input_value('[name="form-2-occupancy"]') == value
    keys.press(before)
    assert focused(at) == "form-2-floor"
    with at.page.expect_event("load"):
        keys.press("Control+Enter")
    assert Apartment.objects.get(pk=2).floor == 17


@pytest.mark.parametrize("language", ["en", "ar"])
def test_several_columns_are_pasted_and_what_does_not_fit_is_told(desk, language):
    at = desk(language, WIDE, f"{UNITS}?edit=1")
    vacant = Apartment(occupancy="closed")
    label = at.page.locator(
        f'[name="form-8-occupancy"] option[value="{vacant.occupancy}"]'
    ).inner_text()
    text = f"501\t5\t{label}\n502\t٦\tno such thing\textra\n503\t7\t{label}\n"
    at.page.evaluate(PASTE, ['[name="form-8-number"]', text])
    said = at.page.inner_text("#pasted")
    # Two rows had a field, one line did not; two cells were not taken.
    assert [word for word in said.replace(".", " ").split() if word.isdigit()] == ["2", "1", "2"]
    assert at.page.input_value('[name="form-8-occupancy"]') == "closed"
    assert at.page.locator(".unsaved").inner_text() != ""
    at.send("[name=_save]")
    rows = Apartment.objects.filter(pk__in=[9, 10]).order_by("pk")
    assert [(row.number, row.floor) for row in rows] == [(501, 5), (502, 6)]
    assert rows[0].occupancy == "closed"


def test_one_cell_is_pasted_as_ever_and_a_quoted_one_may_have_lines(desk):
    at = desk("en", WIDE, f"{UNITS}?edit=1")
    at.page.evaluate(PASTE, [floor(0), "12"])
    # The browser itself pastes it, which a made-up event does not.
    assert at.page.inner_text("#pasted") == ""
    at.page.evaluate(PASTE, [floor(0), '"7"\n"8"'])
    assert [at.page.input_value(floor(row)) for row in (0, 1)] == ["7", "8"]


@pytest.mark.parametrize("language", ["en", "ar"])
def test_nothing_that_was_typed_is_lost_on_a_refusal(desk, language, tmp_path):
    at = desk(language, NARROW, f"{UNITS}?occupancy__exact=vacant&edit=1")
    at.page.fill(floor(0), "900")
    at.page.fill(floor(1), "9")
    at.send("[name=_save]")
    assert at.page.locator("#result_list .errorlist").count() == 1
    assert [at.page.input_value(floor(row)) for row in (0, 1)] == ["900", "9"]
    at.page.screenshot(path=tmp_path / f"refused-{language}.png")
    at.page.fill(floor(0), "8")
    at.send("[name=_save]")
    assert at.page.locator("#result_list tbody tr").count() == 2


def test_without_scripts_the_link_opens_the_fields_and_save_works(window):
    at = window("en", WIDE, java_script_enabled=False)
    at.page.goto(f"{at.server}/admin/login/")
    at.page.fill("#id_username", "manager@example.org")
    at.page.fill("#id_password", "omarty-demo")
    at.page.click("#login-form [type=submit]")
    at.page.goto(f"{at.server}/admin/{UNITS}")
    at.page.click("#edit-list")
    at.page.fill(floor(2), "9")
    at.page.click("[name=_save]")
    at.page.wait_for_selector(".just-changed")
    assert Apartment.objects.get(pk=3).floor == 9
