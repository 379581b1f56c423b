"""What schemathesis (schemathesis.toml) is told of ours: what is refused says so, and where to begin."""

from typing import Any

import schemathesis


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Let sign-in be where a scenario begins.

    `deviceId` looks like the id of something that no call gives, and what needs such an id is never first.
    The text is unused, and asked of as an unknown field all the same.
    """
    login = raw_schema["paths"]["/omartyapis/Auth/Login/"]["post"]
    for media in login["requestBody"]["content"].values():
        media["schema"]["properties"].pop("deviceId")


@schemathesis.check
def refusals_are_told_from_successes(ctx: Any, response: Any, case: Any) -> None:
    """A status beside 200 has a message; a body without a field that is needed never succeeds."""
    try:
        answer = response.json()
    except ValueError:
        # Whether there had to be JSON, other checks say.
        return
    if response.status_code != 200:
        assert "data" not in answer, "a refusal holds data"
    elif "data" in answer and isinstance(case.body, dict):
        missing = needed(case) - {name for name, value in case.body.items() if value is not None}
        assert not missing, f"succeeded without {missing}"


def needed(case: Any) -> set[str]:
    """The fields without which the operation can do nothing, as its schema says."""
    body = next(iter(case.operation.definition.raw["requestBody"]["content"].values()))
    return set(body["schema"].get("required", ()))
