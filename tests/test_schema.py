"""The API pages: OpenAPI at /omartyapis/schema/, Swagger UI at /omartyapis/docs/."""

import ast
import re
import subprocess
from collections import Counter

import jsonschema_rs
import pytest
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


@pytest.fixture
def schema(client):
    return client.get("/omartyapis/schema/").json()


def test_every_address_and_body_is_described(schema):
    assert schema["openapi"].startswith("3.")
    assert set(schema["paths"]) == ADDRESSES
    for path in ADDRESSES:
        post = schema["paths"][path]["post"]
        assert set(post["requestBody"]["content"]) == BODIES
        for content in post["requestBody"]["content"].values():
            jsonschema_rs.validator_for(content["schema"])


def test_every_field_of_the_documents_is_described(schema):
    def form(path, api):
        content = schema["paths"][path]["post"]["requestBody"]["content"]
        described = content["application/x-www-form-urlencoded"]["schema"]
        [found] = [each for each in described.get("oneOf", [described]) if each["title"] == api]
        return found

    create = form("/omartyapis/Create/", "CreateApartment")
    update = form("/omartyapis/Update/", "AddContact")
    assert list(create["properties"]) == [
        *("api", "floorNum", "aptNum", "blockId", "apartmentId", "longitude", "latitude")
    ]
    assert create["required"] == ["api", "floorNum", "aptNum"]
    assert list(update["properties"]) == [
        *("api", "phoneNumber", "email", "blockId", "apartmentId", "longitude", "latitude")
    ]
    assert update["required"] == ["api", "blockId", "apartmentId"]
    assert create["properties"]["api"]["enum"] == ["CreateApartment"]
    for each in [*create["properties"].values(), *update["properties"].values()]:
        assert each["description"]


def test_every_example_has_the_shape_that_is_promised(schema):
    found = 0
    for path in ADDRESSES:
        for status, response in schema["paths"][path]["post"]["responses"].items():
            content = response["content"]["application/json"]
            shape = jsonschema_rs.validator_for(content["schema"])
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
    assert schema["paths"]["/omartyapis/Create/"]["post"]["security"] == [{name: []}]
    assert schema["paths"]["/omartyapis/Auth/Login/"]["post"].get("security", [{}]) == [{}]


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
