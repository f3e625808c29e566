"""One answer for everything that goes wrong: ``application/problem+json`` (RFC 9457)."""

import errno
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from django.core import exceptions as django_errors
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf
from rest_framework.response import Response

from ticketing import errors
from ticketing.error_pages import error_page, stale_form_page
from ticketing.errors import FieldError, InvalidInput, TicketingError
from ticketing.logs import request_id
from ticketing.mongo.client import is_unreachable, unavailable
from ticketing.observability import metrics
from ticketing.observability.metrics import Metric

PROBLEM_JSON = "application/problem+json"
API_PREFIX = "/api/"
CHALLENGE = "Bearer"
FILES_RETRY_AFTER_SECONDS = 30
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
logger = logging.getLogger("ticketing.api")


class MethodNotAllowed(TicketingError):
    code, status, title = "method_not_allowed", 405, "This resource does not know the method"


class NotAcceptable(TicketingError):
    code, status, title = "not_acceptable", 406, "None of the accepted media types is on offer"


class LengthRequired(TicketingError):
    """RFC 9110, section 15.5.12: a body without Content-Length is refused, because it would be read as empty."""

    code, status, title = "length_required", 411, "Send the body with a Content-Length"


class UnsupportedMediaType(TicketingError):
    code, status, title = "unsupported_media_type", 415, "The body's media type is not supported"


class InternalError(TicketingError):
    code, status, title = "internal_error", 500, "Something went wrong on our side"


def problem(error: TicketingError) -> dict[str, Any]:
    """The members of the problem document; ``error.data`` stands beside the standard ones (RFC 9457, section 3.2)."""
    return {
        **error.data,
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id.get(),
        "errors": [{"field": e.field, "code": e.code, "message": e.message} for e in error.errors],
    }


def problem_response(error: TicketingError) -> HttpResponse:
    """The answer outside of an API view: middleware, unknown paths, CSRF failures."""
    from ticketing.api.renderers import encode

    return HttpResponse(
        encode(problem(error)), content_type=PROBLEM_JSON, status=error.status, headers=_headers(error, CHALLENGE)
    )


def exception_handler(exception: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's hook: never None, so that no exception of a view reaches a client in any other shape."""
    request, view = context.get("request"), context.get("view")
    error = as_ticketing_error(exception)
    if error is None:
        error = _unexpected(exception, request)
    challenge = (request and view and view.get_authenticate_header(request)) or CHALLENGE
    renderer = getattr(request, "accepted_renderer", None)
    content_type = None if getattr(renderer, "format", "json") == "api" else PROBLEM_JSON
    return Response(problem(error), status=error.status, headers=_headers(error, challenge), content_type=content_type)


def as_ticketing_error(exception: BaseException) -> TicketingError | None:
    """The same fault in our taxonomy, or None for what nobody expected."""
    if isinstance(exception, errors.StorageUnavailable) or is_unreachable(exception):
        logger.error("the database cannot be reached: %s", exception.__cause__ or exception)
        metrics.count(Metric.DATABASE_UNREACHABLE)
        return exception if isinstance(exception, errors.StorageUnavailable) else unavailable(exception)
    if isinstance(exception, OSError) and exception.errno in _NO_ROOM:  # a form's file, before anybody has stored it
        logger.error("a file that is sent cannot be received: %s", exception)
        return errors.FilesUnavailable(headers={"Retry-After": str(FILES_RETRY_AFTER_SECONDS)})
    if isinstance(exception, TicketingError):
        return exception
    for kind, translate in _TRANSLATIONS:
        if isinstance(exception, kind):
            return translate(exception)
    return None


def field_errors(details: Any, path: str = "") -> Iterator[FieldError]:
    """Flattens DRF's ``get_full_details()``: nested names are joined by dots, list items are named by position."""
    if isinstance(details, Mapping) and isinstance(details.get("message"), str):
        yield FieldError(path or "body", str(details.get("code", "invalid")), str(details["message"]))
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            own = path if name == "non_field_errors" else _join(path, name)
            yield from field_errors(inner, own)
    elif isinstance(details, list):
        for position, inner in enumerate(details):
            leaf = isinstance(inner, Mapping) and isinstance(inner.get("message"), str)
            yield from field_errors(inner, path if leaf else _join(path, position))


def bad_request_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, as_ticketing_error(exception) or InvalidInput())


def permission_denied_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, errors.NotAllowed(), str(exception))


def not_found_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, as_ticketing_error(exception) or errors.NotFound())


def server_error_view(request: HttpRequest) -> HttpResponse:
    """Django calls this while the exception is being handled, also for one that a middleware raised."""
    return find_storage_response(request, sys.exc_info()[1]) or _answer(request, InternalError())


def find_storage_response(request: HttpRequest, exception: BaseException | None) -> HttpResponse | None:
    """The answer to an exception that says that the database or the files cannot be reached; None for all others."""
    error = None if exception is None else as_ticketing_error(exception)
    is_storages = isinstance(error, errors.StorageUnavailable | errors.FilesUnavailable)
    return _answer(request, error) if error is not None and is_storages else None


def too_large_response(request: HttpRequest, detail: str) -> HttpResponse:
    """The answer to a body that nobody is going to read."""
    return _answer(request, errors.TooLarge(detail))


def csrf_failure_view(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django names it
    """Settings name this view: a form without its token, or with one of another session."""
    error = errors.NotAllowed("The form's CSRF token is missing or stale: reload the page")
    return problem_response(error) if _is_for_programs(request) else stale_form_page(error)


def _unexpected(exception: Exception, request: Any) -> TicketingError:
    level = logging.CRITICAL if isinstance(exception, errors.ProgrammingBug) else logging.ERROR
    logger.log(level, "an API view failed", exc_info=exception)
    if request:  # error trackers and Django's test client listen to it
        got_request_exception.send(sender=exception_handler, request=request._request)
    return InternalError()


def _headers(error: TicketingError, challenge: str) -> dict[str, str]:
    headers = {"Cache-Control": "no-store", **error.headers}
    return {"WWW-Authenticate": challenge, **headers} if error.status == 401 else headers


def _answer(request: HttpRequest, error: TicketingError, reason: str = "") -> HttpResponse:
    """A problem document for programs, a page for people, who are told the reason where there is one."""
    return problem_response(error) if _is_for_programs(request) else error_page(error, reason)


def _is_for_programs(request: HttpRequest) -> bool:
    """Whether the API was asked, or a script of the console's pages asks (see fetch.js), or a page is not accepted."""
    by_script = request.headers.get("X-Requested-With") == "fetch"
    return by_script or request.path_info.startswith(API_PREFIX) or not request.accepts("text/html")


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _validation(exception: drf.ValidationError) -> TicketingError:
    found = list(field_errors(exception.get_full_details()))
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    first = f"{found[0].field}: {found[0].message}{more}" if found else ""
    return InvalidInput(first, errors=found)


def _throttled(exception: drf.Throttled) -> TicketingError:
    return errors.LimitExceeded(headers={"Retry-After": str(getattr(exception, "wait", None) or 60)})


def _with_detail(kind: type[TicketingError]) -> Callable[[Any], TicketingError]:
    return lambda exception: kind(str(exception.detail))


def _plain(kind: type[TicketingError]) -> Callable[[Any], TicketingError]:
    return lambda _: kind()


# The first match counts, so special cases stand before their base classes.
_TRANSLATIONS: list[tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[Any], TicketingError]]] = [
    (drf.ValidationError, _validation),
    (drf.ParseError, _with_detail(InvalidInput)),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), _plain(errors.NotAuthenticated)),
    (drf.PermissionDenied, _with_detail(errors.NotAllowed)),
    (drf.NotFound, _plain(errors.NotFound)),
    (drf.MethodNotAllowed, _with_detail(MethodNotAllowed)),
    (drf.NotAcceptable, _with_detail(NotAcceptable)),
    (drf.UnsupportedMediaType, _with_detail(UnsupportedMediaType)),
    (drf.Throttled, _throttled),
    (Http404, _plain(errors.NotFound)),
    (django_errors.PermissionDenied, _plain(errors.NotAllowed)),
    (
        (
            django_errors.RequestDataTooBig,
            django_errors.TooManyFieldsSent,
            django_errors.TooManyFilesSent,
        ),
        _plain(errors.TooLarge),
    ),
    ((django_errors.SuspiciousOperation, MultiPartParserError, UnreadablePostError), _plain(InvalidInput)),
    (orjson.JSONDecodeError, _plain(InvalidInput)),
]
