"""Buildings and blocks in the back-office: superusers register them."""

import pytest

from audit.models import Action, Channel
from buildings.models import Block, Building
from tests.office import Desk, told


@pytest.fixture
def desk():
    return Desk("admin")


@pytest.fixture
def managers_desk():
    return Desk("manager")


def test_a_superuser_registers_a_building_and_its_blocks(desk, new_entries):
    sent = desk.send(
        "buildings/building/add/", name_en="Lotus Court", name_ar="ساحة اللوتس", city="Giza"
    )
    assert sent.status_code == 302, sent.content.decode()
    building = Building.objects.get(name_en="Lotus Court")
    assert building.pk in desk.rows("buildings/building/")
    sent = desk.send("buildings/block/add/", building=building.pk, number="7A", floors="10")
    assert sent.status_code == 302, sent.content.decode()
    assert "7A" in told(sent)
    block = Block.objects.get(building=building)
    assert (block.number, block.floors, block.status) == ("7A", 10, "active")
    made = [(entry.action, entry.channel, entry.target_id) for entry in new_entries()]
    assert made == [
        (Action.BUILDING_REGISTERED, Channel.BACK_OFFICE, building.pk),
        (Action.BLOCK_REGISTERED, Channel.BACK_OFFICE, block.pk),
    ]


def test_what_was_typed_stays_where_the_building_is_missing(desk, nothing_changed):
    answer = desk.send("buildings/block/add/", number="7A")
    assert 'value="7A"' in answer.content.decode()
    assert nothing_changed()


@pytest.mark.parametrize("path", ["buildings/building/", "buildings/block/"])
def test_a_manager_registers_none(managers_desk, nothing_changed, path):
    desk = managers_desk
    assert f"/admin/{path}add/" not in desk.text(path)
    assert desk.page(f"{path}add/").status_code == 403
    assert desk.post(f"/admin/{path}add/", {"building": 1, "number": "7A"}).status_code == 403
    assert nothing_changed()


def test_a_manager_sees_the_buildings_of_his_blocks_alone(managers_desk):
    other = Building.objects.create(name_en="Lotus Court")
    Block.objects.create(building=other, number="7A")
    assert managers_desk.rows("buildings/building/") == [1]
    assert "Lotus" not in managers_desk.text("buildings/building/")
    assert managers_desk.page(f"buildings/building/{other.pk}/change/").status_code == 302
