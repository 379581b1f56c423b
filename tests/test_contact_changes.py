"""No manager takes an account over by changing the contact that somebody signs in with."""

import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from audit.models import Channel
from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Block, Membership
from contacts.contact_operations import Contact, change_contact
from contacts.invitations import make_link
from contacts.models import (
    Claim,
    ContactChange,
    Kind,
    Message,
    Purpose,
    SecondaryEmail,
    SecondaryPhone,
    User,
)
from tests.backoffice import Desk, fields_of, told
from tests.conftest import person
from tests.test_forgotten import EMAIL, PHONE, asked, browser, code_of, signs_in
from tests.test_outbox import newcomer, sent

LINK = re.compile(r"/contact-change/[\w-]{22}/")
NEW = "01288888888"


@pytest.fixture
def desk():
    return Desk("manager")


def resident():
    # They have signed in.
    user = person("resident")
    User.objects.filter(pk=user.pk).update(last_login=timezone.now() - timedelta(days=3))
    return user


def changed(desk, user, typed=NEW, contact="phone"):
    return desk.send(f"contacts/user/{user.pk}/edit/?contact={contact}", typed=typed)


def link_in(text):
    found = LINK.search(text)
    assert found
    return found[0]


def over():
    """As if the 72 hours had passed, and the day's sweep run."""
    past = timezone.now() - timedelta(seconds=1)
    ContactChange.objects.update(serves_until=past)
    Claim.objects.filter(recovers_from__gt=past).update(recovers_from=past)


def test_the_old_contact_is_told_and_signs_in_for_72_hours(desk, gateway):
    user = resident()
    assert told(changed(desk, user)) == "The contact was edited."
    assert sent()["sent"] == 1
    assert gateway.forms[0]["to"] == "201000000002"
    assert LINK.search(gateway.forms[0]["text"])
    assert signs_in(PHONE, "omarty-demo") and signs_in(NEW, "omarty-demo")
    over()
    assert not signs_in(PHONE, "omarty-demo") and signs_in(NEW, "omarty-demo")
    call_command("clearsessions")
    assert not Claim.objects.filter(value="+201000000002").exists()
    call_command("check_data")


def test_the_change_can_be_taken_back_once(desk, gateway, new_entries):
    user = resident()
    changed(desk, user)
    sent()
    link = link_in(gateway.forms[0]["text"])
    new_entries()
    page = browser().get(link)
    assert "Take the change back" in page.content.decode()
    assert User.objects.get(pk=user.pk).phone == NEW
    done = browser().post(link)
    assert "The change was taken back" in done.content.decode()
    assert User.objects.get(pk=user.pk).phone == PHONE
    assert list(Claim.objects.filter(user=user, kind="phone").values_list("value", flat=True)) == [
        "+201000000002"
    ]
    assert signs_in(PHONE, "omarty-demo") and not signs_in(NEW, "omarty-demo")
    assert browser().post(link).status_code == 404
    (entry,) = [each for each in new_entries() if each.action == "contact.taken_back"]
    assert (entry.action, entry.before, entry.after) == (
        "contact.taken_back", {"phone": NEW}, {"phone": PHONE},
    )  # fmt: skip
    call_command("check_data")


def test_the_new_contact_recovers_nothing_meanwhile_and_the_old_one_does(desk, gateway):
    user = resident()
    changed(desk, user)
    sent()
    gateway.forms.clear()
    asked(NEW)
    sent()
    assert gateway.forms == []
    asked(PHONE)
    sent()
    assert gateway.forms[0]["to"] == "201000000002"
    over()
    asked(NEW)
    sent()
    assert gateway.forms[-1]["to"] == "201288888888"


def test_of_two_changes_in_a_row_the_first_contact_serves_on(desk, gateway):
    user = resident()
    changed(desk, user)
    changed(desk, user, "01299999999")
    assert ContactChange.objects.get(user=user).former == PHONE
    assert signs_in(PHONE, "omarty-demo") and not signs_in(NEW, "omarty-demo")
    call_command("check_data")


def test_who_corrects_the_change_ends_it(desk, gateway):
    user = resident()
    changed(desk, user)
    assert told(changed(desk, user, PHONE)) == "The contact was edited."
    assert not ContactChange.objects.exists()
    assert Claim.objects.filter(user=user, kind="phone").count() == 1
    call_command("check_data")


def test_a_secondary_contact_used_for_sign_in_is_told_alike(desk, gateway, app):
    user = resident()
    app("resident").add(blockId=1, apartmentId=2, phoneNumber=NEW)
    claim = Claim.objects.get(value=f"+2{NEW}")
    desk.send(f"contacts/user/{user.pk}/promote/?contact=phone-{claim.pk}")
    sent()
    link = link_in(gateway.forms[0]["text"])
    assert signs_in(PHONE, "omarty-demo") and signs_in(NEW, "omarty-demo")
    asked(NEW)
    sent()
    assert len(gateway.forms) == 1
    # Not even where the old one is removed.
    old = Claim.objects.get(value="+201000000002")
    desk.send(f"contacts/user/{user.pk}/remove/?contact=phone-{old.pk}")
    assert signs_in(PHONE, "omarty-demo")
    browser().post(link)
    assert User.objects.get(pk=user.pk).phone == PHONE
    call_command("check_data")


def test_a_contact_given_to_who_had_none_of_its_kind_is_told_by_the_other(desk, mailbox):
    user = resident()
    Claim.objects.filter(user=user, kind="phone").delete()
    User.objects.filter(pk=user.pk).update(phone=None)
    desk.send(f"contacts/user/{user.pk}/add-contact/", kind="phone", typed=NEW)
    claim = Claim.objects.get(value=f"+2{NEW}")
    desk.send(f"contacts/user/{user.pk}/promote/?contact=phone-{claim.pk}")
    sent()
    assert mailbox.messages[0]["To"] == EMAIL
    link = link_in(mailbox.texts[0])
    browser().post(link)
    assert User.objects.get(pk=user.pk).phone is None
    assert not signs_in(NEW, "omarty-demo")
    call_command("check_data")


def test_a_second_change_is_told_to_no_contact_that_somebody_else_set(desk, gateway):
    user = resident()
    Claim.objects.filter(user=user, kind="email").delete()
    User.objects.filter(pk=user.pk).update(email=None)
    changed(desk, user)
    desk.send(f"contacts/user/{user.pk}/add-contact/", kind="email", typed="evil@example.net")
    claim = Claim.objects.get(value="evil@example.net")
    desk.send(f"contacts/user/{user.pk}/promote/?contact=email-{claim.pk}")
    sent()
    assert [form["to"] for form in gateway.forms] == ["201000000002"] * 2
    # One link takes both back.
    browser().post(link_in(gateway.forms[0]["text"]))
    user.refresh_from_db()
    assert (user.phone, user.email) == (PHONE, None)
    assert not signs_in("evil@example.net", "omarty-demo") and not signs_in(NEW, "omarty-demo")
    assert not Claim.objects.filter(value=f"+2{NEW}").exists()
    # It was a secondary contact before, and is one again: whose it is nobody but they can say.
    assert SecondaryEmail.objects.filter(user=user, typed="evil@example.net").exists()
    call_command("check_data")


def recovered_by(contact):
    """The messages that somebody who forgot their password is sent there."""
    asked(contact)
    sent()
    recovery = Message.objects.filter(purpose=Purpose.RECOVERY, sent_at__isnull=False)
    return recovery.filter(problem="").count()


def test_a_contact_recovers_nothing_while_its_holder_was_not_told_of_it(desk, mailbox):
    # E-mail is set up and text messages are not; this person has a phone alone.
    user = resident()
    Claim.objects.filter(user=user, kind="email").delete()
    User.objects.filter(pk=user.pk).update(email=None)
    evil = "evil@example.net"
    desk.send(f"contacts/user/{user.pk}/add-contact/", kind="email", typed=evil)
    claim = Claim.objects.get(value=evil)
    desk.send(f"contacts/user/{user.pk}/promote/?contact=email-{claim.pk}")
    assert sent()["sent"] == 0
    over()
    call_command("clearsessions")
    assert recovered_by(evil) == 0
    assert mailbox.messages == []
    # Nor is it told of a further change, or made known by one.
    changed(desk, user, f"other.{evil}", "email")
    changed(desk, user)
    assert sent()["sent"] == 0
    over()
    call_command("clearsessions")
    assert recovered_by(f"other.{evil}") == 0
    assert mailbox.messages == []
    assert not Claim.objects.filter(user=user, recovers_from__lte=timezone.now()).exists()


def test_a_change_whose_message_failed_is_no_way_in_either(desk, gateway):
    user = resident()
    Claim.objects.filter(user=user, kind="email").delete()
    User.objects.filter(pk=user.pk).update(email=None)
    changed(desk, user)
    Message.objects.update(state="failed")
    over()
    changed(desk, user, "01299999999")
    sent()
    over()
    assert recovered_by("01299999999") == 0
    assert gateway.forms == []


@pytest.mark.parametrize("by", ["edit", "promote"])
def test_what_was_never_told_does_not_serve_on_or_come_back(desk, gateway, mailbox, settings, by):
    user = resident()
    settings.SMS_SUCCESS = "never"
    settings.EMAIL_URL = ""
    changed(desk, user)
    sent()
    Message.objects.update(state="failed")
    over()
    call_command("clearsessions")
    settings.EMAIL_URL = "smtp://localhost"
    if by == "edit":
        changed(desk, user, "01299999999")
    else:
        desk.send(f"contacts/user/{user.pk}/add-contact/", kind="phone", typed="01299999999")
        claim = Claim.objects.get(value="+201299999999")
        desk.send(f"contacts/user/{user.pk}/promote/?contact=phone-{claim.pk}")
    sent()
    assert mailbox.messages[-1]["To"] == EMAIL
    browser().post(link_in(mailbox.texts[-1]))
    over()
    user.refresh_from_db()
    assert user.phone is None
    assert not Claim.objects.filter(user=user, kind="phone", secondaryphone=None).exists()
    for theirs in (NEW, "01299999999"):
        assert recovered_by(theirs) == 0
        assert not signs_in(theirs, "omarty-demo")
    call_command("check_data")


def test_taking_back_loses_no_secondary_contact_and_shows_nothing_hidden(desk, gateway, app):
    user = resident()
    app("resident").add(blockId=1, apartmentId=2, phoneNumber=NEW)
    User.objects.filter(pk=user.pk).update(phone_hidden=True)
    claim = Claim.objects.get(value=f"+2{NEW}")
    desk.send(f"contacts/user/{user.pk}/promote/?contact=phone-{claim.pk}")
    # Whoever sees hidden contacts takes the old one out, too.
    office = Desk("admin")
    old = Claim.objects.get(value="+201000000002")
    office.send(f"contacts/user/{user.pk}/remove/?contact=phone-{old.pk}")
    sent()
    browser().post(link_in(gateway.forms[0]["text"]))
    user.refresh_from_db()
    assert (user.phone, user.phone_hidden) == (PHONE, True)
    assert SecondaryPhone.objects.filter(user=user, typed=NEW, claim=claim).exists()
    call_command("check_data")


def test_the_holders_own_spelling_makes_a_contact_theirs(desk, gateway):
    user = resident()
    changed(desk, user)
    contact = Contact(User.objects.get(pk=user.pk), Kind.PHONE)
    change_contact(
        origin=Origin(channel=Channel.API, actor=user), contact=contact, typed="+20 128 888 8888"
    )
    assert Claim.objects.get(value=f"+2{NEW}").is_known


def test_unknown_contacts_use_up_no_messages(gateway, settings):
    settings.SMS_A_DAY = 2
    for number in range(3):
        asked(f"0106666666{number}")
    sent()
    assert recovered_by(PHONE) == 1


def test_what_the_holder_chose_meanwhile_is_what_serves_on(desk, gateway):
    user = resident()
    changed(desk, user)
    theirs = "01277777777"
    change_contact(
        origin=Origin(channel=Channel.API, actor=user),
        contact=Contact(user, Kind.PHONE),
        typed=theirs,
    )
    assert not ContactChange.objects.exists()
    changed(desk, user, "01299999999")
    sent()
    assert gateway.forms[-1]["to"] == f"2{theirs}"
    browser().post(link_in(gateway.forms[-1]["text"]))
    assert User.objects.get(pk=user.pk).phone == theirs
    call_command("check_data")


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_corrected_contact_recovers_as_before(desk, gateway, is_sent):
    user = resident()
    changed(desk, user)
    if is_sent:
        sent()
    changed(desk, user, PHONE)
    assert recovered_by(PHONE) == 1


def test_a_contact_is_corrected_after_the_72_hours_too(desk, gateway):
    user = resident()
    changed(desk, user)
    sent()
    over()
    assert told(changed(desk, user, PHONE)) == "The contact was edited."
    assert Claim.objects.filter(user=user, value="+201000000002").count() == 1
    call_command("check_data")


def test_one_message_does_not_end_the_link_of_another(desk, gateway, settings):
    user = resident()
    changed(desk, user)
    sent()
    link = link_in(gateway.forms[0]["text"])
    changed(desk, user, "01299999999")
    settings.SMS_SUCCESS = "never"
    sent()
    browser().post(link)
    assert User.objects.get(pk=user.pk).phone == PHONE


def test_whoever_changes_it_does_not_choose_where_the_link_leads(desk, gateway):
    user = resident()
    path = f"contacts/user/{user.pk}/edit/?contact=phone"
    typed = fields_of(desk.page(path)) | {"typed": NEW}
    desk.post(f"/admin/{path}", typed, headers={"host": "testserver:9"})
    sent()
    assert "http://testserver/contact-change/" in gateway.forms[0]["text"]


def test_the_72_hours_begin_when_the_change_was_told(desk, gateway):
    user = resident()
    changed(desk, user)
    assert Claim.objects.get(value=f"+2{NEW}").recovers_from is None
    ContactChange.objects.update(serves_until=timezone.now() + timedelta(minutes=1))
    sent()
    change = ContactChange.objects.get()
    assert change.serves_until > timezone.now() + timedelta(hours=71)
    assert Claim.objects.get(value=f"+2{NEW}").recovers_from == change.serves_until


def test_the_link_leads_to_the_address_that_the_change_was_made_at(desk, gateway):
    changed(desk, resident())
    sent()
    assert "http://testserver/contact-change/" in gateway.forms[0]["text"]


def test_a_message_of_a_command_leads_to_the_first_host_of_the_settings(gateway, settings):
    settings.HTTPS, settings.ALLOWED_HOSTS = True, [".example.org", "other.example"]
    change_contact(
        origin=Origin.of_command("repair"), contact=Contact(resident(), Kind.PHONE), typed=NEW
    )
    sent()
    assert "https://example.org/contact-change/" in gateway.forms[0]["text"]


def test_another_spelling_is_no_change(desk, gateway):
    changed(desk, resident(), "+20 100 000 0002")
    assert not ContactChange.objects.exists() and not Message.objects.exists()


def test_who_never_signed_in_has_nothing_to_lose(desk, gateway):
    nora = newcomer(phone="01055500077")
    changed(desk, nora)
    assert not ContactChange.objects.exists()
    assert not Claim.objects.filter(value="+201055500077").exists()


def test_their_own_change_is_at_once(gateway):
    desk = Desk("manager")
    changed(desk, desk.person, NEW)
    assert not ContactChange.objects.filter(user=desk.person).exists()


def test_nobody_else_takes_the_old_contact_meanwhile(desk, gateway, app):
    changed(desk, resident())
    answer = app("partner").add(blockId=1, apartmentId=2, phoneNumber=PHONE)
    assert answer["message"] == {"error": "Phone number already set for another user"}
    over()
    call_command("clearsessions")
    assert "data" in app("partner").add(blockId=1, apartmentId=2, phoneNumber=PHONE)


def test_an_anonymised_person_leaves_nothing(desk, gateway):
    user = resident()
    changed(desk, user)
    asked(PHONE)
    call_command("person_erase", str(user.pk), reason="asked")
    assert not ContactChange.objects.exists()
    assert not Message.objects.filter(to__in=["+201000000002", f"+2{NEW}"]).exists()
    assert not Message.objects.filter(purpose=Purpose.CONTACT_CHANGED).exists()


def test_guesses_are_counted():
    codes = [Client().get(f"/contact-change/{'x' * 22}/").status_code for _time in range(52)]
    assert codes[0] == 404 and codes[-1] == 429


def test_a_former_contact_that_is_edited_serves_on_as_it_was(desk, gateway, app):
    user = resident()
    app("resident").add(blockId=1, apartmentId=2, phoneNumber=NEW)
    claim = Claim.objects.get(value=f"+2{NEW}")
    desk.send(f"contacts/user/{user.pk}/promote/?contact=phone-{claim.pk}")
    # Now the former one is a secondary contact: whoever writes their own number there is not let in by it.
    old = Claim.objects.get(value="+201000000002")
    theirs = "01299999999"
    answer = desk.send(f"contacts/user/{user.pk}/edit/?contact=phone-{old.pk}", typed=theirs)
    assert told(answer) == "The contact was edited."
    sent()
    link = link_in(gateway.forms[0]["text"])
    assert signs_in(PHONE, "omarty-demo") and not signs_in(theirs, "omarty-demo")
    gateway.forms.clear()
    asked(theirs)
    sent()
    assert gateway.forms == []
    call_command("check_data")
    browser().post(link)
    assert User.objects.get(pk=user.pk).phone == PHONE
    call_command("check_data")


EVIL = "evil@example.net"
PASSWORD = {"new_password1": "stair-07-lamp", "new_password2": "stair-07-lamp"}
OF_LINK = re.compile(r"/invitation/[\w-]{22}/")


def invitation_in(text):
    found = OF_LINK.search(text)
    assert found
    return found[0]


def planted(desk, user):
    """The manager gives the person an e-mail of the manager's own, for sign-in."""
    desk.send(f"contacts/user/{user.pk}/add-contact/", kind="email", typed=EVIL)
    claim = Claim.objects.get(value=EVIL)
    desk.send(f"contacts/user/{user.pk}/promote/?contact=email-{claim.pk}")


def link_by_hand(desk, user, _mailbox, _gateway):
    planted(desk, user)
    return f"/invitation/{make_link(User.objects.get(pk=user.pk), made_by=desk.person)[1]}/"


def link_to_what_was_planted(desk, user, mailbox, _gateway):
    planted(desk, user)
    desk.send(f"contacts/user/{user.pk}/send-invitation/", kind="email")
    sent()
    return invitation_in(mailbox.texts[-1])


def link_sent_before_it_was_planted(desk, user, _mailbox, gateway):
    desk.send(f"contacts/user/{user.pk}/send-invitation/", kind="phone")
    sent()
    planted(desk, user)
    return invitation_in(gateway.forms[-1]["text"])


def link_that_waits_while_it_is_planted(desk, user, _mailbox, gateway):
    desk.send(f"contacts/user/{user.pk}/send-invitation/", kind="phone")
    planted(desk, user)
    sent()
    return invitation_in(gateway.forms[-1]["text"])


def link_asked_for_by_who_planted(desk, user, mailbox, _gateway):
    planted(desk, user)
    return recovery_link(mailbox)


@pytest.mark.parametrize(
    "link",
    [
        link_by_hand,
        link_to_what_was_planted,
        link_sent_before_it_was_planted,
        link_that_waits_while_it_is_planted,
        link_asked_for_by_who_planted,
    ],
)
def test_what_was_planted_before_they_first_came_in_recovers_nothing_until_they_sign_in_by_it(
    desk, mailbox, gateway, link
):
    nora = newcomer(phone="01055500077")
    address = link(desk, nora, mailbox, gateway)
    assert browser().post(address, PASSWORD).status_code == 200
    # That a password was set is told all the same.
    assert Message.objects.filter(user=nora, purpose=Purpose.PASSWORD_SET).count() == 1
    before = recovered_by("01055500077")
    assert recovered_by(EVIL) == before
    # By which they sign in is theirs.
    assert signs_in("01055500077", "stair-07-lamp")
    assert recovered_by("01055500077") == before + 1
    assert recovered_by(EVIL) == before + 1


def test_a_superusers_link_leaves_nothing_known_of_who_came_in_before(desk, mailbox, gateway):
    nora = newcomer(phone="01055500077")
    planted(desk, nora)
    secret = make_link(User.objects.get(pk=nora.pk), made_by=desk.person)[1]
    browser().post(f"/invitation/{secret}/", PASSWORD)
    assert signs_in(EVIL, "stair-07-lamp")
    secret = make_link(User.objects.get(pk=nora.pk), made_by=person("admin"))[1]
    own = dict.fromkeys(PASSWORD, "roof-11-garden")
    assert browser().post(f"/invitation/{secret}/", own).status_code == 200
    assert recovered_by(EVIL) == 0
    assert signs_in("01055500077", "roof-11-garden")
    assert recovered_by("01055500077") == 1


def came_in_before(desk, user):
    """The manager is in as the person, and EVIL is known of."""
    planted(desk, user)
    secret = make_link(User.objects.get(pk=user.pk), made_by=desk.person)[1]
    browser().post(f"/invitation/{secret}/", PASSWORD)
    assert signs_in(EVIL, "stair-07-lamp")


def given_back(user):
    """A superuser gives the person their account, and they sign in by their phone."""
    secret = make_link(User.objects.get(pk=user.pk), made_by=person("admin"))[1]
    browser().post(f"/invitation/{secret}/", dict.fromkeys(PASSWORD, "roof-11-garden"))
    assert signs_in("01055500077", "roof-11-garden")


def replaced(desk, user):
    """The manager puts another contact of the manager's in the place of EVIL."""
    desk.send(f"contacts/user/{user.pk}/add-contact/", kind="email", typed="evil2@example.net")
    claim = Claim.objects.get(value="evil2@example.net")
    desk.send(f"contacts/user/{user.pk}/promote/?contact=email-{claim.pk}")


def test_no_link_that_was_sent_before_makes_a_contact_known_again(desk, mailbox):
    nora = newcomer(phone="01055500077")
    came_in_before(desk, nora)
    replaced(desk, nora)
    sent()
    link = link_in(mailbox.texts[-1])
    given_back(nora)
    browser().post(link)
    assert User.objects.get(pk=nora.pk).email == "evil2@example.net"
    assert recovered_by(EVIL) == 0


def test_what_is_taken_back_is_known_as_it_was(desk, gateway):
    user = resident()
    desk.send(f"contacts/user/{user.pk}/add-contact/", kind="phone", typed=NEW)
    claim = Claim.objects.get(value=f"+2{NEW}")
    desk.send(f"contacts/user/{user.pk}/promote/?contact=phone-{claim.pk}")
    sent()
    Claim.objects.filter(value="+201000000002").update(recovers_from=None)
    browser().post(link_in(gateway.forms[-1]["text"]))
    assert User.objects.get(pk=user.pk).phone == PHONE
    assert Claim.objects.get(value="+201000000002").recovers_from is None


@pytest.mark.parametrize("then", ["edited back", "taken back"])
def test_what_is_told_of_a_later_change_makes_no_former_contact_known(desk, mailbox, gateway, then):
    nora = newcomer(phone="01055500077")
    came_in_before(desk, nora)
    changed(desk, nora, "evil2@example.net", contact="email")
    given_back(nora)
    changed(desk, nora, "evil3@example.net", contact="email")
    sent()
    if then == "edited back":
        changed(desk, nora, EVIL, contact="email")
    else:
        browser().post(link_in(gateway.forms[-1]["text"]))
    assert User.objects.get(pk=nora.pk).email == EVIL
    over()
    assert recovered_by(EVIL) == 0


def test_no_message_that_waited_makes_a_contact_known(desk, mailbox):
    nora = newcomer(phone="01055500077")
    came_in_before(desk, nora)
    replaced(desk, nora)
    given_back(nora)
    sent()
    told_of = Message.objects.get(user=nora, purpose=Purpose.CONTACT_CHANGED)
    assert told_of.problem == "there was nothing to tell any more"
    over()
    assert recovered_by("evil2@example.net") == 0


def elsewhere(user):
    block = Block.objects.get(pk=2)
    start_membership(
        origin=Origin.of_command("test"),
        user=user,
        block=block,
        apartment=block.apartments.first(),
    )


def test_a_managers_contact_lets_nobody_in_who_belongs_elsewhere_as_well(desk, mailbox, gateway):
    nora = newcomer(phone="01055500077")
    elsewhere(nora)
    planted(desk, nora)
    assert refused(recovery_link(mailbox))
    assert not User.objects.get(pk=nora.pk).has_usable_hash()
    # A superuser's invitation goes by what the operator wrote.
    admin = Desk("admin")
    admin.send(f"contacts/user/{nora.pk}/send-invitation/", kind="email")
    invitation = Message.objects.get(user=nora, purpose=Purpose.INVITATION)
    assert invitation.to == "+201055500077"


def test_nor_by_a_link_of_before_they_belonged_elsewhere(desk, mailbox):
    nora = newcomer(phone="01055500077")
    planted(desk, nora)
    address = recovery_link(mailbox)
    elsewhere(nora)
    assert refused(address)
    assert not User.objects.get(pk=nora.pk).has_usable_hash()


def refused(address):
    """Whether the link does not serve, and nobody has a password."""
    return browser().post(address, PASSWORD).status_code == 410


def recovery_link(mailbox, contact=EVIL):
    asked(contact)
    sent()
    return invitation_in(mailbox.texts[-1])


@pytest.mark.parametrize("gone", ["their office", "whom they registered"])
def test_after_a_handover_what_a_manager_wrote_lets_nobody_in(desk, mailbox, gone):
    nora = newcomer(phone="01055500077")
    planted(desk, nora)
    leaving = desk.person if gone == "their office" else nora
    Membership.objects.filter(user=leaving).update(ended_at=timezone.now())
    assert refused(recovery_link(mailbox))
    assert not User.objects.get(pk=nora.pk).has_usable_hash()


def test_a_managers_new_phone_for_somebody_recovers_while_they_could_invite_them(desk, gateway):
    nora = newcomer(phone="01055500077")
    changed(desk, nora, "01055500078")
    assert recovered_by("01055500078") == 1


@pytest.mark.parametrize("meanwhile", ["moved", "corrected"])
def test_an_invitation_that_waits_is_looked_at_again_when_it_is_sent(desk, mailbox, meanwhile):
    nora = newcomer(phone="01055500077")
    planted(desk, nora)
    admin = Desk("admin")
    admin.send(f"contacts/user/{nora.pk}/send-invitation/", kind="email")
    assert Message.objects.get(user=nora).to == EVIL
    if meanwhile == "moved":
        elsewhere(nora)
    else:
        changed(admin, nora, "nora@example.org", contact="email")
    sent()
    assert mailbox.messages == []
    assert Message.objects.get(user=nora).problem == "there was nothing to tell any more"


def test_a_code_serves_for_the_phone_alone_that_it_was_sent_to(desk, gateway):
    nora = newcomer(phone="01055500077")
    elsewhere(nora)
    desk.send(f"contacts/user/{nora.pk}/add-contact/", kind="phone", typed=NEW)
    of_manager = Claim.objects.get(value=f"+2{NEW}")
    desk.send(f"contacts/user/{nora.pk}/promote/?contact=phone-{of_manager.pk}")
    browser().post("/forgotten/", {"contact": NEW})
    sent()
    code = code_of(gateway)
    own = Claim.objects.get(value="+201055500077")
    desk.send(f"contacts/user/{nora.pk}/promote/?contact=phone-{own.pk}")
    answer = browser().post("/forgotten/", {"contact": "01055500077"})
    assert browser().post(answer.url, {"code": code}).status_code == 200
    assert not User.objects.get(pk=nora.pk).has_usable_hash()


def test_who_gets_a_password_from_the_operator_is_recovered_by_what_they_sign_in_with(
    desk, mailbox
):
    nora = newcomer(phone="01055500077")
    planted(desk, nora)
    call_command("changepassword", str(nora.pk), "--random")
    assert recovered_by(EVIL) == 0


def test_an_invitation_by_hand_leads_to_no_contact_of_who_could_not_invite(desk):
    nora = newcomer(phone="01055500077")
    changed(desk, nora, NEW)
    admin = Desk("admin")
    path = f"/admin/contacts/user/{nora.pk}/invite/"
    assert f"wa.me/2{NEW}?" in admin.post(path).content.decode()
    elsewhere(nora)
    card = admin.post(path).content.decode()
    assert "wa.me/?text" in card and NEW[1:] not in card


def test_what_nobody_was_told_of_is_theirs_once_they_sign_in_by_it(desk):
    user = resident()
    changed(desk, user)
    assert not Claim.objects.get(value=f"+2{NEW}").is_known
    assert not signs_in(NEW, "a wrong one")
    assert not Claim.objects.get(value=f"+2{NEW}").is_known
    assert signs_in(NEW, "omarty-demo")
    assert Claim.objects.get(value=f"+2{NEW}").is_known
