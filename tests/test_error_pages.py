"""Where there is no page for somebody they read why, in their language, with the number of their request."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.utils.translation import gettext, override

from omarty import urls
from tests.backoffice import Desk

AR = {"accept-language": "ar"}
TITLES = {
    400: "Not understood",
    403: "Not allowed",
    404: "Page not found",
    405: "Not possible like this",
    413: "Too large",
    500: "Something went wrong",
}


def explained(answer: Any, status: int, language: str = "en") -> str:
    """The page's text, which must be whole."""
    text = str(answer.content.decode())
    assert answer.status_code == status
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in text
    with override(language):
        title = gettext(TITLES[status])
    assert f"<h1>{title}</h1>" in text and (language == "en" or title != TITLES[status])
    assert 'class="button" href="/admin/"' in text
    assert str(uuid.UUID(answer["X-Request-ID"])) in text
    return text


@pytest.fixture
def stranger() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_each_error_has_its_page(stranger, language):
    headers = {"accept-language": language}
    desk = Desk("manager", language)
    explained(stranger.get("/nowhere/", headers=headers), 404, language)
    explained(desk.page("nowhere/"), 404, language)
    explained(desk.page("buildings/membership/add/"), 403, language)
    explained(desk.page("buildings/apartment/", q="x" * 201), 400, language)
    explained(stranger.get("/", headers=headers | {"Host": "evil.example"}), 400, language)
    explained(desk.page("logout/"), 405, language)
    explained(stranger.post("/healthz", headers=headers), 405, language)
    large = {"CONTENT_LENGTH": str(2 << 20), "headers": headers}
    assert "1 " in explained(stranger.post("/nowhere/", **large), 413, language)


def test_the_language_chosen_on_a_page_counts(stranger):
    stranger.post("/language/", {"language": "ar", "next": "/"})
    explained(stranger.get("/nowhere/"), 404, "ar")


def test_no_error_speaks_the_language_of_the_request_before(stranger):
    stranger.get("/admin/login/", headers=AR)
    explained(stranger.get("/", headers={"Host": "evil.example"}), 400)


def broken(*_arguments: Any) -> Any:
    raise RuntimeError("the database is gone")


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_fault_of_ours_has_a_page_that_needs_no_database(stranger, settings, language):
    settings.ROOT_URLCONF = "tests.test_error_pages"
    with CaptureQueriesContext(connection) as asked:
        answer = stranger.get("/broken/", headers={"accept-language": language})
    text = explained(answer, 500, language)
    assert "gone" not in text and len(asked) == 0


def test_where_its_page_fails_too_a_fault_still_has_an_answer(stranger, settings):
    settings.ROOT_URLCONF = "tests.test_error_pages"
    manifest = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    with override_settings(STORAGES=settings.STORAGES | {"staticfiles": manifest}, DEBUG=False):
        answer = stranger.get("/broken/")
    assert answer.status_code == 500 and b"Something went wrong" in answer.content


def test_the_app_keeps_its_envelopes(stranger):
    assert stranger.get("/omartyapis/nowhere/").json() == {"status": 404, "message": "Not found."}
    answer = stranger.get("/omartyapis/nowhere/", headers={"Host": "evil.example"})
    assert answer.json()["status"] == 400


urlpatterns = [path("broken/", broken), *urls.urlpatterns]
handler500 = urls.handler500
