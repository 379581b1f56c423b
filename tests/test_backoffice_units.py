"""Units in the back-office: the list, the form, adding floors, merging, retiring."""

import re
import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format

from audit.models import Channel, Entry
from audit.operations import Origin
from buildings.membership_operations import end_memberships
from buildings.models import Apartment, Membership, Occupancy, Role
from buildings.operations import change_apartment
from contacts.models import Status
from tests.backoffice import Desk, fields_of, told

UNITS = "buildings/apartment/"


@pytest.fixture
def desk():
    return Desk("manager")


@pytest.fixture
def origin():
    return Origin(channel=Channel.COMMAND, actor_label="test")


def unit(pk: int) -> Apartment:
    return Apartment.objects.get(pk=pk)


def test_a_unit_is_changed_with_an_entry_that_has_before_after_and_reason(desk, new_entries):
    response = desk.send(f"{UNITS}2/change/", floor="3", name="B3", reason="counted wrong")
    assert response.status_code == 302
    assert (unit(2).floor, unit(2).name, unit(2).number) == (3, "B3", 2)
    (line,) = new_entries()
    assert (line.action, line.channel, line.actor_id) == ("apartment.changed", "back_office", 2)
    assert (line.block_id, line.apartment_id, line.target_id) == (1, 2, 2)
    assert (line.before, line.after) == ({"floor": 0, "name": ""}, {"floor": 3, "name": "B3"})
    assert line.reason == "counted wrong"


def test_saving_what_changes_nothing_leaves_no_entry(desk, new_entries):
    assert desk.send(f"{UNITS}2/change/").status_code == 302
    assert new_entries() == []


def test_a_taken_number_is_refused_beside_the_field(desk, new_entries):
    response = desk.send(f"{UNITS}2/change/", number="3")
    assert response.context["adminform"].errors["number"] == [
        "The block has a unit of that number already."
    ]
    assert unit(2).number == 2
    assert new_entries() == []


@pytest.mark.parametrize(
    ("field", "typed"),
    [("number", "0"), ("number", "x"), ("floor", "201"), ("occupancy", "x"), ("reason", "r" * 201)],
)
def test_bad_input_is_refused_beside_the_field(desk, new_entries, field, typed):
    response = desk.send(f"{UNITS}2/change/", **{field: typed})
    assert list(response.context["adminform"].errors) == [field]
    assert new_entries() == []


def test_a_unit_is_added(desk, new_entries):
    typed = {"number": "101", "floor": "9", "occupancy": "vacant", "note": "meter 7"}
    response = desk.send(f"{UNITS}add/", block="1", **typed)
    assert response.status_code == 302
    made = Apartment.objects.get(block=1, number=101)
    assert made.floor == 9
    (line,) = new_entries()
    assert (line.action, line.target_id) == ("apartment.registered", made.pk)
    values = {"number": 101, "floor": 9, "name": "", "occupancy": "vacant", "note": "meter 7"}
    assert line.after == values
    assert str(made.pk) in response.url or "101" in told(response)


def test_units_of_one_number_in_two_blocks_are_edited_in_one_list():
    Apartment.objects.filter(pk=11).update(number=1)
    desk = Desk("admin")
    rows = fields_of(desk.page(UNITS, edit="1"))
    response = desk.post(f"/admin/{UNITS}", rows | {"form-0-floor": "7", "_save": "Save"})
    assert response.status_code == 302
    assert Apartment.objects.get(pk=1).floor == 7
    number = next(name for name, value in rows.items() if name.endswith("-id") and value == "2")
    twice = rows | {number.replace("-id", "-number"): "1", "_save": "Save"}
    assert desk.post(f"/admin/{UNITS}", twice).status_code == 200
    assert Apartment.objects.get(pk=2).number == 2


def test_a_new_unit_needs_number_and_floor(desk):
    response = desk.send(f"{UNITS}add/", block="1")
    assert sorted(response.context["adminform"].errors) == ["floor", "number"]


def test_number_floor_and_occupancy_are_edited_in_the_list(desk, new_entries):
    rows = fields_of(desk.page(UNITS, edit="1"))
    changed = {"form-2-floor": "7", "form-3-number": "44", "form-4-occupancy": "closed"}
    response = desk.post(f"/admin/{UNITS}", rows | changed | {"_save": "Save"})
    assert response.status_code == 302
    lines = new_entries()
    assert [(line.target_id, line.after) for line in lines] == [
        (3, {"floor": 7}),
        (4, {"number": 44}),
        (5, {"occupancy": "closed"}),
    ]
    assert len({line.request_id for line in lines}) == 1
    assert (unit(3).floor, unit(4).number, unit(5).occupancy) == (7, 44, Occupancy.UNOCCUPIED)


def test_a_taken_number_in_the_list_changes_no_row(desk, new_entries):
    rows = fields_of(desk.page(UNITS, edit="1"))
    response = desk.post(
        f"/admin/{UNITS}", rows | {"form-2-floor": "7", "form-3-number": "5", "_save": "Save"}
    )
    assert "The block has a unit of that number already." in response.content.decode()
    assert unit(3).floor == 0
    assert new_entries() == []


def test_the_second_to_save_is_shown_what_the_first_changed_and_what_was_typed_stays(new_entries):
    first, second = Desk("manager"), Desk("admin")
    opened = second.page(f"{UNITS}2/change/")
    first.send(f"{UNITS}2/change/", floor="5", name="Mona's")
    response = second.resend(f"{UNITS}2/change/", opened, floor="6", note="by the stairs")
    errors = response.context["adminform"].errors
    assert "Mona Manager changed this meanwhile to “5”" in errors["floor"][0]
    assert "Mona's" in errors["name"][0].replace("&#x27;", "'")
    again = fields_of(response)
    assert (again["floor"], again["note"], again["name"]) == ("6", "by the stairs", "Mona's")
    assert unit(2).floor == 5
    assert len(new_entries()) == 1
    assert second.post(f"/admin/{UNITS}2/change/", again).status_code == 302
    assert (unit(2).floor, unit(2).name, unit(2).note) == (6, "Mona's", "by the stairs")
    assert new_entries()[-1].before == {"floor": 5, "note": ""}


def test_the_same_holds_for_editing_in_the_list():
    first, second = Desk("manager"), Desk("admin")
    opened = second.page(UNITS, block="1", edit="1")
    first.send(f"{UNITS}3/change/", floor="5")
    first.send(f"{UNITS}4/change/", floor="9")
    rows = fields_of(opened) | {"form-2-floor": "6", "_save": "Save"}
    response = second.post(f"/admin/{UNITS}?block=1", rows)
    assert "Mona Manager changed this meanwhile to “5”" in response.content.decode()
    again = fields_of(response)
    assert (again["form-2-floor"], unit(3).floor) == ("6", 5)
    assert second.post(f"/admin/{UNITS}?block=1", again | {"_save": "Save"}).status_code == 302
    # Row 4 was not touched by the second: it stays as the first left it.
    assert (unit(3).floor, unit(4).floor) == (6, 9)


def test_a_form_without_the_values_that_it_showed_overwrites_nothing(desk):
    sent = {"number": "9999", "floor": "1", "name": "", "occupancy": "vacant", "note": ""}
    response = desk.post(f"/admin/{UNITS}2/change/", sent)
    assert response.status_code == 200
    assert unit(2).number == 2


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("7", [7]),
        ("2", [2, 9, 10]),
        ("rami", [2]),
        ("01000000002", [2]),
        ("+20 100 000 0002", [2]),
        ("٠١٠٠٠٠٠٠٠٠٢", [2]),
        ("resident@example.org", [2]),
        ("01000000007", []),
        ("نادية", []),
        ("no such", []),
    ],
)
def test_search(desk, term, found):
    assert desk.rows(UNITS, q=term) == found


def test_a_hidden_contact_finds_nobody(desk):
    for contact in ("phone", "email"):
        desk.send(f"contacts/user/3/hide/?contact={contact}")
    for term in ("01000000002", "resident@example.org", "resident@"):
        assert desk.rows(UNITS, q=term) == []
    assert desk.rows(UNITS, q="rami") == [2]


def test_search_by_a_secondary_contact(desk, app):
    app("resident").add(blockId=1, apartmentId=2, phoneNumber="01222222222")
    assert desk.rows(UNITS, q="0020 122 222 2222") == [2]


def test_filters(desk):
    Apartment.objects.filter(pk=5).update(floor=None)
    Apartment.objects.filter(pk=6).update(number=None)
    Apartment.objects.filter(pk=7).update(occupancy=Occupancy.OCCUPIED)
    Apartment.objects.filter(pk=8).update(closed_at=timezone.now(), floor=None)
    # Without a number a unit comes first.
    assert desk.rows(UNITS, correction="yes") == [6, 5, 7]
    assert desk.rows(UNITS, occupancy__exact="lived_in") == [1, 2, 7]
    assert desk.rows(UNITS, floor__range__gte="2") == [9, 10]
    assert desk.rows(UNITS, floor__range__gte="1", floor__range__lte="1") == [6, 7]
    assert desk.rows(UNITS, use="closed") == [8]
    assert len(desk.rows(UNITS, use="all")) == 10
    assert len(desk.rows(UNITS, block="1")) == 9


def test_floors_are_previewed_then_registered_under_one_request_id(desk, new_entries):
    path = "buildings/block/1/add-floors/"
    typed = {"lowest": "5", "highest": "7", "per_floor": "4", "numbering": "by_floor"}
    preview = desk.send(path, **typed)
    assert preview.context["plan"] == [
        "12 units will be registered:",
        "Floor 5: 501, 502, 503, 504",
        "Floor 6: 601, 602, 603, 604",
        "Floor 7: 701, 702, 703, 704",
    ]
    assert new_entries() == []
    done = desk.post(f"/admin/{path}", fields_of(preview))
    assert told(done) == "12 units were registered."
    assert done.url == "/admin/buildings/apartment/?block=1"
    made = Apartment.objects.filter(block=1, number__gte=500).values_list("floor", "number")
    assert set(made) == {
        (floor, floor * 100 + position) for floor in (5, 6, 7) for position in (1, 2, 3, 4)
    }
    lines = new_entries()
    assert len(lines) == 12
    assert len({line.request_id for line in lines}) == 1
    assert {line.action for line in lines} == {"apartment.registered"}


def test_the_list_offers_to_add_floors_to_each_block_that_the_user_changes(desk):
    assert "/admin/buildings/block/1/add-floors/" in desk.text(UNITS)
    assert "/admin/buildings/block/2/add-floors/" not in desk.text(UNITS)


def test_running_numbers_start_where_one_says(desk):
    preview = desk.send(
        "buildings/block/1/add-floors/",
        lowest="-1", highest="1", per_floor="2", numbering="running", first="20",
    )  # fmt: skip
    assert preview.context["plan"][1:] == ["Floor -1: 20, 21", "Floor 0: 22, 23", "Floor 1: 24, 25"]


def test_changed_floors_are_previewed_again(desk, new_entries):
    path = "buildings/block/1/add-floors/"
    typed = {"lowest": "5", "highest": "5", "per_floor": "2", "numbering": "by_floor"}
    preview = fields_of(desk.send(path, **typed))
    again = desk.post(f"/admin/{path}", preview | {"per_floor": "3"})
    assert again.context["plan"][1:] == ["Floor 5: 501, 502, 503"]
    assert new_entries() == []


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"lowest": "0", "highest": "1", "numbering": "running"}, "of these numbers already: 1, 2"),
        ({"lowest": "3", "highest": "1"}, "The last floor lies below the first."),
        ({"lowest": "0", "highest": "1"}, "Numbers by floor need floors above the ground"),
        ({"lowest": "1", "highest": "200", "per_floor": "6"}, "at most 1000 units at once"),
        ({"lowest": "x", "highest": "1"}, "Type a whole number in digits, such as 12."),
    ],
)
def test_impossible_floors_are_refused_in_words(desk, new_entries, typed, words):
    defaults = {"per_floor": "1", "numbering": "by_floor"}
    response = desk.send("buildings/block/1/add-floors/", **(defaults | typed))
    assert words in response.content.decode()
    assert new_entries() == []


def test_merging_shows_what_will_move_then_moves_it_and_retires_the_doubled_unit(desk, new_entries):
    Membership.objects.filter(user=4).update(ended_at=timezone.now())
    path = f"{UNITS}2/merge/"
    preview = desk.send(path, into="5", reason="registered twice")
    assert preview.context["plan"] == [
        "These move from unit 2 to unit 5:",
        "Rami Resident, Resident, Active",
        "Parisa Partner, Resident, left already",
        "Unit 2 is retired; its history is shown at unit 5.",
    ]
    assert unit(2).closed_at is None
    done = desk.post(f"/admin/{path}", fields_of(preview))
    assert told(done) == "Unit 2 was merged into unit 5."
    assert done.url == f"/admin/{UNITS}5/change/"
    assert (unit(2).merged_into_id, unit(2).closed_at is None) == (5, False)
    assert list(Membership.objects.filter(apartment=5).values_list("user", flat=True)) == [3, 4]
    lines = new_entries()
    assert [(line.action, line.target_id, line.apartment_id) for line in lines] == [
        ("membership.moved", 2, 5),
        ("membership.moved", 3, 5),
        ("apartment.merged", 2, 2),
    ]
    assert {line.reason for line in lines} == {"registered twice"}
    # What was done to the doubled unit before is found at the other one.
    former = Entry.objects.get(action="apartment.registered", target_id=2)
    history = desk.page(f"{UNITS}5/change/").content.decode()
    assert history.count("Unit registered") == 2
    assert former.pk


def test_who_belongs_to_both_units_keeps_one_membership_in_the_better_standing(desk):
    block = unit(5).block
    Membership.objects.create(
        user_id=3, block=block, apartment_id=5, status=Status.PENDING, started_at=timezone.now()
    )
    preview = desk.send(f"{UNITS}2/merge/", into="5")
    desk.post(f"/admin/{UNITS}2/merge/", fields_of(preview))
    (left,) = Membership.objects.current().filter(user=3)
    assert (left.apartment_id, left.status) == (5, Status.ACTIVE)
    assert Membership.objects.filter(user=3, apartment=5).count() == 2


@pytest.mark.parametrize("into", ["2", "11", "99999", "x", ""])
def test_a_unit_merges_only_into_another_of_its_block(desk, new_entries, into):
    response = desk.send(f"{UNITS}2/merge/", into=into)
    assert "into" in response.context["form"].errors
    assert new_entries() == []


def test_a_unit_is_retired_and_reinstated(desk, new_entries):
    assert told(desk.send(f"{UNITS}5/close/", reason="torn down")) == "Unit 5 was retired."
    assert unit(5).closed_at is not None
    assert 5 not in desk.rows(UNITS)
    assert told(desk.send(f"{UNITS}5/reopen/")) == "Unit 5 was reinstated."
    assert unit(5).closed_at is None
    assert [(line.action, line.reason) for line in new_entries()] == [
        ("apartment.closed", "torn down"),
        ("apartment.reopened", ""),
    ]


def test_a_unit_with_people_is_not_retired(desk, new_entries):
    response = desk.send(f"{UNITS}2/close/")
    assert "People belong to this unit" in response.content.decode()
    assert unit(2).closed_at is None
    assert new_entries() == []


def test_a_retired_unit_cannot_be_retired_again(desk):
    opened = desk.page(f"{UNITS}5/close/")
    Desk("admin").send(f"{UNITS}5/close/")
    again = desk.resend(f"{UNITS}5/close/", opened)
    assert (again.url, told(again)) == (f"/admin/{UNITS}5/change/", "Unit 5 is retired.")


def test_a_retired_unit_can_only_be_reinstated_and_says_so_first(desk, new_entries):
    opened, rows = desk.page(f"{UNITS}5/change/"), desk.page(UNITS, edit="1")
    desk.send(f"{UNITS}5/close/")
    page = desk.text(f"{UNITS}5/change/")
    assert 'name="floor"' not in page
    assert page.index("no longer in use") < page.index("field-number")
    assert 'href="/admin/buildings/apartment/5/reopen/"' in page
    for action in ("move-in", "merge", "close"):
        assert f"/admin/{UNITS}5/{action}/" not in page
        answer = desk.page(f"{UNITS}5/{action}/")
        assert answer.url == f"/admin/{UNITS}5/change/"
        assert set(told(answer).split("\n")) == {"Unit 5 is retired."}
    stale = desk.resend(f"{UNITS}5/change/", opened, floor="9")
    assert stale.status_code == 302
    assert set(told(stale).split("\n")) == {"Unit 5 is retired."}
    typed = fields_of(rows) | {"form-4-floor": "9", "form-3-floor": "8", "_save": "Save"}
    stale = desk.post(f"/admin/{UNITS}", typed)
    assert "Unit 5 is retired." in stale.content.decode()
    assert (unit(4).floor, unit(5).floor) == (0, 1)
    assert len(new_entries()) == 1
    # Beside it the others of the same list are saved.
    listed = desk.page(UNITS, use="all", edit="1")
    assert [form.fields["floor"].disabled for form in listed.context["cl"].formset][3:6] == [
        False, True, False,
    ]  # fmt: skip
    typed = fields_of(listed) | {"form-3-floor": "8", "_save": "Save"}
    assert desk.post(f"/admin/{UNITS}?use=all", typed).status_code == 302
    assert unit(4).floor == 8
    answer = desk.page(f"{UNITS}4/reopen/")
    assert answer.url == f"/admin/{UNITS}4/change/"
    assert told(answer).endswith("This unit is in use already.")


def test_a_retired_unit_is_changed_by_nobody(origin, new_entries):
    Apartment.objects.filter(pk=5).update(closed_at=timezone.now())
    with pytest.raises(ValidationError, match=r"Unit 5 is retired\."):
        change_apartment(origin=origin, apartment=unit(5), changes={"floor": 3})
    assert new_entries() == []


def test_nothing_deletes_a_unit(desk):
    assert desk.post(f"/admin/{UNITS}5/delete/", {"post": "yes"}).status_code == 403
    Desk("admin").post(
        f"/admin/{UNITS}", {"action": "delete_selected", "_selected_action": "5", "post": "yes"}
    )
    assert unit(5).number == 5


def test_a_unit_page_shows_its_people_former_people_and_entries(desk):
    Membership.objects.filter(user=4).update(ended_at=timezone.now())
    page = desk.page(f"{UNITS}2/change/").content.decode()
    now, past = page.index("Rami Resident"), page.index("Parisa Partner")
    assert page.index("People</h2>") < now < page.index("Former people</h2>") < past
    assert "Unit registered" in page


def test_a_history_shows_times_and_units_in_the_readers_words(desk):
    preview = desk.send(f"{UNITS}2/merge/", into="5", reason="registered twice")
    desk.post(f"/admin/{UNITS}2/merge/", fields_of(preview))
    Apartment.objects.filter(pk=5).update(name="Corner")
    closed = Entry.objects.get(action="apartment.merged")
    closed_at = (closed.after or {})["closed_at"]
    assert closed_at.startswith("20")
    told_at = date_format(timezone.localtime(unit(2).closed_at), "SHORT_DATETIME_FORMAT")
    for path in (f"{UNITS}2/change/", f"audit/entry/{closed.pk}/change/"):
        page = desk.text(path)
        assert closed_at not in page, path
        assert told_at in page, path
        assert "5 (Corner)" in page, path
        assert "into id" not in page.lower(), path
    arabic = Desk("manager", "ar").text(f"{UNITS}2/change/")
    assert "closed" not in arabic.split("record-table history")[1].lower()


def test_a_board_member_reads_only():
    Membership.objects.filter(user=3).update(role=Role.BOARD)
    board = Desk("resident")
    assert len(board.rows(UNITS)) == 10
    assert 'name="form-0-floor"' not in board.text(UNITS)
    assert 'name="floor"' not in board.text(f"{UNITS}2/change/")
    for path in ("2/change/", "2/close/", "2/merge/", "2/move-in/", "add/"):
        assert board.post(f"/admin/{UNITS}{path}", {"floor": "9"}).status_code == 403, path
    assert board.post(f"/admin/{UNITS}", {"_save": "1", "form-TOTAL_FORMS": 0}).status_code in {
        200,
        403,
    }
    assert unit(2).floor == 0


def test_two_managers_register_the_same_number_at_once(commits):
    """Exactly one wins, the other reads why not."""
    answers: list[int] = []

    def add(name):
        desk = Desk(name)
        form = fields_of(desk.page(f"{UNITS}add/"))
        barrier.wait()
        typed = {"block": "1", "number": "500", "floor": "5"}
        answers.append(desk.post(f"/admin/{UNITS}add/", form | typed).status_code)
        connection.close()

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=add, args=[name]) for name in ("manager", "admin")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 302]
    assert Apartment.objects.filter(block=1, number=500).count() == 1
    assert Entry.objects.filter(action="apartment.registered", apartment_label="500").count() == 1


def test_a_new_unit_lies_in_the_only_block_or_the_one_looked_at(desk):
    assert fields_of(desk.page(f"{UNITS}add/"))["block"] == "1"
    narrowed = Desk("admin").page(f"{UNITS}add/", _changelist_filters="block=2")
    assert fields_of(narrowed)["block"] == "2"
    assert fields_of(Desk("admin").page(f"{UNITS}add/"))["block"] == ""


def test_what_takes_something_away_looks_otherwise_than_what_gives(desk):
    harmful = 'class="default harmful"'
    assert harmful in desk.text(f"{UNITS}6/close/")
    assert harmful in desk.text("buildings/membership/3/ban/")
    assert harmful not in desk.text("buildings/membership/4/approve/")
    assert harmful not in desk.text(f"{UNITS}6/move-in/")


def test_merging_a_merged_unit_again_says_that_it_is_retired(desk):
    path = f"{UNITS}3/merge/"
    preview = desk.send(path, into="4")
    desk.resend(path, preview)
    again = desk.resend(path, preview)
    assert again.status_code == 302
    assert "retired" in told(again)


def test_a_section_is_named_once_and_says_until_when_of_former_people_alone(desk, origin):
    page = desk.text(f"{UNITS}2/change/")
    for name in ("People", "Former people", "Entries"):
        [section] = re.findall(rf'<fieldset class="([^"]*)"[^>]*>\s*<h2[^>]*>{name}</h2>', page)
        assert "titled" in section.split()
    assert ">Until</th>" not in page
    end_memberships(origin=origin, memberships=Membership.objects.filter(apartment_id=2))
    assert desk.text(f"{UNITS}2/change/").count(">Until</th>") == 1
