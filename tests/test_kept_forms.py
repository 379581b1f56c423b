"""What somebody typed is kept where it cannot be taken, and sent again by whoever typed it."""

import logging
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from audit.operations import Origin
from buildings.models import Apartment, Membership, Role
from contacts.models import BackofficeSession, RequiredOf
from contacts.second_factor import require
from tests.backoffice import fields_of
from tests.test_second_factor import code, has, key_of

PASSWORD = "omarty-demo"
UNIT = "/admin/buildings/apartment/2/change/"
OURS = {"Origin": "http://testserver"}
NAME, REASON = "روضة & <b>2</b>", "counted wrong"


class Browser(Client):
    """A browser: its forms have tokens that are checked, and it says from which page they come."""

    def __init__(self, language: str = "en") -> None:
        super().__init__(enforce_csrf_checks=True, headers={"accept-language": language})

    def sign_in(self, name: str = "manager") -> Any:
        typed = {"username": f"{name}@example.org", "password": PASSWORD}
        answer = self.send("/admin/login/", form(self.get("/admin/login/")) | typed)
        assert answer.status_code == 302
        return answer

    def sign_out(self) -> None:
        token = form(self.get(UNIT))["csrfmiddlewaretoken"]
        assert self.send("/admin/logout/", {"csrfmiddlewaretoken": token}).status_code == 200

    def send(self, path: str, typed: Any, **headers: str) -> Any:
        return self.post(path, typed, headers=OURS | headers)


def form(page: Any) -> dict[str, Any]:
    """The fields of a page's largest form, whatever the page's status."""
    page.status_code = 200
    return fields_of(page)


def typed_by(browser: Browser) -> dict[str, Any]:
    return form(browser.get(UNIT)) | {"name": NAME, "reason": REASON}


def signing_in(page: Any, name: str = "manager", password: str = PASSWORD) -> dict[str, Any]:
    typed = {"sign_in-username": f"{name}@example.org", "sign_in-password": password}
    return form(page) | typed


def end_sessions() -> None:
    BackofficeSession.objects.all().delete()


def stored() -> tuple[str, int | None]:
    unit = Apartment.objects.get(pk=2)
    return unit.name, unit.floor


@pytest.fixture
def browser() -> Browser:
    opened = Browser()
    opened.sign_in()
    return opened


@pytest.fixture
def second_manager() -> None:
    """resident@example.org manages the block too."""
    Membership.objects.filter(user=3).update(role=Role.MANAGER)


# --- a session that ended -----------------------------------------------------------------------------


def test_what_was_typed_when_the_session_ended_is_sent_by_signing_in(browser, new_entries):
    typed = typed_by(browser)
    end_sessions()
    page = browser.send(UNIT, typed)
    assert (page.status_code, page["Cache-Control"].count("no-store")) == (403, 1)
    assert "Your session has ended" in page.content.decode()
    kept = form(page)
    assert (kept["name"], kept["reason"], stored()) == (NAME, REASON, ("", 0))
    answer = browser.send(UNIT, signing_in(page))
    assert (answer.status_code, answer["Location"]) == (302, "/admin/buildings/apartment/")
    assert stored() == (NAME, 0)
    actions = [(line.action, line.actor_id, line.reason) for line in new_entries()]
    assert actions == [("user.signed_in", 2, ""), ("apartment.changed", 2, REASON)]
    assert browser.get("/admin/").status_code == 200


def test_after_a_wrong_password_it_is_still_there(browser):
    typed = typed_by(browser)
    end_sessions()
    page = browser.send(UNIT, typed)
    again = browser.send(UNIT, signing_in(page, password="not-it"))
    assert "Wrong e-mail, phone or password." in again.content.decode()
    assert stored() == ("", 0)
    assert browser.send(UNIT, signing_in(again)).status_code == 302
    assert stored() == (NAME, 0)


def test_too_many_wrong_passwords_are_named_there_too(browser):
    typed = typed_by(browser)
    end_sessions()
    page = browser.send(UNIT, typed)
    for _ in range(10):
        browser.send(UNIT, signing_in(page, password="not-it"))
    paused = browser.send(UNIT, signing_in(page))
    assert (paused.status_code, form(paused)["name"]) == (429, NAME)
    assert paused["Retry-After"]


def test_another_person_who_signs_in_is_asked_first(browser, second_manager, new_entries):
    typed = typed_by(browser)
    end_sessions()
    page = browser.send(UNIT, typed)
    asked = browser.send(UNIT, signing_in(page, "resident"))
    shown = asked.content.decode()
    assert asked.status_code == 200 and "may have been typed by somebody else" in shown
    assert "<dd" in shown and "روضة &amp; &lt;b&gt;2&lt;/b&gt;</dd>" in shown
    assert stored() == ("", 0)
    assert not any(NAME in str(row.get_decoded()) for row in BackofficeSession.objects.all())
    assert browser.send(UNIT, form(asked)).status_code == 302
    assert stored() == (NAME, 0)
    assert new_entries()[-1].actor_id == 3


def test_of_whoever_signed_in_with_a_code_the_forms_are_theirs_alone(browser, second_manager):
    _desk, key, _codes = has("resident")
    browser.sign_out()
    browser.sign_in("resident")
    page = form(browser.get("/admin/login/code/"))
    assert (
        browser.send("/admin/login/code/", page | {"code": code(key, steps=1)}).status_code == 302
    )
    typed = typed_by(browser)
    end_sessions()
    asked = browser.send(UNIT, signing_in(browser.send(UNIT, typed), "manager"))
    assert "may have been typed by somebody else" in asked.content.decode()
    assert stored() == ("", 0)


def test_what_was_typed_waits_while_a_second_factor_is_set_up(browser):
    typed = typed_by(browser)
    require(origin=Origin.of_command("test"), of=RequiredOf.STAFF)
    page = browser.send(UNIT, typed)
    waits = browser.send(UNIT, signing_in(page))
    shown = waits.content.decode()
    assert waits.status_code == 200 and "First set up a second factor" in shown
    assert 'href="/admin/second-factor/" target="_blank"' in shown and NAME[:4] in shown
    assert stored() == ("", 0)
    set_up = browser.get("/admin/second-factor/")
    proof = {"code": code(key_of(set_up)), "password": PASSWORD}
    browser.send("/admin/second-factor/", form(set_up) | proof)
    assert browser.send(UNIT, form(waits)).status_code == 302
    assert stored() == (NAME, 0)


def test_no_code_is_kept(browser):
    secret = "ABCD-EFGH-IJKL"
    token = {
        "csrfmiddlewaretoken": form(browser.get("/admin/second-factor/"))["csrfmiddlewaretoken"]
    }
    end_sessions()
    page = browser.send("/admin/second-factor/", token | {"code": secret, "password": PASSWORD})
    assert secret not in page.content.decode()
    old = browser.send("/admin/login/code/", {"csrfmiddlewaretoken": "x" * 64, "code": secret})
    assert old.status_code == 403
    assert (
        secret not in old.content.decode() and 'href="/admin/login/code/"' in old.content.decode()
    )


def test_where_it_is_unknown_who_typed_it_nothing_is_sent_by_itself(browser):
    typed = typed_by(browser)
    end_sessions()
    for cookie in ("", "2", "2:1abc:forged"):
        browser.cookies["person"] = cookie
        page = browser.send(UNIT, typed | form(browser.send(UNIT, typed)))
        asked = browser.send(UNIT, signing_in(page))
        assert (asked.status_code, stored()) == (200, ("", 0)), cookie
        end_sessions()
        typed["csrfmiddlewaretoken"] = form(browser.get("/admin/login/"))["csrfmiddlewaretoken"]


def test_who_may_not_come_in_sends_nothing(browser):
    typed = typed_by(browser)
    end_sessions()
    refused = browser.send(UNIT, signing_in(browser.send(UNIT, typed), "partner"))
    assert "for managers and board members" in refused.content.decode()
    assert stored() == ("", 0)


def test_no_password_or_file_is_kept(browser):
    opened = form(browser.get("/admin/buildings/apartment/import/"))
    end_sessions()
    file = SimpleUploadedFile("units.csv", b"number,floor\n91,3\n")
    page = browser.send("/admin/buildings/apartment/import/", opened | {"import_file": file})
    assert "choose it again" in page.content.decode()
    assert "91,3" not in page.content.decode()
    change = "/admin/password_change/"
    token = {"csrfmiddlewaretoken": form(page)["csrfmiddlewaretoken"]}
    typed = token | {"old_password": "old-secret-1", "new_password1": "new-secret-2"}
    page = browser.send(change, typed)
    assert "secret" not in page.content.decode()
    # With nothing to send, sign-in leads to the form.
    assert browser.send(change, signing_in(page))["Location"] == change


def test_more_than_can_be_sent_again_is_told_at_once(browser):
    token = {"csrfmiddlewaretoken": form(browser.get(UNIT))["csrfmiddlewaretoken"]}
    end_sessions()
    for much in ({f"f{n}": "" for n in range(951)}, {"name": "x" * 600_000}):
        page = browser.send(UNIT, token | much)
        assert "more than can be kept" in page.content.decode()
        assert len(page.content) < 20_000
    assert browser.send(UNIT, signing_in(page))["Location"] == UNIT


def test_signing_out_without_a_session_asks_for_nothing(browser):
    token = {"csrfmiddlewaretoken": form(browser.get(UNIT))["csrfmiddlewaretoken"]}
    end_sessions()
    assert browser.send("/admin/logout/", token)["Location"] == "/admin/"


def test_nothing_typed_stands_in_an_address_or_a_log(browser, caplog):
    typed = typed_by(browser)
    end_sessions()
    with caplog.at_level(logging.INFO):
        page = browser.send(UNIT, typed)
        wrong = browser.send(UNIT, typed | {"csrfmiddlewaretoken": "x" * 32})
        sent = browser.send(UNIT, signing_in(page))
    assert (wrong.status_code, sent.status_code, len(caplog.messages)) == (403, 302, 2)
    for word in (NAME, REASON, PASSWORD):
        assert word not in caplog.text and word not in sent["Location"]


# --- a form whose token does not fit ----------------------------------------------------------------


def test_an_old_form_is_sent_again_by_a_button(browser):
    typed = typed_by(browser)
    browser.sign_out()
    browser.sign_in()
    page = browser.send(UNIT, typed)
    assert (page.status_code, stored()) == (403, ("", 0))
    assert "Send it again" in page.content.decode()
    assert "manager" in page.content.decode().lower()
    assert form(page)["csrfmiddlewaretoken"] != typed["csrfmiddlewaretoken"]
    assert browser.send(UNIT, form(page)).status_code == 302
    assert stored() == (NAME, 0)


def test_the_referer_says_so_where_there_is_no_origin(browser):
    typed = typed_by(browser) | {"csrfmiddlewaretoken": "x" * 32}
    page = browser.post(UNIT, typed, headers={"Referer": "http://testserver/admin/"})
    assert "Send it again" in page.content.decode()


ELSEWHERE: tuple[dict[str, str], ...] = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:81"},
    {"Referer": "https://evil.example/http://testserver/"},
    {"Referer": "http://[/"},
    {"Origin": "https://evil.example", "Referer": "http://testserver/admin/"},
    {},
)


@pytest.mark.parametrize("signed_in", [True, False])
def test_what_another_site_sends_cannot_be_sent_again(browser, signed_in):
    typed = typed_by(browser) | {"csrfmiddlewaretoken": "x" * 32}
    if not signed_in:
        end_sessions()
    for headers in ELSEWHERE:
        page = browser.post(UNIT, typed, headers=headers)
        text = page.content.decode()
        assert page.status_code == 403 and "This was not taken" in text, headers
        assert "Send it again" not in text and "روضة" not in text, headers
    assert stored() == ("", 0)


def test_the_sign_in_page_takes_nothing_without_a_token_either(browser, new_entries):
    typed = typed_by(browser)
    end_sessions()
    sent = signing_in(browser.send(UNIT, typed)) | {"csrfmiddlewaretoken": "x" * 32}
    before = len(new_entries())
    answer = browser.send(UNIT, sent)
    assert (answer.status_code, form(answer)["name"]) == (403, NAME)
    assert PASSWORD not in answer.content.decode()
    assert (stored(), len(new_entries())) == (("", 0), before)


def test_an_old_form_without_a_session_is_confirmed_after_sign_in(browser):
    """Somebody else may have signed in since it was opened."""
    typed = typed_by(browser)
    browser.sign_out()
    browser.sign_in()
    end_sessions()
    page = browser.send(UNIT, typed)
    asked = browser.send(UNIT, signing_in(page))
    assert (asked.status_code, stored()) == (200, ("", 0))
    assert browser.send(UNIT, form(asked)).status_code == 302
    assert stored() == (NAME, 0)


def test_an_old_page_of_an_invitation_says_that_passwords_are_typed_again():
    browser = Browser()
    typed = {"new_password1": "palm-garden-71", "new_password2": "palm-garden-71"}
    page = browser.send("/invitation/unknown/", typed)
    assert page.status_code == 403 and "Passwords and codes are not kept" in page.content.decode()
    assert "palm-garden" not in page.content.decode()
    assert page["Referrer-Policy"] == "strict-origin"


# --- sign-in in two tabs --------------------------------------------------------------------------


def test_in_the_second_tab_one_goes_on(browser):
    other = Browser()
    first, second = (form(other.get(f"/admin/login/?next={UNIT}")) for _ in range(2))
    typed = {"username": "manager@example.org", "password": PASSWORD}
    assert other.send("/admin/login/", first | typed).status_code == 302
    page = other.send("/admin/login/", second | typed)
    assert page.status_code == 403
    assert "You are signed in already" in page.content.decode()
    assert f'href="{UNIT}">Go on' in page.content.decode()


def test_it_leads_to_no_address_but_ours(browser):
    for leads_to in ("//evil.example", "https://evil.example/", "javascript:evil", "/\\evil"):
        page = browser.send("/admin/login/", {"next": leads_to})
        assert "You are signed in already" in page.content.decode()
        assert "evil" not in page.content.decode()


def test_an_old_sign_in_page_keeps_the_name_and_says_if_cookies_are_off():
    browser = Browser()
    typed = {"username": "manager@example.org", "password": PASSWORD, "next": UNIT}
    page = browser.send("/admin/login/", typed)
    assert "kept no cookie" in page.content.decode()
    assert PASSWORD not in page.content.decode()
    kept = form(page)
    assert (kept["username"], kept["next"]) == ("manager@example.org", UNIT)
    page = browser.send("/admin/login/", typed | {"csrfmiddlewaretoken": "x" * 32})
    assert "was open for long" in page.content.decode()
    answer = browser.send(
        "/admin/login/",
        form(page) | typed | {"csrfmiddlewaretoken": form(page)["csrfmiddlewaretoken"]},
    )
    assert answer["Location"] == UNIT


def test_a_part_that_is_not_what_it_says_is_refused_as_any_form_without_its_token():
    body = (
        '--x\r\nContent-Disposition: form-data; name="a"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\na\r\n--x--\r\n"
    )
    browser = Client(enforce_csrf_checks=True)
    browser.cookies["csrftoken"] = "a" * 32
    for path in ("/admin/login/", "/language/", "/admin/nowhere/"):
        kind = "multipart/form-data; boundary=x"
        answer = browser.generic("POST", path, body, content_type=kind)
        assert 400 <= answer.status_code < 500, path
