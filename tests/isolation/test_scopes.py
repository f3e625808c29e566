"""API keys of every scope at every route: let in exactly where the scope says, and nowhere told of another tenant."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from accounts.keys import create_api_key
from accounts.roles import KEY_RESOURCES, ScopeLevel
from tests.cast import actor_of
from tests.figures import tell
from tests.isolation.registry import known_api
from tests.isolation.routes import Route, api_routes
from tests.isolation.snapshot import Snapshot
from tests.isolation.test_api import Walk, Walked
from tests.isolation.test_permissions import REFUSED
from tests.isolation.world import World
from ticketing.mongo.client import get_database

pytestmark = pytest.mark.django_db

# What a key needs at the least. What hangs on a ticket is seen with the ticket.
NEEDED = """
GET    api/v1/api-keys                api_keys:admin
POST   api/v1/api-keys                api_keys:admin
GET    api/v1/api-keys/{}             api_keys:admin
DELETE api/v1/api-keys/{}             api_keys:admin
GET    api/v1/attachments/{}          attachments:read tickets:read
GET    api/v1/auth/me                 profile:read
PATCH  api/v1/auth/me                 profile:write
GET    api/v1/comments/{}             comments:read tickets:read
PATCH  api/v1/comments/{}             comments:write tickets:read
POST   api/v1/comments/{}/split       tickets:write comments:read
GET    api/v1/erasures                privacy:admin
GET    api/v1/erasures/{}             privacy:admin
GET    api/v1/exports                 exports:admin
POST   api/v1/exports                 exports:admin
GET    api/v1/exports/{}              exports:admin
DELETE api/v1/exports/{}              exports:admin
GET    api/v1/exports/{}/download     exports:admin
GET    api/v1/holds                   privacy:admin
POST   api/v1/holds                   privacy:admin
GET    api/v1/holds/{}                privacy:admin
POST   api/v1/holds/{}/lift           privacy:admin
GET    api/v1/retention               privacy:admin
PATCH  api/v1/retention               privacy:admin
GET    api/v1/retention/preview       privacy:admin
GET    api/v1/teams                   teams:read
POST   api/v1/teams                   teams:admin
GET    api/v1/teams/{}                teams:read
PATCH  api/v1/teams/{}                teams:admin
DELETE api/v1/teams/{}                teams:admin
GET    api/v1/tickets                 tickets:read
POST   api/v1/tickets                 tickets:write
GET    api/v1/tickets/stats           tickets:read
GET    api/v1/tickets/{}              tickets:read
PUT    api/v1/tickets/{}              tickets:write
PATCH  api/v1/tickets/{}              tickets:write
GET    api/v1/tickets/{}/attachments  attachments:read tickets:read
POST   api/v1/tickets/{}/attachments  attachments:write tickets:read
GET    api/v1/tickets/{}/comments     comments:read tickets:read
POST   api/v1/tickets/{}/comments     comments:write tickets:read
GET    api/v1/tickets/{}/events       tickets:read comments:read
POST   api/v1/tickets/{}/follow       tickets:write
DELETE api/v1/tickets/{}/follow       tickets:write
POST   api/v1/tickets/{}/merge        tickets:write
POST   api/v1/tickets/{}/unmerge      tickets:write
GET    api/v1/tickets/{}/related      tickets:read
POST   api/v1/tickets/{}/related      tickets:write
DELETE api/v1/tickets/{}/related/{}   tickets:write
POST   api/v1/tickets/{}/uploads      attachments:write tickets:read
GET    api/v1/users                   users:read
POST   api/v1/users                   users:admin
GET    api/v1/users/{}                users:read
PUT    api/v1/users/{}                users:admin
PATCH  api/v1/users/{}                users:admin
DELETE api/v1/users/{}                users:admin
POST   api/v1/users/{}/erase          privacy:admin users:read
POST   api/v1/users/{}/invitation     users:admin
POST   api/v1/auth/logout-all         nobody
"""
TABLE = {(method, template): scopes for method, template, *scopes in map(str.split, NEEDED.strip().splitlines())}
_LEVELS = [level.value for level in ScopeLevel]


def test_the_table_has_every_route_and_method() -> None:
    assert TABLE.keys() == {(method, route.template) for route, method in _closed()}


@pytest.mark.parametrize("resource", KEY_RESOURCES)
def test_a_key_is_let_in_where_its_scope_says_and_told_of_nothing_else(
    world: World, walked: Walked, resource: str
) -> None:
    scopes = [f"{resource}:{level}" for level in _LEVELS]
    world = _with_keys(world, {scope: [scope] for scope in scopes})
    asked, wrong, faults = 0, [], []
    for scope in scopes:
        walk = Walk(world, scope)
        for route, method in _closed():
            granted = _is_granted(walk, route, method)
            if granted != _is_enough([scope], TABLE[method, route.template]):
                wrong.append(f"{scope}: {method} {route.template}: {'granted' if granted else 'refused'}")
            if granted or scope == scopes[0]:
                _compare(walk, route, method)
            asked += 1
        faults += walk.faults
    walked(asked, "API key's scope × route × method")
    how = f"{asked} combinations of scope, route and method with keys of {resource}:*"
    tell(
        "Isolation", f"leaks and wrong grants to keys of {resource}", str(len(wrong) + len(faults)), "0", not wrong, how
    )
    assert not wrong + faults, "\n".join(wrong + faults)


def test_the_scopes_a_route_needs_are_enough(world: World, walked: Walked) -> None:
    needed = {" ".join(scopes): scopes for scopes in TABLE.values() if len(scopes) > 1}
    walk = Walk(_with_keys(world, needed), "")
    refused = []
    for route, method in _closed():
        walk.role = " ".join(TABLE[method, route.template])
        if walk.role in needed and not _is_granted(walk, route, method):
            refused.append(f"{method} {route.template} with {walk.role}")
    walked(len(needed), "sets of scopes that are enough together")
    assert not refused + walk.faults


def _closed() -> Iterator[tuple[Route, str]]:
    """What is not for everybody."""
    for route in api_routes():
        if route.view and not route.view.public:
            for method in sorted(route.methods):
                yield route, method


def _is_enough(held: list[str], needed: list[str]) -> bool:
    return all(any(_covers(scope, each) for scope in held) for each in needed)


def _covers(held: str, needed: str) -> bool:
    resource, level = held.split(":")
    return needed in {f"{resource}:{lower}" for lower in _LEVELS[: _LEVELS.index(level) + 1]}


def _with_keys(world: World, scopes_by_name: dict[str, list[str]]) -> World:
    """The world with keys of Ada's for these scopes, which are there also after something was taken back."""
    made = {}
    for name, scopes in scopes_by_name.items():
        key, secret = create_api_key(actor_of(world.cast.ada), name=name, scopes=scopes)
        made[name] = {"HTTP_AUTHORIZATION": f"Api-Key {secret}"}
        used = {"last_used_at": key.created_at.replace(year=2100)}  # so that its use is not noted now and then
        get_database()["api_keys"].update_one({"_id": key.pk}, {"$set": used})
    own = {name: world.own_of("admin") for name in made}
    return replace(world, api=made, own_of_role=own, snapshot=Snapshot.take())


def _is_granted(walk: Walk, route: Route, method: str) -> bool:
    known, own = known_api(route), walk.world.own_of(walk.role)
    answer = walk.ask(method, route.url(*known.arguments(own)[0]), known.bodies[method][0](own))
    return answer.status not in REFUSED


def _compare(walk: Walk, route: Route, method: str) -> None:
    """Another tenant's ids in the address are answered as ids of nothing."""
    known, own = known_api(route), walk.world.own_of(walk.role)
    if known.names:
        walk.compare(method, lambda ids: (route.url(*known.arguments(ids)[0]), known.bodies[method][0](own)))
