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
# In this order: Postman's import takes the first. Clients made by openapi-python-client send the fields in
# all of these ways at once, under the last one's name, and httpx makes a multipart body of that.
MEDIA_TYPES = ("application/x-www-form-urlencoded", "application/json", "multipart/form-data")

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

# The schema's named parts, for `name_parts()`.
_PARTS: dict[str, dict[str, Any]] = {}
TEXT = {"type": "string"}


def part(name: str, **schema: Any) -> dict[str, str]:
    """Name a part of the schema, so that a generated client has one type for it; the reference to it.

    Raises ValueError where another part has the name.
    """
    if _PARTS.setdefault(name, schema) != schema:
        raise ValueError(f"two parts are called {name}")
    return {"$ref": f"#/components/schemas/{name}"}


def fields_part(
    name: str, properties: Mapping[str, Any], *, optional: Sequence[str] = (), **more: Any
) -> dict[str, str]:
    """Name an object of these fields; all of them are there, but the `optional` ones."""
    required = [each for each in properties if each not in optional]
    needed = {"required": required} if required else {}
    return part(name, type="object", properties=dict(properties), **needed, **more)


@dataclass(frozen=True)
class Page:
    """What the API pages say of one method: its fields, and its answers as examples.

    `data` maps a title to the data of a success, `messages` a title to the status and message of a
    refusal. `data_shape` and `message_shape` are what all of them have in common; a message that is no
    text has the status 200.
    """

    name: str
    about: str
    fields: Sequence[Field]
    data: Mapping[str, Any]
    messages: Mapping[str, StatusAndMessage] = field(default_factory=dict)
    data_shape: Mapping[str, Any] = field(default_factory=lambda: TEXT)
    message_shape: Mapping[str, Any] = field(default_factory=lambda: TEXT)


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
    form = _any_of(forms)
    return _documented(summary, about, pages, form, ANYWHERE | WITH_TOKEN | UNKNOWN_API)


def single(page: Page, *, token: bool = False) -> Any:
    """Documents an address that serves one purpose, and whether it asks for a token."""
    form = _form(page) if page.fields else None
    if token:
        return _documented(page.name, page.about, [page], form, ANYWHERE | WITH_TOKEN)
    return _documented(page.name, page.about, [page], form, ANYWHERE, auth=[])


def _documented(
    summary: str,
    about: str,
    pages: Sequence[Page],
    form: dict[str, Any] | None,
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
        request=None if form is None else dict.fromkeys(MEDIA_TYPES, form),
        responses={
            status: OpenApiResponse(_any_of(_envelopes(pages) if status == 200 else [REFUSAL]), "")
            for status in statuses
        },
        examples=examples,
        **more,
    )


def _form(page: Page, api: str | None = None) -> dict[str, str]:
    """The page's fields as a part.

    Its `default` is the example: Postman's import makes the request of that, and of no example.
    """
    properties = {each.name: each.schema() for each in page.fields}
    optional = [each.name for each in page.fields if not each.required]
    if api is not None:
        switch = {"type": "string", "enum": [api], "default": api, "example": api}
        properties = {"api": switch | {"description": "Names the method."}} | properties
    # An empty one is there so that the pages' form leaves it empty.
    example = {name: each["example"] for name, each in properties.items() if each["example"] != ""}
    return fields_part(
        f"{page.name}Fields", properties, optional=optional, example=example, default=example
    )


def _envelope(name: str, key: str, shape: Mapping[str, Any], status: dict[str, Any]) -> Any:
    number = {"type": "integer", **status}
    return fields_part(name, {"status": number, key: dict(shape)}, additionalProperties=False)


_OK = {"minimum": 200, "maximum": 200}
SUCCESS = _envelope("Success", "data", TEXT, _OK)
REFUSAL = _envelope("Refusal", "message", TEXT, {"description": "The HTTP status."})


def _envelopes(pages: Sequence[Page]) -> list[dict[str, str]]:
    """Of the status 200: the successes of these pages, and their refusals."""
    found = []
    for page in pages:
        success, refused = SUCCESS, REFUSAL
        if page.data_shape != TEXT:
            success = _envelope(f"{page.name}Success", "data", page.data_shape, _OK)
        if page.message_shape != TEXT:
            either = {"oneOf": [TEXT, page.message_shape]}
            refused = _envelope(f"{page.name}Refusal", "message", either, _OK)
        found += [each for each in (success, refused) if each not in found]
    return found


def _any_of(shapes: list[dict[str, str]]) -> dict[str, Any]:
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _example(title: str, status: int, value: Any) -> OpenApiExample:
    return OpenApiExample(title, value=value, response_only=True, status_codes=[str(status)])


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The Authorize button."""

    target_class = "omarty.api.tokens.BearerToken"
    name = "Bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def name_parts(result: dict[str, Any], generator: Any, request: Any, public: bool) -> Any:
    """drf-spectacular's hook: the parts that the addresses refer to; who needs no token is told so."""
    result["components"]["schemas"] = dict(sorted(_PARTS.items()))
    for item in result["paths"].values():
        item["post"].setdefault("security", [])
    return result


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
