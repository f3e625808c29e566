"""What surrounds every request: its id, an empty tenant scope, and one answer for an unreachable database."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from ticketing.errors import StorageUnavailable, TooLarge
from ticketing.logs import request_id
from ticketing.mongo.client import is_unreachable, unavailable
from ticketing.mongo.scope import empty_scope, find_scope

GetResponse = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger("ticketing.requests")

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


class RequestIdMiddleware:
    """Takes ``X-Request-Id`` where it is well-formed, else makes one; answers and log lines carry it.

    At the level INFO each request has a line of its own, without its query: that may hold what people search for.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        own = given if _ACCEPTABLE_ID.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(own)
        request.request_id = own  # type: ignore[attr-defined]
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = own
            took = (time.perf_counter() - started) * 1000
            details = request.method, request.path, response.status_code, took
            logger.info("%s %s %d in %.0f ms", *details, extra={"request": request})
            return response
        finally:
            request_id.reset(token)


class ScopeMiddleware:
    """No tenant, nor its time zone, is active before a request is authenticated and after it has been answered."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with empty_scope(), timezone.override(None):
            response = self.get_response(request)
            request.scope = find_scope()  # type: ignore[attr-defined] # for the lines that follow
            return response


class BodySizeMiddleware:
    """Refuses a console form that is too large before anything reads it; the API's views have limits of their own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if request.path.startswith("/console/") and (
            not length.isdigit() or len(length) > 18 or int(length) > _limit(request)
        ):
            from ticketing.api.errors import problem_response

            return problem_response(TooLarge("The form is too large"))
        return self.get_response(request)


class StorageErrorMiddleware:
    """An unreachable database is answered 503 with Retry-After wherever it shows, middleware included."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not (isinstance(exception, StorageUnavailable) or is_unreachable(exception)):
            return None
        from ticketing.api.errors import problem_response

        logger.error("the database cannot be reached: %s", exception)
        return problem_response(unavailable())


def _limit(request: HttpRequest) -> int:
    limit: int = settings.MAX_FORM_BYTES if request.user.is_authenticated else settings.MAX_BODY_BYTES
    return limit
