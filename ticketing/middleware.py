"""What surrounds every request: an empty tenant scope, host names, a limit to forms, an unreachable database."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.utils import timezone, translation

from ticketing.mongo.scope import empty_scope, find_scope

GetResponse = Callable[[HttpRequest], HttpResponse]


class ScopeMiddleware:
    """No tenant, time zone or language is active before a request is authenticated and after it has been answered."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            with empty_scope(), timezone.override(None):
                response = self.get_response(request)
                request.scope = find_scope()  # type: ignore[attr-defined] # for the lines that follow
                return response
        finally:
            translation.deactivate()


class BodySizeMiddleware:
    """Refuses a console form that is too large before anything reads it; the API's views have limits of their own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if request.path_info.startswith("/console/") and (
            not length.isdigit() or len(length) > 18 or int(length) > _limit(request)
        ):
            from ticketing.api.errors import too_large_response

            return too_large_response(request, "The form is too large")
        return self.get_response(request)


class StorageErrorMiddleware:
    """An unreachable database is answered 503 with Retry-After in views of all kinds.

    Where it shows in a middleware, Django asks ``server_error_view``.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        from ticketing.api.errors import find_storage_response

        return find_storage_response(request, exception)


class HostMiddleware(CommonMiddleware):
    """Refuses host names that are not ours, but for probes, which come by address."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if re.search(settings.PROBES, request.path_info.lstrip("/")):
            return None
        return super().process_request(request)


def _limit(request: HttpRequest) -> int:
    limit: int = settings.MAX_FORM_BYTES if request.user.is_authenticated else settings.MAX_BODY_BYTES
    return limit
