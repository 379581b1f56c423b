"""A forgotten password: a link by e-mail or a code by phone, and nobody learns who is registered."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Action, Channel
from audit.operations import Origin
from contacts.invitations import invite
from contacts.models import AppSession, Invitation, Message, RecoveryCode, Status, User
from tests.conftest import person
from tests.test_outbox import SECRET, newcomer, sent

PASSWORD = "Palm-Gardens-77"
SET = {"new_password1": PASSWORD, "new_password2": PASSWORD}
PHONE, EMAIL = "01000000002", "resident@example.org"


def browser():
    return Client(headers={"accept-language": "en"})


def asked(contact, client=None):
    """Where the page leads after the contact was sent."""
    return (client or browser()).post("/forgotten/", {"contact": contact})


def signs_in(name, password=PASSWORD):
    answer = Client().post("/omartyapis/Auth/Login/", {"email": name, "password": password})
    return answer.json()["status"] == 200


def code_of(gateway):
    (found,) = re.findall(r"\b\d{6}\b", gateway.forms[-1]["text"])
    return found


def wrong(code):
    return f"{(int(code) + 1) % 10**6:06}"


# --- The way in ---------------------------------------------------------------------------------------


def test_a_link_by_e_mail_sets_a_password_and_ends_all_sessions(mailbox, gateway, new_entries):
    signs_in(EMAIL, "omarty-demo")
    new_entries()
    answer = asked(" Resident@Example.org ")
    page = browser().get(answer.url)
    assert "a message is on its way there" in page.content.decode()
    assert sent()["sent"] == 1
    (secret,) = re.findall(SECRET, mailbox.texts[0])
    page = browser().get(f"/invitation/{secret}/")
    assert page.status_code == 200
    browser().post(f"/invitation/{secret}/", SET)
    assert signs_in(EMAIL) and not signs_in(EMAIL, "omarty-demo")
    assert AppSession.objects.filter(user=person("resident")).count() == 1
    actions = [(entry.action, entry.channel) for entry in new_entries()]
    assert (Action.RECOVERY_SENT, Channel.LINK) in actions
    # They are told by their other contact.
    assert sent()["sent"] == 1
    assert "Your Omarty password was set" in gateway.forms[0]["text"]


def test_a_code_by_phone_leads_to_the_same_page(gateway):
    client = browser()
    answer = asked("+20 100 000 0002", client)
    assert sent()["sent"] == 1
    code = code_of(gateway)
    assert PHONE[1:] in gateway.forms[0]["to"]
    refused = client.post(answer.url, {"code": wrong(code)})
    assert "This is not the code" in refused.content.decode()
    arabic = code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    page = client.post(answer.url, {"code": f" {arabic[:3]} {arabic[3:]} "})
    assert page.status_code == 302 and "/invitation/" in page.url
    client.post(page.url, SET)
    assert signs_in(PHONE)
    # It served once.
    assert "This is not the code" in client.post(answer.url, {"code": code}).content.decode()


# --- Nobody learns anything -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "unknown"), [(EMAIL, "nobody@example.org"), (PHONE, "01077777777")]
)
def test_known_and_unknown_are_answered_alike_in_the_same_statements(
    gateway, mailbox, known, unknown
):
    answers, statements = [], []
    for contact in (known, unknown):
        with CaptureQueriesContext(
            connection,
        ) as ran:
            answer = asked(contact)
            page = browser().get(answer.url)
        text = page.content.decode()
        for value in (known, unknown, f"+2{PHONE}", "+201077777777"):
            text = text.replace(value, "…")
        answers.append((answer.status_code, page.status_code, re.sub(r'value="[^"]*"', "", text)))
        statements.append([re.sub(r"'[^']*'|\d+", "?", each["sql"]) for each in ran])
    assert answers[0] == answers[1]
    assert statements[0] == statements[1]
    sent()
    assert len(gateway.forms) + len(mailbox.messages) == 1
    assert Message.objects.filter(user=None).count() == 2


def test_a_contact_gets_three_messages_an_hour_whoever_asks(mailbox):
    for _time in range(6):
        assert asked(EMAIL).status_code == 302
    sent()
    assert len(mailbox.messages) == 3


def test_an_address_that_asks_for_everybody_waits(settings, mailbox):
    settings.SIGN_IN_ATTEMPTS_PER_ADDRESS = 5
    answers = [asked(f"p{each}@example.org").status_code for each in range(7)]
    assert answers == [302] * 5 + [429] * 2
    assert Message.objects.count() == 5


def test_codes_cannot_be_guessed(gateway, settings):
    client = browser()
    answer = asked(PHONE, client)
    sent()
    code = code_of(gateway)
    for _time in range(5):
        client.post(answer.url, {"code": wrong(code)})
    assert "This is not the code" in client.post(answer.url, {"code": code}).content.decode()
    for _time in range(6):
        last = client.post(answer.url, {"code": wrong(code)})
    assert last.status_code == 429
    assert not Invitation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_the_same_code_sent_by_four_at_once_one_leads_on(gateway):
    answer = asked(PHONE)
    sent()
    code = code_of(gateway)
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: browser().post(answer.url, {"code": code}), range(4)))
    assert sorted(page.status_code for page in pages) == [200, 200, 200, 302]


@pytest.mark.parametrize("status", [Status.PENDING, Status.BANNED])
def test_who_may_not_sign_in_is_sent_nothing(mailbox, status):
    User.objects.filter(pk=person("resident").pk).update(status=status)
    asked(EMAIL)
    sent()
    assert mailbox.messages == []
    assert "nobody signs in" in Message.objects.get().problem


def test_secondary_contacts_recover_nothing(app, gateway):
    app("resident").add(blockId=1, apartmentId=2, phoneNumber="01222222222")
    asked("01222222222")
    sent()
    assert gateway.forms == []


def test_an_old_link_and_an_old_code_serve_no_more(mailbox, gateway):
    asked(EMAIL)
    asked(PHONE)
    sent()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    RecoveryCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    (secret,) = re.findall(SECRET, mailbox.texts[0])
    assert browser().get(f"/invitation/{secret}/").status_code == 410


def test_asking_does_not_end_an_invitation_that_a_manager_made(mailbox):
    nora = newcomer(email="nora@example.com")
    secret = invite(origin=Origin.of_command("test"), user=nora, made_by=None)[1]
    asked("nora@example.com")
    sent()
    assert len(mailbox.messages) == 1
    assert browser().get(f"/invitation/{secret}/").status_code == 200


# --- What is typed --------------------------------------------------------------------------------------


def test_what_is_no_contact_is_told_and_stays(mailbox):
    page = asked("not a contact")
    assert "neither an e-mail nor a phone" in page.content.decode()
    assert 'value="not a contact"' in page.content.decode()
    assert not Message.objects.exists()


def test_where_nothing_is_set_up_the_page_says_so_of_every_contact():
    for contact in (EMAIL, "nobody@example.org"):
        assert "No e-mails are sent from here" in asked(contact).content.decode()
    for contact in (PHONE, "01077777777"):
        assert "No text messages are sent" in asked(contact).content.decode()


def test_the_sign_in_page_leads_there():
    assert 'href="/forgotten/"' in browser().get("/admin/login/").content.decode()


def test_a_made_up_address_leads_back():
    assert browser().get("/forgotten/abc:def/").url == "/forgotten/"
