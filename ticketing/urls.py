"""Every address of the platform. What few requests need (the admin, OpenAPI) is imported when it is asked for."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, get_script_prefix, include, path
from django.urls.resolvers import RoutePattern
from django.utils.module_loading import import_string

from ticketing.api import health
from ticketing.api.root import API_ROUTE, ApiRoot
from ticketing.observability.views import metrics

handler400 = "ticketing.api.errors.bad_request_view"
handler403 = "ticketing.api.errors.permission_denied_view"
handler404 = "ticketing.api.errors.not_found_view"
handler500 = "ticketing.api.errors.server_error_view"


def _lazy(view: str) -> Callable[..., HttpResponseBase]:
    """A class-based view that is imported by its first request."""

    def respond(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        response: HttpResponseBase = import_string(view).as_view()(request, **arguments)
        return response

    return respond


def _to_api(_request: HttpRequest) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{get_script_prefix()}{API_ROUTE}")


class _OnDemand(URLResolver):
    """A namespace whose routes are imported by the first request below it, or the first reverse() that names it.

    Without this a reverse() of any name imports all routes there are, and with the console's the whole admin.
    """

    def _populate(self) -> None:
        """Called by the root for the names without a namespace: here are none."""


urlpatterns: list[URLPattern | URLResolver] = [
    path(  # the first, with the tickets before all else: most requests are for them, and routes are tried in turn
        API_ROUTE,
        include(
            [
                path("", include("tickets.api.urls")),
                path("", include("accounts.api.urls")),
                path("", ApiRoot.as_view(), name="api-root"),
            ]
        ),
    ),
    path("", _to_api),
    *(path(prefix + "healthz", health.healthz) for prefix in ("", API_ROUTE)),
    *(path(prefix + "readyz", health.readyz) for prefix in ("", API_ROUTE)),
    path("metrics", metrics),
    path(API_ROUTE + "schema", _lazy("ticketing.api.documents.SchemaView"), name="api-schema"),
    path(API_ROUTE + "docs", _lazy("ticketing.api.documents.SwaggerView"), name="api-docs"),
    path(API_ROUTE + "redoc", _lazy("ticketing.api.documents.RedocView"), name="api-redoc"),
    path(API_ROUTE.rstrip("/"), _to_api),
    _OnDemand(RoutePattern("console/"), "ticketing.console.urls", None, "admin", "console"),
]
