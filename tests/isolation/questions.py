"""Everything that can be read through the API: every GET with every parameter that it takes."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from tests.isolation.registry import ASKED_OF_THE_VIEW, QUERIES, known_api
from tests.isolation.routes import Route, api_routes
from tests.isolation.world import Ids, World

SECRET = "zxinternal"


def questions(world: World, started: str) -> Iterator[tuple[str, bool]]:
    """Every GET of the API with every parameter, as (URL, whether the page of it is asked for)."""
    for route in api_routes():
        if "GET" not in known_api(route).bodies or not route.path.startswith("api/") or not route.view:
            continue
        url = route.url(*known_api(route).arguments(world.own)[0])
        yield url, False
        yield url, True
        for name, value in _values(route, world, started):
            yield f"{url}?{urlencode({name: value})}", False


def _values(route: Route, world: World, started: str) -> Iterator[tuple[str, str]]:
    for name, value in queries_of(route):
        yield name, value(world.own)
    names = route.view().known_parameters("GET")
    if "q" in names:
        yield from (("q", SECRET), ("q", f"{SECRET}note"), ("q", f"printer {SECRET}note"), ("q", "zxacmenote"))
    if "updated_at__gte" in names:
        yield from (("updated_at__gte", started), ("updated_at__lt", started))
    if "assigned_to" in names:
        yield "assigned_to", str(world.cast.ada.pk)


def queries_of(route: Route) -> Iterator[tuple[str, Callable[[Ids], str]]]:
    """Every parameter of the route's GET with every value that the registry has for it."""
    if not hasattr(route.view, "known_parameters"):
        return
    view = route.view()
    for name in sorted(view.known_parameters("GET") - ASKED_OF_THE_VIEW):
        for value in QUERIES[name]:
            yield name, value
    for name, offered in values_of_the_view(view).items():
        for each in offered:
            yield name, lambda ids, each=each: each


def values_of_the_view(view: Any) -> dict[str, list[str]]:
    """What a view's own lists offer: each value, and all of them at once where that is allowed."""
    members = view.declared_members() if view.sparse else []
    return {
        "ordering": list(view.filters.orderings) if view.filters else [],
        "include": [*view.includes, ",".join(view.includes)] if view.includes else [],
        "fields": [*members, ",".join(members)] if members else [],
    }
