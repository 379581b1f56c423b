"""Invitations: who gets a link, what it opens, what ends it, and that nobody takes an account over by one."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from audit.models import Action, Channel, Entry
from audit.operations import Origin
from buildings.membership_operations import (
    ban_memberships,
    end_memberships,
    start_membership,
)
from buildings.models import Block, Membership, Role
from contacts.models import Invitation, Status, User
from contacts.operations import change_password, change_status, end_sessions, register_user
from tests.backoffice import Desk, told
from tests.conftest import person

PASSWORD = "Palm-Gardens-77"
LINK = re.compile(r'class="link" dir="ltr" href="http://testserver(/invitation/[\w-]{22}/)"')
SET = {"new_password1": PASSWORD, "new_password2": PASSWORD}


@pytest.fixture
def desk():
    return Desk("manager")


@pytest.fixture
def newcomer():
    """Somebody of block 1 whom a manager registered: they never signed in."""
    return _newcomer()


def _newcomer(phone="01055500077", block=1, name="Nora Newcomer"):
    user = register_user(origin=Origin.of_command("test"), name=name, phone=phone)
    start_membership(
        origin=Origin.of_command("test"),
        user=user,
        block=Block.objects.get(pk=block),
        apartment=Block.objects.get(pk=block).apartments.first(),
    )
    return user


def invited(desk, user):
    """Make the person's link in the back-office; its path."""
    page = desk.send(f"contacts/user/{user.pk}/invite/")
    (link,) = LINK.findall(page.content.decode())
    return link


def opened(link, **sent):
    """What somebody elsewhere is answered who opens the link, or sends its form."""
    browser = Client(headers={"accept-language": "en"})
    return browser.post(link, sent) if sent else browser.get(link)


def signs_in(name, password=PASSWORD):
    sent = {"email": name, "password": password}
    return Client().post("/omartyapis/Auth/Login/", sent).json()["status"] == 200


# --- The way in ------------------------------------------------------------------------------------------


def test_an_invited_person_sets_a_password_and_signs_in(desk, newcomer, new_entries):
    link = invited(desk, newcomer)
    for _time in range(3):
        # Messengers fetch it for a preview.
        page = opened(link)
        assert page.status_code == 200
        assert "This is the account of <bdi>Nora Newcomer</bdi>" in page.content.decode()
        assert "01055500077" not in page.content.decode()
    done = opened(link, **SET)
    assert "The password of <bdi>Nora Newcomer</bdi> is set." in done.content.decode()
    assert signs_in("01055500077")
    made, used, changed = new_entries()[:3]
    assert (made.action, made.actor_id, made.block_id) == (Action.INVITED, desk.person.pk, 1)
    assert (used.action, used.channel) == (Action.INVITATION_USED, Channel.LINK)
    assert {used.actor_id, used.person_id, changed.person_id} == {newcomer.pk}
    assert changed.action == Action.PASSWORD_CHANGED


def test_a_password_that_is_too_weak_spends_nothing(desk, newcomer):
    link = invited(desk, newcomer)
    page = opened(link, new_password1="12345678", new_password2="12345678")
    assert "too common" in page.content.decode()
    assert not signs_in("01055500077", "12345678")
    assert opened(link, **SET).status_code == 200
    assert signs_in("01055500077")


def test_the_page_speaks_arabic(desk, newcomer):
    link = invited(desk, newcomer)
    text = Client(headers={"accept-language": "ar"}).get(link).content.decode()
    assert 'dir="rtl"' in text
    assert "هذا حساب" in text


def test_the_card_has_every_way_to_send_the_link(desk, newcomer):
    newcomer.name = "نورا أحمد"
    newcomer.save()
    text = desk.send(f"contacts/user/{newcomer.pk}/invite/").content.decode()
    assert "data:image/svg+xml" in text
    whatsapp, sms = re.findall(r'href="((?:https://wa.me/|sms:)[^"]*)"', text)
    assert whatsapp.startswith("https://wa.me/201055500077?text=%D9%85%D8%B1%D8%AD%D8%A8")
    assert html.unescape(sms).startswith("sms:+201055500077?body=")


def test_a_manager_invites_all_of_a_block_who_never_signed_in(desk, newcomer, new_entries):
    second = _newcomer("01055500078", name="Samir Second")
    elsewhere = _newcomer("01055500079", block=2, name="Not Mine")
    page = desk.send("buildings/block/1/invite/").content.decode()
    links = LINK.findall(page)
    assert len(links) == len(set(links)) == 2
    assert [entry.person_id for entry in new_entries()[-2:]] == [newcomer.pk, second.pk]
    assert not Invitation.objects.filter(user=elsewhere).exists()
    for link in links:
        assert opened(link, **SET).status_code == 200
    assert "Everybody of this block has signed in" in told(desk.page("buildings/block/1/invite/"))


def test_chosen_people_are_invited_together(desk, newcomer):
    second = _newcomer("01055500078", name="Samir Second")
    chosen = {"action": "invite", "_selected_action": [newcomer.pk, second.pk]}
    assert "Make the link" in desk.post("/admin/contacts/user/", chosen).content.decode()
    page = desk.post("/admin/contacts/user/", chosen | {"sure": "1"})
    assert len(LINK.findall(page.content.decode())) == 2


def test_of_chosen_people_with_one_who_has_signed_in_nobody_is_invited(desk, newcomer):
    chosen = {"action": "invite", "_selected_action": [newcomer.pk, person("resident").pk]}
    page = desk.post("/admin/contacts/user/", chosen | {"sure": "1"})
    assert "has a password already" in page.content.decode()
    assert not Invitation.objects.exists()


# --- What ends a link -------------------------------------------------------------------------------------

ENDED = "This link was replaced by another one, or taken back."


def _twice(desk, user, link):
    opened(link, **SET)


def _made_anew(desk, user, link):
    invited(desk, user)


def _taken_back(desk, user, link):
    desk.send(f"contacts/user/{user.pk}/end-invitation/")


def _too_old(desk, user, link):
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def _suspended(desk, user, link):
    change_status(origin=Origin.of_command("test"), user=user, status=Status.BANNED)


def _password_set_otherwise(desk, user, link):
    change_password(origin=Origin.of_command("test"), user=user, password="Another-Word-5")


def _moved_out(desk, user, link):
    end_memberships(origin=Origin.of_command("test"), memberships=[user.memberships.get()])


def _joined_elsewhere(desk, user, link):
    start_membership(origin=Origin.of_command("test"), user=user, block=Block.objects.get(pk=2))


def _maker_is_no_manager(desk, user, link):
    Membership.objects.filter(user=desk.person, role=Role.MANAGER).update(role=Role.RESIDENT)


def _asks_elsewhere(desk, user, link):
    start_membership(
        origin=Origin.of_command("test"),
        user=user,
        block=Block.objects.get(pk=2),
        status=Status.PENDING,
    )


def _banned_from_the_block(desk, user, link):
    ban_memberships(origin=Origin.of_command("test"), memberships=list(user.memberships.all()))


def _back_after_a_suspension(desk, user, link):
    for status in (Status.BANNED, Status.ACTIVE):
        change_status(origin=Origin.of_command("test"), user=user, status=status)


def _phone_corrected(desk, user, link):
    desk.send(f"contacts/user/{user.pk}/edit/?contact=phone", typed="01055500088")


WAYS = {
    _asks_elsewhere: "This link no longer serves.",
    _banned_from_the_block: ENDED,
    _back_after_a_suspension: "This link no longer serves.",
    _phone_corrected: ENDED,
    _twice: "A password was set by this link already.",
    _made_anew: ENDED,
    _taken_back: ENDED,
    _too_old: "This link is too old.",
    _suspended: "This link no longer serves.",
    _password_set_otherwise: "This link no longer serves.",
    _moved_out: ENDED,
    _joined_elsewhere: "This link no longer serves.",
    _maker_is_no_manager: "This link no longer serves.",
}


@pytest.mark.parametrize("ends", WAYS, ids=lambda ends: ends.__name__.strip("_"))
def test_a_link_that_has_ended_says_so_and_does_nothing(desk, newcomer, ends):
    link = invited(desk, newcomer)
    ends(desk, newcomer, link)
    before = User.objects.values("password", "session_stamp").get(pk=newcomer.pk)
    for answer in (opened(link), opened(link, **SET)):
        assert answer.status_code == 410
        assert WAYS[ends] in answer.content.decode()
    assert User.objects.values("password", "session_stamp").get(pk=newcomer.pk) == before


def test_a_person_that_was_anonymised_has_no_link(desk, newcomer):
    link = invited(desk, newcomer)
    call_command("person_erase", str(newcomer.pk), reason="asked for")
    assert opened(link).status_code == 404
    assert not Invitation.objects.exists()


def test_of_four_who_set_a_password_at_once_one_succeeds(commits, live_server):
    desk = Desk("manager")
    link = invited(desk, _newcomer())

    def attempt(number):
        word = f"Palm-Gardens-{number}"
        answer = opened(link, new_password1=word, new_password2=word)
        return answer.status_code, word

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(attempt, range(10, 14)))
    assert sorted(status for status, _word in answers) == [200] + [410] * 3
    (word,) = [word for status, word in answers if status == 200]
    assert signs_in("01055500077", word)
    assert Entry.objects.filter(action=Action.INVITATION_USED).count() == 1


# --- Nobody takes an account over --------------------------------------------------------------------------


def _refused(desk, user):
    answer = desk.page(f"contacts/user/{user.pk}/invite/")
    assert answer.status_code == 302
    assert desk.post(f"/admin/contacts/user/{user.pk}/invite/").status_code == 302
    assert not Invitation.objects.exists()
    return told(answer)


def test_a_manager_makes_no_link_for_who_has_a_password(desk):
    assert "has a password already" in _refused(desk, person("resident"))


def test_a_manager_makes_no_link_for_who_belongs_elsewhere_too(desk, newcomer):
    _joined_elsewhere(desk, newcomer, "")
    assert "belongs to another manager's block as well" in _refused(desk, newcomer)


def test_nobody_makes_a_link_for_a_superuser():
    User.objects.create_user(name="Second", phone="01055500080", is_superuser=True)
    second = User.objects.get(name="Second")
    assert "is a superuser" in _refused(Desk("admin"), second)


def test_a_superuser_makes_a_link_for_who_has_forgotten_their_password(new_entries):
    link = invited(Desk("admin"), person("resident"))
    assert opened(link, **SET).status_code == 200
    assert signs_in("01000000002")
    assert not signs_in("01000000002", "omarty-demo")


@pytest.mark.parametrize("change", ["password", "sign-in", "sessions"])
def test_a_superusers_link_ends_when_the_account_is_not_as_it_was(change):
    resident, origin = person("resident"), Origin.of_command("test")
    link = invited(Desk("admin"), resident)
    if change == "password":
        change_password(origin=origin, user=resident, password="Own-New-Word-9")
    elif change == "sign-in":
        assert signs_in("01000000002", "omarty-demo")
    else:
        end_sessions(origin=origin, users=[resident])
    assert opened(link, **SET).status_code == 410
    assert not signs_in("01000000002")


def test_a_manager_does_not_end_a_superusers_link(desk):
    resident = person("resident")
    link = invited(Desk("admin"), resident)
    assert desk.post(f"/admin/contacts/user/{resident.pk}/end-invitation/").status_code == 302
    assert opened(link).status_code == 200


@pytest.mark.parametrize("word", ["Nora Newcomer", "NoraNewcomer", "+201055500077"])
def test_a_password_is_no_name_and_no_phone(desk, newcomer, word):
    page = opened(invited(desk, newcomer), new_password1=word, new_password2=word)
    assert "too similar" in page.content.decode()


def test_board_members_and_strangers_make_none(newcomer):
    assert Desk("neighbour").page(f"contacts/user/{newcomer.pk}/invite/").status_code == 302
    assert not Invitation.objects.exists()


# --- Guesses, and what is written down ----------------------------------------------------------------------


def test_guesses_are_limited_by_address(settings, desk, newcomer):
    settings.SIGN_IN_ATTEMPTS_PER_ADDRESS = 20
    link = invited(desk, newcomer)
    answers = [opened(f"/invitation/{'x' * 20}{number:02}/").status_code for number in range(25)]
    assert answers == [404] * 20 + [429] * 5
    assert opened(link).status_code == 429
    assert Client(REMOTE_ADDR="203.0.113.9").get(link).status_code == 200


def test_a_link_that_is_opened_often_is_no_guess(settings, desk, newcomer):
    settings.SIGN_IN_ATTEMPTS_PER_ADDRESS = 3
    link = invited(desk, newcomer)
    assert [opened(link).status_code for _time in range(9)] == [200] * 9


def test_no_secret_is_stored_or_logged(desk, newcomer, new_entries, caplog):
    link = invited(desk, newcomer)
    secret = link.split("/")[2]
    opened(link)
    opened(link, **SET)
    opened(link)
    for damaged in (f"/{secret}x/", f"//{secret}/", f"/x/{secret}/"):
        opened(f"/invitation{damaged}")
    opened(f"/Invitation/{secret}/")
    assert secret not in caplog.text
    assert all(secret not in str(vars(entry)) for entry in new_entries())
    assert all(secret not in str(vars(each)) for each in Invitation.objects.all())


def test_the_page_sends_its_address_nowhere(desk, newcomer):
    answer = opened(invited(desk, newcomer))
    assert answer["Referrer-Policy"] == "strict-origin"
    assert "no-store" in answer["Cache-Control"]


# --- The person's page ---------------------------------------------------------------------------


def test_the_persons_page_says_how_they_stand(desk, newcomer):
    address = f"contacts/user/{newcomer.pk}/change/"
    assert "Never signed in, and has no password yet." in desk.text(address)
    link = invited(desk, newcomer)
    assert "open until" in desk.text(address)
    opened(link, **SET)
    assert ": used" not in desk.text(address)
    assert "Has a password" in desk.text(address)
    signs_in("01055500077")
    assert "Signed in last:" in desk.text(address)
    assert f"contacts/user/{newcomer.pk}/invite/" not in desk.text(address)


def test_people_who_never_signed_in_are_found(desk, newcomer):
    assert desk.rows("contacts/user/", signed_in="never") == [newcomer.pk]
    assert newcomer.pk not in desk.rows("contacts/user/", signed_in="yes")
