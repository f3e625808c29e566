"""The walks know every route there is."""

import pytest

from tests.isolation.registry import API, ASKED_OF_THE_VIEW, QUERIES, known_api
from tests.isolation.routes import Route, api_routes


@pytest.mark.parametrize("route", api_routes(), ids=lambda route: route.path or "/")
def test_the_walk_knows_the_route(route: Route) -> None:
    known_api(route)
    if route.view and hasattr(route.view, "known_parameters"):
        names = route.view().known_parameters("GET")
        unknown = names - QUERIES.keys() - ASKED_OF_THE_VIEW
        assert not unknown, f"{route.path}: add {sorted(unknown)} to QUERIES in tests/isolation/registry.py"


def test_the_walk_knows_no_route_that_is_gone() -> None:
    assert API.keys() - {route.template for route in api_routes()} == set()


def test_an_unknown_route_and_an_unknown_method_fail() -> None:
    by_template = {route.template: route for route in api_routes()}
    stats, follow = by_template["api/v1/tickets/stats"], by_template["api/v1/tickets/{}/follow"]
    with pytest.raises(AssertionError, match="does not know the route 'api/v1/secrets'"):
        known_api(Route("api/v1/secrets", stats.callback))
    with pytest.raises(AssertionError, match=r"no body for .*POST"):
        known_api(Route("api/v1/tickets/stats", follow.callback))
