"""`manage.py database_options`: the account of DATABASE_URL as MariaDB's programs read it."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from omarty.management.base import CommandRefused


class Command(BaseCommand):
    help = (
        "Print the options that MariaDB's own programs need to reach the database of DATABASE_URL, the"
        " password too: for a pipe into `mariadb-dump --defaults-file=/dev/stdin`, which asks nobody then."
    )
    # What is wrong with an installation is no reason not to save it.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "mysql":
            raise CommandRefused("DATABASE_URL names an SQLite file, which has no account.")
        self.stdout.write("\n".join(_lines(connection.settings_dict)))


def _lines(config: dict[str, Any]) -> Iterator[str]:
    """An option file: where the server of these settings is, and as whom it is spoken to."""
    host = config["HOST"]
    socket = host if host.startswith("/") else config["OPTIONS"].get("unix_socket")
    found = {"user": config["USER"], "password": config["PASSWORD"]}
    if socket:
        found |= {"socket": socket}
    elif host:
        found |= {"host": host, "port": config["PORT"] or 3306}
    yield "[client]"
    for name, value in found.items():
        if value:
            yield f'{name}="{_escaped(str(value))}"'


def _escaped(value: str) -> str:
    # mariadb.com/kb/en/configuring-mariadb-with-option-files
    return value.replace("\\", "\\\\").replace('"', '\\"')
