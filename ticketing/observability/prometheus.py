"""Metrics for Prometheus, which fetches them from ``/metrics``.

Under gunicorn the workers' numbers meet in the directory PROMETHEUS_MULTIPROC_DIR, and any of them answers for all.
https://prometheus.github.io/client_python/multiprocess/
"""

import logging
import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from ticketing.errors import StorageUnavailable
from ticketing.jobs.repository import JobRepository
from ticketing.observability.metrics import Metric

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
logger = logging.getLogger("ticketing.metrics")

_own = CollectorRegistry()
_requests = Counter("ticketing_requests", "Answered requests", ["method", "route", "status"], registry=_own)
_seconds = Histogram(
    "ticketing_request_seconds", "How long answers took", ["method", "route"], buckets=BUCKETS, registry=_own
)
_counters = {
    Metric.THROTTLED: Counter("ticketing_throttled", "Requests refused by a limit (429)", registry=_own),
    Metric.DATABASE_UNREACHABLE: Counter(
        "ticketing_database_unreachable", "Requests answered 503 for want of the database", registry=_own
    ),
}


def record_request(method: str, route: str, status: int, milliseconds: float) -> None:
    """By method, route and status."""
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(method, route).observe(milliseconds / 1000)


def count(metric: Metric, amount: int) -> None:
    """What jobs do is read from the database when asked for: their runners are other processes."""
    if metric in _counters:
        _counters[metric].inc(amount)


def exposition() -> bytes:
    """All of it in Prometheus' text format; the jobs are left out while the database cannot be reached."""
    registry = _own
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry) + _jobs()


def _jobs() -> bytes:
    try:
        states = JobRepository().states()
    except StorageUnavailable as error:
        logger.warning("the jobs cannot be told: %s", error)
        return b""
    registry = CollectorRegistry()
    late = Gauge(
        "ticketing_job_late", "1 when nobody runs the job that has been due for minutes", ["job"], registry=registry
    )
    failures = Gauge("ticketing_job_failures", "Failed runs in a row", ["job"], registry=registry)
    finished = Gauge("ticketing_job_finished_timestamp_seconds", "When a run ended last", ["job"], registry=registry)
    for state in states:
        late.labels(state["_id"]).set(state["state"] == "late")
        failures.labels(state["_id"]).set(state["failures"])
        if state["last_finished_at"]:
            finished.labels(state["_id"]).set(state["last_finished_at"].timestamp())
    return generate_latest(registry)
