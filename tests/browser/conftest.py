"""A real Chromium at the back-office; left out where Debian's is not installed."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# Playwright runs an event loop in the test's thread; the ORM is used beside it, never inside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = shutil.which("chromium")
# Without it these tests are not collected, and `make test` says so.
collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]
if os.environ["DATABASE_URL"].startswith("mysql:"):
    # What a browser shows is the same on any database: of these, a manager's day runs on both.
    collect_ignore_glob.append("test_[!j]*.py")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDE, NARROW = (1280, 800), (390, 844)
LOCALES = {"en": "en-GB", "ar": "ar-EG"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield running
        running.close()


class Window:
    """A browser window of one language and size, at one server.

    It collects what must not happen: requests to elsewhere, errors of scripts, and whatever the
    Content-Security-Policy blocked.
    """

    def __init__(self, page: Page, server: str, language: str) -> None:
        self.page = page
        self.server = server
        self.language = language
        self.faults: list[str] = []
        page.on("request", self._request)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("response", self._response)

    def open(self, path: str) -> Page:
        """Go to a page below /admin/, and look whether it fits."""
        self.page.goto(f"{self.server}/admin/{path}")
        self.look()
        return self.page

    def look(self) -> None:
        """The page is in its language and direction, and nothing sticks out sideways."""
        direction = "rtl" if self.language == "ar" else "ltr"
        html = self.page.locator("html")
        assert html.get_attribute("lang") == self.language
        assert html.get_attribute("dir") == direction
        wider = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{self.page.url} is {wider} pixels wider than its window"
        assert self.faults == []

    def sign_in(self, name: str) -> None:
        """By whatever the person types there: e-mail or phone."""
        self.open("login/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", "omarty-demo")
        self.page.click("#login-form [type=submit]")
        self.page.wait_for_url(f"{self.server}/admin/")
        self.look()

    def send(self, selector: str = "form .submit-row [type=submit].default") -> None:
        """Press the page's main button and wait for the answer."""
        with self.page.expect_event("load"):
            self.page.locator(selector).first.click()
        self.look()

    def follow(self, selector: str) -> None:
        """Press a link, which a phone may fold away, and wait for its page."""
        self.reach(selector)
        with self.page.expect_event("load"):
            self.page.locator(selector).first.click()
        self.look()

    def reach(self, selector: str) -> int:
        """Unfold what hides it, on a phone; how many presses that takes."""
        folds = self.page.locator(".fold:not([open]) > summary")
        presses = 0
        while not self.page.locator(selector).first.is_visible() and folds.count():
            folds.first.click()
            presses += 1
        return presses

    def unfold(self, folded: str) -> None:
        """Show what a phone folds away; elsewhere it is shown already."""
        summary = self.page.locator(f".fold:has(+ {folded}) > summary")
        if summary.is_visible():
            summary.click()
        assert self.page.locator(folded).is_visible()

    def open_row(self, row: Any) -> None:
        """Show all of a list's row, of which a phone shows two lines."""
        summary = row.locator(".more > summary")
        if summary.is_visible():
            summary.click()

    def picture(self, name: str) -> None:
        """Save what one sees into docs/images, when SCREENSHOTS is set (`make screenshots`)."""
        if os.environ.get("SCREENSHOTS"):
            IMAGES.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=IMAGES / f"{name}.png")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.server, "data:", "blob:")):
            self.faults.append(f"request to {request.url}")

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.faults.append(message.text)

    def _response(self, response: Any) -> None:
        if response.status >= 500:
            self.faults.append(f"{response.status} {response.url}")


@pytest.fixture
def window(browser: Browser, live_server: Any) -> Iterator[Callable[..., Window]]:
    """`window("ar", NARROW)` opens one."""
    contexts = []

    def opened(language: str, size: tuple[int, int] = WIDE, **more: Any) -> Window:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale=LOCALES[language], **more
        )
        contexts.append(context)
        context.set_default_timeout(15_000)
        return Window(context.new_page(), live_server.url, language)

    yield opened
    for context in contexts:
        context.close()
