"""For load balancers and orchestrators: is the process up, and can it serve."""

import logging
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ticketing.jobs.repository import JobRepository
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
    """200 when the database answers and knows all migrations, else 503 with the name of what is missing.

    ``checks`` tells of jobs too; they never make it a 503, since a server can serve while no worker runs.
    """
    checks = _check()
    missing = next((name for name, found in checks.items() if found == "missing"), None)
    if missing is None:
        return _answer(200, {"status": "ready", "checks": checks})
    response = _answer(503, {"status": "not ready", "missing": missing, "checks": checks})
    response["Retry-After"] = "5"
    return response


def _check() -> dict[str, str]:
    """What is there and what is missing; after the first that is missing the others cannot be told."""
    checks = dict.fromkeys(("database", "migrations", "jobs"), "unknown")
    checks["database"] = "ok" if is_reachable(SECONDS) else "missing"
    if checks["database"] == "ok":
        checks["migrations"] = "ok" if _is_migrated() else "missing"
        checks["jobs"] = _jobs()
    return checks


def _is_migrated() -> bool:
    """Remembers a yes: migrations are never taken back under a running process."""
    global _migrated  # noqa: PLW0603
    if not _migrated:
        from django.db.migrations.executor import MigrationExecutor

        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _migrated


def _jobs() -> str:
    """Whether somebody runs them: late when one has been due for five minutes and nobody is at it."""
    states = {state["state"] for state in JobRepository().states()}
    if not states:
        return "none yet"
    return "late" if "late" in states else "running"


def _answer(status: int, data: dict[str, Any]) -> HttpResponse:
    from ticketing.api.renderers import encode

    return HttpResponse(encode(data), content_type="application/json", status=status)
