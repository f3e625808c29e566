"""Every page of the console and who sees it, from the URL resolver and what the isolation walk knows of each page."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.isolation.registry_console import known_page
from tests.isolation.routes import console_routes
from tests.isolation.world import World

ROLES = ("nobody", "agent", "admin", "operator")


@dataclass(frozen=True)
class Address:
    """A page's address and the status that it answers."""

    url: str
    status: int = 200

    @property
    def name(self) -> str:
        return self.url.removeprefix("/console/").strip("/").replace("/", "-") or "overview"


def pages_of(role: str, world: World) -> Iterator[Address]:
    """What somebody in the role can open; a route that the isolation walk does not know fails."""
    for route in console_routes():
        page = known_page(route)
        if role in page.roles and not page.post_only:
            yield Address(route.url(*page.arguments(world.own_of(role))))
    yield from _MORE.get(role, ())


def _queue(**parameters: str) -> Address:
    return Address(f"/console/tickets/ticket/?{urlencode(parameters)}")


_MORE = {
    "nobody": [Address("/console/login/"), Address("/console/login/?next=/console/tickets/ticket/")],
    "agent": [
        _queue(view="all"),
        _queue(view="all", q="zxnowhere"),
        _queue(view="all", priority="high", tag="zxacme-tag"),
        Address("/console/tickets/ticket/4040404/change/", 404),
        Address("/console/nowhere/", 404),
        Address("/console/accounts/user/", 403),
    ],
}
