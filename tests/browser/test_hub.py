"""From a new building to a unit that its first manager registers; how many clicks the common jobs take."""

from typing import Any

import pytest
import requests

from buildings.models import Apartment, Block, Membership, Role
from contacts.models import User
from tests.browser.conftest import NARROW, WIDE, Window
from tests.browser.test_pages import violations
from tests.conftest import person

PASSWORD = "Palm-Gardens-77"
MAIN_BUTTON = ".submit-row [type=submit].default"


class Counted:
    """A window whose presses and choices are counted; to type counts nothing, for it is no click.

    docs/back-office.md has the table of them, "Clicks for each job".
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.clicks = 0

    def press(self, selector: str = MAIN_BUTTON) -> None:
        """Press a link or a button, and wait for the page that it leads to."""
        self.clicks += 1
        self.window.follow(selector)

    def choose(self, selector: str, value: str) -> None:
        """Choose one of a list."""
        self.clicks += 1
        self.window.page.select_option(selector, value)

    def type(self, **typed: str) -> None:
        """Type into fields, by their names."""
        for name, text in typed.items():
            self.window.page.fill(f"#id_{name}", text)

    def type_and_enter(self, selector: str, text: str) -> None:
        """Type something to look for, and press Enter."""
        self.window.page.fill(selector, text)
        with self.window.page.expect_event("load"):
            self.window.page.press(selector, "Enter")
        self.window.look()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_new_building_gets_its_first_manager_who_registers_a_unit(
    window, live_server, tmp_path, language, size
):
    desk = window(language, size)
    desk.sign_in("admin@example.org")
    link = appoint_the_first_manager(desk, tmp_path)
    block = Block.objects.get(number="7A")
    # In another browser, as the manager's own phone.
    phone = window(language, size)
    come_in(phone, link)
    register_floors(phone, block)
    register_by_the_app(live_server.url, block)
    assert set(block.apartments.values_list("number", "floor")) == {(1, 1), (2, 1), (71, 2)}
    # The superuser's page of the block no longer misses a manager.
    desk.open(f"buildings/block/{block.pk}/change/")
    assert desk.page.locator('.next-steps a[href*="appoint"]').count() == 0


def appoint_the_first_manager(desk: Window, tmp_path: Any) -> str:
    """Each page offers the next; returns the link that the new manager gets."""
    name = desk.language
    desk.open("buildings/building/add/")
    desk.page.fill("#id_name_en", "Lotus Court")
    desk.page.fill("#id_name_ar", "ساحة اللوتس")
    desk.send()
    desk.follow('.next-steps a[href*="/block/add/"]')
    assert desk.page.locator("#id_building option:checked").inner_text() in (
        "Lotus Court",
        "ساحة اللوتس",
    )
    desk.page.fill("#id_number", "7A")
    desk.send()
    desk.page.screenshot(path=tmp_path / f"block-{name}.png", full_page=True)
    assert violations(desk) == []
    desk.follow('.next-steps a[href*="/appoint/"]')
    desk.page.fill("#id_phone", "01055500077")
    desk.page.fill("#id_name", "نورا أحمد")
    assert violations(desk) == []
    desk.send()
    desk.page.screenshot(path=tmp_path / f"appointed-{name}.png", full_page=True)
    assert violations(desk) == []
    assert desk.page.locator('.next-steps a[href*="/add-floors/"]').is_visible()
    return desk.page.inner_text(".invitation .link")


def come_in(phone: Window, link: str) -> None:
    phone.page.goto(link)
    phone.look()
    phone.page.fill("#id_new_password1", PASSWORD)
    phone.page.fill("#id_new_password2", PASSWORD)
    phone.page.click("#content-main [type=submit]")
    phone.page.wait_for_selector(".success")
    phone.open("login/")
    phone.page.fill("#id_username", "01055500077")
    phone.page.fill("#id_password", PASSWORD)
    phone.page.click("#login-form [type=submit]")
    phone.page.wait_for_url(f"{phone.server}/admin/")
    phone.look()
    assert violations(phone) == []


def register_floors(phone: Window, block: Block) -> None:
    """The dashboard of the new manager says what to do first."""
    phone.follow('.next-steps a[href$="/add-floors/"]')
    for field, typed in {"lowest": "1", "highest": "1", "per_floor": "2"}.items():
        phone.page.fill(f"#id_{field}", typed)
    phone.send()
    phone.send()
    assert block.apartments.count() == 2


def register_by_the_app(server: str, block: Block) -> None:
    apis = f"{server}/omartyapis"
    sent = {"email": "01055500077", "password": PASSWORD}
    signed = requests.post(f"{apis}/Auth/Login/", sent, timeout=20).json()
    unit = {"api": "CreateApartment", "floorNum": "2", "aptNum": "71", "blockId": str(block.pk)}
    unit |= {"longitude": "31.2357", "latitude": "30.0444"}
    headers = {"Authorization": f"Bearer {signed['data']['Token']}"}
    answer = requests.post(f"{apis}/Create/", unit, headers=headers, timeout=20)
    assert answer.json() == {"status": 200, "data": "Apartment registered."}


# --- Clicks ---------------------------------------------------------------------------------------------


@pytest.fixture
def counted(window):
    desk = window("en")
    desk.sign_in("manager@example.org")
    return Counted(desk)


def test_four_clicks_hand_an_office_over(counted):
    counted.press('.panel a[href$="/block/1/change/"]')
    counted.press('table.managers a[href$="/hand-over/"]')
    counted.choose("#id_to", str(Membership.objects.get(user=person("resident")).pk))
    counted.type(reason="moving abroad")
    counted.press()
    assert Membership.objects.managing().get(block=1).user == person("resident")
    assert counted.clicks <= 4
    # Who has given the office away is told so where they can do no more.
    assert counted.window.page.locator("#login-form").is_visible()
    assert "Rami Resident manages block 1 now" in counted.window.page.inner_text(".messagelist")


def test_six_clicks_move_a_family_of_four_in(counted):
    counted.press('#menu a[href$="/apartment/"]')
    counted.press('#result_list a[href*="/apartment/6/change/"]')
    counted.press('.object-tools a[href$="/move-in/"]')
    for n, name in enumerate(("Nora", "Omar", "Laila", "Yusuf")):
        counted.type(name=name, phone=f"0105550007{n}")
        counted.press('[name="_again"]' if n < 3 else MAIN_BUTTON)
    people = Membership.objects.current().filter(apartment=6, role=Role.RESIDENT)
    assert [each.user.name for each in people.order_by("pk")] == ["Nora", "Omar", "Laila", "Yusuf"]
    assert counted.clicks - 1 <= 6, "from the list of units on"


def test_four_clicks_put_a_new_phone_in_place_of_a_lost_one(counted):
    counted.press('#menu a[href$="/contacts/user/"]')
    counted.type_and_enter("#searchbar", "rami")
    counted.press('#result_list a[href*="/contacts/user/3/change/"]')
    counted.press('a[href$="/edit/?contact=phone"]')
    counted.type(typed="01155500077")
    counted.press()
    assert User.objects.get(pk=3).phone == "01155500077"
    assert counted.clicks <= 4


def test_two_clicks_appoint_a_manager(counted):
    counted.window.open("buildings/block/1/change/")
    counted.press('.object-tools a[href$="/appoint/"]')
    counted.type(phone="01055500077", name="Nora")
    counted.press()
    assert Membership.objects.managing().filter(block=1, user__name="Nora").exists()
    assert counted.clicks <= 2


def test_two_clicks_leave_a_unit_empty(counted):
    counted.window.open("buildings/apartment/2/change/")
    counted.press('.object-tools a[href$="/everybody-out/"]')
    counted.press()
    assert not Membership.objects.current().filter(apartment=2).exists()
    assert counted.clicks <= 2


# --- On a phone -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("path", ["buildings/block/1/change/", "buildings/apartment/2/change/"])
def test_on_a_phone_each_way_to_reach_people_is_as_large_as_a_thumb(
    window, tmp_path, language, path
):
    desk = window(language, NARROW)
    desk.sign_in("manager@example.org")
    desk.open(path)
    desk.page.screenshot(path=tmp_path / f"{path.replace('/', '-')}{language}.png", full_page=True)
    sizes = desk.page.eval_on_selector_all(
        ".ways a, .record-table td a, .figures a, .object-tools a",
        "all => all.map((each) => each.getBoundingClientRect()).map(({width, height}) => [width, height])",
    )
    assert len(sizes) >= 6
    assert min(min(size) for size in sizes) >= 40, sizes
    assert violations(desk) == []
    assert Apartment.objects.filter(block=1).count() == 10
