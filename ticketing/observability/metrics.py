"""The platform's metrics: a small closed set, and the place they go to, which is imported when the first is recorded.

The names are the contract with alarms and dashboards.
"""

from enum import StrEnum
from functools import cache
from http import HTTPStatus
from importlib import import_module
from typing import Protocol

from django.conf import settings


class Metric(StrEnum):
    """``REQUESTS``, ``ERRORS`` (answers of 500 and more) and ``MILLISECONDS`` are recorded by ``record_request``."""

    REQUESTS = "Requests"
    ERRORS = "Errors"
    MILLISECONDS = "Milliseconds"
    THROTTLED = "Throttled"
    DATABASE_UNREACHABLE = "DatabaseUnreachable"
    JOB_FAILED = "JobFailed"
    JOBS_LATE = "JobsLate"


class Sink(Protocol):
    """A module that metrics go to."""

    def record_request(self, method: str, route: str, status: int, milliseconds: float) -> None: ...

    def count(self, metric: Metric, amount: int) -> None: ...


def record_request(method: str, route: str, status: int, milliseconds: float) -> None:
    """An answered request. ``method`` and ``route`` as ``ticketing.logs`` tells them: of those sent there is no end."""
    sink = find_sink()
    if sink is None:
        return
    sink.record_request(method, route, status, milliseconds)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        sink.count(Metric.THROTTLED, 1)


def count(metric: Metric, amount: int = 1) -> None:
    """Adds to a metric; 0 says that there is nothing to tell, which alarms know from silence."""
    sink = find_sink()
    if sink is not None:
        sink.count(metric, amount)


@cache
def find_sink() -> Sink | None:
    """The module that METRICS_SINK names; None where metrics go nowhere."""
    if settings.METRICS_SINK == "none":
        return None
    sink: Sink = import_module(f"ticketing.observability.{settings.METRICS_SINK}")
    return sink
