"""Whether the static files that are served are those of this version."""

import filecmp
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.checks import CheckMessage, Warning

from omarty.deployment.commands import manage, paste


def warnings() -> Iterator[CheckMessage]:
    """About `collectstatic`."""
    root = Path(settings.STATIC_ROOT)
    collect = paste(
        manage("collectstatic", "--no-input", by_root=True), why="And restart the server then."
    )
    if not (root / "staticfiles.json").is_file():
        yield Warning(
            "Static files were not collected: every page answers 500.",
            hint=collect,
            id="omarty.W007",
        )
    elif stale := _stale(root):
        yield Warning(
            f"{stale} static files are older than this version, or missing.",
            hint=collect,
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
