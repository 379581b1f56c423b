"""The pages of a block and a unit: people and how to reach them, figures, managers' offices, first steps."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Action, Entry
from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Apartment, Block, Building, Membership, Role
from buildings.permissions import reach
from contacts.contact_operations import add_contact, contacts_of, hide_contact
from contacts.models import Invitation, Kind, Status, User
from contacts.operations import register_user
from tests.backoffice import Desk, told
from tests.conftest import person

BLOCK, UNIT = "buildings/block/1/change/", "buildings/apartment/2/change/"
APPOINT = "buildings/block/1/appoint/"
MOST = 12


@pytest.fixture
def desk():
    return Desk("manager")


@pytest.fixture
def origin():
    return Origin.of_command("test")


@pytest.fixture
def newcomer(origin):
    """A resident of unit 6 who was registered and has never signed in."""
    nora = register_user(origin=origin, name="Nora", phone="01055500077")
    block = Block.objects.get(pk=1)
    unit = Apartment.objects.get(pk=6)
    return start_membership(origin=origin, user=nora, block=block, apartment=unit)


def office_of(name, block=1):
    return Membership.objects.current().get(user=person(name), block=block, role=Role.MANAGER)


def hand_over_page(name="manager"):
    return f"buildings/membership/{office_of(name).pk}/hand-over/"


def refused(answer):
    """What a form that came back says."""
    assert answer.status_code == 200
    return [
        unescape(str(each)) for errors in answer.context["form"].errors.values() for each in errors
    ]


def actions(entries):
    return [Action(each.action) for each in entries]


# --- How people are reached ---------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "name", "number"), [(BLOCK, "manager", 1), (UNIT, "resident", 2)])
def test_a_phone_dials_opens_whatsapp_and_an_address_a_letter(desk, path, name, number):
    page = desk.text(path)
    assert f'href="tel:+20100000000{number}"' in page
    assert f'href="https://wa.me/20100000000{number}"' in page
    assert f'href="mailto:{name}@example.org"' in page


def test_further_contacts_are_ways_too_and_what_is_hidden_is_none(desk, origin):
    rami = person("resident")
    for typed in ("01155500001", "01155500002"):
        add_contact(origin=origin, user=rami, kind=Kind.PHONE, typed=typed)
    hidden = next(each for each in contacts_of(rami) if each.typed.endswith("2") and each.secondary)
    hide_contact(origin=origin, contact=hidden, hidden=True)
    User.objects.filter(pk=rami.pk).update(phone_hidden=True)
    page = desk.text(UNIT)
    assert 'href="tel:+201155500001"' in page
    for gone in ("201155500002", "01155500002", "201000000002", "01000000002"):
        assert gone not in page
    assert page.count("•••••") == 2


def test_a_number_that_is_none_is_shown_without_a_link(desk):
    User.objects.filter(email="resident@example.org").update(phone="12")
    page = desk.text(UNIT)
    assert ">12</bdi>" in page
    assert "tel:12" not in page


def test_a_board_member_reaches_people_and_is_offered_nothing_to_do(origin):
    block = Block.objects.get(pk=1)
    start_membership(origin=origin, user=person("outsider"), block=block, role=Role.BOARD)
    desk = Desk("outsider")
    for path in (BLOCK, UNIT):
        page = desk.text(path)
        assert 'href="tel:+20100000000' in page
        for offer in (
            "hand-over",
            "move-out",
            "/invite/",
            "everybody-out",
            "appoint",
            "next-steps",
        ):
            assert offer not in page


# --- A block's figures --------------------------------------------------------------------------------


def test_each_figure_counts_what_its_list_shows(desk, newcomer):
    page = desk.page(BLOCK)
    figures = page.context["original"].hub.figures()
    counts = {str(each.label): each.count for each in figures}
    assert counts == {
        "Requests waiting": 1,
        "Units": 10,
        "Vacant units": 8,
        "Residents": 3,
        "Never signed in": 1,
    }
    for figure in figures:
        assert desk.get(figure.link).context["cl"].result_count == figure.count, figure.label
        assert figure.link.replace("&", "&amp;") in page.content.decode()


def test_the_page_shows_what_was_done_in_the_block(desk):
    desk.send("buildings/apartment/5/change/", floor="7", reason="counted again")
    page = desk.text(BLOCK)
    assert "counted again" in page
    assert "counted again" not in Desk("neighbour").text("buildings/block/2/change/")


def test_the_dashboard_leads_to_each_block(desk):
    assert f'href="/admin/{BLOCK}"' in desk.text("")


@pytest.mark.parametrize("name", ["manager", "admin"])
@pytest.mark.parametrize("path", [BLOCK, UNIT, APPOINT, "buildings/building/1/change/"])
def test_a_page_asks_as_often_whatever_it_shows(origin, name, path):
    desk = Desk(name)
    block, unit = Block.objects.get(pk=1), Apartment.objects.get(pk=2)
    with CaptureQueriesContext(connection) as few:
        desk.page(path)
    for n in range(20):
        user = register_user(origin=origin, name=f"Person {n}", phone=f"010555001{n:02}")
        add_contact(origin=origin, user=user, kind=Kind.PHONE, typed=f"010555002{n:02}")
        start_membership(origin=origin, user=user, block=block, role=Role.MANAGER)
        start_membership(origin=origin, user=user, block=block, apartment=unit)
    with CaptureQueriesContext(connection) as many:
        desk.page(path)
    assert len(many) <= len(few) + 1, "one statement more names what entries are about"
    # One of them counts the requests of the menu.
    assert len(many) <= MOST + 1, [each["sql"] for each in many.captured_queries]


# --- To appoint ---------------------------------------------------------------------------------------


def test_a_new_manager_is_registered_appointed_and_invited_at_once(desk, new_entries):
    answer = desk.send(APPOINT, name="Nora", phone="010 5550 0077", reason="elected")
    nora = User.objects.get(name="Nora")
    office = Membership.objects.get(user=nora)
    assert (office.block_id, office.apartment_id, office.role, office.status) == (
        1, None, Role.MANAGER, Status.ACTIVE,
    )  # fmt: skip
    entries = new_entries()
    assert actions(entries) == [
        Action.USER_REGISTERED,
        Action.MEMBERSHIP_STARTED,
        Action.INVITED,
    ]
    assert {(each.reason, each.actor_id) for each in entries} == {("elected", 2)}
    assert len({each.request_id for each in entries}) == 1
    page = answer.content.decode()
    assert Invitation.objects.filter(user=nora, used_at=None).count() == 1
    assert re.search(r"/invitation/[\w-]{22}/", page)
    assert "https://wa.me/201055500077" in page
    # It is not made again by a slip.
    assert 'name="phone"' not in page
    assert f'href="/admin/{BLOCK}"' in page
    assert 1 in reach(nora).changes


@pytest.mark.parametrize(
    "typed",
    [
        {"phone": "0100 000 0002"},
        {"email": "resident@example.org"},
        {"phone": "01000000002", "name": "Rami Resident"},
    ],
)  # fmt: skip
def test_somebody_whom_the_user_knows_is_appointed_by_a_contact(desk, new_entries, typed):
    people = User.objects.count()
    answer = desk.send(APPOINT, **typed)
    assert "Rami Resident manages block 1 now." in answer.content.decode()
    assert User.objects.count() == people
    assert office_of("resident").apartment_id is None
    assert Membership.objects.current().filter(user=person("resident")).count() == 2
    # They have a password: a link would be worth their account.
    assert actions(new_entries()) == [Action.MEMBERSHIP_STARTED]
    assert not Invitation.objects.exists()


def test_a_superuser_appoints_anybody(new_entries):
    Desk("admin").send(APPOINT, email="outsider@example.org")
    assert office_of("outsider").status == Status.ACTIVE
    assert actions(new_entries()) == [Action.MEMBERSHIP_STARTED]


KNOWS_NOBODY = "You know nobody with this contact. Type the name too for somebody new."


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "Type a phone or an e-mail."),
        ({"name": "Nora"}, "Type a phone or an e-mail."),
        ({"phone": "123", "name": "Nora"}, "This is not a phone number"),
        ({"phone": "01055500077"}, KNOWS_NOBODY),
        # A stranger's is answered as one that nobody has.
        ({"phone": "01000000007"}, KNOWS_NOBODY),
        ({"phone": "01000000004"}, KNOWS_NOBODY),
        ({"phone": "01000000007", "name": "Nora"}, "Somebody holds it already."),
        ({"phone": "01000000001"}, "Mona Manager manages this block already."),
        ({"phone": "01000000005"}, "Bassem Banned is banned: readmit them first."),
        ({"phone": "01000000002", "name": "Nora"}, "This contact is that of Rami Resident."),
        ({"phone": "01000000002", "email": "partner@example.org"}, "One of these is a contact of"),
        ({"phone": "01000000002", "email": "free@example.org"}, "One of these is a contact of"),
    ],
)  # fmt: skip
def test_who_is_not_appointed(desk, nothing_changed, typed, words):
    assert words in "".join(refused(desk.send(APPOINT, **typed)))
    assert nothing_changed()


def test_a_hidden_contact_finds_nobody_to_appoint(desk, nothing_changed):
    User.objects.filter(email="resident@example.org").update(phone_hidden=True)
    assert refused(desk.send(APPOINT, phone="01000000002")) == [KNOWS_NOBODY]
    assert not Membership.objects.filter(user=person("resident"), role=Role.MANAGER).exists()


def test_contacts_of_others_are_counted_here_too(desk, settings, new_entries):
    settings.CONTACT_REFUSALS_A_DAY = 2
    for _time in range(2):
        desk.send(APPOINT, phone="01000000007", name="Nora")
    for typed in ({"phone": "01000000007"}, {"phone": "01055500077"}):
        answers = refused(desk.send(APPOINT, **typed, name="Nora"))
        assert "Too many contacts of other people" in answers[0]
    assert {each.refused for each in new_entries()} == {
        "contact held by somebody else",
        "too many contacts of other people for one day",
    }


def test_who_cannot_sign_in_is_not_appointed(nothing_changed):
    User.objects.filter(email="outsider@example.org").update(status=Status.BANNED)
    answer = Desk("admin").send(APPOINT, email="outsider@example.org")
    assert refused(answer) == ["Osman Outsider is not active, and cannot sign in."]
    assert not Membership.objects.filter(user=person("outsider")).exists()


# --- To hand over -------------------------------------------------------------------------------------


def to_resident():
    return Membership.objects.get(user=person("resident")).pk


def test_a_manager_hands_their_office_over_and_stays_as_a_resident(desk, new_entries):
    office = office_of("manager")
    answer = desk.send(hand_over_page(), to=to_resident(), reason="moving abroad")
    assert answer.url == "/admin/"
    assert told(answer) == "Rami Resident manages block 1 now, Mona Manager no longer."
    office.refresh_from_db()
    assert (office.role, office.apartment_id, office.ended_at) == (Role.RESIDENT, 1, None)
    assert office_of("resident").status == Status.ACTIVE
    assert [(each.action, each.person_id, each.reason) for each in new_entries()] == [
        (Action.MEMBERSHIP_STARTED, 3, "moving abroad"),
        (Action.MEMBERSHIP_ROLE_CHANGED, 2, "moving abroad"),
    ]
    assert len({each.request_id for each in new_entries()}) == 1
    assert desk.page(BLOCK).status_code == 302
    assert Desk("resident").page(BLOCK).status_code == 200


def test_an_office_without_a_unit_ends(origin):
    block = Block.objects.get(pk=1)
    Membership.objects.filter(pk=office_of("manager").pk).update(apartment=None)
    office = office_of("manager")
    Desk("manager").send(hand_over_page(), to=to_resident(), reason="tired")
    office.refresh_from_db()
    assert office.ended_at is not None
    assert list(
        Membership.objects.managing().filter(block=block).values_list("user", flat=True)
    ) == [3]


def test_both_manage_where_the_tick_is_taken_away(desk, new_entries):
    answer = desk.send(hand_over_page(), to=to_resident(), ends="", reason="two of us")
    assert answer.url == f"/admin/{BLOCK}"
    assert told(answer) == "Rami Resident manages block 1 now, and so does Mona Manager."
    assert office_of("manager").role == office_of("resident").role == Role.MANAGER
    assert actions(new_entries()) == [Action.MEMBERSHIP_STARTED]


def test_it_needs_a_reason_and_a_member(desk, nothing_changed):
    outside = Membership.objects.get(user=person("neighbour"), block=2).pk
    banned = Membership.objects.get(user=person("banned")).pk
    assert refused(desk.send(hand_over_page(), to=to_resident()))
    for to in (outside, banned, office_of("manager").pk, 888_888, ""):
        assert refused(desk.send(hand_over_page(), to=to, reason="why")), to
    assert nothing_changed()


def test_nobody_hands_over_to_who_cannot_come_in_yet(desk, newcomer, nothing_changed):
    answer = desk.send(hand_over_page(), to=newcomer.pk, reason="why")
    assert "Nora has never signed in: invite them first" in refused(answer)[0]
    assert nothing_changed()
    # A superuser can invite them afterwards; and who keeps the office can, too.
    assert desk.send(hand_over_page(), to=newcomer.pk, ends="", reason="why").status_code == 302
    assert Membership.objects.managing().filter(user=newcomer.user).exists()


def test_only_ones_own_office_is_handed_over_but_by_a_superuser(desk, origin, new_entries):
    block = Block.objects.get(pk=1)
    start_membership(origin=origin, user=person("partner"), block=block, role=Role.MANAGER)
    page = hand_over_page("partner")
    answer = desk.page(page)
    assert answer.status_code == 302
    assert told(answer) == "Only Parisa Partner or a superuser hands this office over."
    assert f"/admin/{page}" not in desk.text(BLOCK)
    assert f"/admin/{hand_over_page()}" in desk.text(BLOCK)
    admin = Desk("admin")
    assert f"/admin/{page}" in admin.text(BLOCK)
    answer = admin.send(page, to=to_resident(), reason="agreed")
    assert answer.url == f"/admin/{BLOCK}"
    assert not Membership.objects.managing().filter(user=person("partner")).exists()


def test_who_is_no_manager_has_no_office_to_give(desk):
    page = f"buildings/membership/{to_resident()}/hand-over/"
    assert desk.page(page).status_code == 302
    assert told(Desk("admin").page(page)) == "Rami Resident is no manager."


# --- A unit's people ----------------------------------------------------------------------------------


def test_somebody_moves_out_from_the_unit_and_back_to_it(desk):
    membership = to_resident()
    address = f"buildings/membership/{membership}/move-out/?unit=2"
    assert f'href="/admin/{address}"' in desk.text(UNIT)
    answer = desk.send(address)
    assert answer.url == f"/admin/{UNIT}"
    assert Membership.objects.get(pk=membership).ended_at is not None


def test_a_request_is_approved_on_the_way_and_not_moved_out(desk):
    page = desk.text("buildings/apartment/3/change/")
    asking = Membership.objects.get(user=person("pending")).pk
    assert f"/membership/{asking}/approve/?unit=3" in page
    assert f"/membership/{asking}/move-out/" not in page


def test_who_never_signed_in_is_invited_from_the_unit(desk, newcomer):
    path = "buildings/apartment/6/change/"
    invite = f"contacts/user/{newcomer.user_id}/invite/"
    assert f'href="/admin/{invite}"' in desk.text(path)
    assert "/invite/" not in desk.text(UNIT)
    desk.send(invite)
    assert "Invited, until" in desk.text(path)


def test_everybody_moves_out_but_who_merely_asks(desk, new_entries, origin):
    asking = start_membership(
        origin=origin,
        user=person("outsider"),
        block=Block.objects.get(pk=1),
        apartment=Apartment.objects.get(pk=2),
        status=Status.PENDING,
    )
    before = len(new_entries())
    answer = desk.send("buildings/apartment/2/everybody-out/", reason="sold")
    assert (answer.url, told(answer)) == (f"/admin/{UNIT}", "2 people moved out.")
    assert list(Membership.objects.current().filter(apartment=2)) == [asking]
    ended = new_entries()[before:]
    assert [(each.action, each.person_id, each.reason) for each in ended[:2]] == [
        (Action.MEMBERSHIP_ENDED, 3, "sold"),
        (Action.MEMBERSHIP_ENDED, 4, "sold"),
    ]
    # Offered ticked, for nobody is left.
    assert [(each.action, each.after) for each in ended[2:]] == [
        (Action.APARTMENT_CHANGED, {"occupancy": "vacant"})
    ]


def test_who_is_banned_is_readmitted_and_not_moved_out(desk):
    Membership.objects.filter(apartment=3, status=Status.PENDING).delete()
    banned = Membership.objects.current().get(apartment=3)
    page = desk.text("buildings/apartment/3/change/")
    assert f"/membership/{banned.pk}/readmit/" in page
    assert f"/membership/{banned.pk}/move-out/" not in page and "everybody-out" not in page
    assert "Nobody belongs to unit 3" in told(desk.page("buildings/apartment/3/everybody-out/"))


def test_nobody_moves_out_of_an_empty_unit(desk):
    assert "everybody-out" not in desk.text("buildings/apartment/6/change/")
    answer = desk.page("buildings/apartment/6/everybody-out/")
    assert told(answer) == "Nobody belongs to unit 6."


def test_the_last_manager_does_not_move_out_with_the_others(desk, nothing_changed):
    answer = desk.send("buildings/apartment/1/everybody-out/")
    assert "would be left without a manager" in answer.content.decode()
    assert nothing_changed()


def test_a_family_moves_in_one_after_the_other(desk):
    path = "buildings/apartment/6/move-in/"
    typed = {"role": "resident", "day": "2026-10-01", "_again": "1"}
    first = desk.send(path, name="Nora", phone="01055500077", **typed)
    assert first.url == f"/admin/{path}?role=resident&day=2026-10-01"
    opened = desk.get(first.url)
    assert "Nora moved into unit 6." in opened.content.decode()
    assert 'value="2026-10-01"' in opened.content.decode()
    last = desk.send(path, name="Omar", phone="01055500078")
    assert last.url == "/admin/buildings/apartment/6/change/"
    assert Membership.objects.filter(apartment=6).count() == 2


# --- What to do first ---------------------------------------------------------------------------------


def steps(desk, path):
    """Where the page leads to whoever begins."""
    found = re.search(r'<section class="next-steps".*?</section>', desk.text(path), re.DOTALL)
    return re.findall(r'href="([^"]+)"', unescape(found[0])) if found else []


def without(*models):
    for model in (Membership, Apartment, Block, Building):
        if model in models:
            model.objects.all().delete()


def test_a_community_at_work_is_told_nothing(desk):
    for each, path in ((desk, ""), (desk, BLOCK), (Desk("admin"), "")):
        assert steps(each, path) == []


def test_what_to_do_first_is_said_on_the_dashboard_and_on_empty_lists():
    desk = Desk("admin")
    without(Membership, Apartment)
    Block.objects.exclude(pk=1).delete()
    for path in ("", "buildings/apartment/"):
        assert steps(desk, path) == [f"/admin/{APPOINT}"]
    without(Block)
    for path in ("", "buildings/block/", "buildings/apartment/", "contacts/user/?q=zz"):
        expected = [] if "?" in path else ["/admin/buildings/block/add/?building=1"]
        assert steps(desk, path) == expected
    without(Building)
    for path in ("", "buildings/building/", "buildings/membership/"):
        with CaptureQueriesContext(connection) as asked:
            assert steps(desk, path) == ["/admin/buildings/building/add/"]
        assert len(asked) <= MOST


def test_a_manager_without_units_or_residents_is_told_how_they_come_in(desk):
    Membership.objects.filter(block=1).exclude(role=Role.MANAGER).delete()
    assert steps(desk, "") == ["/admin/buildings/apartment/"]
    assert steps(desk, BLOCK) == ["/admin/buildings/apartment/?block=1&occupancy__exact=vacant"]
    Membership.objects.filter(block=1).update(apartment=None)
    Apartment.objects.filter(block=1).delete()
    ways = ["/admin/buildings/block/1/add-floors/", "/admin/buildings/apartment/import/"]
    assert steps(desk, "") == steps(desk, BLOCK) == ways
    assert steps(desk, "buildings/apartment/") == ways


def test_each_save_leads_to_the_next_step():
    desk = Desk("admin")
    saved = desk.send("buildings/building/add/", name_en="Lotus Court")
    building = Building.objects.get(name_en="Lotus Court")
    page = saved.url.removeprefix("/admin/")
    assert page == f"buildings/building/{building.pk}/change/"
    [add] = steps(desk, page)
    assert add == f"/admin/buildings/block/add/?building={building.pk}"
    opened = desk.get(add)
    assert f'<option value="{building.pk}" selected>' in opened.content.decode()
    saved = desk.resend("buildings/block/add/", opened, number="7A")
    block = Block.objects.get(building=building)
    assert saved.url == f"/admin/buildings/block/{block.pk}/change/"
    appoint, floors, _import = steps(desk, saved.url.removeprefix("/admin/"))
    assert appoint == f"/admin/buildings/block/{block.pk}/appoint/"
    answer = desk.send(appoint.removeprefix("/admin/"), name="Nora", phone="01055500077")
    assert f'href="{floors}"' in answer.content.decode()
    nora = User.objects.get(name="Nora")
    assert (
        steps(desk, saved.url.removeprefix("/admin/"))[0]
        == f"/admin/contacts/user/{nora.pk}/invite/"
    )
    assert Entry.objects.latest("pk").action == Action.INVITED


def test_a_block_without_a_manager_wants_one():
    Membership.objects.filter(block=3).delete()
    assert steps(Desk("admin"), "buildings/block/3/change/")[0] == (
        "/admin/buildings/block/3/appoint/"
    )
