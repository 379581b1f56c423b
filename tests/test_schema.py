"""The API pages: OpenAPI at /omartyapis/schema/, Swagger UI at /omartyapis/docs/."""

import ast
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import pytest
import yaml
from django.conf import settings

from omarty.api.update import CONTACT_REFUSED
from tests.conftest import ONCE, App, person
from tests.fuzz import CONFIG, command

ADDRESSES = {
    "/omartyapis/Create/",
    "/omartyapis/Update/",
    "/omartyapis/Auth/Login/",
    "/omartyapis/Auth/Refresh/",
    "/omartyapis/Auth/Logout/",
    "/omartyapis/Auth/Sessions/",
    "/omartyapis/Auth/EndSession/",
}
BODIES = {"application/x-www-form-urlencoded", "multipart/form-data", "application/json"}


# For these, no token is asked for.
SIGN_IN = {each for each in ADDRESSES if each.split("/")[-2] in {"Login", "Refresh", "Logout"}}
# The named parts: what is sent, the envelopes of the answers, and what they hold.
PARTS = {
    *("CreateApartmentFields", "AddContactFields", "LoginFields", "RefreshFields", "LogoutFields"),
    *("EndSessionFields", "Success", "Refusal", "AddContactSuccess", "AddContactRefusal"),
    *("LoginSuccess", "RefreshSuccess", "SessionsSuccess", "SignedIn", "Tokens", "Data", "Token"),
    *("Refresh", "Contact", "Contacts", "ContactsAndError", "Session", "SessionList"),
}


@pytest.fixture
def schema(client):
    return client.get("/omartyapis/schema/").json()


def fields_of(schema, path):
    """What its first method takes, in every type of body; None where there are no fields."""
    body = schema["paths"][path]["post"].get("requestBody")
    if body is None:
        return None
    assert set(body["content"]) == BODIES
    [reference] = {json.dumps(content["schema"]) for content in body["content"].values()}
    shape = json.loads(reference)
    [first, *_] = shape.get("anyOf", [shape])
    return schema["components"]["schemas"][first["$ref"].rpartition("/")[2]]


def test_every_address_and_body_is_described(schema):
    assert schema["openapi"].startswith("3.")
    assert set(schema["paths"]) == ADDRESSES
    without = {path for path in ADDRESSES if fields_of(schema, path) is None}
    assert without == {"/omartyapis/Auth/Sessions/"}


def test_every_part_has_a_name(schema):
    names = set(schema["components"]["schemas"])
    assert names >= PARTS
    inline = re.findall(r'"type": "object"', json.dumps(schema["paths"]))
    assert inline == []
    for name in names:
        jsonschema_rs.validator_for(
            {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        )


def test_every_field_of_the_documents_is_described(schema):
    parts = schema["components"]["schemas"]
    create, update = parts["CreateApartmentFields"], parts["AddContactFields"]
    assert list(create["properties"]) == [
        *("api", "floorNum", "aptNum", "blockId", "apartmentId", "longitude", "latitude")
    ]
    assert create["required"] == ["api", "floorNum", "aptNum"]
    assert list(update["properties"]) == [
        *("api", "phoneNumber", "email", "blockId", "apartmentId", "longitude", "latitude")
    ]
    assert update["required"] == ["api", "blockId", "apartmentId"]
    assert create["properties"]["api"]["enum"] == ["CreateApartment"]
    for part in (each for name, each in parts.items() if name.endswith("Fields")):
        for name, each in part["properties"].items():
            assert each["description"] and "example" in each, name


# Django's client makes a multipart body itself.
ENCODED: dict[str, Callable[[Any], str]] = {
    "application/x-www-form-urlencoded": urlencode,
    "application/json": json.dumps,
}


@pytest.mark.parametrize("content_type", sorted(BODIES))
@pytest.mark.parametrize("each_field", [True, False])
def test_the_examples_alone_make_requests_that_succeed(schema, client, content_type, each_field):
    """One after the other, as a client would that imports the schema, with the token of Login's example."""

    def send(path):
        fields = fields_of(schema, path) or {"example": {}, "properties": {}}
        assert fields.get("default", {}) == fields["example"]
        found = fields["example"]
        if each_field:
            found = {name: each["example"] for name, each in fields["properties"].items()}
        found = {name: variables.get(value, value) for name, value in found.items()}
        known = {}
        if content_type in ENCODED:
            found, known = ENCODED[content_type](found), {"content_type": content_type}
        authorization = {} if path in SIGN_IN else {"Authorization": f"Bearer {token}"}
        return client.post(path, found, headers=authorization, **known).json()

    variables, token = {}, ""
    signed_in = [send("/omartyapis/Auth/Login/")["data"] for _ in range(2)][0]
    token, variables["{{refreshToken}}"] = signed_in["Token"], signed_in["Refresh"]
    listed = send("/omartyapis/Auth/Sessions/")["data"].values()
    [variables["{{sessionId}}"]] = [each["id"] for each in listed if not each["current"]]
    answers = {path: send(path) for path in schema["paths"]}
    assert [path for path, answer in answers.items() if "data" not in answer] == []


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("", "*/*", "application/vnd.oai.openapi+json"),
        ("", "text/html,*/*;q=0.8", "application/vnd.oai.openapi+json"),
        ("", "application/json", "application/json"),
        ("", "image/png", "application/vnd.oai.openapi+json"),
        ("?format=json", "application/yaml", "application/vnd.oai.openapi+json"),
        ("?format=nonsense", "*/*", "application/vnd.oai.openapi+json"),
        ("?format=yaml", "*/*", "application/vnd.oai.openapi"),
        ("?format=yaml", "text/html", "application/vnd.oai.openapi"),
        ("", "application/yaml", "application/yaml"),
        ("", "application/json;q=0.5, application/yaml", "application/yaml"),
        ("", "text/yaml", "text/yaml"),
        ("", "application/x-yaml", "application/x-yaml"),
        ("", "application/vnd.oai.openapi", "application/vnd.oai.openapi"),
    ],
)
def test_the_schema_comes_as_what_is_asked_for(schema, client, query, accept, kind):
    response = client.get(f"/omartyapis/schema/{query}", headers={"accept": accept})
    assert (response.status_code, response["Content-Type"].partition(";")[0]) == (200, kind)
    assert response.content.startswith(b"{") == kind.endswith("json")
    assert yaml.safe_load(response.content) == schema


def test_every_example_has_the_shape_that_is_promised(schema):
    found = 0
    for path in ADDRESSES:
        for status, response in schema["paths"][path]["post"]["responses"].items():
            content = response["content"]["application/json"]
            shape = jsonschema_rs.validator_for(
                content["schema"] | {"components": schema["components"]}
            )
            for example in content["examples"].values():
                shape.validate(example["value"])
                assert example["value"]["status"] == int(status)
                found += 1
    assert found > 80


def test_every_documented_answer_is_an_example(schema):
    def answers(path):
        responses = schema["paths"][path]["post"]["responses"].values()
        values = [
            example["value"]
            for response in responses
            for example in response["content"]["application/json"]["examples"].values()
        ]
        return str(values)

    create, update = answers("/omartyapis/Create/"), answers("/omartyapis/Update/")
    for text in ("Apartment registered.", "Apartment already registered.", "Please enter blockId."):
        assert text in create
    for text in (
        "No Data Inserted.",
        "Block Not Found.",
        "Resident does not relate",
        *CONTACT_REFUSED.values(),
    ):
        assert text in update


def test_each_text_of_an_example_stands_once_in_the_code(schema):
    """So that the pages show what the code answers, and not a copy of it."""
    texts = {
        message["error"] if isinstance(message, dict) else message
        for path in ADDRESSES
        for response in schema["paths"][path]["post"]["responses"].values()
        for example in response["content"]["application/json"]["examples"].values()
        if (message := example["value"].get("message"))
    }
    written = Counter(
        node.value
        for file in (settings.BASE_DIR / "omarty" / "api").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant)
    )
    assert len(texts) > 40
    assert {text: written[text] for text in texts if written[text] > 1} == {}


def test_an_imported_schema_knows_its_server_and_how_to_authorize(schema):
    assert schema["servers"] == [{"url": "http://testserver"}]
    [name] = schema["components"]["securitySchemes"]
    assert schema["components"]["securitySchemes"][name]["scheme"] == "bearer"
    for path in ADDRESSES:
        known = schema["paths"][path]["post"]["security"]
        assert known == ([] if path in SIGN_IN else [{name: []}])


def test_the_pages_load_nothing_from_elsewhere(client):
    page = client.get("/omartyapis/docs/").content.decode()
    script = client.get("/omartyapis/docs/?script").content.decode()
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert len(loaded) >= 4
    assert [each for each in loaded if "//" in each] == []
    assert "http://" not in script
    assert "https://" not in script
    for each in loaded:
        response = client.get(each)
        assert response.status_code == 200, each
        response.close()


@ONCE
def test_whatever_is_sent_the_answer_is_a_documented_one(live_server, tmp_path):
    """Schemathesis reads the schema and sends what fits it and what does not; `make fuzz` sends more."""
    token = App(person("manager")).token
    few = tmp_path / "schemathesis.toml"
    few.write_text(re.sub(r"(max-examples = )\d+", r"\g<1>10", CONFIG.read_text()))
    ran = subprocess.run(
        command(live_server.url, token, "--phases", "examples,fuzzing,stateful", config=few),
        capture_output=True,
        text=True,
        cwd=settings.BASE_DIR,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
