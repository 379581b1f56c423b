"""`manage.py dumpdata`: Django's own, whose file is its owner's alone, as those of our commands are."""

import os
from pathlib import Path
from typing import Any

from django.core.management.commands import dumpdata

from omarty.owner_only import keep_to_owner


class Command(dumpdata.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Write as Django does, hashes of passwords among it, with nobody else reading."""
        if options["output"]:
            # One that is there keeps its mode.
            keep_to_owner(Path(options["output"]))
        usual = os.umask(0o077)
        try:
            super().handle(*args, **options)
        finally:
            os.umask(usual)
