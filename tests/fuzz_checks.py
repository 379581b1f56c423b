"""A check of ours for schemathesis (schemathesis.toml): what is refused says so, and only that."""

from typing import Any

import schemathesis


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
