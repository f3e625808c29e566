"""Every page of the console and who sees it, from the URL resolver and what the isolation walk knows of each page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from tests.isolation.registry_console import known_page
from tests.isolation.routes import console_routes
from tests.isolation.world import World

ROLES = ("nobody", "agent", "admin", "operator")


@dataclass(frozen=True)
class Address:
    """A page's address, the status that it answers, and the name of its pictures."""

    url: str
    name: str
    status: int = 200


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


def answers_of(role: str, world: World) -> Iterator[tuple[Address, HttpResponse]]:
    """Those that are whole pages, with their answers: no way to another page, no file, no JSON, no part of a page."""
    client = Client(headers={"host": "localhost" if role == "operator" else "acme.localhost"})
    for address in pages_of(role, world):
        answer = client.get(address.url, **world.console[role])
        if _is_page(answer):
            yield address, answer


def _is_page(answer: Any) -> bool:
    is_html = answer.headers["Content-Type"].startswith("text/html")
    return is_html and not answer.streaming and b"<html" in answer.content


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
