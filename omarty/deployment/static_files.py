"""Whether the static files that are served are those of this version."""

import filecmp
import json
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.checks import CheckMessage, Warning

from omarty.deployment import remedies
from omarty.deployment.commands import manage, paste, quoted


def warnings() -> Iterator[CheckMessage]:
    """About `collectstatic`."""
    root = Path(settings.STATIC_ROOT)
    manifest, again = root / "staticfiles.json", manage("collectstatic", "--no-input", by_root=True)
    collect = paste(again, why="And restart the server after it.")
    if _broken(manifest):
        yield Warning(
            f"{manifest}, which names the static files, is broken: every page answers 500.",
            # Django cannot collect over it.
            hint=remedies.remedy(
                manifest,
                f"rm -rf {quoted(manifest)} && {again}",
                why="And restart the server after it.",
            ),
            id="omarty.W009",
        )
    elif not manifest.exists():
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


def _broken(manifest: Path) -> bool:
    """Whether it is there and no manifest. Raises OSError where it may not be read."""
    try:
        content = json.loads(manifest.read_text())
    except FileNotFoundError:
        return False
    except (ValueError, IsADirectoryError, NotADirectoryError):
        return True
    return not isinstance(content, dict) or not isinstance(content.get("paths"), dict)


def _stale(root: Path) -> int:
    """How many files of the apps are not collected, or not as they are now."""
    found = 0
    for finder in get_finders():
        for name, storage in finder.list([]):
            collected = root / name
            same = collected.is_file() and filecmp.cmp(storage.path(name), collected, shallow=False)
            found += not same
    return found
