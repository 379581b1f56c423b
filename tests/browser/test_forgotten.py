"""Somebody has forgotten their password: by e-mail, and by a code on their phone."""

import re

import pytest
import requests
from django.core.management import call_command

from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_pages import violations

PASSWORD = "Palm-Gardens-77"


@pytest.mark.parametrize(
    ("language", "size", "by"),
    [
        ("en", WIDE, "email"),
        ("ar", NARROW, "phone"),
        ("en", NARROW, "phone"),
        ("ar", WIDE, "email"),
    ],
)
def test_a_forgotten_password_is_replaced(
    window, live_server, mailbox, gateway, tmp_path, language, size, by
):
    desk = window(language, size)
    page = desk.page
    page.goto(f"{live_server.url}/admin/login/")
    page.click('a[href="/forgotten/"]')
    name = "manager@example.org" if by == "email" else "010 0000 0001"
    page.fill("#id_contact", name)
    assert violations(desk) == []
    page.screenshot(path=tmp_path / f"ask-{language}.png", full_page=True)
    page.click("#content-main [type=submit]")
    page.wait_for_selector(".success")
    desk.look()
    assert violations(desk) == []
    page.screenshot(path=tmp_path / f"sent-{language}.png", full_page=True)
    call_command("send_messages", "--quiet")
    if by == "email":
        (path,) = re.findall(r"/invitation/[\w-]{22}/", mailbox.texts[0])
        page.goto(live_server.url + path)
    else:
        (code,) = re.findall(r"\b\d{6}\b", gateway.forms[0]["text"])
        page.fill("#id_code", code)
        page.click("#content-main [type=submit]")
    page.fill("#id_new_password1", PASSWORD)
    page.fill("#id_new_password2", PASSWORD)
    page.click("#content-main [type=submit]")
    page.wait_for_selector(".success")
    desk.look()
    sent = {"email": name, "password": PASSWORD}
    answer = requests.post(f"{live_server.url}/omartyapis/Auth/Login/", sent, timeout=20)
    assert answer.json()["status"] == 200
