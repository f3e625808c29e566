"""The entry page: which resources there are for the one who asks."""

from collections.abc import Iterator
from typing import Any, cast

from django.urls import URLPattern, URLResolver, get_resolver, get_script_prefix
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ticketing.api.permissions import Principal
from ticketing.api.views import ApiView

API_ROUTE = "api/v1/"


class RootOutput(serializers.Serializer[Any]):
    """Addresses; those of the resources stand beside the three that are always there."""

    schema = serializers.URLField()
    docs = serializers.URLField()
    redoc = serializers.URLField()

    example = {
        "schema": "https://acme.example/api/v1/schema",
        "docs": "https://acme.example/api/v1/docs",
        "redoc": "https://acme.example/api/v1/redoc",
    }


class ApiRoot(ApiView):
    """Start here: the resources that you may read, and the documentation of all of them."""

    public = True
    tag = "root"
    outputs = {"GET": RootOutput}
    throttle = "none"

    def get(self, request: Request) -> Response:
        links = {name: request.build_absolute_uri(get_script_prefix() + path) for name, path in self._resources()}
        for name in ("schema", "docs", "redoc"):
            links[name] = request.build_absolute_uri(f"{get_script_prefix()}{API_ROUTE}{name}")
        return Response(links)

    def _resources(self) -> Iterator[tuple[str, str]]:
        """Every collection below the root whose GET is open to the principal."""
        principal: Principal | None = cast(Any, self.request.auth)
        for path, view in sorted(_collections(), key=lambda found: found[0]):
            action = view.actions.get("GET")
            if principal is not None and action is not None and principal.can(action):
                yield path.removeprefix(API_ROUTE).replace("/", "_"), path

    def get_view_name(self) -> str:
        return "API"


def _collections() -> Iterator[tuple[str, type[ApiView]]]:
    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver) and str(resolver.pattern) == API_ROUTE:
            yield from _walk(API_ROUTE, resolver)


def _walk(prefix: str, resolver: URLResolver) -> Iterator[tuple[str, type[ApiView]]]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(path, pattern)
        elif isinstance(pattern, URLPattern) and "<" not in path:
            view = getattr(pattern.callback, "cls", None)
            if isinstance(view, type) and issubclass(view, ApiView) and hasattr(view, "get") and path != API_ROUTE:
                yield path, view
