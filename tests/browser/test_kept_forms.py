"""A session that ended while somebody typed, and Back after a save that was refused."""

import itertools

import pytest

from buildings.models import Apartment
from contacts.models import BackofficeSession
from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_pages import violations

UNIT = "buildings/apartment/2/change/"
NOTE = "العدّاد في المنور"


def refusals(desk):
    """Chromium's own word about an answer with 403, which is meant; all else stays a fault."""
    told = [each for each in desk.faults if "status of 403" in each]
    for each in told:
        desk.faults.remove(each)
    return len(told)


def sent(desk, selector="form .submit-row [type=submit].default"):
    """Press a button whose answer is a page with 403."""
    with desk.page.expect_event("load"):
        desk.page.locator(selector).first.click()
    assert refusals(desk) == 1
    desk.look()


@pytest.mark.parametrize(
    ("language", "size"), list(itertools.product(["en", "ar"], [WIDE, NARROW])), ids=str
)
def test_a_note_typed_while_the_session_ended_is_saved_by_signing_in(
    window, tmp_path, language, size
):
    desk = window(language, size)
    desk.sign_in("manager@example.org")
    page = desk.open(UNIT)
    page.fill("#id_name", NOTE)
    BackofficeSession.objects.all().delete()
    sent(desk, "[name=_save]")
    page.screenshot(path=tmp_path / f"ended-{language}-{size[0]}.png", full_page=True)
    assert violations(desk) == []
    page.fill("#id_sign_in-username", "manager@example.org")
    page.fill("#id_sign_in-password", "omarty-demo")
    desk.send("#login-form [type=submit]")
    assert page.url == f"{desk.server}/admin/buildings/apartment/"
    assert Apartment.objects.get(pk=2).name == NOTE
    page.go_back()
    desk.look()
    assert page.input_value("#id_name") == NOTE


@pytest.mark.parametrize(("language", "size"), [("en", NARROW), ("ar", WIDE)], ids=str)
def test_an_old_form_is_sent_by_a_button(window, tmp_path, language, size):
    desk = window(language, size)
    desk.sign_in("manager@example.org")
    page = desk.open(UNIT)
    page.fill("#id_name", NOTE)
    page.evaluate(
        "document.querySelector('#apartment_form [name=csrfmiddlewaretoken]').value = 'x'"
    )
    sent(desk, "[name=_save]")
    page.locator("details.kept > summary").click()
    assert page.locator("details.kept dd", has_text=NOTE).count() == 1
    page.screenshot(path=tmp_path / f"old-{language}-{size[0]}.png", full_page=True)
    assert violations(desk) == []
    desk.send(".kept-form [type=submit]")
    assert Apartment.objects.get(pk=2).name == NOTE


def test_back_after_a_refused_save_asks_nothing(window):
    desk = window("en")
    desk.sign_in("manager@example.org")
    page = desk.open(UNIT)
    page.fill("#id_number", "3")
    desk.send("[name=_save]")
    assert page.locator(".errorlist").count() == 1
    page.fill("#id_number", "92")
    desk.send("[name=_save]")
    assert page.url.endswith("/admin/buildings/apartment/")
    page.go_back()
    desk.look()
    assert page.input_value("#id_number") == "92"


@pytest.mark.parametrize(("language", "size"), [("en", WIDE), ("ar", NARROW)], ids=str)
def test_a_page_for_errors_fits_and_leads_back(window, tmp_path, language, size):
    desk = window(language, size)
    desk.page.goto(f"{desk.server}/nowhere/")
    desk.faults.clear()
    desk.look()
    desk.page.screenshot(path=tmp_path / f"404-{language}-{size[0]}.png", full_page=True)
    assert violations(desk) == []
    desk.follow(".button")
    desk.page.screenshot(path=tmp_path / f"login-{language}-{size[0]}.png", full_page=True)
    desk.sign_in("manager@example.org")
