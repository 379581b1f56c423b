"""The API pages in a real browser: Authorize works, and no request leaves the server."""

from playwright.sync_api import expect

from buildings.models import Apartment
from tests.conftest import App, person


def test_who_authorizes_can_try_a_call(live_server, browser):
    token = App(person("manager")).token
    page = browser.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(live_server.url + "/omartyapis/docs/")
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(token)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").click()
    call = page.locator(".opblock", has_text="/omartyapis/Create/")
    call.locator(".opblock-summary-control").click()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    expect(call.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(call.locator(".live-responses-table")).to_contain_text("Apartment registered.")
    page.close()
    assert Apartment.objects.filter(block_id=1, number=101, floor=1).exists()
    elsewhere = [url for url in asked if not url.startswith((live_server.url, "data:", "blob:"))]
    assert elsewhere == []
    assert complaints == []
