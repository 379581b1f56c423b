"""The back-office as a browser has it: a signed-in client, and forms that are read before they are sent."""

from html.parser import HTMLParser
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client

from contacts.models import User


class Desk(Client):
    """A person at the back-office."""

    def __init__(self, name: str, language: str = "en") -> None:
        super().__init__(headers={"accept-language": language})
        self.person = User.objects.get(email=f"{name}@example.org")
        self.force_login(self.person, "contacts.authentication.PrimaryContactBackend")

    def page(self, path: str, **query: Any) -> Any:
        """GET a page below /admin/."""
        return self.get(f"/admin/{path}", query)

    def text(self, path: str, **query: Any) -> str:
        """A page as text; it must be there."""
        response = self.page(path, **query)
        assert response.status_code == 200, (path, response.status_code)
        return str(response.content.decode())

    def rows(self, path: str, **query: Any) -> list[int]:
        """The ids that a list shows, in its order."""
        return [row.pk for row in self.page(path, **query).context["cl"].result_list]

    def send(self, path: str, **typed: Any) -> Any:
        """Open the page's form, type these into it, and send it."""
        return self.resend(path, self.page(path), **typed)

    def resend(self, path: str, opened: Any, **typed: Any) -> Any:
        """Type into a form that was opened before, and send it."""
        return self.post(f"/admin/{path}", fields_of(opened) | typed)


def fields_of(response: Any) -> dict[str, Any]:
    """What a browser would send from the page's own form, as it was served."""
    assert response.status_code == 200, response
    reader = _Fields()
    reader.feed(response.content.decode())
    return reader.values


def told(response: Any) -> str:
    """The messages that the answer leaves for the next page."""
    return "\n".join(str(message) for message in get_messages(response.wsgi_request))


class _Fields(HTMLParser):
    """Reads the values of the form with the most fields: the others are search, language, sign-out."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = [{}]
        self.select = ""
        self.textarea = ""

    @property
    def values(self) -> dict[str, Any]:
        return max(self.forms, key=len)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name = given.get("name") or ""
        if tag == "form":
            self.forms.append({})
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in given:
            self.forms[-1][self.select] = given.get("value") or ""
        elif tag == "textarea":
            self.textarea = name
            self.forms[-1][name] = ""
        elif tag == "input" and name:
            self._input(name, given)

    def _input(self, name: str, given: dict[str, str | None]) -> None:
        kind = given.get("type", "text")
        if kind == "submit" or (kind in {"checkbox", "radio"} and "checked" not in given):
            return
        ticked = "on" if kind == "checkbox" else ""
        self.forms[-1][name] = given.get("value") or ticked

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.forms[-1][self.textarea] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.textarea = ""
