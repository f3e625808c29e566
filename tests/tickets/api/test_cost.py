"""What a request costs: the commands it sends to MongoDB, as the documents tell them, and the rows that are kept."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.cast import Cast
from tests.console.queries import counted_queries
from ticketing.api import throttling
from ticketing.limits import RateLimiter
from tickets.api.representation import LARGEST_KEPT

pytestmark = pytest.mark.django_db

TICKETS = "/api/v1/tickets"
TABLE = (Path(__file__).parents[3] / "docs" / "contributors.md").read_text().partition("## What a request costs")[2]
REQUESTS = {
    "list of tickets": ("GET", "", None),
    "list with authors": ("GET", "?include=created_by,assigned_to", None),
    "one ticket, by its id": ("GET", "/{id}", None),
    "one ticket, by its number": ("GET", "/1", None),
    "open a ticket": ("POST", "", {"title": "Fire", "description": "It burns"}),
    "comment": ("POST", "/1/comments", {"body": "Wait", "visibility": "public"}),
    "change a ticket": ("PATCH", "/1", {"priority": "high"}),
    "statistics": ("GET", "/stats", None),
}


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The share of the rate limits is taken, as it is for all requests of a minute but a few."""
    monkeypatch.setattr(RateLimiter, "_take_share", lambda _self, _key, window, limit: setattr(window, "left", limit))
    monkeypatch.setattr(throttling, "limiter", RateLimiter())


@pytest.mark.parametrize("name", REQUESTS)
def test_the_commands_of_a_request_are_those_of_the_documents(
    cast: Cast, amir: APIClient, opened: dict[str, Any], unlimited: None, name: str
) -> None:
    told = re.search(rf"^\| {name} \| ([0-9]+) \| (.*) \|$", TABLE, re.MULTILINE)
    method, path, body = REQUESTS[name]
    amir.post(f"{TICKETS}/1/comments", {"body": "We look into it", "visibility": "public"})
    with counted_queries() as sent:
        response = amir.generic(
            method, TICKETS + path.format(id=opened["id"]), json.dumps(body) if body else "", "application/json"
        )
    assert response.status_code < 300, response.content
    assert told, sent
    assert len(sent) == int(told[1]), sent
    assert [command.split()[1] for command in sent] == re.findall(r"`(\w+)`", told[2])


def test_a_row_that_is_kept_is_told_anew_once_it_has_changed(opened: Any, amir: APIClient, carla: APIClient) -> None:
    def row(client: APIClient) -> dict[str, Any]:
        [found] = client.get(TICKETS).json()["data"]
        return dict(found)

    first = row(amir)
    assert row(amir) == first
    amir.post(f"{TICKETS}/1/comments", {"body": "For us", "visibility": "internal"})
    assert (row(amir)["comment_count"], row(carla)["comment_count"]) == (1, 0)
    assert (row(amir)["version"], row(carla)["version"]) == (2, 1)
    amir.patch(f"{TICKETS}/1", {"title": "Smoke only"})
    assert row(amir)["title"] == row(carla)["title"] == "Smoke only"


def test_a_row_looks_alike_whether_it_is_kept_or_too_large_for_that(opened: Any, amir: APIClient) -> None:
    amir.patch(f"{TICKETS}/1", {"description": "b" * LARGEST_KEPT})
    [row] = amir.get(TICKETS).json()["data"]
    one = amir.get(f"{TICKETS}/1").json()
    assert row == {name: one[name] for name in row}
