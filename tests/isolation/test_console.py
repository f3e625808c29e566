"""Everybody opens every page of the console, with globex's ids: as with ids of nothing."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.isolation.answers import Answer, ask
from tests.isolation.registry_console import CONSOLE, OF_EVERY_LIST, QUERIES, known_page
from tests.isolation.routes import Route, console_routes
from tests.isolation.test_api import Walk, Walked
from tests.isolation.world import MISSING, Ids, World

pytestmark = pytest.mark.django_db
ROLES = ("nobody", "user", "agent", "admin", "operator")


@pytest.mark.parametrize("route", console_routes(), ids=lambda route: route.path)
def test_the_walk_knows_the_page(route: Route) -> None:
    known_page(route)


def test_the_walk_knows_no_page_and_no_filter_that_is_gone() -> None:
    assert CONSOLE.keys() == {route.template for route in console_routes()}
    assert QUERIES.keys() == {name for _, filters in _lists() for name in filters}


def test_an_unknown_page_fails() -> None:
    with pytest.raises(AssertionError, match="does not know the console's page 'console/secrets/'"):
        known_page(Route("console/secrets/", console_routes()[0].callback))


class ConsoleWalk(Walk):
    """Operators manage tenants, so their names are no secret on the pages for that."""

    def send(self, method: str, url: str, body: Any, *, html: bool) -> Answer:
        return ask(self.world.console[self.role], method, url, body, form=True)

    def may_see(self, url: str) -> bool:
        return self.role == "operator" and url.startswith("/console/tenants/")


@pytest.mark.parametrize("role", ROLES)
def test_no_page_tells_of_another_tenant(world: World, walked: Walked, role: str) -> None:
    walk = ConsoleWalk(world, role)
    for route in console_routes():
        page = known_page(route)
        for method, form in [("GET", None), *(("POST", form) for form in page.forms or [lambda ids: {}])]:
            _walk_page(walk, route, method, form or (lambda ids: None))
            walk.combinations += 1
    walk.finish(walked, "pages × method")


def _walk_page(walk: ConsoleWalk, route: Route, method: str, form: Callable[[Ids], Any]) -> None:
    page, own = known_page(route), walk.world.own
    url = route.url(*page.arguments(own))
    walk.ask(method, url, form(own))
    if walk.may_see(url):
        return
    if page.arguments(walk.world.foreign) != page.arguments(MISSING):
        walk.compare(method, lambda ids: (route.url(*page.arguments(ids)), form(own)))
    if str(form(walk.world.foreign)) != str(form(MISSING)):
        walk.compare(method, lambda ids: (url, form(ids)))


@pytest.mark.parametrize("role", ROLES)
def test_no_list_tells_of_another_tenant(world: World, walked: Walked, role: str) -> None:
    """Filters, searches, orderings, look-ups made up by hand, and suggestions."""
    walk = ConsoleWalk(world, role)
    for path, name, value in _queries():
        if value(world.foreign) == value(MISSING):
            walk.ask("GET", f"{path}?{urlencode({name: value(world.own)})}", None)
        elif not walk.may_see(path):
            walk.compare("GET", lambda ids, p=path, n=name, v=value: (f"{p}?{urlencode({n: v(ids)})}", None))
        walk.combinations += 1
    walk.finish(walked, "console lists × parameters")


@pytest.mark.parametrize("role", ROLES)
def test_who_gets_in_where(world: World, walked: Walked, role: str) -> None:
    wrong = []
    for route in console_routes():
        page = known_page(route)
        url = route.url(*page.arguments(world.own))
        form = page.forms[0](world.own) if page.post_only else None
        answer = ask(world.console[role], "POST" if page.post_only else "GET", url, form, form=True)
        if answer.written:
            world.snapshot.undo(answer.written)
        is_allowed = answer.status < 400 or answer.status == 409  # what is allowed, but not just now
        is_in = is_allowed and "/console/login/" not in answer.headers.get("Location", "")
        if is_in != (role in page.roles) and route.template != "console/login/":
            wrong.append(f"{url}: {answer.status} {answer.headers.get('Location', '')}")
    walked(len(CONSOLE), "pages granted or refused")
    assert not wrong, f"as {role}:\n" + "\n".join(wrong)


def _lists() -> Iterator[tuple[str, list[str]]]:
    """The path and the filters of each model's list, as the site has them registered."""
    from ticketing.console.site import site

    console_routes()  # imports what is registered
    for model, admin in site._registry.items():
        filters = [getattr(each, "parameter_name", each) for each in admin.list_filter]
        yield f"/console/{model._meta.app_label}/{model._meta.model_name}/", filters


def _queries() -> Iterator[tuple[str, str, Callable[[Ids], str]]]:
    for path, filters in _lists():
        known: Mapping[str, Any] = {name: QUERIES[name] for name in filters} | OF_EVERY_LIST
        for name, values in known.items():
            for value in values:
                yield path, name, value
    yield "/console/tickets/ticket/requesters/", "q", lambda ids: ids.email
    yield "/console/search/", "s", lambda ids: ids.word
