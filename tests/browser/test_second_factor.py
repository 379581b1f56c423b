"""A second factor in a real browser: set up, used, lost."""

import base64
import time

import pytest
from django_otp.oath import TOTP

from contacts.models import SecondFactor
from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_pages import violations


def code(key, *, steps):
    totp = TOTP(base64.b32decode(key.replace(" ", "")))
    totp.time = time.time() + steps * totp.step
    return f"{totp.token():06}"


def sign_in_halfway(desk, name):
    desk.open("login/")
    desk.page.fill("#id_username", name)
    desk.page.fill("#id_password", "omarty-demo")
    desk.follow("#login-form [type=submit]")
    assert desk.page.url.endswith("/admin/login/code/")


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [
        ("en", WIDE, "light"),
        ("ar", NARROW, "dark"),
        ("en", NARROW, "light"),
        ("ar", WIDE, "light"),
    ],
    ids=["en-wide", "ar-narrow", "en-narrow", "ar-wide"],
)
def test_it_is_set_up_used_and_lost(window, tmp_path, language, size, scheme):
    def picture(desk, name):
        assert violations(desk) == []
        desk.page.screenshot(path=tmp_path / f"{name}-{language}-{size[0]}.png", full_page=True)

    desk = window(language, size, color_scheme=scheme)
    page = desk.page
    # Set up.
    desk.sign_in("manager@example.org")
    desk.follow('#user-tools a[href="/admin/second-factor/"]')
    picture(desk, "set-up")
    key = page.inner_text(".second-factor .key")
    page.fill("#id_code", code(key, steps=0))
    page.fill("#id_password", "omarty-demo")
    desk.send()
    picture(desk, "codes")
    codes = page.locator(".recovery-codes code").all_inner_texts()
    assert len(codes) == 10
    page.evaluate("window.print = () => { window.printed = true }")
    page.click("[data-print]")
    assert page.evaluate("window.printed")
    desk.open("second-factor/")
    picture(desk, "on")
    # Used, on another device.
    other = window(language, size, color_scheme=scheme)
    sign_in_halfway(other, "01000000001")
    other.page.fill("#id_code", "000000")
    other.send()
    picture(other, "wrong-code")
    other.page.fill("#id_code", code(key, steps=1))
    other.send()
    assert other.page.url.endswith("/admin/")
    # Lost: a recovery code signs in, and another one switches it off.
    third = window(language, size, color_scheme=scheme)
    sign_in_halfway(third, "manager@example.org")
    third.page.fill("#id_code", codes[0])
    third.send()
    assert third.page.url.endswith("/admin/second-factor/")
    picture(third, "recovered")
    third.page.fill("#id_code", codes[1])
    third.page.fill("#id_password", "omarty-demo")
    third.send("[name=off]")
    assert third.page.locator(".second-factor .key").inner_text() != key
    assert not SecondFactor.objects.exists()


@pytest.mark.parametrize(("language", "size"), [("en", WIDE), ("ar", NARROW)], ids=["en", "ar"])
def test_a_superuser_reads_of_whom_it_is_required(window, tmp_path, language, size):
    desk = window(language, size)
    desk.sign_in("admin@example.org")
    desk.open("second-factor/")
    desk.follow('.second-factor a[href="/admin/second-factor/required/"]')
    assert violations(desk) == []
    # Not before they have one themselves.
    desk.page.select_option("#id_required_of", "superusers")
    desk.page.fill("#id_reason", "The board decided")
    desk.send()
    assert desk.page.locator(".errorlist").count() == 1
    assert violations(desk) == []
    desk.page.screenshot(path=tmp_path / f"required-{language}.png", full_page=True)
