"""An import of 150 units and their residents is undone, row by row told, in both languages and widths."""

from typing import Any

import pytest

from audit.models import Action, Entry
from buildings.models import Apartment, Membership
from tests.browser.conftest import NARROW, WIDE

ROWS = "".join(f"{n},{n % 9},Person {n},010{n:08}\n" for n in range(500, 650))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_an_import_of_150_is_undone(window, language, size):
    desk = window(language, size)
    name = f"{language}-{size[0]}"
    desk.open("login/")
    desk.sign_in("0100 000 0001")
    import_150(desk)
    # Somebody corrects one of them meanwhile: that one stays.
    used = Apartment.objects.get(number=505)
    used.note = "Key at the porter's"
    used.save()

    desk.follow('.messagelist a[href*="request="]')
    assert desk.page.locator("#result_list tbody tr").count() == 100
    desk.follow('#menu a[href$="/entry/"]')
    desk.picture(f"audit-import-{name}")
    desk.open_row(desk.page.locator("#result_list tbody tr").first)
    desk.follow('#result_list tbody tr:first-child a[href*="request="]')
    desk.follow('.object-tools a[href$="/undo/"]')
    desk.page.fill("#id_reason", "the wrong file")
    desk.send()
    assert desk.page.locator("ul.plan li").count() == 302
    assert desk.page.locator("ul.plan li", has_text="505").count() == 2
    desk.picture(f"undo-{name}")
    desk.send()
    assert desk.page.locator("ul.outcome li").count() == 303
    assert desk.page.locator("#id_reason").count() == 0
    desk.picture(f"undone-{name}")

    assert list(Apartment.objects.filter(number__gte=500).values_list("pk", flat=True)) == [used.pk]
    members = Membership.objects.filter(user__name__startswith="Person ")
    assert (members.count(), members.current().count()) == (150, 0)
    desk.follow('ul.outcome a[href*="request="]')
    done = Entry.objects.filter(reason="the wrong file")
    assert done.filter(action=Action.MEMBERSHIP_ENDED).count() == 150
    assert done.filter(action=Action.APARTMENT_RETIRED).count() == 149


def import_150(desk: Any) -> None:
    desk.follow('#menu a[href$="/apartment/"]')
    desk.follow('.object-tools a[href$="/import/"]')
    table = ("number,floor,name,phone\n" + ROWS).encode()
    file = {"name": "units.csv", "mimeType": "text/csv", "buffer": table}
    desk.page.set_input_files("#id_import_file", file)
    desk.send()
    desk.send()
    assert Apartment.objects.filter(number__gte=500).count() == 150
