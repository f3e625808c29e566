"""Every page of the console and who sees it, from the URL resolver and what the isolation walk knows of each page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.test import Client

from accounts.models import User
from tests.isolation.registry_console import known_page
from tests.isolation.routes import console_routes
from tests.isolation.world import World

ROLES = ("nobody", "agent", "admin", "operator")


@dataclass(frozen=True)
class Address:
    """A page's address, the status that it should answer, and the name of its pictures."""

    url: str
    name: str
    status: int = 200


@dataclass(frozen=True)
class Answered:
    """A whole page: what it answered, and with which Content-Security-Policy."""

    address: Address
    status: int
    policy: str | None


def user_of(world: World, role: str) -> User | None:
    """Who plays the role."""
    return {"agent": world.cast.amir, "admin": world.cast.ada, "operator": world.cast.olga}.get(role)


def pages_of(role: str, world: World) -> Iterator[Address]:
    """What somebody in the role can open; a route that the isolation walk does not know fails."""
    for route in console_routes():
        page = known_page(route)
        if role in page.roles and not page.post_only:
            name = route.url(*page.names).removeprefix("/console/").strip("/").replace("/", "-")
            yield Address(route.url(*page.arguments(world.own_of(role))), name or "overview")
    yield from _MORE.get(role, ())


def whole_pages(role: str, world: World) -> list[Answered]:
    """Those that are whole pages: no way to another page, no file, no JSON, no part of a page. Asked once a process,
    for every test finds the same world."""
    if role not in _whole_pages:
        client = Client(headers={"host": "localhost" if role == "operator" else "acme.localhost"})
        answers = ((address, client.get(address.url, **world.console[role])) for address in pages_of(role, world))
        _whole_pages[role] = [
            Answered(address, answer.status_code, answer.headers.get("Content-Security-Policy"))
            for address, answer in answers
            if _is_page(answer)
        ]
    return _whole_pages[role]


def _is_page(answer: Any) -> bool:
    is_html = answer.headers["Content-Type"].startswith("text/html")
    return is_html and not answer.streaming and b"<html" in answer.content


_whole_pages: dict[str, list[Answered]] = {}
_MORE = {
    "nobody": [
        Address("/console/login/", "sign-in"),
        Address("/console/login/?next=/console/tickets/ticket/", "sign-in-on-the-way"),
    ],
    "agent": [
        Address("/console/tickets/ticket/?view=all", "queue-all"),
        Address("/console/tickets/ticket/?view=all&q=zxnowhere", "queue-nothing-found"),
        Address("/console/tickets/ticket/?view=all&priority=high&tag=zxacme-tag", "queue-filtered"),
        Address("/console/tickets/ticket/4040404/change/", "missing-ticket", 404),
        Address("/console/nowhere/", "missing-page", 404),
        Address("/console/accounts/user/", "forbidden", 403),
    ],
}
