"""Is it alive, and can it serve: for load balancers and timers."""

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe


@csrf_exempt
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return _say("ok")


@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The database can be reached and has every migration; 503 in words when not."""
    try:
        missing = missing_migrations()
    except DatabaseError:
        return _say(f"The database {DEFAULT_DB_ALIAS!r} cannot be reached.", status=503)
    if missing:
        return _say(f"{missing} migrations are missing: run `manage.py migrate`.", status=503)
    return _say("ready")


def missing_migrations() -> int:
    """How many migrations the database has still to go through. Raises DatabaseError."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _say(text: str, status: int = 200) -> HttpResponse:
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(text + "\n", status=status, content_type="text/plain", headers=headers)
