"""The project as an app: what is set right once Django is up."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.db.backends.signals import connection_created

from omarty.owner_only import keep_to_owner


class OmartyConfig(AppConfig):
    name = "omarty"

    def ready(self) -> None:
        connection_created.connect(keep_from_others)
        register(check_deployment, Tags.security, deploy=True)


def check_deployment(**_asked: Any) -> list[CheckMessage]:
    """What this installation got wrong, for `manage.py check --deploy`."""
    # Its modules import models, which are there only now.
    from omarty.deployment import checks  # noqa: PLC0415

    return checks.all_warnings()


def keep_from_others(connection: Any, **_signal: Any) -> None:
    """Homes and phones are in an SQLite file: its owner alone may read it, whichever command made it."""
    if connection.vendor == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            keep_to_owner(Path(f"{connection.settings_dict['NAME']}{suffix}"))
