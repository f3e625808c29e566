"""The history over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.cast import Cast

pytestmark = pytest.mark.django_db

TICKET = "/api/v1/tickets/1"
EVENTS = f"{TICKET}/events"
Row = dict[str, Any]


def test_the_history_tells_who_changed_what_from_what_to_what(cast: Cast, amir: APIClient, opened: Row) -> None:
    amir.patch(TICKET, {"priority": "high", "assigned_to": str(cast.amir.pk), "title": "Hot"})
    amir.post(f"{TICKET}/comments", {"body": "On it"})

    body = amir.get(f"{EVENTS}?count=true").json()
    events = body["data"]
    assert [(event["type"], event["version"]) for event in events] == [
        ("ticket.created", 1),
        ("ticket.updated", 2),
        ("ticket.priority_changed", 2),
        ("ticket.assigned", 2),
        ("comment.added", 3),
        ("ticket.status_changed", 3),
    ]
    assert body["page"]["count"] == "6"
    assert events[2]["changes"] == {"priority": {"old": "normal", "new": "high"}}
    assert events[3]["changes"] == {"assigned_to": {"old": None, "new": str(cast.amir.pk)}}
    assert events[0]["actor"]["name"] == "Carla Customer"
    assert (events[1]["actor"]["role"], events[1]["actor"]["via"]) == ("agent", "api")
    assert all(event["ticket"] == opened["id"] for event in events)


def test_the_history_is_paged(amir: APIClient, opened: Row) -> None:
    for priority in ("low", "high", "low", "high"):
        amir.patch(TICKET, {"priority": priority})

    seen, query = [], "?limit=2"
    while query:
        body = amir.get(f"{EVENTS}{query}").json()
        seen += [event["version"] for event in body["data"]]
        query = body["page"]["after"] and f"?limit=2&after={body['page']['after']}"
    assert seen == [1, 2, 3, 4, 5]


def test_the_history_is_for_staff_of_the_tenant(carla: APIClient, gus: APIClient, opened: Row) -> None:
    assert carla.get(EVENTS).status_code == 403
    assert gus.get(f"/api/v1/tickets/{opened['id']}/events").status_code == 404
