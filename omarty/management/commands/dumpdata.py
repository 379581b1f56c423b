"""`manage.py dumpdata`: Django's own, whose file is its owner's alone, as those of our commands are."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import dumpdata
from django.db import OperationalError

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
        except CommandError as error:
            # Django's own sentence names neither the file nor the setting: manage.py's does.
            if isinstance(error.__context__, OperationalError):
                raise error.__context__ from None
            raise
        finally:
            os.umask(usual)
