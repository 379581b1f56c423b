"""The project as an app: what is set right once Django is up."""

from pathlib import Path
from stat import S_IRUSR, S_IWUSR
from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class OmartyConfig(AppConfig):
    name = "omarty"

    def ready(self) -> None:
        connection_created.connect(keep_from_others)


def keep_from_others(connection: Any, **_signal: Any) -> None:
    """Homes and phones are in an SQLite file: its owner alone may read it, whichever command made it."""
    if connection.vendor != "sqlite":
        return
    for suffix in ("", "-wal", "-shm"):
        file = Path(f"{connection.settings_dict['NAME']}{suffix}")
        if file.is_file() and file.stat().st_mode & 0o077:
            file.chmod(S_IRUSR | S_IWUSR)
