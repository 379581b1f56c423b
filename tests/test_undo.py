"""A change is taken back: from its entries, by the operations that everybody uses, whole or not at all."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Action, Channel, Entry
from audit.operations import Origin
from buildings.membership_operations import merge_apartment, start_membership
from buildings.models import Apartment, Block, Membership, Role
from buildings.operations import change_apartment, register_apartment
from contacts.models import SecondaryPhone, Status
from tests.backoffice import Desk, fields_of
from tests.conftest import person

UNIT = "buildings/apartment/2/change/"


@pytest.fixture
def desk():
    return Desk("manager")


def done_last():
    """What the last request did."""
    return set(Entry.objects.filter(request_id=last().request_id).values_list("action", flat=True))


def last(**which):
    return Entry.objects.filter(**which).latest("pk")


def opened(desk, entry, reason="a slip"):
    """The preview of an undo: the answer to the first POST."""
    page = f"/admin/audit/entry/{entry.pk}/undo/"
    return desk.post(page, fields_of(desk.get(page)) | {"reason": reason})


def undone(desk, entry):
    """Undo the change of this entry, by its preview; the answer."""
    shown = opened(desk, entry)
    return desk.post(shown.wsgi_request.path, fields_of(shown))


def lines(answer):
    text = answer.context["outcome"] or answer.context["plan"]
    return [str(each).replace("\u2068", "").replace("\u2069", "") for each in text]


def test_an_edit_of_a_unit_is_taken_back_with_entries_of_its_own(desk, new_entries):
    desk.send(
        UNIT, number="22", floor="12", occupancy="lived_in", name="Shop", note="call 01055512345"
    )
    (edit,) = new_entries()
    answer = undone(desk, edit)
    unit = Apartment.objects.get(pk=2)
    assert (unit.number, unit.floor, unit.name, unit.note) == (2, 0, "", "")
    _edit, back = new_entries()
    assert (back.action, back.target_id, back.reason) == (Action.APARTMENT_CHANGED, 2, "a slip")
    assert (back.before, back.after) == (edit.after, edit.before)
    assert back.request_id != edit.request_id
    assert (back.actor_id, back.block_id, back.apartment_id) == (desk.person.pk, 1, 2)
    assert lines(answer)[0] == "1 entry was taken back."
    # What was taken back can be done again.
    undone(desk, back)
    unit.refresh_from_db()
    assert (unit.floor, unit.note) == (12, "call 01055512345")


def test_the_preview_says_what_will_be_and_changes_nothing(desk, nothing_changed):
    before = Apartment.objects.get(pk=2).floor
    desk.send(UNIT, floor="12")
    count = Entry.objects.count()
    shown = lines(opened(desk, last()))
    assert shown[0] == "1 entry can be taken back."
    assert shown[2] == "Block 1, unit 2: Unit edited (Floor 0 → 12) – taken back: as it was before."
    assert (Apartment.objects.get(pk=2).floor, Entry.objects.count()) == (12, count)
    undone(desk, last())
    assert Apartment.objects.get(pk=2).floor == before
    assert nothing_changed()


def test_what_it_would_do_is_seen_without_a_reason(desk):
    desk.send(UNIT, floor="12")
    answer = opened(desk, last(), reason="")
    assert answer.context["plan"][0] == "1 entry can be taken back."
    assert Apartment.objects.get(pk=2).floor == 12


def test_what_was_changed_since_stays_and_is_told(desk):
    desk.send(UNIT, floor="12")
    edit = last()
    desk.send(UNIT, floor="13")
    count = Entry.objects.count()
    shown = opened(desk, edit)
    assert "Changed since: floor." in lines(shown)[2]
    answer = desk.post(shown.wsgi_request.path, fields_of(shown))
    assert "Nothing of this change can be taken back." in answer.content.decode()
    assert (Apartment.objects.get(pk=2).floor, Entry.objects.count()) == (13, count)


def test_of_many_what_can_be_is_taken_back_and_the_rest_is_told_row_by_row(desk):
    origin = Origin(channel=Channel.BACK_OFFICE, actor=desk.person)
    for pk in (2, 3, 4):
        change_apartment(
            origin=origin, apartment=Apartment.objects.get(pk=pk), changes={"floor": 9}
        )
    desk.send("buildings/apartment/3/change/", floor="8")
    answer = undone(desk, last(request_id=origin.request_id))
    told = lines(answer)
    assert told[:2] == ["2 entries were taken back.", "1 entry was not taken back."]
    assert told[3].startswith("Block 1, unit 3: Unit edited") and "not taken back" in told[3]
    floors = Apartment.objects.filter(pk__in=(2, 3, 4)).order_by("pk")
    assert list(floors.values_list("floor", flat=True)) == [0, 8, 0]


def test_traded_numbers_are_traded_back(desk):
    origin = Origin(channel=Channel.BACK_OFFICE, actor=desk.person)
    for pk, number in ((2, 902), (3, 2), (2, 3)):
        change_apartment(
            origin=origin if number != 902 else Origin.of_command("x"),
            apartment=Apartment.objects.get(pk=pk),
            changes={"number": number},
        )
    answer = undone(desk, last(request_id=origin.request_id, target_id=3))
    assert lines(answer)[0] == "2 entries were taken back."
    assert {unit.pk: unit.number for unit in Apartment.objects.filter(pk__in=(2, 3))} == {
        2: 902,
        3: 3,
    }


def test_a_number_that_somebody_else_has_by_now_is_not_taken(desk):
    desk.send(UNIT, number="22")
    edit = last()
    register_apartment(
        origin=Origin.of_command("x"), block=Block.objects.get(pk=1), number=2, floor=1
    )
    assert "has a unit of that number already" in lines(opened(desk, edit))[2]


def test_a_registered_unit_is_retired(desk, new_entries):
    origin = Origin(channel=Channel.API, actor=desk.person)
    unit = register_apartment(origin=origin, block=Block.objects.get(pk=1), number=77, floor=7)
    undone(desk, last(target_id=unit.pk))
    unit.refresh_from_db()
    assert unit.closed_at is not None
    assert [(each.action, each.apartment_label) for each in new_entries()] == [
        (Action.APARTMENT_REGISTERED, "77"),
        (Action.APARTMENT_CHANGED, f"#{unit.pk}"),
        (Action.APARTMENT_RETIRED, f"#{unit.pk}"),
    ]
    undone(desk, last(action=Action.APARTMENT_RETIRED))
    unit.refresh_from_db()
    assert unit.closed_at is None
    assert unit.number == 77


def test_the_number_of_a_unit_that_was_taken_back_is_free(desk):
    origin, block = Origin(channel=Channel.API, actor=desk.person), Block.objects.get(pk=1)
    unit = register_apartment(origin=origin, block=block, number=77, floor=7)
    undone(desk, last(target_id=unit.pk))
    register_apartment(origin=Origin.of_command("x"), block=block, number=77, floor=8)
    # The one of before cannot have it again.
    told = lines(opened(desk, last(action=Action.APARTMENT_RETIRED)))
    assert told[:2] == ["1 entry can be taken back.", "1 entry cannot be taken back."]
    assert "has a unit of that number already" in told[2]


@pytest.mark.parametrize("used", ["edited", "moved-in", "left"])
def test_a_registered_unit_that_was_used_since_stays(desk, used):
    origin = Origin(channel=Channel.API, actor=desk.person)
    block = Block.objects.get(pk=1)
    unit = register_apartment(origin=origin, block=block, number=77, floor=7)
    registered = last(target_id=unit.pk)
    if used == "edited":
        desk.send(f"buildings/apartment/{unit.pk}/change/", note="x")
    else:
        membership = start_membership(
            origin=Origin.of_command("x"), user=person("outsider"), block=block, apartment=unit
        )
        if used == "left":
            desk.send(f"buildings/membership/{membership.pk}/move-out/")
    undone(desk, registered)
    unit.refresh_from_db()
    assert unit.closed_at is None


def membership_of(name):
    return Membership.objects.filter(user=person(name), block=1).latest("pk")


def test_moving_in_is_taken_back(desk):
    desk.send("buildings/apartment/5/move-in/", name="Nora", phone="01055599999", day="2026-01-01")
    started = last(action=Action.MEMBERSHIP_STARTED)
    undone(desk, started)
    membership = Membership.objects.get(pk=started.target_id)
    assert membership.ended_at is not None
    assert Action.MEMBERSHIP_ENDED in done_last()
    # The person stays registered.
    assert membership.user.name == "Nora"


def test_moving_out_is_taken_back_by_a_membership_without_a_gap(desk):
    former = membership_of("resident")
    desk.send(f"buildings/membership/{former.pk}/move-out/")
    ended = last()
    undone(desk, ended)
    former.refresh_from_db()
    again = membership_of("resident")
    assert again.pk != former.pk and again.started_at == former.ended_at
    assert (again.apartment_id, again.role, again.status, again.ended_at) == (
        former.apartment_id,
        former.role,
        former.status,
        None,
    )
    assert (last().action, last().target_id, last().after) == (
        Action.MEMBERSHIP_STARTED,
        again.pk,
        {"role": "resident", "status": "active"},
    )
    # Twice is once.
    shown = opened(desk, ended)
    assert "came or left again" in lines(shown)[2]


def test_a_role_a_ban_and_an_approval_are_taken_back(desk):
    resident, waiting = membership_of("resident"), membership_of("pending")
    desk.send(f"buildings/membership/{resident.pk}/role/", role="cashier")
    undone(desk, last())
    resident.refresh_from_db()
    assert (resident.role, last().action) == (Role.RESIDENT, Action.MEMBERSHIP_ROLE_CHANGED)
    desk.send(f"buildings/membership/{resident.pk}/ban/", reason="noise")
    undone(desk, last())
    resident.refresh_from_db()
    assert (resident.status, last().action) == (Status.ACTIVE, Action.MEMBERSHIP_READMITTED)
    undone(desk, last())
    resident.refresh_from_db()
    assert (resident.status, last().action) == (Status.BANNED, Action.MEMBERSHIP_BANNED)
    desk.send(f"buildings/membership/{waiting.pk}/approve/")
    undone(desk, last())
    waiting.refresh_from_db()
    assert waiting.status == Status.PENDING and Action.MEMBERSHIP_REOPENED in done_last()
    undone(desk, last())
    waiting.refresh_from_db()
    assert waiting.status == Status.ACTIVE and Action.MEMBERSHIP_APPROVED in done_last()


def test_a_refused_request_waits_again(desk):
    waiting = membership_of("pending")
    desk.send(f"buildings/membership/{waiting.pk}/refuse/", reason="unknown")
    undone(desk, last())
    again = membership_of("pending")
    assert (again.status, again.ended_at) == (Status.PENDING, None)
    assert again.pk != waiting.pk


def test_a_merge_is_taken_back_whole(desk):
    doubled, into = Apartment.objects.get(pk=3), Apartment.objects.get(pk=2)
    start_membership(
        origin=Origin.of_command("x"),
        user=person("resident"),
        block=doubled.block,
        apartment=doubled,
    )
    there = set(doubled.memberships.values_list("user", flat=True))
    origin = Origin(channel=Channel.BACK_OFFICE, actor=desk.person)
    merge_apartment(origin=origin, doubled=doubled, into=into)
    answer = undone(desk, last(request_id=origin.request_id))
    assert "5 entries were taken back." in lines(answer)[0]
    doubled.refresh_from_db()
    assert (doubled.closed_at, doubled.merged_into_id) == (None, None)
    assert set(doubled.memberships.filter(ended_at=None).values_list("user", flat=True)) == there
    assert into.memberships.filter(user__in=there - {person("resident").pk}).count() == 0


def test_the_last_manager_is_not_taken_away(desk):
    membership = membership_of("resident")
    own = membership_of("manager")
    desk.send(f"buildings/membership/{membership.pk}/role/", role="manager")
    made = last()
    own.ended_at = membership.started_at
    Membership.objects.filter(pk=own.pk).update(ended_at=own.ended_at, started_at=own.ended_at)
    shown = opened(Desk("admin"), made)
    assert "would be left without a manager" in lines(shown)[2]


def test_a_corrected_name_and_a_hidden_contact_are_taken_back(desk):
    rami = person("resident")
    desk.send(f"contacts/user/{rami.pk}/name/", name="Ramy Resident")
    undone(desk, last())
    rami.refresh_from_db()
    assert (rami.name, last().action) == ("Rami Resident", Action.NAME_CORRECTED)
    assert (last().block_id, last().apartment_id) == (1, 2)
    desk.send(f"contacts/user/{rami.pk}/hide/?contact=phone")
    undone(desk, last())
    rami.refresh_from_db()
    assert (rami.phone_hidden, last().action) == (False, Action.CONTACT_HIDDEN)
    desk.send(f"contacts/user/{rami.pk}/add-contact/", kind="phone", typed="01155566677")
    added = SecondaryPhone.objects.get(user=rami)
    desk.send(f"contacts/user/{rami.pk}/hide/?contact=phone-{added.claim_id}")
    answer = undone(desk, last())
    added.refresh_from_db()
    assert added.hidden is False
    assert "01155566677" not in answer.content.decode()


@pytest.mark.parametrize("why", ["left", "superuser"])
def test_who_may_not_change_a_person_does_not_by_an_undo(desk, why):
    rami = person("resident")
    desk.send(f"contacts/user/{rami.pk}/name/", name="Ramy Resident")
    corrected = last()
    if why == "left":
        desk.send(f"buildings/membership/{membership_of('resident').pk}/move-out/")
    else:
        type(rami).objects.filter(pk=rami.pk).update(is_superuser=True)
    shown = opened(desk, corrected)
    assert "you may not change it" in lines(shown)[2]
    rami.refresh_from_db()
    assert rami.name == "Ramy Resident"


def test_what_has_no_inverse_says_so(desk):
    rami = person("resident")
    desk.send(f"contacts/user/{rami.pk}/add-contact/", kind="phone", typed="01155566677")
    page = f"/admin/audit/entry/{last().pk}/"
    assert "undo/" not in desk.get(f"{page}change/").content.decode()
    answer = desk.get(f"{page}undo/", follow=True)
    assert "Nothing of this change can be taken back." in answer.content.decode()


def test_of_a_change_in_two_blocks_a_manager_takes_back_their_own(desk):
    origin = Origin(channel=Channel.COMMAND, actor_label="import_units (root)")
    for pk in (2, 12):
        change_apartment(
            origin=origin, apartment=Apartment.objects.get(pk=pk), changes={"floor": 9}
        )
    answer = undone(desk, last(request_id=origin.request_id, block_id=1))
    assert len(lines(answer)) == 3
    assert Apartment.objects.get(pk=2).floor != 9
    assert Apartment.objects.get(pk=12).floor == 9


def test_a_refused_entry_is_nothing_to_take_back(app, desk):
    app("neighbour").create(floorNum=1, aptNum=5, blockId=1, apartmentId=1)
    refused = last()
    assert refused.refused
    answer = Desk("admin").get(f"/admin/audit/entry/{refused.pk}/undo/", follow=True)
    assert "Nothing of this change can be taken back." in answer.content.decode()


def table(count, first):
    rows = "".join(f"{n},{n % 9},Person {n},010{n:08}\n" for n in range(first, first + count))
    return "number,floor,name,phone\n" + rows


def imported(desk, count, first=500):
    path = "/admin/buildings/apartment/import/"
    file = SimpleUploadedFile("units.csv", table(count, first).encode())
    shown = desk.post(path, {"import_file": file, "block": "1"})
    desk.post(path, fields_of(shown))
    return last(action=Action.APARTMENT_REGISTERED)


def statements(desk, entry):
    shown = opened(desk, entry)
    with CaptureQueriesContext(connection) as asked:
        answer = desk.post(shown.wsgi_request.path, fields_of(shown))
    return len(asked), answer


def test_an_import_is_undone_in_one_go_with_as_many_statements_however_long_it_was(desk):
    few, answer = statements(desk, imported(desk, 5))
    many, answer = statements(desk, imported(desk, 150, first=1000))
    assert lines(answer)[0] == "300 entries were taken back."
    assert not Apartment.objects.filter(number__gte=500).exists()
    people = Membership.objects.filter(user__name__startswith="Person ")
    assert (people.count(), people.filter(ended_at=None).count()) == (155, 0)
    # Twice: for the plan, and for good. SQLite takes few rows in one INSERT.
    assert many <= few + 20 < 130, (few, many)
    back = Entry.objects.filter(request_id=last().request_id)
    assert back.count() == 450
    assert set(back.values_list("reason", flat=True)) == {"a slip"}


def test_of_an_import_what_was_used_since_stays(desk):
    entry = imported(desk, 20)
    unit = Apartment.objects.get(number=505)
    desk.send(f"buildings/apartment/{unit.pk}/change/", note="key at the porter's")
    told = lines(undone(desk, entry))
    assert told[:2] == ["39 entries were taken back.", "1 entry was not taken back."]
    assert "unit 505" in told[3] and "Changed since: note." in told[3]
    unit.refresh_from_db()
    assert unit.closed_at is None


def test_two_who_undo_at_once_undo_once(commits, desk):
    former = membership_of("resident")
    desk.send(f"buildings/membership/{former.pk}/move-out/")
    ended = last()
    desks = [desk, Desk("admin")]
    shown = [opened(each, ended) for each in desks]
    path = shown[0].wsgi_request.path

    def send(desk, page):
        try:
            return desk.post(path, fields_of(page)).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(send, desks, shown)) == [200, 200]
    current = Membership.objects.current().filter(user=person("resident"), apartment=2)
    assert current.count() == 1


def test_who_only_reads_undoes_nothing(desk):
    start_membership(
        origin=Origin.of_command("x"),
        user=person("outsider"),
        block=Block.objects.get(pk=1),
        role=Role.BOARD,
    )
    desk.send(UNIT, floor="12")
    page = f"/admin/audit/entry/{last().pk}/undo/"
    board = Desk("outsider")
    assert board.get(page).status_code == board.post(page, {"reason": "x"}).status_code == 403
    assert Apartment.objects.get(pk=2).floor == 12


def test_a_ban_needs_a_reason_by_an_undo_too(desk):
    banned = Membership.objects.current().filter(status=Status.BANNED).earliest("pk")
    desk.send(f"buildings/membership/{banned.pk}/readmit/")
    answer = opened(desk, last(), reason="")
    assert "somebody is banned by this" in answer.content.decode()
    undone(desk, last())
    banned.refresh_from_db()
    assert banned.status == Status.BANNED
