"""What every log line carries: the request's id and the tenant it runs for."""

import logging
from contextvars import ContextVar

from ticketing.mongo.scope import find_scope

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestFilter(logging.Filter):
    """Adds ``request_id`` and ``tenant`` to each record; "-" where there is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)  # Django logs an answer once the request's context is left
        scope = find_scope() or getattr(request, "scope", None)
        record.request_id = getattr(request, "request_id", None) or request_id.get()
        record.tenant = "-" if scope is None else (scope.tenant_id or "platform")
        return True
