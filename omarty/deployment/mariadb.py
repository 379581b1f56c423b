"""Whether a MariaDB or MySQL server, and the account on it, suit the register.

That it is strict and that connections speak utf8mb4, omarty/settings.py sees to itself.
"""

import re
from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import connection

from omarty.deployment.commands import paste, quoted

HERE = {"", "localhost", "127.0.0.1", "::1"}
# The values of `ssl_mode` that do not fall back to a plain connection.
ENCRYPTED = {"REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"}
# Those of .env.example and of the README.
PUBLISHED = {"password", "a password of your own"}
# `GRANT SELECT, INSERT ON `omarty`.* TO …`: what, and on which databases.
GRANT = re.compile(
    r"GRANT (?P<what>.+?) ON (?:(?:TABLE|FUNCTION|PROCEDURE) )?(?P<where>`(?:[^`]|``)+`|\*)\."
)
# Rights on all databases that neither read nor change any: dumps want the second.
HARMLESS = {"USAGE", "PROCESS"}


def account_warnings() -> Iterator[CheckMessage]:
    """About DATABASE_URL."""
    config = connection.settings_dict
    options = config["OPTIONS"]
    if config["PASSWORD"] in PUBLISHED:
        yield Warning(
            "The database's password is the one that stands in .env.example or the README.",
            hint="ALTER USER … IDENTIFIED BY a random text, as the server's administrator; then DATABASE_URL"
            " in .env.",
            id="omarty.W044",
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
        cursor.execute("SHOW GRANTS")
        grants = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "SELECT CONVERT_TZ('2026-01-01 00:00:00', 'UTC', %s) IS NULL, @@character_set_database",
            [settings.TIME_ZONE],
        )
        no_zones, characters = cursor.fetchone()
    if any(_too_many(grant) for grant in grants):
        yield Warning(
            "Omarty's account on the database's server reaches beyond its own database.",
            hint="CREATE USER omarty@localhost …; GRANT ALL ON omarty.* TO omarty@localhost;"
            " then DATABASE_URL in .env (README, On MariaDB).",
            id="omarty.W040",
        )
    if no_zones:
        yield Warning(
            "The database's server does not know the time zones: days cannot be told apart.",
            hint=paste("mariadb-tzinfo-to-sql /usr/share/zoneinfo | mariadb mysql"),
            id="omarty.W042",
        )
    if characters != "utf8mb4":
        name = connection.settings_dict["NAME"]
        yield Warning(
            f"The database makes new tables in {characters}: some names cannot be stored.",
            hint=paste(f"mariadb -e {quoted(f'ALTER DATABASE `{name}` CHARACTER SET utf8mb4')}"),
            id="omarty.W043",
        )


def _too_many(grant: str) -> bool:
    """Whether a line of SHOW GRANTS reaches beyond our own database."""
    if grant.endswith("TO PUBLIC"):
        # Everybody's, as an installation of MariaDB gives databases to try it on.
        return False
    found = GRANT.match(grant)
    if found is None:
        # A role, or PROXY, which root has.
        return grant.startswith("GRANT PROXY")
    if found["where"] == "*":
        what = {each.strip() for each in found["what"].split(",")}
        return bool(what - HARMLESS) or "WITH GRANT OPTION" in grant
    # "\_" is an underscore; a bare "_" stands for any letter, and mostly for itself.
    where = found["where"][1:-1].replace("\\_", "_").replace("\\%", "%")
    return where != str(connection.settings_dict["NAME"])
