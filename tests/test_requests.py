"""Requests to belong: answered in the list, with the occupancy that follows; and whom they are told to."""

import io
import re
from datetime import timedelta
from html import unescape

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Channel
from audit.operations import Origin
from buildings.membership_operations import end_memberships, refuse_memberships, start_membership
from buildings.models import (
    Apartment,
    Block,
    Membership,
    NoticeChoice,
    Occupancy,
    RequestNotices,
    Role,
)
from buildings.request_notices import MORNING
from contacts.contact_operations import add_contact, contacts_of, hide_contact
from contacts.models import Kind, Message, MessageState, Purpose, Status, User
from omarty.management.base import Interrupted
from tests.backoffice import Desk, told
from tests.conftest import person
from tests.mail_server import mail_server

ORIGIN = Origin.of_command("test")
REQUESTS = "buildings/membership/"
PENDING = {"status__exact": "pending"}
HOUR = timedelta(hours=1)


@pytest.fixture
def desk():
    return Desk("manager")


@pytest.fixture
def mail(settings):
    """A mail server, which messages are sent to; the demo's own request is one that comes due no more."""
    Membership.objects.filter(user=person("pending")).update(started_at=None)
    with mail_server() as server:
        settings.EMAIL_URL = server.url
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.server_address[1]
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield server


def asks(name="outsider", unit=4, block=1, ago=timedelta(), role=Role.RESIDENT):
    """A request that somebody makes, or made so long ago."""
    who = person(name) if isinstance(name, str) else name
    request = start_membership(
        origin=ORIGIN,
        user=who,
        block=Block.objects.get(pk=block),
        apartment=None if unit is None else Apartment.objects.get(pk=unit),
        role=role,
        status=Status.PENDING,
        started_at=timezone.now() - ago,
    )
    if ago:
        # What was told then has been sent, and is of no interest.
        Message.objects.all().delete()
    return request


def of(name):
    return Membership.objects.filter(user=person(name)).latest("pk")


def occupancy(unit):
    return Apartment.objects.get(pk=unit).occupancy


def messages():
    """Whom the outbox tells of which requests."""
    found = Message.objects.filter(purpose=Purpose.REQUESTS).order_by("pk")
    return [(each.to.split("@")[0], each.values["requests"]) for each in found]


def remind():
    out = io.StringIO()
    call_command("remind_of_requests", "--json", stdout=out)
    return out.getvalue()


def send():
    call_command("send_messages", "--quiet")


def text_of(mail, number=-1):
    return mail.taken[number][1].get_content()


# --- the occupancy that follows -------------------------------------------------------------------


def test_a_unit_becomes_occupied_when_somebody_is_approved_for_it(desk, new_entries):
    request = asks()
    path = f"{REQUESTS}{request.pk}/approve/"
    assert "Mark the unit as occupied" in desk.text(path)
    before = len(new_entries())
    desk.send(path, reason="shown the contract")
    assert (of("outsider").status, occupancy(4)) == (Status.ACTIVE, Occupancy.OCCUPIED)
    approved, followed = new_entries()[before:]
    assert [approved.action, followed.action] == ["membership.approved", "apartment.changed"]
    assert (followed.before, followed.after) == ({"occupancy": "vacant"}, {"occupancy": "lived_in"})
    assert (followed.request_id, followed.reason) == (approved.request_id, "shown the contract")
    assert (followed.actor_id, followed.block_id, followed.apartment_id) == (2, 1, 4)


def test_a_unit_stays_as_it_is_where_the_tick_is_taken_away(desk, new_entries):
    request = asks()
    desk.post(f"/admin/{REQUESTS}{request.pk}/approve/", {"reason": ""})
    assert (of("outsider").status, occupancy(4)) == (Status.ACTIVE, Occupancy.VACANT)
    assert new_entries()[-1].action == "membership.approved"


def test_a_unit_becomes_occupied_when_somebody_moves_in(desk, new_entries):
    desk.send("buildings/apartment/6/move-in/", person="3")
    assert occupancy(6) == Occupancy.OCCUPIED
    assert [line.action for line in new_entries()] == ["membership.started", "apartment.changed"]


@pytest.mark.parametrize("state", [Occupancy.BEING_FINISHED, Occupancy.UNOCCUPIED])
def test_what_else_is_known_of_a_unit_is_left_and_not_asked(desk, state):
    Apartment.objects.filter(pk=6).update(occupancy=state)
    path = "buildings/apartment/6/move-in/"
    assert "units_follow" not in desk.text(path)
    desk.send(path, person="3", units_follow="on")
    assert occupancy(6) == state


def test_a_unit_becomes_vacant_when_the_last_one_moves_out(desk, new_entries):
    first, second = of("resident"), of("partner")
    assert "units_follow" not in desk.text(f"{REQUESTS}{first.pk}/move-out/")
    desk.send(f"{REQUESTS}{first.pk}/move-out/")
    assert occupancy(2) == Occupancy.OCCUPIED
    assert "nobody is left in it" in desk.text(f"{REQUESTS}{second.pk}/move-out/")
    desk.send(f"{REQUESTS}{second.pk}/move-out/", reason="sold")
    assert occupancy(2) == Occupancy.VACANT
    assert [(line.action, line.reason) for line in new_entries()[-2:]] == [
        ("membership.ended", "sold"),
        ("apartment.changed", "sold"),
    ]


def test_of_many_at_once_all_units_follow(desk):
    chosen = [of("resident").pk, of("partner").pk]
    page = desk.post(f"/admin/{REQUESTS}", {"action": "move-out", "_selected_action": chosen})
    assert "nobody is left in it" in page.content.decode()
    day = timezone.localdate().isoformat()
    sent = {"action": "move-out", "_selected_action": chosen, "sure": "1", "day": day}
    desk.post(f"/admin/{REQUESTS}", sent | {"units_follow": "on"})
    assert occupancy(2) == Occupancy.VACANT


def test_who_is_asked_to_leave_the_last_time_leaves_no_unit_of_another_block_vacant(desk):
    end_memberships(origin=ORIGIN, memberships=[of("neighbour")][:0], units_follow=True)
    assert occupancy(11) == Occupancy.OCCUPIED


# --- the list ---------------------------------------------------------------------------------------


def test_a_request_is_approved_in_its_row_and_the_next_is_there(desk, new_entries):
    last, first = of("pending"), asks()
    page = desk.text(REQUESTS, **PENDING)
    action = address_of(page, f"approve-{first.pk}")
    done = desk.post(action, {"units_follow": "on"})
    assert told(done) == "1 person was approved."
    assert done.url == f"/admin/{REQUESTS}?status__exact=pending#answer-{last.pk}"
    assert (of("outsider").status, occupancy(4)) == (Status.ACTIVE, Occupancy.OCCUPIED)
    page = desk.text(REQUESTS, **PENDING)
    assert f'id="answer-{last.pk}"' in page and f'id="answer-{first.pk}"' not in page
    done = desk.post(address_of(page, f"approve-{last.pk}"))
    assert done.url == f"/admin/{REQUESTS}?status__exact=pending"
    assert "Nothing here matches." in desk.text(REQUESTS, **PENDING)
    assert occupancy(3) == Occupancy.VACANT


def test_a_request_is_refused_in_its_row_with_a_reason(desk, new_entries):
    request = asks()
    action = address_of(desk.text(REQUESTS, **PENDING), f"refuse-{request.pk}")
    before = len(new_entries())
    # Whose browser asks for no reason is asked on a page, and comes back to the list from there.
    page = desk.post(action, {"reason": ""})
    assert "reason" in page.context["form"].errors
    assert page.context["back"].startswith(f"/admin/{REQUESTS}?status__exact=pending")
    done = desk.post(action, {"reason": "not known here"})
    assert done.url == f"/admin/{REQUESTS}?status__exact=pending#answer-{of('pending').pk}"
    assert [(line.action, line.reason) for line in new_entries()[before:]] == [
        ("membership.refused", "not known here")
    ]


def test_who_was_answered_by_somebody_else_meanwhile_is_told_in_the_list(desk):
    request = asks()
    action = address_of(desk.text(REQUESTS, **PENDING), f"approve-{request.pk}")
    refuse_memberships(origin=ORIGIN, memberships=[request])
    done = desk.post(action)
    assert told(done) == "Osman Outsider has left already."
    assert done.url.startswith(f"/admin/{REQUESTS}?status__exact=pending")


def test_where_one_comes_from_is_a_list_of_ours(desk):
    request = asks()
    query = "?next=//evil.example&_changelist_filters=%0d%0aX:y=//evil.example"
    done = desk.post(f"/admin/{REQUESTS}{request.pk}/approve/{query}")
    assert done.url.startswith(f"/admin/{REQUESTS}?")
    assert "\n" not in done.url and not done.url.endswith("evil.example#")


def test_answers_are_offered_where_one_may_answer_alone(desk):
    request = asks("resident", unit=12, block=2)
    assert f"approve-{request.pk}" not in desk.text(REQUESTS, **PENDING)
    assert f"approve-{request.pk}" in Desk("neighbour").text(REQUESTS, **PENDING)
    board = Membership.objects.get(user=person("resident"), block=1)
    Membership.objects.filter(pk=board.pk).update(role=Role.BOARD)
    page = Desk("resident").text(REQUESTS, **PENDING)
    assert "Pakinam Pending" in page and "approve-" not in page
    assert "approve-" not in desk.text(REQUESTS)


def test_the_menu_counts_who_waits_and_leads_there(desk):
    asks()
    page = desk.text("buildings/block/1/change/")
    found = re.findall(r'<a class="waiting" href="([^"]+)"><span[^>]*>(\d+)', page)
    assert found == [(f"/admin/{REQUESTS}?status__exact=pending", "2")]
    assert 'class="waiting"' not in Desk("neighbour").text("")


def test_the_count_costs_one_statement(desk):
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as statements:
            desk.page("sessions/")
        asked.append(len([each for each in statements if "buildings_membership" in each["sql"]]))
    # The user's rights, and the count.
    assert asked == [2, 2]


def test_a_superuser_sees_what_nobody_answered_within_72_hours(desk):
    Membership.objects.filter(pk=of("pending").pk).update(started_at=timezone.now() - HOUR)
    admin = Desk("admin")
    label = "Requests waiting for more than 72 hours"
    assert label not in admin.text("")
    asks(ago=73 * HOUR)
    # Of the legacy server's requests nobody knows since when they wait.
    Membership.objects.filter(pk=asks("resident", unit=12, block=2).pk).update(started_at=None)
    (figure,) = [each for each in admin.page("").context["figures"] if each.label == label]
    assert figure.count == 2
    found = {row.user_id for row in admin.get(figure.link).context["cl"].result_list}
    assert found == {3, 7}
    assert label not in desk.text("")


# --- the request's page -------------------------------------------------------------------------------


def test_the_page_of_a_request_shows_phones_who_is_there_and_what_was_asked_when(desk):
    outsider = person("outsider")
    for typed in ("01200000001", "01200000002"):
        add_contact(origin=ORIGIN, user=outsider, kind=Kind.PHONE, typed=typed)
    hidden = next(each for each in contacts_of(outsider) if each.typed == "01200000002")
    hide_contact(origin=ORIGIN, contact=hidden, hidden=True)
    request = asks(unit=2, ago=30 * HOUR, role=Role.CLIENT)
    page = desk.text(f"{REQUESTS}{request.pk}/change/")
    for shown in ("01000000006", "01200000001", "Rami Resident", "Parisa Partner", "Client"):
        assert shown in page
    assert "01200000002" not in page
    assert 'href="tel:01000000006"' in page
    assert "Asked on" in page


def test_a_request_for_no_unit_has_a_page_too(desk):
    assert desk.page(f"{REQUESTS}{asks(unit=None).pk}/change/").status_code == 200


# --- whom it is told to -------------------------------------------------------------------------------


def test_a_manager_is_told_at_once_by_e_mail_of_what_they_may_see(mail, commits):
    request = asks()
    assert messages() == [("manager", [request.pk])]
    send()
    assert mail.recipients == ["manager@example.org"]
    message = mail.taken[0][1]
    assert message["Subject"] == "1 request waits for you"
    text = text_of(mail)
    assert "Osman Outsider: block 1, unit 4, as Resident, asked on" in text
    assert "outsider@" not in text and "0100000" not in text and "@" not in text


def test_the_message_is_in_the_persons_language(mail):
    asks("resident", unit=12, block=2)
    assert Message.objects.get().language == "ar"


def test_the_message_leads_to_the_list(mail, settings):
    settings.HTTPS, settings.ALLOWED_HOSTS = True, ["omarty.example"]
    asks()
    send()
    assert f"https://omarty.example/admin/{REQUESTS}?status__exact=pending" in text_of(mail)


def test_a_request_that_was_answered_meanwhile_is_not_told(mail):
    first, second = asks(), asks("resident", unit=5)
    refuse_memberships(origin=ORIGIN, memberships=[first])
    send()
    assert len(mail.taken) == 1
    assert "Rami Resident" in text_of(mail) and "Osman" not in text_of(mail)
    assert second.pk in messages()[1][1]


def test_who_manages_the_block_no_more_is_not_told(mail):
    asks()
    Membership.objects.filter(user=person("manager"), block=1).update(status=Status.BANNED)
    send()
    assert mail.taken == []
    assert Message.objects.get().state == MessageState.SENT


@pytest.mark.parametrize(
    ("block", "unit"), [(3, 21), (4, 22)], ids=["of-a-pending-block", "of-a-banned-block"]
)
def test_managers_are_not_told_of_what_they_cannot_answer(mail, block, unit):
    asks(unit=unit, block=block)
    assert messages() == []


def test_a_manager_without_an_e_mail_is_not_told(mail):
    User.objects.filter(email="manager@example.org").update(email=None)
    asks()
    assert messages() == []


def test_who_is_moved_in_is_no_request(mail, desk):
    desk.send("buildings/apartment/6/move-in/", person="3")
    assert messages() == []


def test_managers_are_reminded_after_24_and_after_48_hours_and_no_more(mail):
    request = asks(ago=25 * HOUR)
    assert '"told": 1' in remind()
    assert messages() == [("manager", [request.pk])]
    assert '"told": 0' in remind()
    for _day in range(3):
        a_day_passes()
        remind()
    assert messages() == [("manager", [request.pk])] * 2
    send()
    assert mail.recipients == ["manager@example.org"] * 2


def a_day_passes(hours=24):
    """Everything is so many hours older."""
    for row in Membership.objects.exclude(started_at=None):
        row.started_at -= hours * HOUR
        row.save()
    for notices in RequestNotices.objects.all():
        notices.told_until -= hours * HOUR
        notices.save()


def test_what_is_answered_before_a_day_is_over_is_not_reminded_of(mail):
    request = asks(ago=25 * HOUR)
    refuse_memberships(origin=ORIGIN, memberships=[request])
    remind()
    assert messages() == []


def test_a_request_that_is_older_than_a_manager_of_the_block_is_told_to_them_too(mail):
    request = asks(ago=25 * HOUR)
    remind()
    start_membership(
        origin=ORIGIN, user=person("partner"), block=Block.objects.get(pk=1), role=Role.MANAGER
    )
    remind()
    assert messages() == [("manager", [request.pk]), ("partner", [request.pk])]


def test_who_wants_it_daily_is_told_each_morning_of_all_together(mail, desk):
    desk.send("notices/", choice="daily")
    requests = [asks(), asks("resident", unit=5)]
    assert messages() == []
    a_day_passes()
    remind()
    assert messages() == [("manager", [each.pk for each in requests])]
    remind()
    assert len(messages()) == 1
    send()
    assert mail.taken[0][1]["Subject"] == "2 requests wait for you"


def test_the_morning_is_one_on_the_communitys_clock(mail, desk):
    desk.send("notices/", choice="daily")
    asks(ago=30 * HOUR)
    a_day_passes()
    remind()
    until = timezone.localtime(RequestNotices.objects.get().told_until)
    assert (until.hour, until.minute) == (MORNING, 0)


def test_who_never_wants_it_is_never_told(mail, desk):
    request = asks()
    desk.send("notices/", choice="never")
    # Not even of what was put in before.
    send()
    assert mail.taken == []
    asks("resident", unit=5)
    a_day_passes(25)
    remind()
    assert messages() == [("manager", [request.pk])]


def test_a_dry_run_tells_nothing_and_says_whom_it_would(mail):
    asks(ago=25 * HOUR)
    out = io.StringIO()
    call_command("remind_of_requests", "--dry-run", stdout=out)
    assert "1 manager is told" in out.getvalue()
    assert (messages(), RequestNotices.objects.count()) == ([], 0)


def test_a_run_that_is_ended_halfway_forgets_nobody_and_tells_nobody_twice(mail, commits):
    requests = [asks(ago=25 * HOUR), asks("resident", unit=12, block=2, ago=25 * HOUR)]
    with pytest.raises(Interrupted), connection.execute_wrapper(Ending()):
        remind()
    told_then = messages()
    remind()
    assert told_then == [("manager", [requests[0].pk])]
    assert messages() == [("manager", [requests[0].pk]), ("neighbour", [requests[1].pk])]
    assert RequestNotices.objects.count() == 2


class Ending:
    """Ends the run when the second message has been put into the outbox, before it is committed."""

    def __init__(self):
        self.messages = 0

    def __call__(self, execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        self.messages += sql.startswith("INSERT") and "contacts_message" in sql
        if self.messages == 2:
            raise KeyboardInterrupt
        return result


# --- the choice ---------------------------------------------------------------------------------------


def test_a_manager_chooses_how_to_be_told(desk, new_entries):
    page = desk.page("notices/")
    assert "manager@example.org" in page.content.decode() or not settings.EMAIL_URL
    assert page.context["form"].initial == {"choice": NoticeChoice.AT_ONCE}
    assert told(desk.send("notices/", choice="daily")) == "Saved."
    (line,) = new_entries()
    assert (line.action, line.channel, line.actor_id, line.person_id) == (
        "user.notices_chosen", Channel.BACK_OFFICE, 2, 2,
    )  # fmt: skip
    assert (line.before, line.after) == (
        {"request_notices": "at_once"},
        {"request_notices": "daily"},
    )
    assert desk.page("notices/").context["form"].initial == {"choice": NoticeChoice.DAILY}
    assert told(desk.send("notices/", choice="daily")) == "No changes."
    assert len(new_entries()) == 1


def test_another_choice_is_none(desk, new_entries):
    assert "choice" in desk.send("notices/", choice="hourly").context["form"].errors
    assert (RequestNotices.objects.count(), new_entries()) == (0, [])


def test_who_answers_no_requests_has_no_such_page():
    Membership.objects.filter(user=person("resident")).update(role=Role.BOARD)
    board = Desk("resident")
    assert board.page("notices/").status_code == 403
    assert "/admin/notices/" not in board.text(REQUESTS)
    assert "/admin/notices/" in Desk("manager").text(REQUESTS)


def address_of(page, form):
    """Where a form of the page is sent."""
    (found,) = re.findall(rf'<form id="{form}" method="post" action="([^"]+)"', page)
    return unescape(found)
