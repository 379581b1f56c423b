"""Many units at once: a save of the list, the change of those chosen, and what is seen of both."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Entry
from buildings import unit_changes
from buildings.models import Apartment, Membership, Occupancy, Role
from contacts.models import Status
from tests.backoffice import Desk, fields_of, told
from tests.conftest import person

UNITS = "buildings/apartment/"
ACTION = "change-values"


@pytest.fixture
def desk():
    return Desk("manager")


def unit(pk: int) -> Apartment:
    return Apartment.objects.get(pk=pk)


def floors(*ids: int) -> list[int | None]:
    return [unit(pk).floor for pk in ids]


def choose(desk: Desk, *ids: int, query: str = "", **sent: Any) -> Any:
    """Tick these units in the list and press the button of the action."""
    chosen = {"action": ACTION, "index": "0", "_selected_action": [str(pk) for pk in ids]}
    return desk.post(f"/admin/{UNITS}{query}", chosen | sent)


def plan(page: Any) -> list[str]:
    """What a preview says, without the marks that keep directions apart."""
    return [line.translate({0x2068: None, 0x2069: None}) for line in page.context["plan"]]


def go_on(desk: Desk, page: Any, *ids: int, query: str = "", **typed: Any) -> Any:
    """Fill in the page of the action and send it."""
    chosen = {"_selected_action": [str(pk) for pk in ids]}
    return desk.post(f"/admin/{UNITS}{query}", fields_of(page) | chosen | typed)


def shown(desk: Desk, response: Any) -> list[int]:
    """The units of the list that an answer leads to."""
    page = desk.get(response.url)
    return [row.pk for row in page.context["cl"].result_list]


# --- The same for all that are chosen ---------------------------------------------------------------


def test_units_chosen_get_a_floor_and_an_occupancy_after_a_preview(desk, new_entries):
    page = choose(desk, 5, 6, 9)
    assert "3 chosen" in page.content.decode()
    typed = {"floor": "٤", "occupancy": "closed", "reason": "counted"}
    preview = go_on(desk, page, 5, 6, 9, **typed)
    assert plan(preview) == [
        "Block 1, unit 5: floor from 1 to 4; occupancy from Vacant to Owned, unoccupied",
        "Block 1, unit 6: floor from 1 to 4; occupancy from Vacant to Owned, unoccupied",
        "Block 1, unit 9: floor from 2 to 4; occupancy from Vacant to Owned, unoccupied",
    ]
    assert (floors(5, 6, 9), new_entries()) == ([1, 1, 2], [])
    answer = go_on(desk, preview, 5, 6, 9)
    assert told(answer) == "3 units were changed."
    assert floors(5, 6, 9) == [4, 4, 4]
    assert unit(5).occupancy == Occupancy.UNOCCUPIED
    lines = new_entries()
    assert [(line.target_id, line.before, line.after) for line in lines] == [
        (pk, {"floor": floor, "occupancy": "vacant"}, {"floor": 4, "occupancy": "closed"})
        for pk, floor in ((5, 1), (6, 1), (9, 2))
    ]
    assert len({line.request_id for line in lines}) == 1
    assert {(line.action, line.block_id, line.reason, line.actor_id) for line in lines} == {
        ("apartment.changed", 1, "counted", 2)
    }
    assert [line.apartment_id for line in lines] == [5, 6, 9]


def test_a_note_alone_leaves_the_rest(desk, new_entries):
    preview = go_on(desk, choose(desk, 5, 6), 5, 6, note="new door")
    assert plan(preview)[0] == "Block 1, unit 5: note new door"
    go_on(desk, preview, 5, 6)
    assert [(unit(pk).note, unit(pk).floor) for pk in (5, 6)] == [("new door", 1)] * 2
    assert [line.after for line in new_entries()] == [{"note": "new door"}] * 2


def test_notes_are_taken_away_by_a_tick(desk, new_entries):
    Apartment.objects.filter(pk__in=(5, 6)).update(note="new door")
    both = go_on(desk, choose(desk, 5, 6, 9), 5, 6, 9, note="other", no_note="on")
    assert "There is a note above" in both.content.decode()
    preview = go_on(desk, choose(desk, 5, 6, 9), 5, 6, 9, no_note="on")
    assert plan(preview)[0] == "Block 1, unit 5: note new door taken away"
    assert told(go_on(desk, preview, 5, 6, 9)) == "2 units were changed."
    assert [unit(pk).note for pk in (5, 6)] == ["", ""]
    assert [line.before for line in new_entries()] == [{"note": "new door"}] * 2


def test_who_has_the_values_already_is_counted_and_left(desk, new_entries):
    preview = go_on(desk, choose(desk, 5, 9), 5, 9, floor="2")
    assert plan(preview)[-1] == ("1 unit has these values already: it stays as it is.")
    assert told(go_on(desk, preview, 5, 9)) == "1 unit was changed."
    assert [line.target_id for line in new_entries()] == [5]


def test_all_that_match_are_changed_not_only_those_of_the_page(desk, new_entries):
    Apartment.objects.bulk_create(
        Apartment(block_id=1, number=number, floor=8) for number in range(1000, 1240)
    )
    query = "?floor__range__gte=8"
    first = desk.rows(UNITS, floor__range__gte="8")
    assert len(first) == 100
    page = choose(desk, *first, query=query, select_across="1")
    rows = page.context["form"].rows
    assert len(rows) == 240
    ids = [row.pk for row in rows]
    preview = go_on(desk, page, *ids, query=query, floor="9")
    answer = go_on(desk, preview, *ids, query=query)
    assert told(answer) == "240 units were changed."
    assert Apartment.objects.filter(floor=9).count() == 240
    assert len({line.request_id for line in new_entries()}) == 1
    assert len(new_entries()) == 240


def test_more_than_five_hundred_are_refused_in_words(desk, new_entries):
    Apartment.objects.bulk_create(
        Apartment(block_id=1, number=number, floor=8) for number in range(1000, 1501)
    )
    query = "?floor__range__gte=8"
    answer = choose(desk, *desk.rows(UNITS, floor__range__gte="8"), query=query, select_across="1")
    assert told(answer) == "Choose at most 500 at once."
    assert new_entries() == []


def test_nothing_filled_in_is_refused(desk, new_entries):
    refused = go_on(desk, choose(desk, 5), 5)
    assert refused.context["form"].non_field_errors() == [
        "Fill in a floor, an occupancy or a note."
    ]
    assert new_entries() == []


@pytest.mark.parametrize(
    ("field", "typed"), [("floor", "201"), ("floor", "x"), ("occupancy", "x"), ("note", "n" * 256)]
)
def test_bad_values_are_refused_beside_the_field_and_stay(desk, new_entries, field, typed):
    refused = go_on(desk, choose(desk, 5, 6), 5, 6, **{field: typed})
    assert list(refused.context["form"].errors) == [field]
    if field != "occupancy":
        assert fields_of(refused)[field] == typed
    assert new_entries() == []


def test_one_that_was_retired_meanwhile_holds_up_all_with_a_sentence(desk, new_entries):
    preview = go_on(desk, choose(desk, 5, 6), 5, 6, floor="7", query="?use=all")
    Apartment.objects.filter(pk=6).update(closed_at=timezone.now())
    refused = go_on(desk, preview, 5, 6, query="?use=all")
    assert refused.context["form"].non_field_errors() == ["Unit 6 is retired."]
    assert fields_of(refused)["floor"] == "7"
    assert (floors(5, 6), new_entries()) == ([1, 1], [])


def test_what_changed_after_the_preview_is_previewed_again(desk, new_entries):
    preview = go_on(desk, choose(desk, 5, 6), 5, 6, floor="7")
    Apartment.objects.filter(pk=6).update(floor=3)
    again = go_on(desk, preview, 5, 6)
    assert "floor from 3 to 7" in plan(again)[1]
    assert new_entries() == []
    assert told(go_on(desk, again, 5, 6)) == "2 units were changed."


def test_units_of_a_block_that_one_only_reads_are_not_changed(desk, new_entries):
    Membership.objects.create(
        user=person("manager"),
        block_id=2,
        role=Role.BOARD,
        status=Status.ACTIVE,
        started_at=timezone.now(),
    )
    assert choose(desk, 5, 12).status_code == 403
    assert choose(desk, 5, 12, sure="1", floor="7").status_code == 403
    assert (floors(5, 12)[0], new_entries()) == (1, [])


def test_foreign_units_are_as_if_there_were_none(desk, new_entries):
    before = floors(5, 12)
    answer = choose(desk, 5, 12, sure="1", floor="7")
    assert told(answer).startswith("Nothing was done")
    assert (floors(5, 12), new_entries()) == (before, [])


def test_a_board_member_is_not_offered_it():
    Membership.objects.filter(user=3).update(role=Role.BOARD)
    page = Desk("resident").text(UNITS)
    assert ACTION not in page
    assert 'id="edit-list"' not in page


# --- The list ------------------------------------------------------------------------------------------


def test_the_list_is_plain_text_until_it_is_edited(desk):
    page = desk.text(UNITS, occupancy__exact="vacant")
    assert 'name="form-0-floor"' not in page
    assert 'href="?occupancy__exact=vacant&amp;edit=1"' in page
    edited = desk.text(UNITS, occupancy__exact="vacant", edit="1")
    assert 'name="form-0-floor"' in edited
    # Nothing beside the fields would lose what is typed into them.
    assert 'name="action"' not in edited
    assert 'href="?occupancy__exact=vacant"' in edited


def save(desk: Desk, opened: Any, query: str = "", **typed: Any) -> Any:
    typed = {f"form-{name[1:].replace('_', '-')}": value for name, value in typed.items()}
    return desk.post(f"/admin/{UNITS}{query}", fields_of(opened) | typed | {"_save": "Save"})


def test_after_a_save_one_sees_what_changed_whatever_the_filter(desk):
    query = {"floor__range__gte": "1", "floor__range__lte": "1"}
    opened = desk.page(UNITS, **query, edit="1")
    answer = save(desk, opened, "?floor__range__gte=1&floor__range__lte=1&edit=1", _0_floor="12")
    page = desk.get(answer.url)
    [row] = page.context["cl"].result_list
    assert row.floor == 12
    text = page.content.decode()
    assert "These are the units that were just changed." in text
    assert 'href="?floor__range__gte=1&amp;floor__range__lte=1">Back to the list' in text
    assert 'name="form-0-floor"' not in text
    assert row.pk not in desk.rows(UNITS, **query)


def test_after_a_change_of_many_likewise_on_several_pages(desk):
    Apartment.objects.bulk_create(
        Apartment(block_id=1, number=number, floor=8) for number in range(1000, 1150)
    )
    ids = list(Apartment.objects.filter(floor=8).values_list("pk", flat=True))
    query = "?floor__range__gte=8&floor__range__lte=8"
    preview = go_on(desk, choose(desk, *ids, query=query), *ids, query=query, floor="9")
    answer = go_on(desk, preview, *ids, query=query)
    first = desk.get(answer.url)
    assert first.context["cl"].result_count == 150
    second = desk.get(f"{answer.url}&p=2")
    assert len(second.context["cl"].result_list) == 50
    assert "floor__range__lte=8" in second.content.decode()


def test_what_others_changed_is_not_shown_as_ones_own(desk):
    admin = Desk("admin")
    answer = save(admin, admin.page(UNITS, block="2", edit="1"), "?block=2", _0_floor="12")
    assert shown(admin, answer) == [11]
    assert shown(desk, answer) == []
    for odd in ("x", "", "0" * 32):
        assert desk.page(UNITS, changed=odd).status_code == 200


def test_two_units_trade_their_numbers_in_one_save(desk, new_entries):
    answer = save(desk, desk.page(UNITS, edit="1"), _2_number="4", _3_number="3")
    assert answer.status_code == 302
    assert (unit(3).number, unit(4).number) == (4, 3)
    assert sorted(shown(desk, answer)) == [3, 4]
    lines = new_entries()
    assert [(line.target_id, line.before, line.after, line.target_label) for line in lines] == [
        (3, {"number": 3}, {"number": 4}, "4"),
        (4, {"number": 4}, {"number": 3}, "3"),
    ]
    assert len({line.request_id for line in lines}) == 1


def test_three_trade_in_a_round_and_one_takes_what_was_given_up(desk):
    opened = desk.page(UNITS, edit="1")
    typed = {"_2_number": "4", "_3_number": "5", "_4_number": "3", "_5_number": "60"}
    save(desk, opened, **typed, _6_number="6", _7_number="")
    assert [unit(pk).number for pk in range(3, 9)] == [4, 5, 3, 60, 6, None]


def test_a_number_that_is_kept_by_another_is_refused_and_all_that_was_typed_stays(
    desk, new_entries
):
    opened = desk.page(UNITS, edit="1", occupancy__exact="vacant")
    first = opened.context["cl"].formset.forms[0].instance.pk
    query = "?edit=1&occupancy__exact=vacant"
    refused = save(desk, opened, query, _0_number="1", _1_floor="٧", _1_number=str(first))
    formset = refused.context["cl"].formset
    taken = "The block has a unit of that number already."
    # Neither moves: the first keeps its number, so the second cannot have it.
    assert [each.get("number") for each in formset.errors[:2]] == [[taken], [taken]]
    again = fields_of(refused)
    assert (again["form-0-number"], again["form-1-floor"]) == ("1", "٧")
    assert new_entries() == []


def test_rows_that_match_no_more_keep_their_own_fields_on_a_refusal(desk):
    opened = desk.page(UNITS, edit="1", occupancy__exact="vacant")
    ids = [form.instance.pk for form in opened.context["cl"].formset.forms]
    Apartment.objects.filter(pk=ids[0]).update(occupancy=Occupancy.OCCUPIED)
    refused = save(desk, opened, "?edit=1&occupancy__exact=vacant", _1_floor="900")
    rows = refused.context["cl"].result_list
    assert [row.pk for row in rows] == ids
    assert 'value="900"' in refused.content.decode()


def test_what_the_app_registers_meanwhile_loses_nothing_that_was_typed(
    desk, new_entries, monkeypatch
):
    opened = desk.page(UNITS, edit="1")

    def taken(*_args: Any, **_kwargs: Any) -> None:
        raise IntegrityError

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(unit_changes, "write_units", taken)
        refused = save(desk, opened, _2_number="77", _4_floor="9")
    assert refused.status_code == 200
    formset = refused.context["cl"].formset
    assert formset.non_form_errors() == ["The block has a unit of that number already."]
    assert [str(each) for each in get_messages(refused.wsgi_request)] == []
    again = fields_of(refused)
    assert (again["form-2-number"], again["form-4-floor"]) == ("77", "9")
    assert new_entries() == []
    assert desk.post(f"/admin/{UNITS}", again | {"_save": "Save"}).status_code == 302
    assert (unit(3).number, unit(5).floor) == (77, 9)


def test_a_save_of_a_hundred_rows_writes_with_a_few_statements(desk, django_assert_max_num_queries):
    Apartment.objects.bulk_create(
        Apartment(block_id=1, number=number, floor=8) for number in range(1000, 1100)
    )
    opened = desk.page(UNITS, edit="1", floor__range__gte="8")
    typed = {f"_{row}_floor": "9" for row in range(100)}
    with CaptureQueriesContext(connection) as asked:
        answer = save(desk, opened, "?floor__range__gte=8", **typed)
    writes = [each["sql"] for each in asked if each["sql"].startswith(("UPDATE", "INSERT"))]
    assert len(writes) <= 10
    # Django looks each row up by the id that was sent.
    assert len(asked) <= 100 + 40
    assert told(answer) == "100 units were changed successfully."
    assert Entry.objects.filter(action="apartment.changed").count() == 100
    with django_assert_max_num_queries(12):
        desk.get(answer.url)
