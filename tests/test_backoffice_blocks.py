"""Buildings and blocks in the back-office: superusers register and edit them."""

import threading

import pytest
from django.db import connection

from audit.models import Action, Channel
from buildings.models import Block, Building, Membership, Role
from tests.backoffice import Desk, fields_of, told


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


@pytest.mark.parametrize("names", [{}, {"name_en": "  ", "name_ar": " "}])
def test_a_building_has_a_name(desk, nothing_changed, new_entries, names):
    for path in ("buildings/building/add/", "buildings/building/1/change/"):
        answer = desk.send(path, **{"name_en": "", "name_ar": "", "city": "Giza"} | names)
        assert answer.context["adminform"].errors["name_ar"] == [
            "A building needs a name, in either language."
        ]
    assert nothing_changed()
    assert new_entries() == []


def test_a_building_is_edited(desk, new_entries):
    was = Building.objects.get(pk=1)
    answer = desk.send("buildings/building/1/change/", name_en="Lotus", reason="misspelt")
    assert answer.status_code == 302, answer.content.decode()
    assert Building.objects.get(pk=1).name_en == "Lotus"
    (line,) = new_entries()
    assert (line.action, line.channel, line.target_id, line.block_id) == (
        Action.BUILDING_CHANGED, Channel.BACK_OFFICE, 1, None,
    )  # fmt: skip
    assert (line.before, line.after) == ({"name_en": was.name_en}, {"name_en": "Lotus"})
    assert line.reason == "misspelt"


def test_a_block_is_edited(desk, new_entries):
    other = Building.objects.create(name_en="Lotus Court")
    typed = {"building": other.pk, "number": "7A", "floors": "9", "longitude": "31.25"}
    answer = desk.send("buildings/block/1/change/", status="banned", **typed)
    assert answer.status_code == 302, answer.content.decode()
    block = Block.objects.get(pk=1)
    assert (block.building_id, block.number, block.floors, block.status) == (
        other.pk, "7A", 9, "banned",
    )  # fmt: skip
    (line,) = new_entries()
    assert (line.action, line.target_id, line.block_id) == (Action.BLOCK_CHANGED, 1, 1)
    assert line.before["building"] == 1
    assert line.after == {
        "building": other.pk, "number": "7A", "floors": 9, "longitude": "31.25",
        "status": "banned",
    }  # fmt: skip


@pytest.mark.parametrize("path", ["buildings/building/1/change/", "buildings/block/1/change/"])
def test_saving_what_changes_nothing_leaves_no_entry(desk, new_entries, path):
    assert desk.send(path).status_code == 302
    assert new_entries() == []


@pytest.mark.parametrize(
    ("path", "field"),
    [("buildings/building/1/change/", "name_en"), ("buildings/block/1/change/", "number")],
)
def test_the_second_to_save_is_shown_what_the_first_changed(desk, new_entries, path, field):
    opened = desk.page(path)
    assert Desk("admin").send(path, **{field: "7A"}).status_code == 302
    answer = desk.resend(path, opened, **{field: "7B"})
    assert "Adel Administrator changed this meanwhile to “7A”" in answer.content.decode()
    assert len(new_entries()) == 1
    assert desk.post(f"/admin/{path}", fields_of(answer)).status_code == 302
    assert new_entries()[-1].after == {field: "7B"}


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("buildings/block/add/", "2"),
        ("buildings/block/add/", " 2 "),
        ("buildings/block/1/change/", "2"),
    ],
)
def test_two_blocks_of_one_building_differ_in_number(
    desk, nothing_changed, new_entries, path, number
):
    answer = desk.send(path, building="1", number=number)
    assert answer.context["adminform"].errors["number"] == [
        "The building has a block of that number already."
    ]
    assert nothing_changed()
    assert new_entries() == []
    other = Building.objects.create(name_en="Lotus Court")
    assert desk.send(path, building=other.pk, number=number).status_code == 302


def test_a_legacy_double_is_edited_in_all_else(desk):
    Block.objects.filter(pk=2).update(number="1")
    assert desk.send("buildings/block/2/change/", name="East").status_code == 302
    assert Block.objects.get(pk=2).name == "East"


def test_two_who_register_one_number_at_once_register_one_block(commits):
    barrier, answers = threading.Barrier(2), []

    def register() -> None:
        desk = Desk("admin")
        form = fields_of(desk.page("buildings/block/add/")) | {"building": "1", "number": "7A"}
        barrier.wait()
        answers.append(desk.post("/admin/buildings/block/add/", form).status_code)
        connection.close()

    threads = [threading.Thread(target=register) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 302]
    assert Block.objects.filter(number="7A").count() == 1


@pytest.mark.parametrize("path", ["buildings/building/1/change/", "buildings/block/1/change/"])
def test_a_manager_only_reads_them(managers_desk, nothing_changed, new_entries, path):
    page = managers_desk.text(path)
    assert 'name="_save"' not in page
    assert 'name="reason"' not in page
    sent = {"building": "1", "number": "9", "name_en": "Mine", "status": "active"}
    assert managers_desk.post(f"/admin/{path}", sent).status_code == 403
    assert nothing_changed()
    assert new_entries() == []


@pytest.mark.parametrize("path", ["buildings/building/", "buildings/block/"])
def test_a_manager_registers_none(managers_desk, nothing_changed, path):
    desk = managers_desk
    assert f"/admin/{path}add/" not in desk.text(path)
    assert desk.page(f"{path}add/").status_code == 403
    assert desk.post(f"/admin/{path}add/", {"building": 1, "number": "7A"}).status_code == 403
    assert nothing_changed()


def test_a_manager_sees_the_buildings_of_own_blocks_alone(managers_desk):
    other = Building.objects.create(name_en="Lotus Court")
    Block.objects.create(building=other, number="7A")
    assert managers_desk.rows("buildings/building/") == [1]
    assert "Lotus" not in managers_desk.text("buildings/building/")
    assert managers_desk.page(f"buildings/building/{other.pk}/change/").status_code == 302


def test_blocks_of_several_buildings_have_distinct_labels_wherever_one_is_chosen():
    """The manager has block 1; in another building there is a block 1 as well."""
    other = Building.objects.create(name_en="Lotus Court")
    double = Block.objects.create(building=other, number="1")
    desk, pages = Desk("manager"), ("buildings/apartment/", "buildings/membership/", "audit/entry/")
    for page in (*pages, "contacts/user/", "buildings/apartment/add/"):
        assert "Lotus Court" not in desk.text(page), page
    Membership.objects.create(user_id=2, block=double, role=Role.MANAGER, status="active")
    here = str(Building.objects.get(pk=1))
    for page in (
        *pages, "contacts/user/", "buildings/apartment/add/", "buildings/apartment/import/",
    ):  # fmt: skip
        text = desk.text(page)
        assert "Lotus Court / 1" in text, page
        assert f"{here} / 1" in text, page
    assert "Add floors to block \N{FIRST STRONG ISOLATE}Lotus Court / 1" in desk.text(
        "buildings/apartment/"
    )
    assert (
        desk.send("buildings/apartment/add/", block=double.pk, number="5", floor="1").status_code
        == 302
    )
    assert double.apartments.get().number == 5
