"""People in the back-office: requests, moving in and out, roles, bans, and the last manager."""

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from audit.models import Channel
from audit.operations import Origin
from buildings.membership_operations import end_memberships
from buildings.models import Apartment, Membership, Role
from contacts.models import Status, User
from tests.backoffice import Desk, fields_of, told

PEOPLE = "buildings/membership/"
LAST = "would be left without a manager"


@pytest.fixture
def desk():
    return Desk("manager")


def of(name: str, block: int = 1) -> Membership:
    return Membership.objects.filter(user__email=f"{name}@example.org", block=block).latest("pk")


def act(desk: Desk, name: str, *people: str, **typed: str) -> Any:
    """The list's action for these people, its page read and sent."""
    chosen = {"action": name, "_selected_action": [of(each).pk for each in people], "index": 0}
    page = desk.post(f"/admin/{PEOPLE}", chosen)
    sent = fields_of(page) | {"_selected_action": [of(each).pk for each in people]} | typed
    return desk.post(f"/admin/{PEOPLE}", sent)


def waiting(block: int = 1) -> Membership:
    return Membership.objects.create(
        user=User.objects.get(email="outsider@example.org"),
        block_id=block,
        apartment=Apartment.objects.get(block=block, number=4),
        started_at=timezone.now(),
    )


def test_a_request_is_approved(desk, new_entries, app):
    response = desk.send(f"{PEOPLE}{of('pending').pk}/approve/", reason="showed the contract")
    assert told(response) == "1 person was approved."
    assert of("pending").status == Status.ACTIVE
    line, followed = new_entries()
    assert followed.action == "apartment.changed"
    assert (line.action, line.person_id, line.block_id, line.apartment_id) == (
        "membership.approved", 5, 1, 3,
    )  # fmt: skip
    assert (line.before, line.after) == ({"status": "pending"}, {"status": "active"})
    assert line.reason == "showed the contract"
    # The label is the same whatever language the actor reads.
    assert line.target_label == "Pakinam Pending"
    # From now on the person may use the app.
    added = app("pending").add(blockId=1, apartmentId=3, email="second@example.org")
    assert added["data"]["1"]["email"] == "second@example.org"


def test_a_request_is_refused_with_a_reason_and_stays(desk, new_entries):
    path = f"{PEOPLE}{of('pending').pk}/refuse/"
    assert "reason" in desk.send(path).context["form"].errors
    assert new_entries() == []
    assert told(desk.send(path, reason="not known here")) == "1 person was refused."
    row = of("pending")
    assert (row.status, row.ended_at is None) == (Status.PENDING, False)
    assert [(line.action, line.reason) for line in new_entries()] == [
        ("membership.refused", "not known here")
    ]


def test_many_are_approved_at_once_under_one_request_id(desk, new_entries):
    waiting()
    assert told(act(desk, "approve", "pending", "outsider")) == "2 people were approved."
    assert (of("pending").status, of("outsider").status) == (Status.ACTIVE, Status.ACTIVE)
    lines = new_entries()
    assert [line.person_id for line in lines if line.person_id] == [5, 7]
    # Their units are occupied from then on.
    assert {line.action for line in lines if not line.person_id} == {"apartment.changed"}
    assert len({line.request_id for line in lines}) == 1


def test_many_are_refused_at_once_with_one_reason(desk, new_entries):
    waiting()
    assert told(act(desk, "refuse", "pending", "outsider", reason="no contract"))
    assert {line.reason for line in new_entries()} == {"no contract"}
    assert Membership.objects.current().filter(status=Status.PENDING, block=1).count() == 0


def test_one_who_does_not_wait_stops_the_whole_approval(desk, new_entries):
    response = act(desk, "approve", "resident", "pending", "partner", "banned")
    assert response.context["form"].non_field_errors() == [
        "Rami Resident is “Active”, not “Pending”.",
        "Parisa Partner is “Active”, not “Pending”.",
        "Bassem Banned is “Banned”, not “Pending”.",
    ]
    assert of("pending").status == Status.PENDING
    assert new_entries() == []


@pytest.mark.parametrize(
    ("action", "name", "words"),
    [
        ("ban", "banned", "Bassem Banned is “Banned”, not “Active”."),
        ("approve", "resident", "Rami Resident is “Active”, not “Pending”."),
        ("readmit", "resident", "Rami Resident is “Active”, not “Banned”."),
        ("role", "banned", "Bassem Banned is banned: readmit them first."),
        ("role", "partner", "Parisa Partner has left already."),
        ("move-out", "partner", "Parisa Partner has left already."),
    ],
)
def test_an_action_that_does_not_fit_leads_back_with_a_sentence(
    desk, new_entries, action, name, words
):
    Membership.objects.filter(pk=of("partner").pk).update(ended_at=timezone.now())
    page = f"/admin/{PEOPLE}{of(name).pk}/"
    for answer in (
        desk.get(f"{page}{action}/"),
        desk.post(f"{page}{action}/", {"reason": "x", "role": "cashier", "day": "2026-01-01"}),
    ):
        assert (answer.url, told(answer).split("\n")[-1]) == (f"{page}change/", words)
    assert f"{page}{action}/" not in desk.text(f"{page}change/".removeprefix("/admin/"))
    assert new_entries() == []


def test_the_role_of_one_who_was_banned_meanwhile_stays(desk, new_entries):
    path = f"{PEOPLE}{of('resident').pk}/role/"
    opened = desk.page(path)
    Membership.objects.filter(pk=of("resident").pk).update(status=Status.BANNED)
    assert told(desk.resend(path, opened, role="board")) == (
        "Rami Resident is banned: readmit them first."
    )
    assert of("resident").role == Role.RESIDENT
    assert new_entries() == []


def test_the_same_role_is_no_change(desk, new_entries):
    answer = desk.send(f"{PEOPLE}{of('resident').pk}/role/", role="resident")
    assert told(answer) == "No changes."
    assert new_entries() == []


def test_an_action_without_a_choice_says_so(desk):
    response = desk.post(f"/admin/{PEOPLE}", {"action": "approve", "index": 0})
    assert "Items must be selected" in told(response)


def test_moving_out_keeps_the_membership_with_its_dates(desk, new_entries):
    since = timezone.now() - timedelta(days=30)
    Membership.objects.filter(pk=of("resident").pk).update(started_at=since)
    day = timezone.localdate() - timedelta(days=3)
    desk.send(f"{PEOPLE}{of('resident').pk}/move-out/", day=day.isoformat(), reason="sold")
    row = of("resident")
    assert row.started_at == since
    assert timezone.localdate(row.ended_at) == day
    (line,) = new_entries()
    assert (line.action, line.reason, line.before) == (
        "membership.ended",
        "sold",
        {"ended_at": None},
    )
    assert row.pk not in desk.rows(PEOPLE)
    assert desk.rows(PEOPLE, period="past") == [row.pk]


@pytest.mark.parametrize("days", [1, -5000])
def test_nobody_leaves_in_the_future_or_before_coming(desk, new_entries, days):
    day = timezone.localdate() + timedelta(days=days)
    response = desk.send(f"{PEOPLE}{of('resident').pk}/move-out/", day=day.isoformat())
    assert response.context["form"].errors
    assert of("resident").ended_at is None
    assert new_entries() == []


def test_somebody_of_the_block_moves_in(desk, new_entries):
    day = timezone.localdate() - timedelta(days=10)
    path = "buildings/apartment/6/move-in/"
    response = desk.send(path, person="3", role="resident", day=day.isoformat())
    assert told(response) == "Rami Resident moved into unit 6."
    row = of("resident")
    assert (row.apartment_id, row.status) == (6, Status.ACTIVE)
    assert timezone.localdate(row.started_at) == day
    assert [(line.action, line.person_id, line.apartment_id) for line in new_entries()] == [
        ("membership.started", 3, 6),
        ("apartment.changed", None, 6),
    ]


def test_namesakes_have_distinct_labels_where_one_is_chosen(desk):
    User.objects.filter(pk__in=(3, 4)).update(name="Rami")
    third = User.objects.create_user(name="Rami", phone="01000000777")
    fourth = User.objects.create_user(name="Rami", phone="01000000888", phone_hidden=True)
    for each in (third, fourth):
        Membership.objects.create(user=each, block_id=1, status="active", ended_at=timezone.now())
    Membership.objects.filter(pk=of("partner").pk).update(apartment_id=6)
    # Other blocks are none of the manager's business.
    Membership.objects.create(user_id=3, block_id=2, apartment_id=12, status="active")
    field = {"app_label": "buildings", "model_name": "membership", "field_name": "user"}

    def offered(desk):
        answer = desk.page("autocomplete/", term="Rami", **field).json()
        return {each["id"]: each["text"] for each in answer["results"]}

    assert offered(desk) == {"3": "Rami (block 1, unit 2)", "4": "Rami (block 1, unit 6)"}
    # A superuser may choose who has left, too.
    texts = offered(Desk("admin"))
    assert texts[str(third.pk)].endswith("777)")
    assert "01000000777" not in texts[str(third.pk)]
    assert texts[str(fourth.pk)] == "Rami"


def test_somebody_new_moves_in(desk, new_entries):
    response = desk.send(
        "buildings/apartment/6/move-in/", name="Nour New", phone="010 1234 5678", role="watchman"
    )
    assert told(response) == "Nour New moved into unit 6."
    made = User.objects.get(name="Nour New")
    assert (made.phone, made.has_usable_hash()) == ("010 1234 5678", False)
    assert made.memberships.get().role == Role.WATCHMAN
    lines = new_entries()
    assert [line.action for line in lines] == [
        "user.registered",
        "membership.started",
        "apartment.changed",
    ]
    assert len({line.request_id for line in lines}) == 1


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": "Nour", "phone": "01000000006"}, "phone"),
        ({"name": "Nour", "email": "OUTSIDER@example.org"}, "email"),
        ({"name": "Nour", "phone": "12"}, "phone"),
        ({"name": "Nour"}, "__all__"),
        ({"person": "3", "name": "Nour"}, "__all__"),
        ({"person": "7"}, "person"),
        ({"person": "8"}, "person"),
        ({"person": "3", "role": "king"}, "role"),
        ({}, "__all__"),
    ],
)
def test_who_cannot_move_in(desk, new_entries, typed, field):
    """A stranger's phone, an impossible one, nobody, both, people of no or of another block."""
    response = desk.send("buildings/apartment/6/move-in/", **typed)
    assert list(response.context["form"].errors) == [field]
    # Only that somebody else holds a contact is recorded: test_reach.py.
    assert all(entry.refused for entry in new_entries())
    assert not Membership.objects.filter(apartment=6).exists()


def test_a_history_shows_when_somebody_left_in_the_readers_zone(desk):
    row = of("resident")
    ended = datetime(2026, 3, 5, 22, 30, tzinfo=UTC)
    Membership.objects.filter(pk=row.pk).update(started_at=ended)
    end_memberships(
        origin=Origin(channel=Channel.COMMAND), memberships=[of("resident")], ended_at=ended
    )
    assert "6 Mar 2026, 00:30" in desk.text(f"{PEOPLE}{row.pk}/change/")
    assert "2026-03-05T" not in desk.text(f"{PEOPLE}{row.pk}/change/")


def test_who_has_left_is_active_no_more(desk):
    Membership.objects.filter(pk=of("partner").pk).update(ended_at=timezone.now())
    row = desk.page(PEOPLE, period="past").context["cl"].result_list.get()
    assert (row.status, row.standing) == (Status.ACTIVE, "Ended")
    for path, start in {
        f"{PEOPLE}?period=past": "<tbody>",
        f"{PEOPLE}{row.pk}/change/": "field-standing",
        "contacts/user/4/change/": "Memberships in your blocks</h2>",
        "buildings/apartment/2/change/": "Former people</h2>",
    }.items():
        shown = re.split("</tbody>|field-started_at", desk.text(path).split(start)[1])[0]
        assert "Ended" in shown, path
        assert "Active" not in shown, path


def test_nobody_moves_into_a_retired_unit(desk, new_entries):
    opened = desk.page("buildings/apartment/6/move-in/")
    Apartment.objects.filter(pk=6).update(closed_at=timezone.now())
    response = desk.resend("buildings/apartment/6/move-in/", opened, person="3")
    assert told(response) == "Unit 6 is retired."
    assert new_entries() == []


def test_a_role_changes(desk, new_entries):
    desk.send(f"{PEOPLE}{of('resident').pk}/role/", role="board", reason="elected")
    assert of("resident").role == Role.BOARD
    (line,) = new_entries()
    assert (line.action, line.before, line.after) == (
        "membership.role_changed", {"role": "resident"}, {"role": "board"},
    )  # fmt: skip
    # The right to read begins at once.
    assert Desk("resident").page("").status_code == 200


def test_the_second_to_change_a_role_is_shown_what_the_first_made_of_it(desk, new_entries):
    path = f"{PEOPLE}{of('resident').pk}/role/"
    opened = Desk("admin").page(path)
    desk.send(path, role="cashier")
    response = Desk("admin").resend(path, opened, role="vendor")
    assert "Mona Manager changed this meanwhile to “Cashier”" in response.content.decode()
    assert of("resident").role == Role.CASHIER
    assert fields_of(response)["role"] == "vendor"


def test_a_ban_wants_a_reason_and_can_end(desk, new_entries, resident):
    path = f"{PEOPLE}{of('resident').pk}/"
    assert "reason" in desk.send(f"{path}ban/").context["form"].errors
    desk.send(f"{path}ban/", reason="threatened the watchman")
    assert of("resident").status == Status.BANNED
    assert resident.add(blockId=1, apartmentId=2, email="x@example.org") == {
        "status": 200, "message": "Apartment is Banned.",
    }  # fmt: skip
    desk.send(f"{path}readmit/")
    assert of("resident").status == Status.ACTIVE
    actions = [line.action for line in new_entries() if line.channel == "back_office"]
    assert actions == ["membership.banned", "membership.readmitted"]


@pytest.mark.parametrize(
    ("action", "typed"),
    [("move-out", {}), ("ban", {"reason": "x"}), ("role", {"role": "resident"})],
)
def test_the_last_manager_stays(desk, new_entries, action, typed):
    response = desk.send(f"{PEOPLE}{of('manager').pk}/{action}/", **typed)
    assert f"Block 1 {LAST}" in response.content.decode()
    row = of("manager")
    assert (row.role, row.status, row.ended_at) == (Role.MANAGER, Status.ACTIVE, None)
    assert new_entries() == []


def test_the_last_manager_stays_in_a_bulk_action_that_changes_nobody_then(desk, new_entries):
    response = act(desk, "move-out", "resident", "manager")
    assert LAST in response.content.decode()
    assert of("resident").ended_at is None
    assert new_entries() == []


def test_a_manager_goes_when_there_is_another(desk):
    desk.send(f"{PEOPLE}{of('resident').pk}/role/", role="manager")
    assert desk.send(f"{PEOPLE}{of('manager').pk}/move-out/").status_code == 302
    # The own rights end with it.
    assert desk.page("").status_code == 302
    assert Desk("resident").page("").status_code == 200


def test_a_suspended_manager_does_not_count(desk):
    Membership.objects.filter(pk=of("resident").pk).update(role=Role.MANAGER)
    User.objects.filter(pk=3).update(status=Status.BANNED)
    response = desk.send(f"{PEOPLE}{of('manager').pk}/move-out/")
    assert LAST in response.content.decode()


def test_two_managers_who_leave_at_once_do_not_leave_the_block_alone(commits):
    Membership.objects.filter(pk=of("resident").pk).update(role=Role.MANAGER)
    barrier = threading.Barrier(2)

    def leave(name: str) -> None:
        desk = Desk("admin")
        path = f"{PEOPLE}{of(name).pk}/move-out/"
        form = fields_of(desk.page(path))
        barrier.wait()
        answers.append(desk.post(f"/admin/{path}", form).status_code)
        connection.close()

    answers: list[int] = []
    threads = [threading.Thread(target=leave, args=[name]) for name in ("manager", "resident")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 302]
    left = Membership.objects.current().filter(block=1, role=Role.MANAGER, status=Status.ACTIVE)
    assert left.count() == 1


def test_a_board_member_does_nothing(new_entries):
    Membership.objects.filter(pk=of("resident").pk).update(role=Role.BOARD)
    board = Desk("resident")
    for action in ("approve", "refuse", "role", "move-out", "ban", "readmit"):
        path = f"/admin/{PEOPLE}{of('pending').pk}/{action}/"
        assert board.get(path).status_code == 403
        assert board.post(path, {"reason": "x", "role": "manager"}).status_code == 403
    board.post(
        f"/admin/{PEOPLE}",
        {"action": "approve", "_selected_action": of("pending").pk, "sure": "1", "reason": ""},
    )
    assert of("pending").status == Status.PENDING
    assert new_entries() == []


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("pakinam", {5}),
        ("01000000004", {5}),
        ("+201000000005", {6}),
        ("3", {5, 6}),
        ("neighbour", set()),
    ],
)
def test_search_by_name_phone_and_unit(desk, term, found):
    rows = Membership.objects.filter(pk__in=desk.rows(PEOPLE, q=term))
    assert {row.user_id for row in rows} == found


def test_the_list_shows_who_waits(desk):
    assert desk.rows(PEOPLE, status__exact="pending") == [of("pending").pk]
    assert desk.rows(PEOPLE, role__exact="manager") == [of("manager").pk]


def test_confirming_twice_leads_to_a_message_on_the_list(desk, new_entries):
    waiting = f"{PEOPLE}?status__exact=pending"
    sent = {"action": "refuse", "_selected_action": of("pending").pk, "sure": "1", "reason": "x"}
    assert desk.post(f"/admin/{waiting}", sent).status_code == 302
    before = len(new_entries())
    again = desk.post(f"/admin/{waiting}", sent)
    assert again.headers["Location"] == f"/admin/{waiting}"
    assert "Nothing was done" in told(again)
    assert len(new_entries()) == before


def test_nothing_is_done_to_the_rest_of_those_that_were_confirmed(desk, new_entries):
    other = Membership.objects.create(user_id=8, block_id=1, apartment_id=2, status=Status.PENDING)
    chosen = [of("pending").pk, other.pk]
    waiting = f"{PEOPLE}?status__exact=pending"
    page = desk.post(f"/admin/{waiting}", {"action": "approve", "_selected_action": chosen})
    assert page.status_code == 200
    desk.send(f"{PEOPLE}{other.pk}/approve/")
    before = len(new_entries())
    sent = {"action": "approve", "_selected_action": chosen, "sure": "1", "reason": ""}
    assert "Nothing was done" in told(desk.post(f"/admin/{waiting}", sent))
    assert of("pending").status == Status.PENDING
    assert len(new_entries()) == before
