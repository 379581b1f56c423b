"""Both addresses: the switch, the bodies, the tokens, and whatever else may be thrown at them."""

import gzip
import io
import json
import logging
import socket
import uuid
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from audit.operations import Origin
from contacts.models import AppSession, Status
from contacts.operations import change_password, change_status
from contacts.text import clean
from omarty.api.tokens import Access, Refresh
from omarty.wsgi import application
from tests.conftest import person

BOTH = pytest.mark.parametrize("path", ["Create", "Update"])
URLENCODED = "application/x-www-form-urlencoded"


def envelope(response):
    """The answer's status and message, in the one shape that a refusal has."""
    body = response.json()
    assert response["Content-Type"] == "application/json"
    assert list(body) == ["status", "message"]
    assert body["status"] == response.status_code
    return body["status"], body["message"]


# --- the switch ------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    "api", ["Foo", "update", "__class__", "answer", "Create Apartment", "é", " Foo "]
)
def test_an_unknown_api_is_refused_by_name(manager, nothing_changed, path, api):
    expected = (404, f"Method {path}::{api}() does not exist")
    assert envelope(manager.post(path, {"api": api})) == expected
    assert nothing_changed()


@BOTH
def test_a_missing_or_empty_api_is_an_unknown_one(manager, path):
    for fields in ({}, {"api": ""}, {"api": "  "}, {"aptNum": 1}):
        assert envelope(manager.post(path, fields)) == (404, f"Method {path}::() does not exist")


@BOTH
def test_a_long_api_is_cut_at_64_characters(manager, path):
    expected = (404, f"Method {path}::{'x' * 64}() does not exist")
    assert envelope(manager.post(path, {"api": "x" * 10_000})) == expected


def test_each_address_has_its_own_methods(manager):
    assert envelope(manager.post("Update", {"api": "CreateApartment"}))[0] == 404
    assert envelope(manager.post("Create", {"api": "AddContact"}))[0] == 404


@pytest.mark.parametrize("api", ["createapartment", "CREATEAPARTMENT", "cReAtEaPaRtMeNt"])
def test_case_does_not_matter(manager, api):
    answer = manager.post("Create", {"api": api, "floorNum": 1, "aptNum": 101, "blockId": 1})
    assert answer.json()["data"] == "Apartment registered."


def test_the_last_slash_may_be_left_out(manager):
    response = manager.client.post(
        "/omartyapis/Create",
        {"api": "Foo"},
        headers={"Authorization": f"Bearer {manager.token}"},
    )
    assert envelope(response) == (404, "Method Create::Foo() does not exist")


def test_any_other_address_below_the_apis_answers_in_the_envelope():
    client = Client(enforce_csrf_checks=True)
    for path in ("", "Show/", "Create/more", "Auth/", "Auth/Login/x", "docs"):
        for response in (client.get(f"/omartyapis/{path}"), client.post(f"/omartyapis/{path}")):
            assert envelope(response) == (404, "Not found.")


# --- verbs and bodies --------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("verb", ["get", "put", "patch", "delete", "options"])
def test_only_post_is_answered(manager, path, verb):
    headers = {"Authorization": f"Bearer {manager.token}"}
    response = getattr(manager.client, verb)(f"/omartyapis/{path}/", headers=headers)
    assert envelope(response) == (405, "Only POST is allowed here.")
    assert "POST" in response["Allow"]


@pytest.mark.parametrize("verb", ["post", "options", "delete"])
def test_a_page_about_the_api_says_that_it_is_read(client, verb):
    response = getattr(client, verb)("/omartyapis/schema/")
    assert response.json() == {"status": 405, "message": "Only GET is allowed here."}
    assert response.status_code == 405 and "GET" in response["Allow"]


@BOTH
def test_a_body_of_2_mb_is_refused(manager, path):
    for content_type in (URLENCODED, "application/json", "multipart/form-data; boundary=x"):
        response = manager.post(path, b"api=" + b"x" * 2_000_000, content_type=content_type)
        assert envelope(response) == (413, "Request body is larger than 1 MB.")


@BOTH
@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"\xff\xfe", 400),
        ("application/json", b"[" * 100_000, 400),
        ("application/json", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
        ("application/json", b'{"api": ' + b"9" * 5000 + b"}", 400),
        ("application/json", b"[]", 400),
        ("application/json", b"1", 400),
        ("application/json", b"null", 400),
        ("application/json", b'{"api": NaN}', 400),
        ("application/json", b'{"api": ["AddContact"]}', 404),
        ("application/json", b'{"api": {"a": 1}}', 404),
        ("application/json", b'{"api": true}', 404),
        ("application/json", b'{"api": "\\ud800"}', 404),
        ("application/json", b'{"api": "\\u0000"}', 404),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=x", b"x", 404),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n\r\n--x--", 404),
        ("text/plain", b"api=AddContact", 415),
        ("application/xml", b"<api/>", 415),
        ("nonsense", b"x", 415),
        (URLENCODED, b"api=\xff\xfe", 404),
        (URLENCODED, b"api=%FF%00", 404),
        (URLENCODED, b"%", 404),
        (URLENCODED, b"&".join(b"a%d=1" % each for each in range(2000)), 400),
    ],
)
def test_odd_bodies_are_answered_in_the_envelope(
    manager, nothing_changed, path, content_type, body, status
):
    response = manager.post(path, body, content_type=content_type)
    assert envelope(response)[0] == status
    assert nothing_changed()


FORM = b"api=CreateApartment&floorNum=1&aptNum=101&blockId=1"
OBJECT = b'{"api": "CreateApartment", "floorNum": 1, "aptNum": 101, "blockId": 1}'


def in_parts(header=b"Content-Disposition: form-data; name"):
    fields = (each.split(b"=") for each in FORM.split(b"&"))
    parts = [b"--Aa\r\n" + header + b'="%s"\r\n\r\n%s\r\n' % tuple(each) for each in fields]
    return b"".join(parts) + b"--Aa--\r\n"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/JSON", OBJECT),
        ("APPLICATION/JSON; CHARSET=UTF-8", OBJECT),
        ("Application/Json ;Charset=utf-8", OBJECT),
        ("Application/X-WWW-Form-URLEncoded", FORM),
        ("APPLICATION/X-WWW-FORM-URLENCODED; Charset=UTF-8", FORM),
        ("Multipart/Form-Data; Boundary=Aa", in_parts()),
        ("MULTIPART/FORM-DATA; BOUNDARY=Aa", in_parts()),
        ('multipart/Form-data ; Charset=UTF-8; boundary="Aa"', in_parts()),
        ("multipart/form-data; boundary=Aa", in_parts(b"CONTENT-DISPOSITION: FORM-DATA; NAME")),
        ("multipart/form-data; boundary=Aa", in_parts(b"content-disposition: Form-Data; Name")),
        (
            "multipart/form-data; boundary=Aa",
            in_parts(b"Content-Type: TEXT/Plain\r\nContent-Disposition:form-data;name"),
        ),
    ],
)
def test_the_case_of_a_content_type_does_not_matter(manager, content_type, body):
    answer = manager.post("Create", body, content_type=content_type).json()
    assert answer.get("data") == "Apartment registered.", answer


COMPRESSIONS = ["gzip", "GZip", "deflate", "br", "zstd", "gzip, identity", "nonsense"]


@pytest.mark.parametrize("encoding", COMPRESSIONS)
def test_a_compressed_body_is_refused(manager, nothing_changed, encoding):
    """Also one that could be read as it is: what was meant is not known."""
    for path in ("Create", "Update", "Auth/Login", "Auth/Refresh", "Auth/Sessions"):
        for body in (gzip.compress(OBJECT), OBJECT):
            response = manager.post(
                path,
                body,
                content_type="application/json",
                headers={
                    "Authorization": f"Bearer {manager.token}",
                    "Content-Encoding": encoding,
                },
            )
            assert envelope(response) == (415, "Send the body uncompressed.")
            assert response["Accept-Encoding"] == "identity"
    assert nothing_changed()


def test_identity_is_no_compression(manager):
    headers = {"Authorization": f"Bearer {manager.token}", "Content-Encoding": "Identity"}
    response = manager.post("Create", OBJECT, content_type="application/json", headers=headers)
    assert response.json()["data"] == "Apartment registered."


def test_a_file_where_a_text_belongs(manager, resident, nothing_changed, tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\x00")
    for field in ("floorNum", "aptNum", "blockId", "apartmentId", "longitude", "latitude"):
        fields = {"api": "CreateApartment", "floorNum": 1, "aptNum": 101, "blockId": 1}
        with picture.open("rb") as file:
            answer = envelope(manager.post("Create", fields | {field: file}))
        assert answer == (200, f"Please enter a valid {field}.")
    for field, message in (
        ("phoneNumber", "Phone number is not valid."),
        ("email", "Email is not valid."),
    ):
        fields = {"api": "AddContact", "blockId": 1, "apartmentId": 2}
        with picture.open("rb") as file:
            answer = envelope(resident.post("Update", fields | {field: file}))
        assert answer == (200, {"error": message})
    with picture.open("rb") as file:
        assert envelope(resident.post("Update", {"api": file}))[0] == 404
    assert nothing_changed()


def test_of_a_field_sent_twice_the_last_counts(manager):
    body = "api=Foo&api=CreateApartment&floorNum=x&floorNum=1&aptNum=101&blockId=1"
    response = manager.post("Create", body, content_type=URLENCODED)
    assert response.json()["data"] == "Apartment registered."


def test_json_numbers_are_numbers_and_anything_else_is_not(manager):
    def create(**fields):
        body = {"api": "CreateApartment", "floorNum": 1, "aptNum": 101, "blockId": 1} | fields
        return manager.post("Create", body, content_type="application/json").json()

    for wrong in (1.5, -0.1, 1e300, True, False, [1], {"a": 1}, "1.0", "1e0"):
        assert create(floorNum=wrong)["message"] == "Please enter a valid floorNum."
    # Above 2**53 a number with a point is not the one that was written any more.
    assert create(blockId=2.0**53 + 2)["message"] == "Please enter a valid blockId."
    assert create(floorNum=None)["message"] == "Please enter floorNum."
    assert create(longitude=True)["message"] == "Please enter a valid longitude."
    assert create(longitude=1e300)["message"] == "Please enter a valid longitude."
    assert create(longitude=31.25, latitude=None)["data"] == "Apartment registered."
    # JSON has one kind of number.
    for number, written in enumerate(("1.0", "1e0", "10E-1", "1.000"), start=102):
        body = '{"api": "CreateApartment", "floorNum": %s, "aptNum": %d.0, "blockId": %s}'
        body = body % (written, number, written)
        answer = manager.post("Create", body, content_type="application/json").json()
        assert answer.get("data") == "Apartment registered.", body
    assert create(floorNum=-0.0, aptNum=110.0)["data"] == "Apartment registered."


@pytest.mark.parametrize("odd", ["\x00", "1\x00", "\ufffd", "🏠"])
def test_odd_characters_are_refused_in_every_field(manager, resident, nothing_changed, odd):
    fields = {"floorNum": 1, "aptNum": 101, "blockId": 1}
    for field in ("floorNum", "aptNum", "blockId", "apartmentId", "longitude", "latitude"):
        answer = manager.create(**(fields | {field: odd}))
        assert answer["message"] == f"Please enter a valid {field}."
    for field in ("phoneNumber", "email"):
        answer = resident.add(blockId=1, apartmentId=2, **{field: f"a{odd}"})
        assert "is not valid." in answer["message"]["error"]
    assert nothing_changed()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "floorNum",
            "aptNum",
            "blockId",
            "apartmentId",
            "longitude",
            "latitude",
            "phoneNumber",
            "email",
        ]
    ),
    JSON,
)


@how(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=FIELDS)
def test_whatever_json_holds_the_answer_is_an_envelope(manager, resident, fields):
    for app, path, api in (
        (manager, "Create", "CreateApartment"),
        (resident, "Update", "AddContact"),
    ):
        body = json.dumps({"api": api} | fields)
        response = app.post(path, body, content_type="application/json")
        assert response.status_code in {200, 400, 401, 406}, response.content
        assert response.json()["status"] == response.status_code


@how(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.text(min_size=1), spaces=st.sampled_from(["", " ", "\t", "\u00a0"]))
def test_a_floor_is_an_integer_or_refused_never_guessed(manager, number, spaces):
    answer = manager.create(floorNum=spaces + number + spaces, aptNum=2, blockId=1)
    western = (
        clean(number).strip().translate(str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "0123456789" * 2))
    )
    if not western:
        assert answer["message"] == "Please enter floorNum."
    elif western.lstrip("+-").isascii() and western.lstrip("+-").isdigit() and len(western) < 4:
        assert answer["message"] in {
            "Apartment already registered.",
            "Please enter a valid floorNum.",
        }
    else:
        assert answer["message"] == "Please enter a valid floorNum."


@how(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(floor=st.integers(-20, 200), digits=st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩"]))
def test_every_floor_in_range_is_read_in_western_and_arabic_digits(manager, floor, digits):
    sent = str(floor).translate(str.maketrans("0123456789", digits))
    answer = manager.create(floorNum=sent, aptNum=2, blockId=1)
    assert answer["message"] == "Apartment already registered."


# --- tokens --------------------------------------------------------------------------------------------


def signed(app, key=None, **claims):
    """A token like the app's own, with other claims or another key."""
    token = jwt.decode(app.token, options={"verify_signature": False}) | claims
    return jwt.encode(token, key or settings.JWT_SIGNING_KEY, algorithm="HS256")


@BOTH
@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "Access token not found"),
        ("", "Access token not found"),
        ("Basic bWFuYWdlcjpv", "Access token not found"),
        ("Bearer", "Wrong number of segments"),
        ("Bearer ", "Wrong number of segments"),
        ("Bearer x", "Wrong number of segments"),
        ("Bearer a.b.c", "Wrong number of segments"),
        ("Bearer é.\x01.c", "Wrong number of segments"),
        ("Bearer " + "x" * 20_000, "Wrong number of segments"),
    ],
)
def test_without_a_token_nothing_else_is_looked_at(client, nothing_changed, path, header, message):
    headers = {} if header is None else {"Authorization": header}
    response = client.post(f"/omartyapis/{path}/", {"api": "Foo"}, headers=headers)
    assert envelope(response) == (401, message)
    assert response["WWW-Authenticate"] == "Bearer"
    assert nothing_changed()


def test_tokens_that_are_not_ours_or_not_for_this_are_refused(manager):
    past = int((timezone.now() - timedelta(minutes=1)).timestamp())
    hollow = jwt.encode({"id": "2"}, None, algorithm="none")
    others = AppSession.objects.create(user=person("resident"), token_id="0" * 32)
    refused = {
        signed(manager, key="another-key-another-key-another-key"): "Signature verification failed",
        signed(manager, exp=past): "Expired token",
        signed(manager, token_type="refresh"): "Token is of the wrong kind",
        str(Refresh.of(AppSession.objects.get(user=manager.person))): "Token is of the wrong kind",
        signed(manager, jti=None): "Token is of the wrong kind",
        signed(manager, id="999"): "User not found",
        signed(manager, id="x"): "Token is of the wrong kind",
        signed(manager, id=str(2**64)): "Token is of the wrong kind",
        signed(manager, stamp="x"): "Session has ended, please sign in again",
        signed(manager, session=None): "Session has ended, please sign in again",
        signed(manager, session="x"): "Session has ended, please sign in again",
        signed(manager, session=others.pk): "Session has ended, please sign in again",
        hollow: "Signature verification failed",
    }
    for token, message in refused.items():
        manager.token = token
        assert envelope(manager.post("Create", {"api": "Foo"})) == (401, message)


def test_a_token_without_end_or_id_is_refused(manager):
    claims = jwt.decode(manager.token, options={"verify_signature": False})
    for missing in ("exp", "jti", "token_type", "id"):
        less = {name: value for name, value in claims.items() if name != missing}
        manager.token = jwt.encode(less, settings.JWT_SIGNING_KEY, algorithm="HS256")
        assert envelope(manager.post("Create", {"api": "Foo"}))[0] == 401
        refresh = jwt.encode(
            less | ({"token_type": "refresh"} if missing != "token_type" else {}),
            settings.JWT_SIGNING_KEY,
            algorithm="HS256",
        )
        assert envelope(manager.post("Auth/Refresh", {"refresh": refresh}))[0] == 401


def test_a_token_signed_with_a_former_key_is_still_read(manager):
    manager.token = signed(manager, key=settings.JWT_FORMER_KEYS[0])
    assert envelope(manager.post("Create", {"api": "Foo"}))[0] == 404
    past = int((timezone.now() - timedelta(minutes=1)).timestamp())
    manager.token = signed(manager, key=settings.JWT_FORMER_KEYS[0], exp=past)
    assert envelope(manager.post("Create", {"api": "Foo"})) == (401, "Expired token")


def test_new_tokens_are_signed_with_the_current_key(manager):
    jwt.decode(manager.token, settings.JWT_SIGNING_KEY, algorithms=["HS256"])
    assert str(Access()).count(".") == 2


@pytest.mark.parametrize(
    ("status", "begins"),
    [
        (Status.PENDING, "This email Status is Binding, "),
        (Status.BANNED, "This email is Banned by Omarty Super Admin, "),
    ],
)
def test_a_pending_or_banned_user_is_refused_at_once_and_the_token_stays_dead(
    manager, status, begins
):
    origin = Origin.of_command("test")
    change_status(origin=origin, user=manager.person, status=status)
    code, message = envelope(manager.post("Create", {"api": "Foo"}))
    assert code == 403
    assert message.startswith(begins)
    change_status(origin=origin, user=manager.person, status=Status.ACTIVE)
    assert envelope(manager.post("Create", {"api": "Foo"}))[0] == 401


def test_a_new_password_ends_every_session(manager):
    change_password(origin=Origin.of_command("test"), user=manager.person, password="another one")
    code, message = envelope(manager.post("Create", {"api": "Foo"}))
    assert (code, message) == (401, "Session has ended, please sign in again")


# --- answers -----------------------------------------------------------------------------------------


def test_a_server_error_answers_with_a_request_id_and_writes_nothing(
    manager, commits, caplog, nothing_changed
):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry RENAME TO audit_entry_gone")
    try:
        with caplog.at_level(logging.ERROR, logger="omarty"):
            response = manager.post(
                "Create", {"api": "CreateApartment", "floorNum": 1, "aptNum": 101, "blockId": 1}
            )
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_entry_gone RENAME TO audit_entry")
    status, message = envelope(response)
    assert status == 500
    request_id = response["X-Request-ID"]
    assert uuid.UUID(request_id)
    assert message == f"Server error. Request {request_id}."
    assert request_id in caplog.text
    # The entry could not be written, so neither was the unit (answers.md, Audit).
    assert nothing_changed()


def test_a_long_answer_is_compressed_if_the_app_takes_it(resident):
    for number in range(8):
        resident.add(phoneNumber=f"0112233445{number}", blockId=1, apartmentId=2)
    headers = {"Authorization": f"Bearer {resident.token}", "Accept-Encoding": "gzip, deflate, br"}
    fields = {"api": "AddContact", "blockId": 1, "apartmentId": 2}
    response = resident.post("Update", fields, headers=headers)
    assert response["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(response.content))["message"]["error"] == "No Data Inserted."


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "*/*"])
@pytest.mark.parametrize("language", ["ar", "en", "xx"])
def test_answers_are_json_and_english_whatever_is_accepted(manager, accept, language):
    headers = {
        "Authorization": f"Bearer {manager.token}",
        "Accept": accept,
        "Accept-Language": language,
    }
    assert envelope(manager.post("Create", {"api": "Foo"}, headers=headers))[0] == 404
    response = manager.post("Create", b"{", content_type="application/json", headers=headers)
    assert envelope(response)[1] == "The request could not be read."


# --- what only a real connection can send -------------------------------------------------------


@pytest.fixture
def raw(live_server):
    """Sends bytes to the server and gives back the whole answer, or nothing."""

    def raw(sent, close=False):
        host, port = live_server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            return b"" if close else b"".join(iter(lambda: connection.recv(65536), b""))

    return raw


@pytest.mark.parametrize("close", [False, True])
def test_of_a_body_cut_off_on_the_way_nothing_is_believed(raw, manager, nothing_changed, close):
    body = b"api=CreateApartment&floorNum=1&blockId=1&aptNum=781"
    head = (
        f"POST /omartyapis/Create/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Authorization: Bearer {manager.token}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: {URLENCODED}\r\n\r\n"
    ).encode()
    answer = raw(head + body[:-1], close=close)
    assert close or b'{"status":400,"message":"The request could not be read."}' in answer
    assert nothing_changed()
    assert b"Apartment registered." in raw(head + body)


@pytest.mark.parametrize("charset", ["punycode", "idna", "nonsense", "utf-16"])
def test_a_charset_that_is_none_for_text_is_answered_in_the_envelope(raw, manager, charset):
    body = b"api=Foo\xff%ff&blockId=1"
    head = (
        f"POST /omartyapis/Create/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Authorization: Bearer {manager.token}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: {URLENCODED}; charset={charset}\r\n\r\n"
    ).encode()
    assert b'{"status":40' in raw(head + body)


def test_a_content_type_that_cannot_be_read_is_an_unknown_one(manager, commits):
    answered = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/omartyapis/Create/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_LENGTH": "3",
        "CONTENT_TYPE": "text/plain; x*=foo''bar",
        "HTTP_AUTHORIZATION": f"Bearer {manager.token}",
        "wsgi.input": io.BytesIO(b"a=b"),
        "wsgi.url_scheme": "http",
    }
    body = b"".join(application(environ, lambda status, headers: answered.append(status)))
    assert answered == ["415 Unsupported Media Type"]
    assert json.loads(body) == {"status": 415, "message": "Send a form or JSON."}
