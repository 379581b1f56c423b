"""Whether a MariaDB or MySQL server, and the account on it, suit the register.

That it is strict and that connections speak utf8mb4, omarty/settings.py sees to itself.
"""

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection

HERE = {"", "localhost", "127.0.0.1", "::1"}
# The values of `ssl_mode` that do not fall back to a plain connection.
ENCRYPTED = {"REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"}


def account_warnings() -> Iterator[CheckMessage]:
    """About DATABASE_URL."""
    config = connection.settings_dict
    options = config["OPTIONS"]
    if config["USER"] == "root":
        yield Warning(
            "Omarty is root on the database's server: it may do everything to every database there.",
            hint="CREATE USER omarty@localhost …; GRANT ALL ON omarty.* TO omarty@localhost;"
            " then DATABASE_URL in .env (README, On MariaDB).",
            id="omarty.W040",
        )
    remote = config["HOST"] not in HERE and not config["HOST"].startswith("/")
    if remote and options.get("ssl_mode") not in ENCRYPTED and not options.get("ssl"):
        yield Warning(
            f"The database's server is another machine, {config['HOST']}, and is spoken to in the open.",
            hint="?ssl_mode=VERIFY_IDENTITY at the end of DATABASE_URL.",
            id="omarty.W041",
        )


def server_warnings() -> Iterator[CheckMessage]:
    """About the server that answers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CONVERT_TZ('2026-01-01 00:00:00', 'UTC', %s) IS NULL, @@character_set_database",
            [settings.TIME_ZONE],
        )
        no_zones, characters = cursor.fetchone()
    if no_zones:
        yield Warning(
            "The database's server does not know the time zones: days cannot be told apart.",
            hint="mariadb-tzinfo-to-sql /usr/share/zoneinfo | mariadb mysql",
            id="omarty.W042",
        )
    if characters != "utf8mb4":
        yield Warning(
            f"The database makes new tables in {characters}: some names cannot be stored.",
            hint=f"ALTER DATABASE {connection.settings_dict['NAME']} CHARACTER SET utf8mb4;",
            id="omarty.W043",
        )
