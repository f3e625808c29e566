"""For load balancers and orchestrators: is the process up, and can it serve."""

import logging

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ticketing.mongo.client import is_reachable

SECONDS = 2
logger = logging.getLogger("ticketing.health")
_migrated = False


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers; it asks nothing else."""
    return _answer(200, {"status": "ok"})


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when the database answers and knows all migrations, else 503 with the name of what is missing."""
    missing = _find_missing()
    if missing is None:
        return _answer(200, {"status": "ready"})
    response = _answer(503, {"status": "not ready", "missing": missing})
    response["Retry-After"] = "5"
    return response


def _find_missing() -> str | None:
    if not is_reachable(SECONDS):
        return "database"
    return None if _is_migrated() else "migrations"


def _is_migrated() -> bool:
    """Remembers a yes: migrations are never taken back under a running process."""
    global _migrated  # noqa: PLW0603
    if not _migrated:
        from django.db.migrations.executor import MigrationExecutor

        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def _answer(status: int, data: dict[str, str]) -> HttpResponse:
    from ticketing.api.renderers import encode

    return HttpResponse(encode(data), content_type="application/json", status=status)
