"""What schemathesis (schemathesis.toml) is told of ours: what is refused says so, and where to begin."""

from typing import Any

import schemathesis


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Let sign-in be where a scenario begins.

    `deviceId` looks like the id of something that no call gives, and what needs such an id is never first.
    The text is unused, and asked of as an unknown field all the same.
    """
    fields = raw_schema["components"]["schemas"]["LoginFields"]
    for described in (fields["properties"], fields["example"], fields["default"]):
        described.pop("deviceId")


@schemathesis.check
def refusals_are_told_from_successes(ctx: Any, response: Any, case: Any) -> None:
    """The envelope has the answer's status, with data only if it is 200 and no needed field was left out."""
    try:
        answer = response.json()
    except ValueError:
        # Whether there had to be JSON, other checks say.
        return
    assert answer["status"] == response.status_code, "the envelope has another status"
    if response.status_code != 200:
        assert "data" not in answer, "a refusal holds data"
    elif "data" in answer and isinstance(case.body, dict):
        missing = needed(case) - {name for name, value in case.body.items() if value is not None}
        assert not missing, f"succeeded without {missing}"


def needed(case: Any) -> set[str]:
    """The fields without which the operation can do nothing, as its schema says."""
    raw = case.operation.definition.raw.get("requestBody", {"content": {}})
    shape: dict[str, Any] = next((content["schema"] for content in raw["content"].values()), {})
    name = shape.get("$ref", "").rpartition("/")[2]
    parts = case.operation.schema.raw_schema["components"]["schemas"]
    return set(parts.get(name, {}).get("required", ()))
