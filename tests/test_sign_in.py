"""Login, Refresh and Logout: `POST /omartyapis/Auth/…/`."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import bcrypt
import jwt
import pytest
from axes.models import AccessAttempt
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from audit.models import Action
from audit.operations import Origin
from contacts.models import SecondaryEmail, Status, User
from contacts.operations import change_password, change_status, register_user
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
def test_pending_and_banned_are_told_only_to_who_knows_the_password(client, new_entries, status):
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


def test_a_malformed_location_is_refused(client):
    answer = sign_in(client, "01000000002", longitude="x").json()
    assert answer == {"status": 200, "message": "Please enter a valid longitude."}


def test_after_ten_wrong_passwords_sign_in_pauses_for_that_name_and_address(client, new_entries):
    for _ in range(9):
        assert sign_in(client, "01000000002", "wrong").status_code == 401
    # Another spelling of the same phone counts as the same name.
    sign_in(client, "+201000000002", "wrong")
    response = sign_in(client, "01000000002")
    assert envelope(response)[0] == 429
    assert response["Retry-After"] == "900"
    assert new_entries()[-1].refused == "too many attempts"
    assert sign_in(client, "01000000003").status_code == 200
    assert (
        client.post(
            "/omartyapis/Auth/Login/",
            {"email": "01000000002", "password": "omarty-demo"},
            REMOTE_ADDR="192.0.2.7",
        ).json()["data"]["Data"]["id"]
        == "3"
    )


def test_a_right_password_forgets_the_wrong_ones_before(client):
    for _ in range(2):
        for _ in range(9):
            sign_in(client, "01000000002", "wrong")
        assert sign_in(client, "01000000002").status_code == 200


def test_a_refused_sign_in_takes_as_long_whoever_is_registered(client):
    """No time limit: medians of the kinds of refusal, compared with each other."""
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


def test_a_refresh_token_serves_once(client, signed_in):
    assert renew(client, signed_in["Refresh"]).status_code == 200
    assert envelope(renew(client, signed_in["Refresh"])) == (401, "Token was used already")
    assert envelope(sign_out(client, signed_in["Refresh"])) == (401, "Token was used already")


def test_of_many_uses_at_once_one_succeeds(live_server, client):
    refresh = sign_in(client, "resident@example.org").json()["data"]["Refresh"]

    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(
                lambda _: post_form(live_server.url + "/omartyapis/Auth/Refresh/", refresh=refresh),
                range(10),
            )
        )
    connection.close()
    assert sorted(answer["status"] for answer in answers) == [200] + [401] * 9


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


def test_sign_out_ends_the_refresh_token(client, signed_in, new_entries):
    assert sign_out(client, signed_in["Refresh"]).json() == {"status": 200, "data": "Signed out."}
    assert new_entries()[-1].action == Action.SIGNED_OUT
    assert envelope(renew(client, signed_in["Refresh"])) == (401, "Token was used already")


def test_a_live_refresh_token_is_kept_nowhere(client, signed_in):

    assert not OutstandingToken.objects.exists()


def test_who_registers_twice_with_one_phone_is_refused_by_the_database(nothing_changed):

    with pytest.raises(IntegrityError), transaction.atomic():
        register_user(
            origin=Origin.of_command("test"), phone="0020 100 000 0002", password="omarty-demo"
        )
    assert nothing_changed()


@pytest.mark.parametrize(
    ("proxies", "forwarded", "stored"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9:555", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "", "127.0.0.1"),
        (1, "nonsense", None),
        (1, "fe80::1%" + "z" * 60, "fe80::1"),
    ],
)
def test_the_address_is_believed_as_far_as_our_own_proxies_go(
    client, settings, new_entries, proxies, forwarded, stored
):
    settings.PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    form = {"email": "01000000002", "password": "omarty-demo"}
    client.post("/omartyapis/Auth/Login/", form, headers=headers)
    assert new_entries()[0].ip == stored


def test_a_superuser_signs_in_to_the_back_office_by_email(client):
    form = {"username": "admin@example.org", "password": "omarty-demo"}
    response = client.post("/admin/login/?next=/admin/", form)
    assert (response.status_code, response.url) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


def test_what_was_typed_as_a_name_is_kept_nowhere_unless_it_is_one(client):
    sign_in(client, "a password in the wrong field", "wrong")
    [attempt] = AccessAttempt.objects.all()
    assert "wrong" not in f"{attempt.username}{attempt.post_data}{attempt.get_data}"
