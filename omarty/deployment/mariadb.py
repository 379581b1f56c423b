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
    r"GRANT (?P<what>.+?) ON (?:(?:TABLE|FUNCTION|PROCEDURE) )?(?P<where>`(?:[^`]|``)+`|\*)"
    r"\.(?P<table>`(?:[^`]|``)+`|\*)?"
)
PROXY = re.compile("GRANT PROXY ON (.+?) TO ")
# A role, which the account may take: GRANT `dba` TO `omarty`@`localhost`. A role that has it has no host.
ROLE = re.compile("GRANT (?P<role>(?:(?! ON ).)+) TO .+@")
# What everybody may do, and where.
PUBLIC = re.compile(r"GRANT (.+ ON .+) TO PUBLIC")
# Databases to try a server on, which an installation of MariaDB gives to everybody.
FOR_TRIALS = {"test", "test_%"}
# Rights on all databases that neither read nor change any: dumps want most of them.
HARMLESS = {"USAGE", "PROCESS", "RELOAD", "FLUSH_TABLES", "SHOW DATABASES"}


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
        cursor.execute("SELECT CURRENT_USER()")
        [account] = cursor.fetchone()
        cursor.execute("SHOW GRANTS")
        grants = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "SELECT CONVERT_TZ('2026-01-01 00:00:00', 'UTC', %s) IS NULL, @@character_set_database",
            [settings.TIME_ZONE],
        )
        no_zones, characters = cursor.fetchone()
    roles = _unseen_roles(grants)
    beyond = any(_too_many(grant) for grant in grants)
    if beyond or roles:
        what = "reaches beyond its own database" if beyond else ""
        role = f"may take a role whose rights it does not show, {', '.join(roles)}" if roles else ""
        yield Warning(
            f"Omarty's account on the database's server {' and '.join(filter(None, (what, role)))}.",
            hint=_account_of_its_own(account, grants),
            id="omarty.W040",
        )
    if no_zones:
        yield Warning(
            "The database's server does not know the time zones: days cannot be told apart.",
            hint=paste(f"mariadb-tzinfo-to-sql /usr/share/zoneinfo | {_client()} mysql"),
            id="omarty.W042",
        )
    if characters != "utf8mb4":
        name = connection.settings_dict["NAME"]
        yield Warning(
            f"The database makes new tables in {characters}: some names cannot be stored.",
            hint=paste(
                f"{_client()} -e {quoted(f'ALTER DATABASE `{name}` CHARACTER SET utf8mb4')}"
            ),
            id="omarty.W043",
        )


def _client() -> str:
    """MariaDB's own program, that speaks to the server of DATABASE_URL: a machine may have several."""
    config = connection.settings_dict
    host, socket = config["HOST"], config["OPTIONS"].get("unix_socket")
    if socket or host.startswith("/"):
        return f"mariadb -S {quoted(socket or host)}"
    if host in {"", "localhost"}:
        return "mariadb"
    return f"mariadb -h {quoted(host)} -P {config['PORT'] or 3306}"


def _account_of_its_own(account: str, grants: list[str]) -> str:
    """How the account, `user@host`, comes to reach its own database alone."""
    # A bare "_" would stand for any letter.
    name = str(connection.settings_dict["NAME"]).replace("`", "``").replace("_", "\\_")
    grant = f"GRANT ALL ON `{name}`.* TO"
    user, _at, host = account.rpartition("@")
    # Other accounts may need what everybody may do: who administers the server sees it here before.
    public = [
        f"REVOKE {found[1]} FROM PUBLIC"
        for found in map(PUBLIC.match, filter(_too_many, grants))
        if found
    ]
    if user == "root":
        # The administrator keeps their rights: nobody else could give them back.
        new = 'CREATE USER IF NOT EXISTS omarty@localhost IDENTIFIED BY "a password of your own"'
        return paste(
            f"{_client()} -e {quoted('; '.join([*public, new, f'{grant} omarty@localhost']))}",
            why="With another password in it; then DATABASE_URL in .env (README, On MariaDB). As the"
            " server's administrator:",
        )
    own = f"`{user}`@`{host}`"
    # What was granted on all databases, on others, and on their tables.
    revoked = [*public, f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {own}"]
    # That takes the roles in MariaDB, and not in MySQL.
    revoked[-1:-1] = [
        f"REVOKE {found['role']} FROM {own}" for found in map(ROLE.match, grants) if found
    ]
    # It leaves the right to act as another.
    revoked += [
        f"REVOKE PROXY ON {found[1]} FROM {own}" for found in map(PROXY.match, grants) if found
    ]
    return paste(
        f"{_client()} -e {quoted('; '.join([*revoked, f'{grant} {own}']))}",
        why="On the database's server, as its administrator:",
    )


def _too_many(grant: str) -> bool:
    """Whether a line of SHOW GRANTS reaches beyond our own database."""
    found = GRANT.match(grant)
    if found is None:
        # A role, whose rights are lines of their own, or PROXY, which root has.
        return grant.startswith("GRANT PROXY")
    if found["where"] == "*":
        what = {each.strip() for each in found["what"].split(",")}
        return bool(what - HARMLESS) or "WITH GRANT OPTION" in grant
    if (found["what"], found["where"]) == ("SELECT", "`mysql`"):
        # What time it is where.
        return not (found["table"] or "").startswith("`time_zone") or "WITH GRANT OPTION" in grant
    # "\_" is an underscore; a bare "_" stands for any letter, and mostly for itself.
    where = found["where"][1:-1].replace("\\_", "_").replace("\\%", "%")
    if PUBLIC.match(grant) and where in FOR_TRIALS:
        return False
    return where != str(connection.settings_dict["NAME"])


def _unseen_roles(grants: list[str]) -> list[str]:
    """The roles that the account has and that are not its default: of these no right is listed."""
    roles = [found["role"] for found in map(ROLE.match, grants) if found]
    return [role for role in roles if not any(f" ON *.* TO {role}" in grant for grant in grants)]
