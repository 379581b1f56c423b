"""The OpenAPI pages: what `documented()` says of each method, put together per address."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from omarty.api.fields import Field

if TYPE_CHECKING:
    from omarty.api.calls import Call

Handler = Callable[["Call"], Any]
MEDIA_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")

# What any call may answer, whatever its method.
ANYWHERE: dict[str, tuple[int, Any]] = {
    "Body not readable": (400, "The request could not be read."),
    "No token": (401, "Access token not found"),
    "Bad token": (401, "Signature verification failed"),
    "Old token": (401, "Expired token"),
    "User pending": (403, "This email Status is Binding, please wait until it is activated."),
    "User banned": (
        403,
        "This email is Banned by Omarty Super Admin, please contact the administration.",
    ),
    "Unknown api": (404, "Method Update::Foo() does not exist"),
    "Not POST": (405, "Only POST is allowed here."),
    "No length": (411, "Content-Length is required."),
    "Too large": (413, "Request body is larger than 1 MB."),
    "Neither form nor JSON": (415, "Send a form or JSON."),
    "Fault": (500, "Server error. Request 5f0c4f0e-0d8b-4b0a-9d0e-1c2a7b9c0d11."),
}


@dataclass(frozen=True)
class Page:
    """What the API pages say of one method: its fields, and every answer as an example.

    `data` maps a title to a success's data, `messages` to a refusal's status and message.
    """

    name: str
    about: str
    fields: Sequence[Field]
    data: Mapping[str, Any]
    messages: Mapping[str, tuple[int, Any]] = field(default_factory=dict)


def documented(name: str, **page: Any) -> Callable[[Handler], Handler]:
    """Lay a method's Page beside its handler."""

    def attach(handler: Handler) -> Handler:
        handler.page = Page(name, **page)  # type: ignore[attr-defined]
        return handler

    return attach


def address(summary: str, methods: Mapping[str, Handler]) -> Any:
    """Documents an address whose field `api` names one of these methods."""
    pages = [handler.page for handler in methods.values()]  # type: ignore[attr-defined]
    about = "\n\n".join(f"**{page.name}**: {page.about}" for page in pages)
    forms = [_form(page, api=page.name) for page in pages]
    return _documented(
        summary, about, pages, forms[0] if len(forms) == 1 else {"oneOf": forms}, ANYWHERE
    )


def single(page: Page) -> Any:
    """Documents an address that serves one purpose and asks for no token."""
    with_token = {
        "No token",
        "Bad token",
        "Old token",
        "User pending",
        "User banned",
        "Unknown api",
    }
    common = {title: each for title, each in ANYWHERE.items() if title not in with_token}
    return _documented(page.name, page.about, [page], _form(page), common, auth=[])


def _documented(
    summary: str,
    about: str,
    pages: Sequence[Page],
    form: dict[str, Any],
    common: Mapping[str, tuple[int, Any]],
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
