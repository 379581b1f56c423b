"""The outbox: each message once or told as failed, by a real mail server and a real gateway."""

import io
import json
import re
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from audit.models import Channel, Entry
from audit.operations import Origin
from buildings.membership_operations import start_membership
from buildings.models import Block
from contacts.models import Invitation, Kind, Message, MessageState, Purpose
from contacts.operations import register_user
from contacts.outbox import delete_past_messages, enqueue
from tests.backoffice import Desk, fields_of, told
from tests.conftest import person
from tests.messages import mail_server

SECRET = r"/invitation/([\w-]{22})/"


def sent():
    """What `manage.py send_messages` reports."""
    out = io.StringIO()
    call_command("send_messages", "--json", stdout=out)
    return json.loads(out.getvalue())


def notice(kind=Kind.EMAIL, to="rami@example.org", **fields):
    return enqueue(
        origin=Origin.of_command("test"),
        purpose=Purpose.PASSWORD_SET,
        kind=kind,
        to=to,
        **{"user": person("resident"), "language": "en"} | fields,
    )


def again():
    """As if the pause before the next attempt were over."""
    Message.objects.filter(state=MessageState.WAITING).update(next_at=timezone.now())


def newcomer(name="Nora Newcomer", block=1, **contact):
    origin = Origin.of_command("test")
    user = register_user(origin=origin, name=name, **contact)
    place = Block.objects.get(pk=block)
    start_membership(origin=origin, user=user, block=place, apartment=place.apartments.first())
    return user


# --- E-mail ----------------------------------------------------------------------------------------------


def test_a_message_is_sent_once_by_the_mail_server(mailbox):
    notice()
    assert sent() == {"sent": 1, "waiting": 0, "failed": 0}
    assert sent() == {"sent": 0, "waiting": 0, "failed": 0}
    (email,) = mailbox.messages
    assert (email["To"], email["Subject"]) == (
        "rami@example.org", "Your password in Omarty was changed",
    )  # fmt: skip
    assert "Your Omarty password was set" in email.get_content()
    message = Message.objects.get()
    assert message.state == MessageState.SENT and message.sent_at is not None


def test_messages_are_in_the_language_of_whom_they_go_to(mailbox):
    notice(language="ar")
    sent()
    assert "كلمة المرور" in mailbox.messages[0]["Subject"] + mailbox.texts[0]


def test_while_the_mail_server_is_down_messages_wait_longer_each_time(settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    message = notice()
    pauses = []
    for _time in range(3):
        again()
        assert sent()["waiting"] == 1
        message.refresh_from_db()
        pauses.append(round((message.next_at - timezone.now()).total_seconds() / 60))
    assert pauses == [1, 5, 15]
    assert message.problem == "the mail server cannot be reached, or refuses the sign-in"
    assert sent() == {"sent": 0, "waiting": 0, "failed": 0}


def test_a_message_that_waited_too_long_is_told_as_failed(settings):
    settings.EMAIL_URL, settings.EMAIL_PORT = "smtp://127.0.0.1:9", 9
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    message = notice()
    Message.objects.update(expires_at=timezone.now() + timedelta(seconds=30))
    assert sent()["failed"] == 1
    message.refresh_from_db()
    assert message.state == MessageState.FAILED


@pytest.mark.parametrize(
    ("answer", "state"),
    [("550 no such mailbox", MessageState.FAILED), ("450 later", MessageState.WAITING)],
)
def test_an_address_that_is_refused_for_good_is_not_tried_again(mailbox, answer, state):
    mailbox.refuses = answer
    notice()
    sent()
    assert Message.objects.get().state == state
    assert mailbox.messages == []


def test_what_may_have_arrived_is_not_sent_twice(mailbox):
    mailbox.hangs_up = True
    notice()
    assert sent()["failed"] == 1
    again()
    sent()
    assert len(mailbox.messages) == 1
    assert Message.objects.get().problem == "sending was cut off: it may have arrived"


def test_what_a_killed_sender_left_is_told_as_failed_and_can_be_sent_again(mailbox, new_entries):
    message = notice()
    # Killed after it was claimed.
    Message.objects.update(
        state=MessageState.SENDING, claimed_at=timezone.now() - timedelta(minutes=11)
    )
    assert sent() == {"sent": 0, "waiting": 0, "failed": 1}
    desk = Desk("admin")
    assert "sending was cut off" in desk.text(f"contacts/message/{message.pk}/change/")
    answer = desk.send(f"contacts/message/{message.pk}/send-again/")
    assert told(answer) == "It is sent in a moment."
    entry = new_entries()[-1]
    assert (entry.action, entry.target_id) == ("message.sent_again", message.pk)
    assert sent()["sent"] == 1
    assert len(mailbox.messages) == 1


def test_a_message_goes_with_the_change_that_it_tells_of(mailbox, transactional_db):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        notice()
        _ = 1 / 0
    assert sent()["sent"] == 0


def test_no_mailbox_is_written_to_that_only_stands_for_another(mailbox):
    nora = newcomer(email="نورا@example.com")
    desk = Desk("manager")
    page = desk.page(f"contacts/user/{nora.pk}/send-invitation/")
    assert "no e-mail or phone to which messages are sent" in told(page)
    assert (
        "No e-mails are sent"
        in desk.post("/forgotten/", {"contact": "نورا@example.com"}).content.decode()
    )
    assert not Message.objects.exists()


# --- Text messages ---------------------------------------------------------------------------------------


def test_a_text_message_is_a_form_to_the_gateway(gateway):
    notice(Kind.PHONE, "+201001234567", language="ar")
    assert sent()["sent"] == 1
    (form,) = gateway.forms
    assert (form["to"], form["user"], form["lang"]) == ("201001234567", "us", "ar")
    assert "كلمة مرور حسابك" in form["text"]


@pytest.mark.parametrize(("status", "body"), [(500, "1901"), (200, '{"code":"1905"}')])
def test_a_gateway_that_did_not_take_it_is_asked_again(gateway, status, body):
    notice(Kind.PHONE, "+201001234567")
    gateway.status, gateway.body = status, body
    assert sent()["waiting"] == 1
    gateway.status, gateway.body = 200, "1901"
    gateway.forms.clear()
    again()
    assert sent()["sent"] == 1
    assert len(gateway.forms) == 1


def test_countries_and_days_have_their_limits(gateway, settings):
    settings.SMS_COUNTRIES, settings.SMS_A_DAY = {"EG": 2, "SA": 5}, 4
    for number in ("+447911123456", *(f"+2010012345{each}" for each in (61, 62, 63))):
        notice(Kind.PHONE, number)
    for each in range(3):
        notice(Kind.PHONE, f"+96650123456{each}")
    assert sent() == {"sent": 4, "waiting": 2, "failed": 1}
    assert [form["to"][:3] for form in gateway.forms].count("201") == 2
    abroad = Message.objects.get(to="+447911123456")
    assert abroad.problem == "no text messages are sent to this country"


# --- Two at once, killed, nothing set up ------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_several_that_send_at_once_send_each_message_once(program, tmp_path):
    with mail_server() as box:
        program.environment["DEBUG"] = "true"
        program.succeed("demo")
        environment = program.environment | {
            "EMAIL_URL": f"smtp://127.0.0.1:{box.port}",
            "DEBUG": "false",
        }
        script = (
            "from contacts.outbox import *\nfrom contacts.models import *\n"
            "from audit.operations import Origin\n"
            "for at in range(30): enqueue(origin=Origin.of_command('x'), purpose=Purpose.PASSWORD_SET,"
            " kind=Kind.EMAIL, to=f'p{at}@example.org', user=User.objects.get(pk=3), language='en')\n"
        )
        run = [sys.executable, "manage.py"]
        subprocess.run([*run, "shell", "-c", script], env=environment, check=True)
        senders = [
            subprocess.Popen([*run, "send_messages", "--follow"], env=environment)
            for _each in range(3)
        ]
        time.sleep(1.5)
        senders[0].kill()
        deadline = time.monotonic() + 60
        while len(box.messages) < 29 and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(1)
        for sender in senders:
            sender.kill()
            sender.wait()
        addressed = [each["To"] for each in box.messages]
        assert len(addressed) == len(set(addressed))
        # One that the killed sender was about to send is told, not sent twice.
        assert len(addressed) >= 29


def test_without_anything_set_up_nothing_is_put_in(settings):
    assert (settings.EMAIL_URL, settings.SMS_URL, settings.DEBUG) == ("", "", False)
    notice()
    assert sent()["failed"] == 1
    assert Message.objects.get().problem == "nothing is set up to send it by"


@pytest.mark.django_db(transaction=True)
def test_in_a_trial_messages_are_written_to_the_console_and_shown(settings, capsys):
    settings.DEBUG = True
    message = notice()
    assert "Your Omarty password was set" in capsys.readouterr().out
    page = Desk("admin").text(f"contacts/message/{message.pk}/change/")
    assert "Your Omarty password was set" in page


# --- Invitations, and who sees what ------------------------------------------------------------------------


def test_an_invitation_is_sent_and_no_secret_is_stored(gateway, mailbox, new_entries):
    nora = newcomer(phone="01055500077")
    new_entries()
    desk = Desk("manager")
    answer = desk.send(f"contacts/user/{nora.pk}/send-invitation/", kind="phone")
    assert told(answer) == "1 invitation is on its way."
    assert not Invitation.objects.exists()
    assert sent()["sent"] == 1
    (secret,) = re.findall(SECRET, gateway.forms[0]["text"])
    assert Invitation.objects.get().sent_by == Kind.PHONE
    assert desk.get(f"/invitation/{secret}/").status_code == 200
    rows = [str(vars(row)) for model in (Message, Invitation, Entry) for row in model.objects.all()]
    assert not any(secret in row for row in rows)
    entry = new_entries()[-1]
    assert (entry.action, entry.actor_id, entry.channel) == (
        "user.invited", desk.person.pk, Channel.BACK_OFFICE,
    )  # fmt: skip


def test_invitations_of_many_go_by_what_each_has(gateway, mailbox):
    people = [newcomer(phone="01055500077"), newcomer(name="Omar New", email="omar@example.com")]
    desk = Desk("manager")
    chosen = {"action": "send-invitation", "_selected_action": [each.pk for each in people]}
    page = desk.post("/admin/contacts/user/", chosen | {"index": 0})
    desk.post("/admin/contacts/user/", fields_of(page) | chosen | {"kind": "phone"})
    assert sent()["sent"] == 2
    assert len(gateway.forms) == len(mailbox.messages) == 1


def test_nothing_is_sent_to_who_has_signed_in_or_has_no_contact(gateway):
    desk = Desk("manager")
    resident = person("resident")
    page = desk.page(f"contacts/user/{resident.pk}/send-invitation/")
    assert page.status_code == 302
    assert "has a password already" in told(page)
    assert not Message.objects.exists()


def test_the_outbox_is_superusers_alone_and_shows_contacts_in_part():
    message = notice()
    assert Desk("manager").page("contacts/message/").status_code in (403, 404)
    text = Desk("admin").text("contacts/message/")
    assert f"#{message.pk}" in text and "rami@example.org" not in text


def test_what_was_sent_long_ago_is_deleted(mailbox):
    notice()
    sent()
    waiting = notice()
    Message.objects.update(made_at=timezone.now() - timedelta(days=91))
    delete_past_messages()
    assert list(Message.objects.all()) == [waiting]
