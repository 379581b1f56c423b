"""A second factor for the back-office: set up, asked for at sign-in, lost, reset, required."""

import base64
import io
import re
import time

import pytest
from django.core.management import call_command
from django.test import Client
from django_otp.oath import TOTP

from audit.models import Entry
from audit.operations import Origin
from contacts.models import BackofficeSession, RequiredOf, SecondFactor, User
from contacts.operations import change_password
from contacts.second_factor import new_seed, require, set_up, shown_key
from tests.backoffice import Desk, fields_of, told
from tests.conftest import person
from tests.proof import Log

PASSWORD = "omarty-demo"
PAGE = "second-factor/"
SIGN_IN, CODE = "/admin/login/", "/admin/login/code/"


def code(key: str, *, steps: int = 0) -> str:
    """What an authenticator with this key shows, so many half minutes from now."""
    totp = TOTP(base64.b32decode(key))
    totp.time = time.time() + steps * totp.step
    return f"{totp.token():06}"


def key_of(page) -> str:
    [key] = re.findall('<code class="key"[^>]*>([^<]+)', page.content.decode())
    return str(key).replace(" ", "")


def recovery_codes_of(page) -> list[str]:
    return re.findall(r'<code dir="ltr">([A-Z2-7-]{14})</code>', page.content.decode())


def has(name: str = "manager") -> tuple[Desk, str, list[str]]:
    """Somebody with an authenticator of this key, and these recovery codes."""
    desk, seed = Desk(name), new_seed()
    key = shown_key(seed)
    codes = set_up(
        origin=Origin.of_command("test"),
        user=desk.person,
        seed=seed,
        code=code(key),
        session_key=desk.session.session_key or "",
    )
    return desk, key, codes


def halfway(name: str = "manager", **typed: str) -> Client:
    """Somebody whose password was right."""
    client = Client(headers={"accept-language": "en", "User-Agent": "Firefox Linux"})
    sent = {"username": f"{name}@example.org", "password": PASSWORD, **typed}
    answer = client.post(SIGN_IN, sent)
    assert (answer.status_code, answer["Location"]) == (302, CODE)
    return client


def actions(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(entry.action.split(".")[1], entry.refused) for entry in entries]


# --- Set up ------------------------------------------------------------------------------------------


def test_it_is_set_up_by_a_code_and_the_password(new_entries):
    desk = Desk("manager")
    page = desk.page(PAGE)
    key = key_of(page)
    codes = recovery_codes_of(desk.resend(PAGE, page, code=code(key), password=PASSWORD))
    assert len(base64.b32decode(key)) == 20
    assert len(set(codes)) == 10
    [line] = new_entries()
    assert (line.action, line.actor_id, line.person_id) == ("user.second_factor_set_up", 2, 2)
    page = desk.text(PAGE)
    assert "10 recovery codes are left" in page
    assert not any(each in page for each in (key, *codes))


@pytest.mark.parametrize(
    ("typed", "field", "refused"),
    [
        ({"password": "not-it"}, "password", "wrong name or password"),
        ({"code": "000000"}, "code", "wrong code"),
    ],
)
def test_it_is_not_set_up_by_a_wrong_code_or_password(typed, field, refused, new_entries):
    desk = Desk("manager")
    page = desk.page(PAGE)
    key = key_of(page)
    right = {"code": code(key), "password": PASSWORD}
    answer = desk.resend(PAGE, page, **(right | typed))
    assert list(answer.context["form"].errors) == [field]
    assert key_of(answer) == key
    assert actions(new_entries()) == [("second_factor_set_up", refused)]
    assert not SecondFactor.objects.exists()
    # Nothing of it was spent.
    assert len(recovery_codes_of(desk.resend(PAGE, answer, **right))) == 10


def test_it_ends_ones_other_sessions_and_not_the_apps(app):
    phone, other = app("manager"), Desk("manager")
    desk, _, _ = has()
    assert desk.page("").status_code == 200
    assert other.page("").status_code == 302
    assert phone.create(floorNum=1, aptNum=101, blockId=1, apartmentId=1)["status"] == 200


def test_the_same_form_sent_twice_sets_it_up_once():
    desk = Desk("manager")
    page = desk.page(PAGE)
    typed = {"code": code(key_of(page)), "password": PASSWORD}
    desk.resend(PAGE, page, **typed)
    seed = SecondFactor.objects.get().seed
    desk.resend(PAGE, page, **typed)
    assert SecondFactor.objects.get().seed == seed


# --- Sign-in -----------------------------------------------------------------------------------------


def test_sign_in_asks_for_a_code_and_nobody_is_signed_in_before(new_entries):
    _, key, _ = has()
    signed_in = person("manager").last_login
    client = halfway(next="/admin/buildings/apartment/")
    assert client.get("/admin/").status_code == 302
    assert "_auth_user_id" not in client.session
    assert person("manager").last_login == signed_in
    answer = client.post(CODE, {"code": code(key, steps=1)})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/buildings/apartment/")
    assert client.get("/admin/").status_code == 200
    assert (
        BackofficeSession.objects.get(session_key=client.session.session_key).device
        == "Firefox, Linux"
    )
    assert actions(new_entries()) == [
        ("second_factor_set_up", ""),
        ("second_factor_asked", ""),
        ("signed_in", ""),
    ]
    assert {(line.actor_id, line.person_id) for line in new_entries()[1:]} == {(2, 2)}


def test_a_code_in_arabic_digits_with_a_gap_serves():
    _, key, _ = has()
    typed = code(key, steps=1).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert halfway().post(CODE, {"code": f" {typed[:3]} {typed[3:]}"}).status_code == 302


def test_a_used_code_does_not_serve_again(new_entries):
    _, key, _ = has()
    used = code(key, steps=1)
    assert halfway().post(CODE, {"code": used}).status_code == 302
    client = halfway()
    answer = client.post(CODE, {"code": used})
    assert "was used already" in answer.content.decode()
    assert client.get("/admin/").status_code == 302
    assert actions(new_entries())[-1] == ("signed_in", "wrong code")


def test_a_code_of_another_time_does_not_serve():
    _, key, _ = has()
    SecondFactor.objects.update(last_step=0)
    while time.time() % 30 > 25:
        time.sleep(1)
    client = halfway()
    for steps in (-3, -2, 2, 3):
        assert client.post(CODE, {"code": code(key, steps=steps)}).status_code == 200
    assert client.post(CODE, {"code": code(key, steps=-1)}).status_code == 302


def test_what_is_no_code_is_refused():
    has()
    client = halfway()
    for typed in ("", "12345", "1234567", "abcdef", "²²²²²²", "-12345", "x" * 5000):
        assert client.post(CODE, {"code": typed}).status_code == 200
    assert client.get("/admin/").status_code == 302


def test_codes_are_counted_and_paused_and_a_superuser_ends_the_pause(new_entries):
    _, key, _ = has()
    client = halfway()
    for _try in range(10):
        assert client.post(CODE, {"code": "000000"}).status_code == 200
    # From elsewhere too.
    client = halfway()
    answer = client.post(CODE, {"code": code(key, steps=1)})
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert "Please wait up to 15 minutes" in answer.content.decode()
    refused = [line.refused for line in new_entries() if line.refused]
    assert refused == ["wrong code"] * 10 + ["too many attempts"]
    Desk("admin").send("contacts/user/2/unlock/")
    assert client.post(CODE, {"code": code(key, steps=1)}).status_code == 302


def test_the_page_of_the_code_leads_nobody_in_without_a_password():
    has()
    client = Client()
    for answer in (client.get(CODE), client.post(CODE, {"code": "000000"})):
        assert (answer.status_code, answer["Location"]) == (302, SIGN_IN)


@pytest.mark.parametrize("change", ["password", "status", "membership"])
def test_what_happens_between_password_and_code_counts(change):
    _, key, _ = has()
    client = halfway()
    if change == "password":
        change_password(
            origin=Origin.of_command("test"), user=person("manager"), password="other-7"
        )
    elif change == "status":
        User.objects.filter(pk=2).update(status="banned")
    else:
        person("manager").memberships.update(status="banned")
    answer = client.post(CODE, {"code": code(key, steps=1)})
    assert (answer.status_code, answer["Location"]) == (302, SIGN_IN)
    assert client.get("/admin/").status_code == 302


def test_the_password_counts_for_ten_minutes():
    _, key, _ = has()
    client = halfway()
    session = client.session
    session["halfway"] |= {"at": "2026-01-01T00:00:00+00:00"}
    session.save()
    assert client.post(CODE, {"code": code(key, steps=1)})["Location"] == SIGN_IN


def test_sign_in_with_a_code_leads_to_no_address_but_ours():
    _, key, _ = has()
    client = halfway(next="//evil.example")
    assert client.post(CODE, {"code": code(key, steps=1)})["Location"] == "/admin/"


def test_the_app_asks_for_no_code():
    has()
    sent = {"email": "manager@example.org", "password": PASSWORD}
    assert Client().post("/omartyapis/Auth/Login/", sent).json()["status"] == 200


def test_a_new_password_leaves_the_second_factor():
    _, key, _ = has()
    change_password(
        origin=Origin.of_command("test"), user=person("manager"), password="palm-garden-71"
    )
    client = halfway(password="palm-garden-71")
    assert client.post(CODE, {"code": code(key, steps=1)}).status_code == 302


# --- Recovery codes ----------------------------------------------------------------------------------


def test_a_recovery_code_signs_in_once(new_entries):
    _, _, codes = has()
    client = halfway()
    answer = client.post(CODE, {"code": codes[3].lower()})
    assert answer["Location"] == f"/admin/{PAGE}"
    assert "9 are left" in told(answer)
    assert "9 recovery codes are left" in client.get(answer["Location"]).content.decode()
    assert actions(new_entries())[-2:] == [("recovery_code_used", ""), ("signed_in", "")]
    assert new_entries()[-2].after == {"recovery codes left": 9}
    assert halfway().post(CODE, {"code": codes[3]}).status_code == 200
    assert halfway().post(CODE, {"code": codes[4]}).status_code == 302


def test_new_recovery_codes_end_the_former(new_entries):
    desk, key, former = has()
    codes = recovery_codes_of(desk.send(PAGE, code=code(key, steps=1), password=PASSWORD))
    assert len(set(codes) - set(former)) == 10
    assert actions(new_entries())[-1] == ("recovery_codes_made", "")
    assert halfway().post(CODE, {"code": former[0]}).status_code == 200
    assert halfway().post(CODE, {"code": codes[0]}).status_code == 302


# --- Switched off, reset -----------------------------------------------------------------------------


def test_it_is_switched_off_by_password_and_code(new_entries):
    desk, _, codes = has()
    page = desk.page(PAGE)
    wrong = desk.resend(PAGE, page, code=codes[0], password="not-it", off="Switch off")
    assert list(wrong.context["form"].errors) == ["password"]
    wrong = desk.resend(PAGE, page, code="000000", password=PASSWORD, off="Switch off")
    assert list(wrong.context["form"].errors) == ["code"]
    # With a wrong password the code was not spent.
    answer = desk.resend(PAGE, page, code=codes[0], password=PASSWORD, off="Switch off")
    assert "was switched off" in told(answer)
    assert actions(new_entries())[1:] == [
        ("second_factor_off", "wrong name or password"),
        ("second_factor_off", "wrong code"),
        ("recovery_code_used", ""),
        ("second_factor_off", ""),
    ]
    assert not SecondFactor.objects.exists()
    sent = {"username": "manager@example.org", "password": PASSWORD}
    assert Client().post(SIGN_IN, sent)["Location"] == "/admin/"


def test_a_superuser_resets_it_with_a_reason(new_entries):
    desk, _, _ = has()
    admin = Desk("admin")
    path = "contacts/user/2/reset-second-factor/"
    assert list(admin.send(path).context["form"].errors) == ["reason"]
    assert "was reset" in told(admin.send(path, reason="Phone lost, seen in person"))
    assert desk.page("").status_code == 302
    line = new_entries()[-1]
    assert (line.action, line.actor_id, line.person_id) == ("user.second_factor_reset", 1, 2)
    assert line.reason == "Phone lost, seen in person"
    assert not SecondFactor.objects.exists()
    assert "has no second factor" in told(admin.page(path))


def test_nobody_resets_their_own_past_its_code():
    admin, _, _ = has("admin")
    answer = admin.page("contacts/user/1/reset-second-factor/")
    assert "You cannot reset your own" in told(answer)
    assert SecondFactor.objects.exists()


def test_a_manager_resets_nobodys():
    SecondFactor.objects.create(user=person("resident"), seed="x", last_step=0)
    path = "contacts/user/3/reset-second-factor/"
    assert Desk("manager").page(path).status_code == 403
    assert Desk("manager").post(f"/admin/{path}", {"reason": "why"}).status_code == 403
    assert SecondFactor.objects.exists()


def test_the_command_resets_that_of_the_last_superuser(new_entries):
    has("admin")
    call_command("reset_second_factor", "admin@example.org", "--dry-run", stdout=io.StringIO())
    assert SecondFactor.objects.exists()
    out = io.StringIO()
    call_command("reset_second_factor", "admin@example.org", "--reason", "Lost", stdout=out)
    assert "by the password alone" in out.getvalue()
    assert not SecondFactor.objects.exists()
    line = new_entries()[-1]
    assert (line.action, line.channel, line.reason) == (
        "user.second_factor_reset",
        "command",
        "Lost",
    )


# --- Required ----------------------------------------------------------------------------------------


def test_a_superuser_requires_it_of_all_staff_who_are_led_to_set_it_up(new_entries):
    admin, _, _ = has("admin")
    signed_in = Desk("neighbour")
    admin.send(PAGE + "required/", required_of="staff", reason="The board decided")
    line = new_entries()[-1]
    assert (line.action, line.reason) == ("second_factor.required", "The board decided")
    assert (line.before, line.after) == ({"required_of": "nobody"}, {"required_of": "staff"})
    assert admin.page("").status_code == 200
    assert signed_in.page("").status_code == 302
    client = Client(headers={"accept-language": "en"})
    client.post(SIGN_IN, {"username": "manager@example.org", "password": PASSWORD})
    for path in ("", "buildings/apartment/", "password_change/", "sessions/", PAGE + "required/"):
        assert client.get(f"/admin/{path}")["Location"] == f"/admin/{PAGE}"
    page = client.get(f"/admin/{PAGE}")
    assert "is required of you" in page.content.decode()
    typed = {"code": code(key_of(page)), "password": PASSWORD}
    client.post(f"/admin/{PAGE}", fields_of(page) | typed)
    assert client.get("/admin/").status_code == 200


def test_required_of_superusers_it_is_not_of_managers():
    require(origin=Origin.of_command("test"), of=RequiredOf.SUPERUSERS)
    for name, status in (("manager", 200), ("admin", 302)):
        client = Client()
        client.post(SIGN_IN, {"username": f"{name}@example.org", "password": PASSWORD})
        assert client.get("/admin/").status_code == status


def test_who_switches_off_what_is_required_sets_it_up_anew():
    desk, _, codes = has()
    require(origin=Origin.of_command("test"), of=RequiredOf.STAFF)
    desk.send(PAGE, code=codes[0], password=PASSWORD, off="Switch off")
    assert desk.page("")["Location"] == f"/admin/{PAGE}"


def test_nobody_requires_what_they_lack(new_entries):
    answer = Desk("admin").send(PAGE + "required/", required_of="staff", reason="why")
    assert "Set up your own second factor first." in answer.content.decode()
    assert new_entries() == []


def test_a_manager_requires_nothing_of_anybody(new_entries):
    desk = Desk("manager")
    assert desk.page(PAGE + "required/").status_code == 403
    sent = {"required_of": "staff", "reason": "why"}
    assert desk.post(f"/admin/{PAGE}required/", sent).status_code == 403
    assert new_entries() == []


# --- What is stored ----------------------------------------------------------------------------------


def test_neither_the_key_nor_a_code_is_stored_or_logged(caplog, tmp_path):
    _, key, codes = has()
    typed = code(key, steps=1)
    halfway().post(CODE, {"code": typed})
    halfway().post(CODE, {"code": codes[0]})
    halfway().post(CODE, {"code": codes[0]})
    out = io.StringIO()
    call_command("dumpdata", stdout=out)
    stored = out.getvalue()
    assert "contacts.secondfactor" in stored
    secret = base64.b32decode(key)
    for each in (key, secret.hex(), base64.b64encode(secret).decode()):
        assert each not in stored
        assert each not in caplog.text
    for each in codes:
        assert each not in stored + caplog.text
        assert each.replace("-", "") not in stored + caplog.text
    entries = str(list(Entry.objects.values()))
    assert f"'{typed}'" not in entries


def test_a_persons_export_tells_of_it_and_keeps_its_secrets(tmp_path):
    has()
    factor = SecondFactor.objects.get()
    call_command(
        "person_export", "manager@example.org", "--to", str(tmp_path), stdout=io.StringIO()
    )
    for file in ("person-2.json", "person-2.html"):
        text = (tmp_path / file).read_text()
        assert factor.seed not in text
        assert factor.codes[0] not in text
    assert '"contacts.secondfactor": [' in (tmp_path / "person-2.json").read_text()
    assert '"set_up_at"' in (tmp_path / "person-2.json").read_text()


def test_an_anonymised_person_has_none(tmp_path):
    has("resident")
    erased = Log(tmp_path).run("person_erase", "resident@example.org", "--reason=asked for it")
    assert erased["exit"] == 0, erased
    assert not SecondFactor.objects.exists()


@pytest.mark.parametrize("by", ["authenticator", "recovery code"])
def test_with_a_new_secret_key_only_recovery_codes_serve(by, settings):
    _, key, codes = has()
    settings.SECRET_KEY = "another-secret-key-of-at-least-32-bytes"
    typed = code(key, steps=1) if by == "authenticator" else codes[0]
    signed_in = halfway().post(CODE, {"code": typed}).status_code == 302
    assert signed_in == (by == "recovery code")
