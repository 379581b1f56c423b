"""A manager's day at the back-office, in both languages, at a desk and on a phone."""

from typing import Any

import pytest

from audit.models import Action, Channel, Entry
from buildings.models import Apartment, Membership
from contacts.models import Status
from tests.browser.conftest import NARROW, WIDE
from tests.conftest import person

BAD = "number,floor\n60,6\n61,top\n"
CORRECTED = "number,floor\n60,6\n61,6\n"


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_managers_day(window, language, size):
    desk = window(language, size)
    name = f"{language}-{size[0]}"

    desk.open("login/")
    desk.picture(f"sign-in-{name}")
    desk.sign_in("0100 000 0001")
    desk.page.wait_for_timeout(100)
    desk.picture(f"dashboard-{name}")

    approve_a_request(desk)
    correct_a_floor(desk, name)
    fix_a_phone(desk)
    add_floors(desk)
    merge_two_units(desk)
    import_a_bad_file_and_then_the_corrected_one(desk, name)
    read_the_audit_of_it_all(desk, name)

    desk.unfold("#user-tools")
    desk.page.locator("#logout-form button").click()
    desk.page.wait_for_load_state()
    desk.look()
    desk.page.goto(f"{desk.server}/admin/")
    assert desk.page.locator("#login-form").is_visible()


def approve_a_request(desk: Any) -> None:
    desk.follow('.figures a[href*="membership"]')
    desk.follow("#result_list tbody tr th a")
    desk.follow('.object-tools a[href$="/approve/"]')
    desk.page.fill("#id_reason", "shown the contract")
    desk.send()
    assert desk.page.locator(".messagelist .success").is_visible()
    waiting = Membership.objects.get(user=person("pending"))
    assert waiting.status == Status.ACTIVE


def correct_a_floor(desk: Any, name: str) -> None:
    desk.follow('#menu a[href$="/apartment/"]')
    desk.picture(f"units-{name}")
    desk.follow("#edit-list")
    row = desk.page.locator("#result_list tbody tr", has=desk.page.locator('input[value="2"]')).nth(
        0
    )
    desk.open_row(row)
    row.locator('input[name$="-floor"].vIntegerField').fill("3")
    desk.send('#changelist-form [name="_save"]')
    assert Apartment.objects.get(pk=2).floor == 3


def fix_a_phone(desk: Any) -> None:
    rami = person("resident")
    desk.follow('#menu a[href$="/contacts/user/"]')
    desk.page.fill("#searchbar", "+20 100 000 0002")
    desk.follow("#changelist-search [type=submit]")
    desk.follow("#result_list tbody tr th a")
    desk.follow('a[href*="/edit/?contact=phone"]')
    assert desk.page.input_value("#id_typed") == "01000000002"
    desk.page.fill("#id_typed", "01000000001")
    desk.send()
    assert desk.page.locator(".errorlist").first.is_visible()
    desk.page.fill("#id_typed", "01000000022")
    desk.send()
    rami.refresh_from_db()
    assert rami.phone == "01000000022"
    shown = desk.page.locator("table.contacts bdi", has_text="01000000022")
    assert shown.get_attribute("dir") == "ltr"


def add_floors(desk: Any) -> None:
    desk.follow('#menu a[href$="/block/"]')
    desk.follow("#result_list tbody tr th a")
    desk.follow('.object-tools a[href$="/add-floors/"]')
    for field, typed in {"lowest": "3", "highest": "4", "per_floor": "2", "first": "31"}.items():
        desk.page.fill(f"#id_{field}", typed)
    desk.send()
    numbers = "31، 32" if desk.language == "ar" else "31, 32"
    assert numbers in desk.page.locator("ul.plan").inner_text()
    assert not Apartment.objects.filter(number=31).exists()
    desk.send()
    made = Apartment.objects.filter(number__range=(31, 34)).order_by("number")
    assert [(unit.floor, unit.number) for unit in made] == [(3, 31), (3, 32), (4, 33), (4, 34)]


def merge_two_units(desk: Any) -> None:
    desk.open("buildings/apartment/3/change/")
    desk.follow('.object-tools a[href$="/merge/"]')
    desk.page.select_option("#id_into", "4")
    desk.send()
    assert "Pakinam Pending" in desk.page.locator("ul.plan").inner_text()
    desk.send()
    assert Apartment.objects.get(pk=3).closed_at is not None
    assert set(Membership.objects.filter(apartment_id=4).values_list("user_id", flat=True)) == {
        5,
        6,
    }


def import_a_bad_file_and_then_the_corrected_one(desk: Any, name: str) -> None:
    desk.follow('#menu a[href$="/apartment/"]')
    desk.unfold(".object-tools")
    desk.follow('.object-tools a[href$="/import/"]')
    choose(desk, BAD)
    assert desk.page.locator("tr.problem").count() == 1
    desk.picture(f"import-{name}")
    assert not Apartment.objects.filter(number=60).exists()
    choose(desk, CORRECTED)
    assert desk.page.locator("tr.new").count() == 2
    desk.send()
    assert desk.page.locator(".messagelist .success").is_visible()
    assert Apartment.objects.filter(number__in=(60, 61)).count() == 2


def choose(desk: Any, content: str) -> None:
    file = {"name": "units.csv", "mimeType": "text/csv", "buffer": content.encode()}
    desk.page.set_input_files("#id_import_file", file)
    desk.send()


def read_the_audit_of_it_all(desk: Any, name: str) -> None:
    desk.follow('.messagelist a[href*="request="]')
    assert desk.page.locator("#result_list tbody tr").count() == 2
    desk.follow('#menu a[href$="/entry/"]')
    desk.picture(f"audit-{name}")
    done = Entry.objects.filter(channel=Channel.BACK_OFFICE, block_id=1, refused="")
    assert {Action(entry.action) for entry in done} >= {
        Action.MEMBERSHIP_APPROVED,
        Action.APARTMENT_CHANGED,
        Action.CONTACT_CHANGED,
        Action.APARTMENT_REGISTERED,
        Action.APARTMENT_MERGED,
    }
    assert set(done.values_list("actor_id", flat=True)) == {2}
    floor = done.get(action=Action.APARTMENT_CHANGED, target_id=2)
    desk.follow(f'#result_list a[href*="/entry/{floor.pk}/"]')
    assert desk.page.locator(".changes del").inner_text() == "0"
    assert desk.page.locator(".changes ins").inner_text() == "3"
    desk.picture(f"entry-{name}")
