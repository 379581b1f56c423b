"""Whether the static files that are served are those of this version."""

import filecmp
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.checks import CheckMessage, Warning

COLLECT = "manage.py collectstatic --no-input, then restart the server."


def warnings() -> Iterator[CheckMessage]:
    """About `collectstatic`."""
    root = Path(settings.STATIC_ROOT)
    if not (root / "staticfiles.json").is_file():
        yield Warning(
            "Static files were not collected: every page answers 500.",
            hint=COLLECT,
            id="omarty.W007",
        )
    elif stale := _stale(root):
        yield Warning(
            f"{stale} static files are older than this version, or missing.",
            hint=COLLECT,
            id="omarty.W008",
        )


def _stale(root: Path) -> int:
    """How many files of the apps are not collected, or not as they are now."""
    found = 0
    for finder in get_finders():
        for name, storage in finder.list([]):
            collected = root / name
            same = collected.is_file() and filecmp.cmp(storage.path(name), collected, shallow=False)
            found += not same
    return found
