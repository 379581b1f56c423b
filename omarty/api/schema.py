"""The API pages: what `documented()` says of each method, put together per address as OpenAPI."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from contacts.models import Status
from omarty.api import envelopes, tokens
from omarty.api.calls import Call
from omarty.api.envelopes import StatusAndMessage
from omarty.api.fields import Field

Handler = Callable[[Call], Any]
MEDIA_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")

# What any address may answer.
ANYWHERE: dict[str, StatusAndMessage] = {
    "Body not readable": envelopes.UNREADABLE_BODY,
    "Not POST": envelopes.NOT_POST,
    "No length": envelopes.NO_LENGTH,
    "Too large": envelopes.TOO_LARGE,
    "Neither form nor JSON": envelopes.NEITHER_FORM_NOR_JSON,
    "Compressed": envelopes.COMPRESSED,
    "Server error": envelopes.server_error("5f0c4f0e-0d8b-4b0a-9d0e-1c2a7b9c0d11"),
}

# What an address that asks for a token may answer as well; and one that asks for a method.
WITH_TOKEN: dict[str, StatusAndMessage] = {
    "No token": envelopes.NO_TOKEN,
    "Bad token": tokens.BAD_SIGNATURE,
    "Token expired": tokens.EXPIRED,
    "User pending": tokens.STATUS_REFUSED[Status.PENDING],
    "Session ended": tokens.ENDED,
    "User banned": tokens.STATUS_REFUSED[Status.BANNED],
}
UNKNOWN_API = {"Unknown api": envelopes.no_such_method("Update", "Foo")}

# The field that a refresh token is sent in.
REFRESH_FIELD = "refresh"


@dataclass(frozen=True)
class Page:
    """What the API pages say of one method: its fields, and its answers as examples.

    `data` maps a title to the data of a success, `messages` a title to the status and message of a
    refusal.
    """

    name: str
    about: str
    fields: Sequence[Field]
    data: Mapping[str, Any]
    messages: Mapping[str, StatusAndMessage] = field(default_factory=dict)


def documented(name: str, **page: Any) -> Callable[[Handler], Handler]:
    """Attach a Page to a method's handler."""

    def attach(handler: Handler) -> Handler:
        handler.page = Page(name, **page)  # type: ignore[attr-defined]
        return handler

    return attach


def address(summary: str, methods: Mapping[str, Handler]) -> Any:
    """Documents an address whose field `api` names one of these methods."""
    pages = [handler.page for handler in methods.values()]  # type: ignore[attr-defined]
    about = "\n\n".join(f"**{page.name}**: {page.about}" for page in pages)
    forms = [_form(page, api=page.name) for page in pages]
    form = forms[0] if len(forms) == 1 else {"oneOf": forms}
    return _documented(summary, about, pages, form, ANYWHERE | WITH_TOKEN | UNKNOWN_API)


def single(page: Page, *, token: bool = False) -> Any:
    """Documents an address that serves one purpose, and whether it asks for a token."""
    if token:
        return _documented(page.name, page.about, [page], _form(page), ANYWHERE | WITH_TOKEN)
    return _documented(page.name, page.about, [page], _form(page), ANYWHERE, auth=[])


def _documented(
    summary: str,
    about: str,
    pages: Sequence[Page],
    form: dict[str, Any],
    common: Mapping[str, StatusAndMessage],
    **more: Any,
) -> Any:
    examples = []
    for page in pages:
        examples += [
            _example(f"{page.name}: {title}", 200, {"status": 200, "data": data})
            for title, data in page.data.items()
        ]
    for prefix, messages in [*((f"{page.name}: ", page.messages) for page in pages), ("", common)]:
        examples += [
            _example(prefix + title, status, {"status": status, "message": message})
            for title, (status, message) in messages.items()
        ]
    statuses = sorted({int(code) for each in examples for code in each.status_codes or []})
    return extend_schema(
        summary=summary,
        description=about,
        request=dict.fromkeys(MEDIA_TYPES, form),
        responses={status: OpenApiResponse(_envelope(status), "") for status in statuses},
        examples=examples,
        **more,
    )


def _form(page: Page, api: str | None = None) -> dict[str, Any]:
    properties = {each.name: each.schema() for each in page.fields}
    required = [each.name for each in page.fields if each.required]
    if api is not None:
        switch = {"type": "string", "enum": [api], "default": api, "example": api}
        properties = {"api": switch | {"description": "Names the method."}} | properties
        required = ["api", *required]
    form: dict[str, Any] = {"type": "object", "title": page.name, "properties": properties}
    return form | ({"required": required} if required else {})


def _envelope(status: int) -> dict[str, Any]:
    anything = {"oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": {}}]}
    number = {"type": "integer", "enum": [status]}

    def shape(key: str) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"status": number, key: anything},
            "required": ["status", key],
            "additionalProperties": False,
        }

    return {"oneOf": [shape("data"), shape("message")]} if status == 200 else shape("message")


def _example(title: str, status: int, value: Any) -> OpenApiExample:
    return OpenApiExample(title, value=value, response_only=True, status_codes=[str(status)])


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The Authorize button."""

    target_class = "omarty.api.tokens.BearerToken"
    name = "Bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def name_this_server(result: dict[str, Any], generator: Any, request: Any, public: bool) -> Any:
    """drf-spectacular's hook: an imported schema knows where to send its requests."""
    if request is not None:
        result["servers"] = [{"url": request.build_absolute_uri("/").rstrip("/")}]
    return result


# What a sign-in and a renewal give, and where it goes on: OpenAPI's links.
_GOES_ON = {"Login": ("Refresh", "Logout"), "Refresh": ("Refresh", "Logout")}


def link_sessions(result: dict[str, Any], generator: Any, request: Any, public: bool) -> Any:
    """drf-spectacular's hook: which calls take the tokens of an answer."""
    posts = {path.split("/")[-2]: item["post"] for path, item in result["paths"].items()}
    for name, others in _GOES_ON.items():
        posts[name]["responses"]["200"]["links"] = {
            other: {
                "operationId": posts[other]["operationId"],
                "requestBody": {REFRESH_FIELD: "$response.body#/data/Refresh"},
            }
            for other in others
        }
    return result
