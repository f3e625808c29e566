"""The statistics over HTTP agree with the lists."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.cast import Cast

pytestmark = pytest.mark.django_db

TICKETS = "/api/v1/tickets"
STATS = f"{TICKETS}/stats"
OpenFor = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _tickets(cast: Cast, amir: APIClient, open_for: OpenFor) -> None:
    open_for(cast.carla, title="alpha", priority="high", category="Network", type="incident")
    open_for(cast.amir, title="beta", tags=["vpn"], assigned_to=str(cast.amir.pk), category="Network")
    open_for(cast.carl, title="alpha beta", priority="high")
    open_for(cast.greta, title="alpha")
    amir.patch(f"{TICKETS}/3", {"status": "resolved"})


def test_counts_by_every_property(cast: Cast, amir: APIClient) -> None:
    stats = amir.get(STATS).json()

    assert stats["total"] == 3
    assert stats["status"] == {"new": 2, "open": 0, "pending": 0, "on_hold": 0, "resolved": 1, "closed": 0}
    assert stats["priority"] == {"low": 0, "normal": 1, "high": 2, "urgent": 0}
    assert stats["category"] == {"Network": 2, "": 1}
    assert stats["assigned_to"] == {str(cast.amir.pk): 1, "none": 2}
    assert stats["age"]["today"] == 2
    assert sum(day["created"] for day in stats["per_day"]) == 3
    assert sum(day["resolved"] for day in stats["per_day"]) == 1
    assert len(stats["per_day"]) == 30


@pytest.mark.parametrize(
    "query",
    [
        "status=new",
        "status=new,resolved&priority=high",
        "assigned_to=me",
        "assigned_to=none,me",
        "team=none",
        "tag=VPN",
        "type=incident",
        "category=Network",
        "created_by={carl}",
        "q=alpha",
        "q=alpha beta",
        "created_at__gte={time}",
        "created_at__lt={time}",
        "updated_at__gte={time}&status=resolved",
        "updated_at__lt={time}",
        "created_at__gte=0073-07-16T23:42:58-02:34",
        "created_at__gte=9999-12-31T12:00:00Z",
        "created_at__lt=9999-12-31T12:00:00Z",
        "created_at__lt=0001-01-05T00:00:00Z",
        "created_at__gte=0001-01-05T00:00:00Z&created_at__lt=0073-07-16T00:00:00Z",
    ],
)
def test_every_filter_of_the_list_counts_what_the_list_shows(cast: Cast, amir: APIClient, query: str) -> None:
    time = amir.get(f"{TICKETS}/2").json()["created_at"]
    given = query.format(carl=cast.carl.pk, time=time)

    listed = amir.get(f"{TICKETS}?{given}").json()["data"]
    assert amir.get(f"{STATS}?{given}").json()["total"] == len(listed)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("days=0", "days"),
        ("days=many", "days"),
        ("days=367", "days"),
        ("ordering=created_at", "ordering"),
        ("limit=3", "limit"),
        ("period=week", "period"),
        ("status=x", "status"),
        ("created_at__gte=2026-02-02T00:00:00Z&created_at__lt=2026-02-01T00:00:00Z", "created_at__lt"),
    ],
)
def test_what_it_does_not_know_is_refused_and_named(amir: APIClient, query: str, field: str) -> None:
    response = amir.get(f"{STATS}?{query}")

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_statistics_are_for_staff(carla: APIClient, gus: APIClient) -> None:
    assert carla.get(STATS).status_code == 403
    assert gus.get(STATS).json()["total"] == 1
