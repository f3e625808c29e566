"""What surrounds every request: its id and trace, what it cost, its line in the log and its place in the metrics."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from ticketing.logs import current_request, method_of, request_id, route_of
from ticketing.mongo.monitoring import DatabaseCost, database_cost
from ticketing.observability import metrics

logger = logging.getLogger("ticketing.requests")

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_AMAZON = re.compile(r"(?:^|;)\s*Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")
_W3C = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_PROBES = frozenset({"/healthz", "/readyz", "/metrics", "/api/v1/healthz", "/api/v1/readyz"})


@dataclass(slots=True)
class RequestCost:
    """What a request has taken since it came in."""

    database: DatabaseCost = field(default_factory=DatabaseCost)
    _started: float = field(default_factory=time.perf_counter)
    _cpu_started: float = field(default_factory=time.thread_time)
    _cpu_milliseconds: float | None = None

    @property
    def milliseconds(self) -> float:
        return (time.perf_counter() - self._started) * 1000

    @property
    def cpu_milliseconds(self) -> float:
        """Of this thread, which is the one that answers, until this is asked first: the clock is a slow one."""
        if self._cpu_milliseconds is None:
            self._cpu_milliseconds = (time.thread_time() - self._cpu_started) * 1000
        return self._cpu_milliseconds

    @property
    def database_milliseconds(self) -> float:
        return self.database.microseconds / 1000


class RequestMiddleware:
    """Takes ``X-Request-Id`` where it is well-formed, else makes one; answers and log lines carry it.

    Sets ``request.request_id``, ``request.trace_id`` and ``request.cost``. The line of an answered request has the
    route's pattern: paths hold ids, and queries what people search for. Probes have a line at the level DEBUG only.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        own = given if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        cost = RequestCost()
        request.request_id, request.cost = own, cost  # type: ignore[attr-defined]
        request.trace_id = find_trace_id(request) or own  # type: ignore[attr-defined]
        tokens = request_id.set(own), current_request.set(request), database_cost.set(cost.database)
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = own
            _report(request, response, cost)
            return response
        finally:
            request_id.reset(tokens[0])
            current_request.reset(tokens[1])
            database_cost.reset(tokens[2])


def find_trace_id(request: HttpRequest) -> str | None:
    """The trace that a gateway has begun, by its ``X-Amzn-Trace-Id``, or another caller by his ``traceparent``.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html https://www.w3.org/TR/trace-context/
    """
    found = _AMAZON.search(request.META.get("HTTP_X_AMZN_TRACE_ID", ""))
    found = found or _W3C.fullmatch(request.META.get("HTTP_TRACEPARENT", ""))
    return found and found[1]


def _report(request: HttpRequest, response: HttpResponse, cost: RequestCost) -> None:
    method, route, status = method_of(request), route_of(request), response.status_code
    milliseconds = cost.milliseconds
    metrics.record_request(method, route, status, milliseconds)
    level = logging.DEBUG if route in _PROBES else logging.INFO
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        level = logging.WARNING
    if logger.isEnabledFor(level):
        length = response.get("Content-Length", "")
        figures = {
            "method": method,
            "route": route,
            "status": status,
            "milliseconds": round(milliseconds, 1),
            "cpu_milliseconds": round(cost.cpu_milliseconds, 1),
            "database_milliseconds": round(cost.database_milliseconds, 1),
            "database_calls": cost.database.calls,
            "bytes": int(length) if length.isdigit() else None,
        }
        logger.log(
            level, "%s %s %d in %.0f ms", method, route, status, milliseconds, extra={**figures, "request": request}
        )
