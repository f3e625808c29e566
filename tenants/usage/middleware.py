"""What a request costs is put down to its tenant."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tenants.usage.services import record_usage


class UsageMiddleware:
    """Counts a request for the tenant that it ran for; outside of the scope, whose end tells it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        scope = request.scope  # type: ignore[attr-defined] # set by ScopeMiddleware
        if scope is not None and scope.tenant_id is not None:
            cost = request.cost  # type: ignore[attr-defined] # set by RequestMiddleware
            record_usage(
                scope.tenant_id,
                requests=1,
                cpu_milliseconds=cost.cpu_milliseconds,
                database_milliseconds=cost.database_milliseconds,
            )
        return response
