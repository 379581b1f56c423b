"""From a manager's list to a resident's first sign-in, by a link that is opened in another browser."""

import pytest
import requests

from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Block
from contacts.operations import register_user
from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_pages import violations

PASSWORD = "Palm-Gardens-77"


@pytest.mark.parametrize(
    ("language", "size", "other", "other_size"),
    [("en", WIDE, "ar", NARROW), ("ar", NARROW, "en", WIDE)],
    ids=["from-a-desk", "from-a-phone"],
)
def test_somebody_who_is_invited_sets_a_password_and_signs_in(
    window, live_server, tmp_path, language, size, other, other_size
):
    origin, block = Origin.of_command("test"), Block.objects.get(pk=1)
    nora = register_user(origin=origin, name="نورا أحمد", phone="01055500077")
    start_membership(origin=origin, user=nora, block=block, apartment=block.apartments.first())
    desk = window(language, size)
    desk.sign_in("manager@example.org")
    page = desk.open(f"contacts/user/{nora.pk}/invite/")
    page.click(".submit-row [type=submit]")
    page.wait_for_selector(".invitation")
    desk.look()
    page.screenshot(path=tmp_path / f"card-{language}.png", full_page=True)
    assert violations(desk) == []
    link = page.inner_text(".invitation .link")
    page.click("[data-copy]")
    phone = window(other, other_size)
    opened = phone.page
    opened.goto(link)
    phone.look()
    assert violations(phone) == []
    opened.screenshot(path=tmp_path / f"page-{other}.png", full_page=True)
    opened.fill("#id_new_password1", PASSWORD)
    opened.fill("#id_new_password2", PASSWORD)
    opened.click("#content-main [type=submit]")
    opened.wait_for_selector(".success")
    phone.look()
    assert violations(phone) == []
    opened.screenshot(path=tmp_path / f"done-{other}.png", full_page=True)
    sent = {"email": "01055500077", "password": PASSWORD}
    answer = requests.post(f"{live_server.url}/omartyapis/Auth/Login/", sent, timeout=20)
    assert answer.json()["status"] == 200
