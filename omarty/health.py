"""Health checks for load balancers and timers: is the process alive, and can it serve?"""

import re

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

# MariaDB's and MySQL's numbers for: no such account, password, database, server; a connection that broke.
CANNOT_BE_REACHED = {1044, 1045, 1049, 1698, 2002, 2003, 2005, 2006, 2013, 2026}


@csrf_exempt
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers."""
    return _answer("ok")


@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 if the database can be reached and has every migration, else 503 with a sentence."""
    try:
        missing = missing_migrations()
    except DatabaseError:
        return _answer(f"The database {DEFAULT_DB_ALIAS!r} cannot be reached.", status=503)
    if missing:
        return _answer(f"{missing} migrations are missing: run `manage.py migrate`.", status=503)
    return _answer("ready")


def missing_migrations() -> int:
    """How many migrations the database lacks. Raises DatabaseError."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


OTHER_PLACE = (
    "DATABASE_URL in .env: a file in a folder of the service's own, such as"
    " sqlite:////var/lib/omarty/omarty.sqlite3; and run manage.py as the service's user."
)


def refusal(error: DatabaseError) -> tuple[str, str]:
    """What an operator is told of a database that refuses, and the remedy; empty where it depends."""
    if connection.vendor != "sqlite":
        cannot = error.args and error.args[0] in CANNOT_BE_REACHED
        return f"{error}", "Start its server, or correct DATABASE_URL in .env." if cannot else ""
    if not re.search("unable to open|readonly", str(error)):
        return f"{error}", ""
    return (
        f"{error}: {connection.settings_dict['NAME']}.",
        OTHER_PLACE,
    )


def _answer(text: str, status: int = 200) -> HttpResponse:
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(
        text + "\n", status=status, content_type="text/plain; charset=utf-8", headers=headers
    )
