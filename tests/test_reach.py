"""Whom a manager reaches: members of their blocks, by whatever page takes a phone or an e-mail.

A contact that its holder hides is to them a stranger's.
"""

import re
import time
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Action
from audit.operations import Origin
from buildings.models import Apartment, Membership, Role
from contacts.contact_operations import add_contact
from contacts.models import EventCount, Kind, Status, User
from tests.backoffice import Desk, fields_of
from tests.conftest import person

IMPORT = "buildings/apartment/import/"
STRANGER = "belongs to somebody outside your blocks"
TOO_MANY = "Too many contacts of other people for one day"
# As entries have it.
HELD, USED_UP = "contact held by somebody else", "too many contacts of other people for one day"


@pytest.fixture
def desk():
    return Desk("manager")


def preview(desk, *rows, opened=False):
    table = "\n".join(["number,resident,phone,email,floor", *rows])
    file = SimpleUploadedFile("units.csv", table.encode())
    answer = desk.post(f"/admin/{IMPORT}", {"import_file": file})
    return answer if opened else answer.content.decode()


# --- Import ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        "5,نادية جارة,01000000007,",
        "5,Somebody Else,01000000007,",
        "5,,01000000007,",
        "5,Nadia,01055500001,neighbour@example.org",
        "5,Nadia,,neighbour.second@example.org",
        "5,Osman Outsider,01000000006,",
        "5,Pakinam Pending,01000000004,",
    ],
)
def test_a_row_with_a_strangers_contact_is_refused_in_the_same_words(
    desk, new_entries, nothing_changed, row
):
    page = preview(desk, row)
    assert STRANGER in page
    assert "registered under" not in page
    assert nothing_changed()
    [entry] = new_entries()
    assert (entry.action, entry.refused) == (
        Action.MEMBERSHIP_STARTED,
        HELD,
    )
    assert (entry.actor_id, entry.block_id, entry.after) == (desk.person.pk, 1, {"contacts": 1})


HEADINGS = "unit id,number,block id,resident,phone,name,floor"


def units(*numbers):
    """The ids of these units of block 1, by their numbers."""
    found = Apartment.objects.filter(block=1, number__in=numbers)
    return dict(found.values_list("number", "pk"))


def by_ids(desk, *rows, **confirmed):
    """The page that a file of these rows is answered with."""
    file = SimpleUploadedFile("units.csv", "\n".join([HEADINGS, *rows]).encode())
    return desk.post(f"/admin/{IMPORT}", {"import_file": file, **confirmed})


def confirmed(desk, page, wanted):
    """The answer to the preview's button."""
    return desk.post(f"/admin/{IMPORT}", fields_of(page) | {"wanted": wanted})


def test_a_number_that_a_refused_row_gives_up_stays_taken(desk, new_entries, nothing_changed):
    pk = units(5, 6)
    rows = (f"{pk[5]},6,1,New Person,01000000007,,", f"{pk[6]},5,1,,,,")
    page = by_ids(desk, *rows).content.decode()
    assert STRANGER in page
    assert "is the number of another unit of the block" in page
    assert nothing_changed()
    assert [each.refused for each in new_entries()] == [HELD]


def test_a_refused_row_changes_nothing_of_a_unit_that_another_row_is_right_for(desk):
    pk = units(5)
    page = by_ids(
        desk, f"{pk[5]},77,1,New,01000000007,Refused,9", f"{pk[5]},,1,Other,01055511133,,"
    )
    assert STRANGER in page.content.decode()
    before = Apartment.objects.values("number", "name", "floor").get(pk=pk[5])
    confirmed(desk, page, "good")
    assert Apartment.objects.values("number", "name", "floor").get(pk=pk[5]) == before
    assert Membership.objects.filter(apartment=pk[5], user__phone="01055511133").exists()


def test_nobody_comes_with_a_unit_that_gets_no_number_and_the_others_are_found_as_without_it(desk):
    pk = units(5, 6, 7)
    page = by_ids(
        desk,
        f"{pk[5]},6,1,Alpha One,01055511122,,",
        f"{pk[6]},,1,,,,",
        f"{pk[7]},,1,Beta Two,01055511122 / 01055511144,,",
    )
    text = page.content.decode()
    assert text.count("is the number of another unit of the block") == 1
    # Not somebody else's by a row that brings nobody, and each contact once.
    assert "is another name" not in text
    assert text.count("01055511144") == by_ids(
        desk, f"{pk[7]},,1,Beta Two,01055511122 / 01055511144,,"
    ).content.decode().count("01055511144")
    confirmed(desk, page, "good")
    assert not User.objects.filter(name="Alpha One").exists()
    assert User.objects.get(phone="01055511122").name == "Beta Two"


def falling(made, stages):
    """Rows of units of which three fall for each that keeps its number, the first of all: one stage after
    another.
    """
    for stage in range(stages):
        gives, a, bc, d = made[3 * stage : 3 * stage + 4]
        p1, p2 = f"0106{stage:07}", f"0122{stage:07}"
        yield f"{a.pk},{gives.number},1,,{p1} / {p2},,"
        yield f"{bc.pk},,1,,{p1},,"
        yield f"{bc.pk},,1,,{p2},,"
        yield f"{d.pk},{91000 + stage},1,,{p1} / {p2},,"


def test_units_that_fall_one_after_another_are_ended_in_few_statements(desk):
    """Each falls only when the one before it keeps its number."""

    def statements(stages):
        numbers = range(1000 * stages, 1000 * stages + 3 * stages + 1)
        made = Apartment.objects.bulk_create(
            [Apartment(block_id=1, number=number) for number in numbers]
        )
        rows = [f"{made[0].pk},90000,1,New,01000000007,,", *falling(made, stages)]
        with CaptureQueriesContext(connection) as captured:
            assert by_ids(desk, *rows).status_code == 200
        return len(captured)

    assert statements(20) < statements(5) * 1.5


@pytest.mark.parametrize("phone", ["01000000007", "01055512345"])
def test_a_strangers_contact_counts_whatever_else_is_wrong_with_its_unit(desk, new_entries, phone):
    pk = units(5, 6, 7)
    taken = Apartment.objects.create(block_id=1, number=701)
    page = by_ids(
        desk,
        f"{pk[5]},8,1,,,,",
        f"{pk[5]},,1,Alpha One,{phone} / 01055577788,,",
        f"{taken.pk},7777,1,Beta Two,01055577788,,",
        f"{pk[7]},701,1,,,,",
    ).content.decode()
    held = phone == "01000000007"
    assert (STRANGER in page) == held
    assert [each.refused for each in new_entries()] == [HELD] * held


def test_where_one_number_is_taken_no_refused_row_leaves_a_trace(desk):
    """A row becomes right when others fall, and asks then for a number that is taken."""
    made = Apartment.objects.bulk_create(
        [Apartment(block_id=1, number=1000 + n) for n in range(20)]
    )
    rows = [f"{made[0].pk},90000,1,New,01000000007,,9", f"{made[0].pk},,1,,,,", *falling(made, 4)]
    rows += [f"{made[15].pk},95000,1,Zed Quiet,01066655544,,"]
    rows += [f"{made[16].pk},5,1,Other Person,01066655544,,4"]
    before = list(
        Apartment.objects.filter(block_id=1).order_by("pk").values_list("pk", "number", "floor")
    )
    confirmed(desk, by_ids(desk, *rows), "good")
    after = list(
        Apartment.objects.filter(block_id=1).order_by("pk").values_list("pk", "number", "floor")
    )
    assert after == before
    assert not User.objects.filter(name__in=["Other Person", "Zed Quiet", "New"]).exists()


@pytest.fixture
def late(monkeypatch):
    """The clock passes every deadline once a contact is looked for."""
    passed = []

    def execute(does, statement, *arguments):
        if 'FROM "contacts_claim"' in statement.replace("`", '"'):
            passed.append(60)
        return does(statement, *arguments)

    now = time.monotonic
    monkeypatch.setattr("omarty.tables.limits.time.monotonic", lambda: now() + sum(passed))
    with connection.execute_wrapper(execute):
        yield


@pytest.mark.parametrize("phone", ["01000000007", "01055512345"])
def test_a_file_that_is_ended_by_the_clock_after_contacts_were_looked_for_counts(
    desk, settings, late, phone
):
    for _ in range(settings.CONTACT_REFUSALS_A_DAY):
        assert "the work took longer than" in preview(desk, f"5,New,{phone},")
    assert TOO_MANY in preview(desk, f"5,New,{phone},")


def test_a_confirmation_serves_once_and_to_see_again_counts(desk, settings):
    settings.CONTACT_REFUSALS_A_DAY = 2
    pk = units(5, 6)
    page = by_ids(desk, f"{pk[5]},,1,Somebody,01000000007,,", f"{pk[6]},,1,,,,")
    assert confirmed(desk, page, "good").status_code == 302
    again = confirmed(desk, page, "good")
    assert again.status_code == 200
    assert STRANGER in again.content.decode()
    assert TOO_MANY in confirmed(desk, again, "good").content.decode()


def test_a_confirmation_serves_for_a_day(desk, monkeypatch):
    pk = units(6)
    page = by_ids(desk, f"{pk[6]},,1,,,Blue,")
    later = time.time() + 25 * 3600
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    again = confirmed(desk, page, "")
    assert "Look at it again" in again.content.decode()
    assert Apartment.objects.get(pk=pk[6]).name != "Blue"
    assert confirmed(desk, again, "").status_code == 302
    assert Apartment.objects.get(pk=pk[6]).name == "Blue"


def test_a_new_unit_is_called_as_the_rows_that_are_right_call_it(desk):
    rows = "FLAT 77-b,Somebody,01000000007,\n77-B,Other Person,01055500001,\n"
    file = SimpleUploadedFile("units.csv", f"number,resident,phone,floor\n{rows}".encode())
    page = desk.post(f"/admin/{IMPORT}", {"import_file": file, "names": "on"})
    assert STRANGER in page.content.decode()
    confirmed(desk, page, "good")
    named = Apartment.objects.filter(block=1, number=None).values_list("name", flat=True)
    assert list(named) == ["77-B"]


def test_taking_the_wrong_rows_counts_as_seeing_them(desk, settings):
    page = preview(desk, "5,New,01000000007,", opened=True)
    for _ in range(settings.CONTACT_REFUSALS_A_DAY - 1):
        assert confirmed(desk, page, "wrong")["Content-Type"].startswith("text/csv")
    assert TOO_MANY in confirmed(desk, page, "wrong").content.decode()


def test_who_has_left_is_a_stranger(desk):
    assert STRANGER not in preview(desk, "5,Rami Resident,01000000002,")
    Membership.objects.filter(user=person("resident")).update(ended_at=timezone.now())
    assert STRANGER in preview(desk, "5,Rami Resident,01000000002,")


def test_a_member_of_the_managers_blocks_is_known(desk, new_entries):
    page = preview(desk, "5,Rami Resident,01000000002,")
    assert STRANGER not in page and "all are right" in page or "it is right" in page
    assert new_entries() == []


def test_a_superuser_reaches_everybody():
    page = preview(Desk("admin"), "5,نادية جارة,01000000007,")
    assert STRANGER not in page


def test_after_ten_contacts_of_strangers_a_day_nothing_more_is_said(desk, new_entries):
    rows = [f"{number},,01000000007," for number in range(100, 106)]
    assert STRANGER in preview(desk, *rows)
    assert TOO_MANY in preview(desk, *rows)
    # The other ways in count on.
    response = desk.send(
        "buildings/apartment/5/move-in/", name="Nadia", phone="01000000007", day="2026-01-01"
    )
    assert TOO_MANY in response.content.decode()
    entries = [(entry.refused, entry.after) for entry in new_entries()]
    assert entries == [(HELD, {"contacts": 6})] * 2 + [(USED_UP, None)]
    EventCount.objects.update(since=timezone.now() - timedelta(days=1, seconds=1))
    assert STRANGER in preview(desk, rows[0])


@pytest.mark.parametrize("phone", ["01000000007", "01055512345"])
def test_once_the_days_number_is_used_up_a_free_contact_is_answered_like_a_held_one(
    desk, nothing_changed, phone
):
    preview(desk, *(f"{number},,01000000007," for number in range(100, 111)))
    ways = {
        "buildings/apartment/5/move-in/": {"name": "Nadia", "phone": phone, "day": "2026-01-01"},
        "contacts/user/3/add-contact/": {"kind": "phone", "typed": phone},
        "contacts/user/3/edit/?contact=phone": {"typed": phone},
    }
    assert TOO_MANY in preview(desk, f"100,Nadia,{phone},")
    for path, typed in ways.items():
        answer = desk.send(path, **typed)
        assert answer.status_code == 200 and TOO_MANY in answer.content.decode(), path
        assert answer.context["outcome"] == []
    assert nothing_changed()
    # What asks for no contact goes on.
    assert TOO_MANY not in preview(desk, "100,,,")


@pytest.mark.parametrize("phone", ["01000000007", "01055512345"])
def test_then_no_other_refusal_tells_them_apart_either(desk, settings, phone):
    preview(desk, *(f"{number},,01000000007," for number in range(100, 111)))
    # A row that names two people, and a person who has as many phones as allowed.
    assert TOO_MANY in preview(desk, f"5,Rami Resident,{phone},resident@example.org")
    settings.SECONDARY_CONTACTS_LIMIT = 0
    answer = desk.send("contacts/user/3/add-contact/", kind="phone", typed=phone)
    assert TOO_MANY in answer.content.decode()


TABLE = "number,resident,phone\n105,Nadia,{}"
FORMS = {
    "buildings/apartment/5/move-in/": {"name": "Nadia", "phone": "{}", "day": "2026-01-01"},
    "contacts/user/3/add-contact/": {"kind": "phone", "typed": "{}"},
    "contacts/user/3/edit/?contact=phone": {"typed": "{}"},
}


def imported(desk, phone, **more):
    file = SimpleUploadedFile("u.csv", TABLE.format(phone).encode())
    return desk.post(f"/admin/{IMPORT}", {"import_file": file} | more)


def _sent(path):
    typed = FORMS[path]
    return lambda desk, phone: desk.send(
        path, **{name: each.format(phone) for name, each in typed.items()}
    )


DOORS = {
    "preview": imported,
    "confirmed unseen": lambda desk, phone: imported(desk, phone, confirmed="0" * 64),
    "right ones unseen": lambda desk, phone: imported(
        desk, phone, confirmed="0" * 64, wanted="good"
    ),
    "wrong ones unseen": lambda desk, phone: imported(
        desk, phone, confirmed="0" * 64, wanted="wrong"
    ),
    **{path: _sent(path) for path in FORMS},
}


def use_up(desk):
    preview(desk, *(f"{number},,01000000007," for number in range(200, 211)))


@pytest.mark.parametrize("door", DOORS)
def test_then_a_held_and_a_free_contact_run_the_same_statements(desk, door, nothing_changed):
    """What takes longer for one than for the other would tell them apart, as often as one likes."""
    use_up(desk)
    # The first leaves an entry.
    DOORS[door](desk, "01000000007")
    ran = []
    for phone in ("01000000007", "01055512345"):
        with CaptureQueriesContext(connection) as seen:
            answer = DOORS[door](desk, phone)
        assert TOO_MANY in answer.content.decode()
        statements = [each["sql"] for each in seen]
        assert not [each for each in statements if phone.removeprefix("0") in each]
        # Without moments, and names of savepoints and tokens.
        ran.append([re.sub(r"'[^']*'|s\d+_x\d+", "…", each) for each in statements])
    assert ran[0] == ran[1]
    assert nothing_changed()


@pytest.mark.parametrize("wanted", ["", "good", "wrong"])
def test_then_what_was_seen_before_is_not_confirmed_either(desk, nothing_changed, wanted):
    """It would tell as often as one likes whether somebody holds the contact by now."""
    seen = fields_of(preview(desk, "105,Nadia,01055512345,", "106,Nadia,nothing,", opened=True))
    use_up(desk)
    answer = desk.post(f"/admin/{IMPORT}", seen | {"wanted": wanted})
    assert answer.status_code == 200 and TOO_MANY in answer.content.decode()
    assert nothing_changed()


@pytest.mark.parametrize("door", DOORS)
def test_then_going_on_leaves_entries_that_count(desk, door, new_entries):
    use_up(desk)
    known = len(new_entries())
    for number in range(10):
        DOORS[door](desk, f"0105551000{number}")
    entries = new_entries()[known:]
    assert [(each.refused, each.after) for each in entries] == [
        (USED_UP, None),
        (USED_UP, {"times": 10}),
    ]
    assert {(each.actor_id, each.block_id) for each in entries} == {(desk.person.pk, 1)}


def test_each_contact_of_a_row_counts(desk, new_entries):
    three = "01000000007 / 01000000006 / 01000000004 / 01055512345"
    assert STRANGER in preview(desk, f"101,,{three},")
    assert STRANGER in preview(desk, f"101,,{three},", f"102,,{three},")
    assert TOO_MANY in preview(desk, f"101,,{three},")
    assert [each.after for each in new_entries()] == [{"contacts": count} for count in (3, 6, 3)]


def test_what_was_shown_of_one_file_confirms_no_other(desk, nothing_changed):
    """What a page cuts or leaves out is part of the file all the same."""
    padding = "\N{LEFT-TO-RIGHT MARK}" * 210
    pages = [
        preview(desk, f"101,Nadia,{padding}{phone},") for phone in ("01055512345", "01055512346")
    ]
    first, second = (
        {
            name: re.findall(rf'name="{name}" value="([^"]*)"', page)[0]
            for name in ("carried", "confirmed")
        }
        for page in pages
    )
    answer = desk.post(f"/admin/{IMPORT}", second | {"confirmed": first["confirmed"], "block": "1"})
    assert answer.status_code == 200
    assert nothing_changed()


def test_free_contacts_use_up_nothing(desk):
    for number in range(15):
        answer = desk.send(
            "contacts/user/3/add-contact/", kind="phone", typed=f"0105551{number:04}"
        )
        assert answer.status_code == 302
    assert "it is right" in preview(desk, "100,Nadia,01055567890,")


# --- One by one ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "typed", "action"),
    [
        (
            "buildings/apartment/5/move-in/",
            {"name": "Nadia", "phone": "01000000007"},
            Action.MEMBERSHIP_STARTED,
        ),
        (
            "contacts/user/3/add-contact/",
            {"kind": "phone", "typed": "01000000007"},
            Action.CONTACT_ADDED,
        ),
        ("contacts/user/3/edit/?contact=phone", {"typed": "01000000007"}, Action.CONTACT_CHANGED),
    ],
)
def test_a_taken_contact_is_refused_recorded_and_counted(
    desk, new_entries, nothing_changed, path, typed, action
):
    for _ in range(10):
        assert "Somebody holds it already." in desk.send(path, **typed).content.decode()
    assert TOO_MANY in desk.send(path, **typed).content.decode()
    assert TOO_MANY in desk.send(path, **typed).content.decode()
    assert nothing_changed()
    entries = [(entry.action, entry.refused, entry.block_id) for entry in new_entries()]
    # The first that is refused unlooked at, the tenth and so on have entries as well.
    assert entries == [(action, HELD, 1)] * 10 + [(action, USED_UP, 1)]


# --- Hidden ----------------------------------------------------------------------------------------


@pytest.fixture
def hiding():
    """The resident, who hides both primary contacts and one of two further phones."""
    resident = person("resident")
    origin = Origin.of_command("test")
    for typed in ("01155500001", "01155500002"):
        add_contact(origin=origin, user=resident, kind=Kind.PHONE, typed=typed)
    User.objects.filter(pk=resident.pk).update(phone_hidden=True, email_hidden=True)
    resident.secondaryphone_set.filter(typed="01155500001").update(hidden=True)
    return resident


def without(answer, *asked):
    """The page without what was typed and what differs each time."""
    text = re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"', "", answer.content.decode())
    text = re.sub(r'name="(carried|confirmed)" value="[^"]*"', "", text)
    for each in asked:
        text = text.replace(each, "…")
    return text


@pytest.mark.parametrize(
    "row",
    [
        "2,Rami Resident,01000000002,",
        "2,Somebody Else,01000000002,",
        "5,,01000000002,",
        "2,Rami Resident,,resident@example.org",
        "2,Rami Resident,01155500001,",
        "2,Rami Resident,01155500002 / 01155500001,",
        "2,Rami Resident,01155500002,resident@example.org",
    ],
)
def test_a_row_with_a_hidden_contact_is_refused_as_a_strangers(
    desk, hiding, new_entries, nothing_changed, row
):
    page = preview(desk, row)
    assert STRANGER in page and "or is hidden by its holder" in page
    assert "known:" not in page and "registered under" not in page
    assert nothing_changed()
    [entry] = new_entries()
    assert (entry.refused, entry.after) == (HELD, {"contacts": 1})


def test_what_they_show_is_matched_on(desk, hiding):
    assert "known: Rami Resident" in preview(desk, "2,Rami Resident,01155500002,")


def test_a_row_with_a_hidden_contact_looks_like_one_with_a_strangers(desk, hiding):
    pages = [
        without(preview(desk, f"2,Rami Resident,{phone},", opened=True), phone)
        for phone in ("01000000002", "01155500001", "01000000007")
    ]
    assert pages[0] == pages[1] == pages[2]


@pytest.mark.parametrize("typed", ["01000000002", "+20 115 550 0001"])
@pytest.mark.parametrize(
    "path", ["contacts/user/3/add-contact/", "contacts/user/3/edit/?contact=phone-{}"]
)
def test_a_persons_own_hidden_contact_is_refused_as_a_strangers(
    desk, hiding, new_entries, path, typed
):
    shown = hiding.secondaryphone_set.get(typed="01155500002")
    path = path.format(shown.claim_id)
    held, own = (
        without(desk.send(path, typed=each, kind="phone"), each) for each in ("01000000007", typed)
    )
    assert own == held and "Somebody holds it already." in own
    entries = [(each.refused, each.after, each.block_id) for each in new_entries()]
    assert entries == [(HELD, {"contacts": 1}, 1)] * 2
    for _ in range(8):
        desk.send(path, typed=typed, kind="phone")
    assert TOO_MANY in desk.send(path, typed=typed, kind="phone").content.decode()


def test_moving_in_by_a_hidden_contact_is_refused_as_by_a_strangers(desk, hiding, new_entries):
    path = "buildings/apartment/5/move-in/"
    pages = [
        without(desk.send(path, name="Rami Resident", phone=phone, day="2026-01-01"), phone)
        for phone in ("01000000002", "01155500001", "01000000007")
    ]
    assert pages[0] == pages[1] == pages[2] and "Somebody holds it already." in pages[0]
    assert [(each.refused, each.after) for each in new_entries()] == [(HELD, {"contacts": 1})] * 3


def test_a_managers_own_hidden_contact_is_theirs(desk, new_entries):
    User.objects.filter(pk=desk.person.pk).update(phone_hidden=True)
    assert f"known: {desk.person}" in preview(desk, f"1,{desk.person},01000000001,")
    path = f"contacts/user/{desk.person.pk}/add-contact/"
    answer = desk.send(path, kind="phone", typed="01000000001")
    assert "This person has it already." in answer.content.decode()
    assert new_entries() == []


def test_a_superuser_is_told_whose_it_is(hiding):
    table = b"block,number,phone\n1,2,01000000002"
    file = SimpleUploadedFile("u.csv", table)
    page = Desk("admin").post(f"/admin/{IMPORT}", {"import_file": file}).content.decode()
    assert "known: Rami Resident" in page
    answer = Desk("admin").send("contacts/user/3/add-contact/", kind="phone", typed="01000000002")
    assert "This person has it already." in answer.content.decode()


def test_a_manager_reads_back_what_was_exported_of_who_hides_a_contact(desk, hiding, tmp_path):
    path = tmp_path / "units.csv"
    call_command("export_units", path, block=1, full=True)
    file = SimpleUploadedFile("units.csv", path.read_bytes())
    seen = desk.post(f"/admin/{IMPORT}", {"import_file": file}).context["preview"]
    assert seen.right and {line["kind"] for line in seen.lines} == {"skip"}


# --- Choosing --------------------------------------------------------------------------------------


def choices(desk, term):
    query = {"app_label": "buildings", "model_name": "membership", "field_name": "user"}
    answer = desk.get("/admin/autocomplete/", query | {"term": term}).json()
    return [each["text"] for each in answer["results"]]


def test_only_members_are_offered_to_move_in(desk):
    assert choices(desk, "Rami")
    assert choices(desk, "Pakinam") == []
    Membership.objects.filter(user=person("resident")).update(ended_at=timezone.now())
    assert choices(desk, "Rami") == []
    assert choices(Desk("admin"), "Rami")


@pytest.mark.parametrize("who", ["pending", "outsider", "neighbour"])
def test_nobody_else_can_be_chosen_by_id_either(desk, nothing_changed, who):
    response = desk.send(
        "buildings/apartment/5/move-in/", person=str(person(who).pk), day="2026-01-01"
    )
    assert response.context["form"].errors["person"]
    assert nothing_changed()


def test_who_asks_elsewhere_and_belongs_here_can_be_chosen(desk):
    Membership.objects.create(
        user=person("pending"), block_id=1, role=Role.CASHIER, status=Status.ACTIVE
    )
    assert choices(desk, "Pakinam")


# --- What an import leaves ---------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ar"])
def test_an_import_labels_a_membership_as_every_other_way_in(language, new_entries):
    desk = Desk("manager", language)
    opened = desk.post(
        f"/admin/{IMPORT}",
        {
            "import_file": SimpleUploadedFile(
                "u.csv", b"number,resident,phone\n5,Nora New,01055500001"
            )
        },
    )
    desk.resend(IMPORT, opened)
    [entry] = [each for each in new_entries() if each.action == Action.MEMBERSHIP_STARTED]
    assert entry.target_label == "Nora New" == str(Membership.objects.get(pk=entry.target_id))


@pytest.mark.parametrize("app", ["buildings", "contacts", "audit", "legacy"])
def test_an_apps_own_page_leads_to_the_dashboard(app, desk):
    assert desk.get(f"/admin/{app}/").url == "/admin/"
