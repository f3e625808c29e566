"""Everybody of acme asks every route, by every method, for what is globex's: nobody learns that it exists."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.figures import tell
from tests.isolation.answers import Answer, ask, difference, leak, texts_in, texts_of_url
from tests.isolation.questions import queries_of
from tests.isolation.registry import Body, known_api, nothing
from tests.isolation.routes import METHODS, Route, api_routes
from tests.isolation.world import MISSING, ROLES, Ids, World
from ticketing.mongo.repository import Repository

pytestmark = pytest.mark.django_db
Walked = Callable[[int, str], None]


@dataclass
class Walk:
    """One role's way through the API. Every fault is noted; the test shows all of them at once."""

    world: World
    role: str
    faults: list[str] = field(default_factory=list)
    combinations: int = 0

    def ask(self, method: str, url: str, body: Any, *, html: bool = False) -> Answer:
        answer = self.send(method, url, body, html=html)
        if answer.written:
            sent = [text for text in texts_in(body) if len(text) != 24]
            self._check_written(f"{method} {url} {body}", sent, answer.written)
        if answer.status >= 500:
            self.faults.append(f"{method} {url} {body}: answered {answer.status}")
        if not self.may_see(url) and (found := leak(answer, self.world.secrets, *texts_of_url(url), *texts_in(body))):
            self.faults.append(f"{method} {url} {body}: leaks …{found}…")
        return answer

    def send(self, method: str, url: str, body: Any, *, html: bool) -> Answer:
        return ask(self.world.api[self.role], method, url, body, html=html)

    def may_see(self, url: str) -> bool:
        """Whether the page is about tenants, for somebody who manages them."""
        return False

    def compare(self, method: str, of: Callable[[Ids], tuple[str, Any]], *, html: bool = False) -> None:
        """The request with globex's ids must be answered as the one with ids of nothing."""
        foreign = self.ask(method, *of(self.world.foreign), html=html)
        missing = self.ask(method, *of(MISSING), html=html)
        if found := difference(foreign, self.world.foreign, missing, MISSING):
            self.faults.append(f"{method} {of(self.world.foreign)}: not as missing: {found}")

    def finish(self, walked: Walked, of_what: str) -> None:
        """Nothing of globex has changed, also where the walk was refused."""
        self._check_written("one of the refused requests", [], None)
        walked(self.combinations, f"{of_what} × role")
        how = f"{self.combinations:,} combinations: a foreign id answers as a missing one, after the same commands"
        tell("Isolation", f"leaks to {self.role}: {of_what}", str(len(self.faults)), "0", not self.faults, how)
        assert not self.faults, f"{len(self.faults)} faults as {self.role}:\n" + "\n".join(self.faults)

    def _check_written(self, by: str, sent: list[str], collections: Collection[str] | None) -> None:
        for written in self.world.snapshot.undo(collections):
            text = written.text
            for each in sent:
                text = text.replace(json.dumps(each)[1:-1], "")
            if written.tenant_id == self.world.cast.globex.pk:
                self.faults.append(f"{by}: wrote to globex's {written.collection}: {written.text[:300]}")
            elif found := self.world.secrets.search(text):
                self.faults.append(f"{by}: wrote globex's {found[0]} into {written.collection}: {written.text[:300]}")


@pytest.mark.parametrize("role", ROLES)
def test_no_request_tells_of_another_tenant(world: World, walked: Walked, role: str) -> None:
    walk = Walk(world, role)
    for route in api_routes():
        for method in METHODS:
            _walk_method(walk, route, method)
            walk.combinations += 1
    walk.finish(walked, "route × method")


def test_a_hole_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repositories that forget the tenant: reading shows globex's ticket, writing changes it."""
    monkeypatch.setattr(Repository, "scoped", lambda self, where: dict(where))
    walk = Walk(world, "admin")
    [ticket] = [route for route in api_routes() if route.template == "api/v1/tickets/{}"]
    _walk_method(walk, ticket, "GET")
    _walk_method(walk, ticket, "PATCH")
    found = "\n".join(walk.faults)
    assert all(fault in found for fault in ("leaks …", "not as missing: status differs", "wrote to globex's tickets"))


def _walk_method(walk: Walk, route: Route, method: str) -> None:
    known = known_api(route)
    own = walk.world.own_of(walk.role)
    for body in known.bodies.get(method, [nothing]):
        _walk_body(walk, route, method, body)
    if method == "GET" and route.path.startswith("api/"):
        for arguments in known.arguments(own):
            walk.ask(method, route.url(*arguments), None, html=True)
        if known.names:
            walk.compare(method, lambda ids: (route.url(*known.arguments(ids)[0]), None), html=True)


def _walk_body(walk: Walk, route: Route, method: str, body: Body) -> None:
    known = known_api(route)
    own = walk.world.own_of(walk.role)
    for position, arguments in enumerate(known.arguments(own)):
        walk.ask(method, route.url(*arguments), body(own))
        if known.names:
            walk.compare(method, lambda ids, at=position: (route.url(*known.arguments(ids)[at]), body(own)))
    if _names_somebody(body):
        walk.compare(method, lambda ids: (route.url(*known.arguments(own)[0]), body(ids)))


def _names_somebody(body: Body) -> bool:
    """Whether the body depends on what it is made for."""
    return any(text in MISSING.values().values() for text in texts_in(body(MISSING))) or "nobody@" in str(body(MISSING))


@pytest.mark.parametrize("role", ROLES)
def test_no_parameter_of_a_list_tells_of_another_tenant(world: World, walked: Walked, role: str) -> None:
    walk = Walk(world, role)
    for route in api_routes():
        for name, value in queries_of(route):
            url = f"{route.url(*known_api(route).arguments(world.own)[0])}?"
            if value(world.foreign) == value(MISSING):
                walk.ask("GET", url + urlencode({name: value(world.own)}), None)
            else:
                walk.compare("GET", lambda ids, u=url, n=name, v=value: (u + urlencode({n: v(ids)}), None))
                walk.compare("GET", lambda ids, u=url, n=name, v=value: (u + urlencode({n: v(ids)}), None), html=True)
            walk.combinations += 1
    walk.finish(walked, "list parameters")


@pytest.mark.parametrize("role", ["user", "agent", "admin", "key"])
def test_no_cursor_leads_into_another_tenant(world: World, walked: Walked, role: str) -> None:
    """A cursor is a place in an order, not a key: globex's lead nowhere but through one's own rows."""
    walk = Walk(world, role)
    paginated = [route for route in api_routes() if getattr(route.view, "paginated", False)]
    for route in paginated:
        known = known_api(route)
        there = ask(world.foreign_admin, "GET", f"{route.url(*known.arguments(world.foreign)[0])}?limit=1")
        cursor = json.loads(there.body)["page"]["after"]
        for name in ("after", "before"):
            url = f"{route.url(*known.arguments(world.own)[0])}?{urlencode({name: cursor or 'none'})}"
            walk.ask("GET", url, None)
            walk.combinations += 1
    assert paginated
    walk.finish(walked, "foreign cursors")
