"""Login, Refresh and Logout: `POST /omartyapis/Auth/…/`."""

import re
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import bcrypt
import jwt
import pytest
from django.apps import apps
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Action
from audit.operations import Origin
from contacts.models import AppSession, EventCount, KnownAddress, SecondaryEmail, Status, User
from contacts.operations import change_password, change_status, register_user
from tests.backoffice import Desk
from tests.conftest import person
from tests.http import post_form
from tests.test_switch import envelope

WRONG = {"status": 401, "message": "Wrong email or password."}


def sign_in(client, email, password="omarty-demo", **fields):
    return client.post("/omartyapis/Auth/Login/", {"email": email, "password": password, **fields})


def renew(client, refresh):
    return client.post("/omartyapis/Auth/Refresh/", {"refresh": refresh})


def sign_out(client, refresh):
    return client.post("/omartyapis/Auth/Logout/", {"refresh": refresh})


def call(client, token):
    """The status of a call with this token that does nothing."""
    headers = {"Authorization": f"Bearer {token}"}
    return client.post("/omartyapis/Create/", {"api": "Foo"}, headers=headers).json()["status"]


# --- Login -----------------------------------------------------------------------------------------


def test_a_resident_signs_in_by_email(client, new_entries):
    response = sign_in(
        client,
        "resident@example.org",
        googleToken="push-token",
        os="android",
        deviceId="device",
        longitude="31.2",
        latitude="30.1",
    )
    assert response.status_code == 200
    body = response.json()
    assert list(body) == ["status", "data"]
    assert list(body["data"]) == ["Data", "Token", "Refresh"]
    data = body["data"]["Data"]
    assert abs(data.pop("iat") - timezone.now().timestamp()) < 60
    assert data == {
        "id": "3",
        "userName": "Rami Resident",
        "email": "resident@example.org",
        "phoneNumber": "01000000002",
        "residentImage": "",
    }
    assert call(client, body["data"]["Token"]) == 404
    assert person("resident").last_login is not None
    [entry] = new_entries()
    assert (entry.action, entry.refused) == (Action.SIGNED_IN, "")
    assert (entry.actor_id, entry.target_id, entry.person_id) == (3, 3, 3)
    assert (entry.longitude, entry.latitude) == (Decimal("31.2"), Decimal("30.1"))


@pytest.mark.parametrize(
    "login",
    ["01000000002", "+20 100 000 0002", "٠١٠٠٠٠٠٠٠٠٢", " RESIDENT@Example.org ", "00201000000002"],
)
def test_a_resident_signs_in_by_any_spelling_of_their_phone_or_email(client, login):
    assert sign_in(client, login).json()["data"]["Data"]["id"] == "3"


def test_the_name_in_the_app_comes_before_the_name(client):
    User.objects.filter(pk=3).update(user_name="rami")
    assert sign_in(client, "01000000002").json()["data"]["Data"]["userName"] == "rami"


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_json_and_urlencoded_bodies_serve_as_well(client, content_type):
    body: object
    if content_type == "application/json":
        body = {"email": "01000000002", "password": "omarty-demo"}
    else:
        body = "email=01000000002&password=omarty-demo"
    response = client.post("/omartyapis/Auth/Login", body, content_type=content_type)
    assert response.json()["data"]["Data"]["id"] == "3"


@pytest.mark.parametrize(
    "fields",
    [{}, {"email": "resident@example.org"}, {"password": "x"}, {"email": " ", "password": " "}],
)
def test_nothing_given(client, new_entries, fields):
    response = client.post("/omartyapis/Auth/Login/", fields)
    assert envelope(response) == (406, "Please enter Data (email / password)")
    assert new_entries() == []


@pytest.mark.parametrize(
    ("login", "password", "label"),
    [
        ("resident@example.org", "wrong", "resident@example.org"),
        ("01000000002", "wrong", "+201000000002"),
        ("nobody@example.org", "omarty-demo", "nobody@example.org"),
        ("01999999999", "omarty-demo", "+201999999999"),
        ("omarty-demo", "omarty-demo", "neither an e-mail nor a phone"),
        ("resident@example.org", "omarty-demo ", "resident@example.org"),
        ("resident@example.org", "\x00", "resident@example.org"),
        ("resident@example.org", "é" * 500, "resident@example.org"),
    ],
)
def test_wrong_email_phone_or_password_answer_alike(
    client, new_entries, nothing_changed, login, password, label
):
    response = sign_in(client, login, password)
    assert response.status_code == 401
    assert response.json() == WRONG
    [entry] = new_entries()
    assert (entry.action, entry.refused) == (Action.SIGNED_IN, "wrong name or password")
    assert (entry.actor_id, entry.actor_label) == (None, label)
    assert nothing_changed()


def test_a_secondary_contact_signs_nobody_in(client):
    assert SecondaryEmail.objects.filter(typed="neighbour.second@example.org").exists()
    assert sign_in(client, "neighbour.second@example.org").json() == WRONG


@pytest.mark.parametrize("status", [Status.PENDING, Status.BANNED])
def test_pending_and_banned_are_revealed_only_with_the_password(client, new_entries, status):
    User.objects.filter(pk=3).update(status=status)
    assert sign_in(client, "01000000002", "wrong").json() == WRONG
    code, message = envelope(sign_in(client, "01000000002"))
    assert code == 403
    assert message.startswith(
        "This email Status is Binding, "
        if status == Status.PENDING
        else "This email is Banned by Omarty Super Admin, "
    )
    wrong, refused = new_entries()
    assert wrong.refused == "wrong name or password"
    assert (refused.action, refused.refused) == (Action.SIGNED_IN, status.value)
    assert refused.person_id == 3


@pytest.mark.parametrize(
    "place", [{"longitude": "x"}, {"longitude": "31.2", "latitude": "91"}, {"latitude": "nan,0"}]
)
def test_a_malformed_location_is_an_unknown_one_and_locks_nobody_out(client, new_entries, place):
    pair = sign_in(client, "01000000002", **place).json()["data"]
    pair = client.post("/omartyapis/Auth/Refresh/", {"refresh": pair["Refresh"], **place}).json()[
        "data"
    ]
    assert envelope(sign_in(client, "01000000002", "wrong", **place)) == tuple(WRONG.values())
    ended = client.post("/omartyapis/Auth/Logout/", {"refresh": pair["Refresh"], **place})
    assert ended.json()["status"] == 200
    entries = new_entries()
    assert len(entries) == 4
    assert all(each.longitude is None and each.latitude is None for each in entries)


@pytest.mark.parametrize(
    ("claim", "seconds", "answer"),
    [("iat", 20, 404), ("iat", 60, 401), ("exp", -20, 404), ("exp", -60, 401)],
)
def test_clocks_may_differ_by_half_a_minute(client, signed_in, settings, claim, seconds, answer):
    def shifted(token, key):
        claims = jwt.decode(token, options={"verify_signature": False})
        claims[claim] = int(timezone.now().timestamp()) + seconds
        return jwt.encode(claims, key, algorithm="HS256")

    for key in (settings.JWT_SIGNING_KEY, *settings.JWT_FORMER_KEYS):
        assert call(client, shifted(signed_in["Token"], key)) == answer
    renewed = renew(client, shifted(signed_in["Refresh"], settings.JWT_SIGNING_KEY))
    assert renewed.json()["status"] == (200 if answer == 404 else 401)


def test_after_ten_wrong_passwords_sign_in_to_the_account_pauses(client, new_entries):
    for _ in range(9):
        assert sign_in(client, "01000000002", "wrong").status_code == 401
    # Another spelling of the same phone counts as the same name, another address as the same account.
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    form = {"email": "+201000000002", "password": "wrong"}
    assert client.post("/omartyapis/Auth/Login/", form, **elsewhere).status_code == 401
    for address in ("127.0.0.1", "192.0.2.7", "198.51.100.9"):
        form = {"email": "01000000002", "password": "omarty-demo"}
        response = client.post("/omartyapis/Auth/Login/", form, REMOTE_ADDR=address)
        assert envelope(response)[0] == 429
        assert response["Retry-After"] == "900"
    assert new_entries()[-1].refused == "too many attempts"
    assert sign_in(client, "01000000003").status_code == 200


def test_who_signed_in_from_an_address_before_is_not_shut_out_of_it_by_others(client):
    assert sign_in(client, "01000000002").status_code == 200
    for number in range(12):
        form = {"email": "01000000002", "password": "wrong"}
        client.post("/omartyapis/Auth/Login/", form, REMOTE_ADDR=f"192.0.2.{number}")
    assert sign_in(client, "01000000002").status_code == 200
    # The address is known for the person, so by their e-mail too; another IPv6 of the same /64 likewise.
    assert sign_in(client, "resident@example.org").status_code == 200


def test_a_paused_address_is_answered_by_the_same_statements_whoever_is_named(client, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ADDRESS = 1
    sign_in(client, "nobody@example.org", "wrong")
    asked = {}
    for name in ("01000000002", "resident@example.org", "nobody@example.org", "01055500000"):
        # The first refusal of somebody leaves an entry.
        sign_in(client, name, "wrong")
        with CaptureQueriesContext(connection) as captured:
            assert sign_in(client, name, "wrong").status_code == 429
        asked[name] = [re.sub(r"'[^']*'|\d+", "?", each["sql"]) for each in captured]
    assert len({tuple(each) for each in asked.values()}) == 1, asked


def test_of_ipv6_one_network_is_one_address(client):
    home = {"REMOTE_ADDR": "2001:db8:1:1::1"}
    form = {"email": "01000000002", "password": "omarty-demo"}
    assert client.post("/omartyapis/Auth/Login/", form, **home).status_code == 200
    for _ in range(10):
        sign_in(client, "01000000002", "wrong")
    beside = client.post("/omartyapis/Auth/Login/", form, REMOTE_ADDR="2001:db8:1:1:a:b:c:d")
    elsewhere = client.post("/omartyapis/Auth/Login/", form, REMOTE_ADDR="2001:db8:1:2::1")
    assert [beside.status_code, elsewhere.status_code] == [200, 429]


def test_one_address_tries_many_accounts_only_so_often(client, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ADDRESS = 15
    answers = [
        sign_in(client, f"somebody{number}@example.org", "wrong").status_code
        for number in range(20)
    ]
    assert answers == [401] * 15 + [429] * 5
    # What the address tried in vain uses up nothing of an account.
    form = {"email": "somebody19@example.org", "password": "wrong"}
    for _ in range(10):
        answer = client.post("/omartyapis/Auth/Login/", form, REMOTE_ADDR="192.0.2.7")
        assert answer.status_code == 401


def test_the_pause_ends(client):
    for _ in range(11):
        sign_in(client, "01000000002", "wrong")
    assert sign_in(client, "01000000002").status_code == 429
    EventCount.objects.update(since=timezone.now() - timedelta(minutes=16))
    assert sign_in(client, "01000000002").status_code == 200


def test_of_many_addresses_the_last_used_stay_known(client):
    for number in range(12):
        form = {"email": "01000000002", "password": "omarty-demo"}
        client.post("/omartyapis/Auth/Login/", form, REMOTE_ADDR=f"192.0.2.{number}")
    assert KnownAddress.objects.filter(user=3).count() == 10


def test_a_password_that_was_changed_meanwhile_is_not_renewed_over(client):
    php = bcrypt.hashpw(b"secret", bcrypt.gensalt(10)).decode().replace("$2b$", "$2y$", 1)
    User.objects.filter(pk=3).update(password="php" + php)
    read_before = User.objects.get(pk=3)
    change_password(
        origin=Origin.of_command("test"), user=person("resident"), password="palm-9-tree"
    )
    assert read_before.check_password("secret")
    assert sign_in(client, "01000000002", "secret").status_code == 401
    assert sign_in(client, "01000000002", "palm-9-tree").status_code == 200


def test_right_passwords_are_no_attempts(client):
    for number in range(25):
        form = {"email": "01000000002", "password": "omarty-demo"}
        answer = client.post("/omartyapis/Auth/Login/", form, REMOTE_ADDR=f"192.0.2.{number}")
        assert answer.status_code == 200


def test_of_200_at_once_from_40_addresses_20_are_answered_and_the_holder_signs_in(
    live_server, settings
):
    settings.PROXIES = 1
    url = live_server.url + "/omartyapis/Auth/Login/"
    holder = {"X-Forwarded-For": "203.0.113.77"}
    right = {"email": "01000000002", "password": "omarty-demo"}
    assert post_form(url, headers=holder, **right)["status"] == 200
    spellings = [
        *("01000000002", "+201000000002", "00201000000002", "٠١٠٠٠٠٠٠٠٠٢", "0100 000 0002"),
        *("resident@example.org", "RESIDENT@example.org", " Resident@Example.org "),
    ]

    def attack(number):
        headers = {"X-Forwarded-For": f"192.0.2.{number % 40}"}
        name = spellings[number % len(spellings)]
        return post_form(url, email=name, password=f"wrong{number}", headers=headers)["status"]

    with ThreadPoolExecutor(50) as pool:
        tries = [pool.submit(attack, number) for number in range(200)]
        meanwhile = post_form(url, headers=holder, **right)
        answers = Counter(each.result() for each in tries)
    connection.close()
    assert meanwhile["status"] == 200
    # Ten by each of the two names.
    assert answers == {401: 20, 429: 180}


def test_many_devices_of_one_person_sign_in_at_once(live_server, client):
    sign_in(client, "01000000002")
    url = live_server.url + "/omartyapis/Auth/Login/"

    def again(_number):
        return post_form(url, email="01000000002", password="omarty-demo")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(again, range(24)))
    connection.close()
    assert {answer["status"] for answer in answers} == {200}
    assert AppSession.objects.filter(user=3).count() == 25


def test_the_passwords_of_both_doors_are_counted_together(client):
    for _ in range(5):
        sign_in(client, "01000000001", "wrong")
        client.post("/admin/login/", {"username": "+201000000001", "password": "wrong"})
    form = {"username": "01000000001", "password": "omarty-demo"}
    assert client.post("/admin/login/", form).status_code == 429
    assert sign_in(client, "01000000001").status_code == 429


def test_a_right_password_forgets_the_wrong_ones_before(client):
    for _ in range(2):
        for _ in range(9):
            sign_in(client, "01000000002", "wrong")
        assert sign_in(client, "01000000002").status_code == 200


def test_a_refused_sign_in_takes_as_long_whoever_is_registered(client, monkeypatch):
    """No time limit: medians of the kinds of refusal, compared with each other."""
    monkeypatch.setattr(BCryptSHA256PasswordHasher, "rounds", 12)
    php = bcrypt.hashpw(b"secret", bcrypt.gensalt(10)).decode().replace("$2b$", "$2y$", 1)
    User.objects.filter(email="partner@example.org").update(password="php" + php)
    User.objects.filter(email="outsider@example.org").update(password="!unusable")
    taken: dict[str, list[float]] = {}
    logins = [
        "nobody@example.org",
        "resident@example.org",
        "partner@example.org",
        "outsider@example.org",
    ]
    for login in logins * 7:
        start = time.process_time()
        assert sign_in(client, login, "wrong").status_code in {401, 429}
        taken.setdefault(login, []).append(time.process_time() - start)
    medians = [statistics.median(times) for times in taken.values()]
    assert max(medians) < 1.5 * min(medians), dict(zip(logins, medians, strict=True))


# --- hashes of the legacy server -----------------------------------------------------------------


def php_hash(password, rounds=10):
    """What PHP's password_hash() makes: it reads 72 bytes."""
    made = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(rounds)).decode()
    return made.replace("$2b$", "$2y$", 1)


@pytest.mark.parametrize("prefix", ["", "php"])
@pytest.mark.parametrize(
    "password", ["secret", "كلمة السر", "كلمة سر طويلة جدا لا تنسى أبدا أبدا أبدا أبدا"]
)
def test_a_php_hash_verifies_and_is_renewed(client, prefix, password):
    User.objects.filter(pk=3).update(password=prefix + php_hash(password))
    assert sign_in(client, "01000000002", "wrong").json() == WRONG
    assert person("resident").password.startswith(prefix + "$2y$")
    first = sign_in(client, "01000000002", password).json()["data"]
    renewed = person("resident").password
    assert renewed.startswith("bcrypt_sha256$")
    # Renewing the hash signs nobody out.
    assert call(client, first["Token"]) == 404
    assert sign_in(client, "01000000002", password).status_code == 200
    assert person("resident").password == renewed


def test_of_a_password_over_72_bytes_all_counts_once_it_is_renewed(client):
    long = "س" * 36 + " and what PHP never read"
    User.objects.filter(pk=3).update(password=php_hash(long))
    assert sign_in(client, "01000000002", long).status_code == 200
    assert sign_in(client, "01000000002", "س" * 36 + " and something else").json() == WRONG


@pytest.mark.parametrize(
    "broken",
    ["$2y$", "$2y$10$short", "php$2y$xx$", "bcrypt_sha256$$2b$12$short", "!", "", "nonsense"],
)
def test_a_broken_hash_signs_nobody_in(client, broken):
    User.objects.filter(pk=3).update(password=broken)
    assert sign_in(client, "01000000002").json() == WRONG


# --- Refresh ---------------------------------------------------------------------------------------


@pytest.fixture
def signed_in(client):
    return sign_in(client, "resident@example.org").json()["data"]


def test_refresh_gives_a_new_pair(client, signed_in, new_entries):
    response = renew(client, signed_in["Refresh"])
    assert response.status_code == 200
    pair = response.json()["data"]
    assert list(pair) == ["Token", "Refresh"]
    assert pair["Refresh"] != signed_in["Refresh"]
    assert call(client, pair["Token"]) == 404
    assert renew(client, pair["Refresh"]).status_code == 200
    assert [entry.action for entry in new_entries()][-2:] == [Action.SESSION_RENEWED] * 2


def test_whose_answer_was_lost_asks_again_and_gets_the_same_pair(client, signed_in, new_entries):
    first = renew(client, signed_in["Refresh"]).json()
    assert renew(client, signed_in["Refresh"]).json() == first
    actions = [entry.action for entry in new_entries()]
    assert actions.count(Action.SESSION_RENEWED) == 1
    assert renew(client, first["data"]["Refresh"]).status_code == 200


@pytest.mark.parametrize("path", ["Refresh", "Logout"])
def test_a_spent_refresh_token_shown_again_ends_the_session_for_everybody(
    client, signed_in, new_entries, path
):
    pair = renew(client, signed_in["Refresh"]).json()["data"]
    AppSession.objects.update(renewed_at=timezone.now() - timedelta(seconds=31))
    response = client.post(f"/omartyapis/Auth/{path}/", {"refresh": signed_in["Refresh"]})
    assert envelope(response) == (401, "Token was used already")
    ended = (401, "Session has ended, please sign in again")
    assert envelope(renew(client, pair["Refresh"])) == ended
    assert call(client, pair["Token"]) == 401
    assert new_entries()[-1].refused == "refresh token used twice"


def test_a_token_from_before_the_last_ends_the_session_within_the_grace_too(client, signed_in):
    second = renew(client, signed_in["Refresh"]).json()["data"]
    third = renew(client, second["Refresh"]).json()["data"]
    assert envelope(renew(client, signed_in["Refresh"]))[0] == 401
    assert call(client, third["Token"]) == 401


def test_one_session_ends_and_the_others_go_on(client, signed_in):
    other = sign_in(client, "resident@example.org").json()["data"]
    sign_out(client, signed_in["Refresh"])
    assert [call(client, each["Token"]) for each in (signed_in, other)] == [401, 404]


def test_of_many_uses_at_once_all_get_the_same_pair(live_server, client):
    refresh = sign_in(client, "resident@example.org").json()["data"]["Refresh"]

    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(
                lambda _: post_form(live_server.url + "/omartyapis/Auth/Refresh/", refresh=refresh),
                range(10),
            )
        )
    connection.close()
    assert [answer["status"] for answer in answers] == [200] * 10
    assert len({answer["data"]["Refresh"] for answer in answers}) == 1
    assert len({answer["data"]["Token"] for answer in answers}) == 1


@pytest.mark.parametrize("path", ["Refresh", "Logout"])
def test_what_is_no_refresh_token_is_refused(client, signed_in, path):
    def message(refresh):
        return envelope(client.post(f"/omartyapis/Auth/{path}/", {"refresh": refresh}))

    assert message("") == (406, "Please enter Data (refresh)")
    assert message("x") == (401, "Wrong number of segments")
    assert message(signed_in["Token"]) == (401, "Token is of the wrong kind")
    claims = jwt.decode(signed_in["Refresh"], options={"verify_signature": False})
    forged = jwt.encode(claims, "another-key-another-key-another-key", algorithm="HS256")
    assert message(forged) == (401, "Signature verification failed")


@pytest.mark.parametrize("end", ["password", "ban", "ban and back"])
def test_a_ban_or_a_new_password_ends_refresh_tokens_too(client, signed_in, end):
    user, origin = person("resident"), Origin.of_command("test")
    if end == "password":
        change_password(origin=origin, user=user, password="another password")
    else:
        change_status(origin=origin, user=user, status=Status.BANNED)
    if end == "ban and back":
        change_status(origin=origin, user=user, status=Status.ACTIVE)
    expected = 403 if end == "ban" else 401
    assert renew(client, signed_in["Refresh"]).status_code == expected
    assert call(client, signed_in["Token"]) == expected


# --- Logout ----------------------------------------------------------------------------------------


def test_sign_out_ends_access_and_refresh_token_at_once(client, signed_in, new_entries):
    assert sign_out(client, signed_in["Refresh"]).json() == {"status": 200, "data": "Signed out."}
    assert new_entries()[-1].action == Action.SIGNED_OUT
    ended = (401, "Session has ended, please sign in again")
    assert envelope(renew(client, signed_in["Refresh"])) == ended
    assert call(client, signed_in["Token"]) == 401


def test_a_token_is_stored_nowhere(client, signed_in):
    stored = str([list(model._default_manager.values()) for model in apps.get_models()])
    for token in (signed_in["Refresh"], signed_in["Token"]):
        assert token.split(".")[2] not in stored


# --- Sessions and EndSession -------------------------------------------------------------------------


def sessions(client, token):
    response = client.post("/omartyapis/Auth/Sessions/", headers=bearer(token))
    return list(response.json()["data"].values())


def end(client, token, **fields):
    return client.post("/omartyapis/Auth/EndSession/", fields, headers=bearer(token))


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_a_persons_sessions_are_listed_wherever_they_are(client, signed_in):
    phone = sign_in(client, "01000000002", os="android").json()["data"]
    User.objects.filter(pk=3).update(is_superuser=True)
    agent = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
    typed = {"username": "01000000002", "password": "omarty-demo"}
    Client(headers={"User-Agent": agent}).post("/admin/login/", typed)
    sign_in(client, "01000000003")
    found = sessions(client, phone["Token"])
    assert [(each["place"], each["device"], each["current"]) for each in found] == [
        ("back-office", "Chrome, Windows", False),
        ("app", "android", True),
        ("app", "", False),
    ]
    assert all(abs(each["startedAt"] - timezone.now().timestamp()) < 60 for each in found)


def test_a_session_is_ended_from_another(client, signed_in, new_entries):
    phone = sign_in(client, "01000000002", os="android").json()["data"]
    [lost] = [each for each in sessions(client, phone["Token"]) if not each["current"]]
    answer = end(client, phone["Token"], sessionId=lost["id"])
    assert answer.json() == {"status": 200, "data": "Session ended."}
    assert [call(client, each["Token"]) for each in (signed_in, phone)] == [401, 404]
    assert new_entries()[-1].action == Action.SESSION_ENDED
    again = end(client, phone["Token"], sessionId=lost["id"])
    assert envelope(again) == (404, "Session Not Found.")


def test_a_back_office_session_is_ended_from_the_app(client, signed_in):
    desk = Desk("manager")
    token = sign_in(client, "manager@example.org").json()["data"]["Token"]
    [office] = [each for each in sessions(client, token) if not each["current"]]
    assert desk.page("").status_code == 200
    assert end(client, token, sessionId=office["id"]).status_code == 200
    assert desk.page("").status_code == 302


def test_nobody_ends_anothers_session(client, signed_in):
    other = sign_in(client, "01000000003").json()["data"]["Token"]
    [session] = AppSession.objects.filter(user=3)
    for wanted in (str(session.pk), "x", "0", "-1", "9" * 40):
        assert envelope(end(client, other, sessionId=wanted)) == (404, "Session Not Found.")
    assert envelope(end(client, other)) == (200, "Please enter sessionId.")
    assert call(client, signed_in["Token"]) == 404


@pytest.mark.parametrize("path", ["Sessions", "EndSession"])
def test_sessions_want_a_token(client, path):
    assert envelope(client.post(f"/omartyapis/Auth/{path}/"))[0] == 401


def test_what_has_expired_is_swept(client, signed_in):
    sign_in(client, "01000000003", "wrong")
    past = timezone.now() - timedelta(days=200)
    AppSession.objects.update(renewed_at=past)
    KnownAddress.objects.update(used_at=past)
    EventCount.objects.update(since=past)
    later = sign_in(client, "01000000004").json()["data"]["Token"]
    call_command("clearsessions")
    assert AppSession.objects.count() == 1
    assert KnownAddress.objects.count() == 1
    assert call(client, later) == 404


def test_who_registers_twice_with_one_phone_is_refused_by_the_database(nothing_changed):

    with pytest.raises(IntegrityError), transaction.atomic():
        register_user(
            origin=Origin.of_command("test"), phone="0020 100 000 0002", password="omarty-demo"
        )
    assert nothing_changed()


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9:555", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "", "127.0.0.1"),
        (1, "nonsense", None),
        (1, "fe80::1%" + "z" * 60, "fe80::1"),
    ],
)
def test_the_address_is_believed_as_far_as_our_own_proxies_go(
    client, settings, new_entries, proxies, forwarded, address
):
    settings.PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    form = {"email": "01000000002", "password": "omarty-demo"}
    client.post("/omartyapis/Auth/Login/", form, headers=headers)
    assert new_entries()[0].ip == address


def test_a_superuser_signs_in_to_the_back_office_by_email(client):
    form = {"username": "admin@example.org", "password": "omarty-demo"}
    response = client.post("/admin/login/?next=/admin/", form)
    assert (response.status_code, response.url) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_what_was_typed_as_a_name_is_stored_nowhere_unless_it_is_one(client):
    sign_in(client, "a password in the wrong field", "wrong")
    stored = str([list(model._default_manager.values()) for model in apps.get_models()])
    assert "wrong field" not in stored
