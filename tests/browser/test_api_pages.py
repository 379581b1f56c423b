"""The API pages in a real browser: Authorize works, what is seen is sent, no request leaves the server."""

import json
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from buildings.models import Apartment
from contacts.models import SecondaryPhone
from tests.conftest import App, person

URLENCODED, MULTIPART, JSON = (
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/json",
)


@pytest.fixture
def page(live_server: Any, browser: Browser) -> Iterator[Page]:
    """The API pages of somebody who has authorized as the manager."""
    page = browser.new_page()
    page.set_default_timeout(15_000)
    complaints: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((live_server.url, "data:", "blob:")):
            complaints.append(request.url)

    page.on("request", asked)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(live_server.url + "/omartyapis/docs/")
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(App(person("manager")).token)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").click()
    yield page
    page.close()
    assert complaints == []


def opened(page: Page, path: str) -> Locator:
    call = page.locator(".opblock", has_text=f"/omartyapis/{path}/")
    call.locator(".opblock-summary-control").click()
    return call


def execute(call: Locator) -> Request:
    with call.page.expect_request(lambda request: request.method == "POST") as asked:
        call.get_by_role("button", name="Execute").click()
    expect(call.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    return asked.value


def seen(call: Locator) -> dict[str, str]:
    """The fields as the page shows them, but the empty ones."""
    text = call.locator("textarea.body-param__text")
    if text.count():
        found = json.loads(text.input_value())
    else:
        rows = call.locator(".opblock-section-request-body tr[data-property-name]").all()
        found = {
            row.get_attribute("data-property-name"): row.locator(
                "select, input[type=text]"
            ).first.input_value()
            for row in rows
        }
    return {name: str(value) for name, value in found.items() if value != ""}


def sent(request: Request) -> dict[str, str]:
    """The fields of the request's body."""
    kind = request.headers["content-type"]
    body = request.post_data_buffer or b""
    if kind.startswith(JSON):
        found = json.loads(body)
    elif kind.startswith(URLENCODED):
        found = dict(parse_qsl(body.decode()))
    else:
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        parts = [each for each in message_from_bytes(head + body).walk() if not each.is_multipart()]
        found = {_name(each): each.get_payload() for each in parts}
    return {name: str(value) for name, value in found.items() if value != ""}


def _name(part: Message) -> str:
    return str(part.get_param("name", header="content-disposition"))


def edit(call: Locator, field: str, value: str) -> None:
    text = call.locator("textarea.body-param__text")
    if text.count():
        text.fill(json.dumps(json.loads(text.input_value()) | {field: value}))
    else:
        call.locator(f"tr[data-property-name={field}] input[type=text]").fill(value)


# In these orders: T tries it out, C cancels that, E executes, 1 to 3 edits a field so, and a type is chosen.
ORDERS = [
    ["T", "E", MULTIPART, "E", JSON, "E", URLENCODED, "E"],
    [MULTIPART, "T", "E", "1", URLENCODED, "E"],
    [JSON, "T", "E", MULTIPART, "E", JSON, "E"],
    ["T", "1", MULTIPART, "E", "2", JSON, "E", "3", URLENCODED, "E", JSON, MULTIPART, "E"],
    [JSON, "T", "1", MULTIPART, "E", "C", JSON, "T", "2", URLENCODED, "E"],
]


@pytest.mark.parametrize(
    ("path", "field", "values"),
    [
        ("Create", "aptNum", ["101", "102", "103", "104"]),
        ("Update", "phoneNumber", ["01122334455", "01122334456", "01122334457", "01122334458"]),
    ],
)
def test_in_every_order_of_type_and_edit_what_is_seen_is_sent(page, path, field, values):
    address = page.url
    for order in ORDERS:
        # By way of another page: the address remembers which call was open.
        page.goto("about:blank")
        page.goto(address)
        call = opened(page, path)
        expected, kind = values[0], URLENCODED
        for step in order:
            if step == "T":
                call.get_by_role("button", name="Try it out").click()
            elif step == "C":
                call.get_by_role("button", name="Cancel").click()
            elif step == "E":
                shown = seen(call)
                request = execute(call)
                assert request.headers["content-type"].startswith(kind), order
                assert sent(request) == shown, order
                assert shown[field] == expected, order
                assert shown["blockId"] == "1", order
            elif step.isdigit():
                expected = values[int(step)]
                edit(call, field, expected)
            else:
                kind = step
                call.get_by_label("Request content type").select_option(kind)
    if path == "Create":
        written = Apartment.objects.filter(block_id=1, number__gt=100).values_list(
            "number", flat=True
        )
        assert set(written) == {int(value) for value in values}
    else:
        typed = SecondaryPhone.objects.filter(user=person("manager")).values_list(
            "typed", flat=True
        )
        assert set(typed) == set(values)


def test_a_field_that_is_taken_out_of_the_json_is_empty_in_the_form(page):
    call = opened(page, "Create")
    call.get_by_label("Request content type").select_option(JSON)
    call.get_by_role("button", name="Try it out").click()
    text = call.locator("textarea.body-param__text")
    text.fill('{"api": "CreateApartment", "floorNum": 0, "aptNum": 101, "longitude": 31.25}')
    call.get_by_label("Request content type").select_option(MULTIPART)
    expected = {"api": "CreateApartment", "floorNum": "0", "aptNum": "101", "longitude": "31.25"}
    assert seen(call) == expected
    assert sent(execute(call)) == expected
    # What is no object cannot be a form: the examples stand there again, and are sent.
    call.get_by_label("Request content type").select_option(JSON)
    text.fill("[")
    call.get_by_label("Request content type").select_option(URLENCODED)
    assert seen(call)["floorNum"] == "1"
    shown = seen(call)
    assert sent(execute(call)) == shown
