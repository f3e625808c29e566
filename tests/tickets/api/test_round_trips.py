"""What a request sends to MongoDB, in order, before the commit of its transaction; docs/contributors.md says why."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.cast import Cast
from tests.console.queries import counted_queries
from tests.tickets.api.conftest import TICKETS, Row
from ticketing.mongo import ObjectId

pytestmark = pytest.mark.django_db

SIGNED_IN = "aggregate users"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], list[str]]:
    """The commands of a request that succeeds, without those that one in so many has."""
    monkeypatch.setattr("tickets.stats.services.randbelow", lambda _: 1)

    def run(request: Callable[[], Any]) -> list[str]:
        with counted_queries() as queries:
            response = request()
        assert response.status_code in {200, 201}, response.content
        return [query for query in queries if not query.endswith(" rate_windows")]

    return run


def test_opening_a_ticket(carla: APIClient, sent: Any) -> None:
    assert sent(lambda: carla.post(TICKETS, {"title": "Printer", "description": "It *burns*."})) == [
        SIGNED_IN,
        "findAndModify counters",
        "insert tickets",
        "insert events",
        "insert stat_deltas",
    ]


def test_the_same_with_an_idempotency_key(carla: APIClient, sent: Any) -> None:
    queries = sent(lambda: carla.post(TICKETS, {"title": "Printer"}, HTTP_IDEMPOTENCY_KEY="one"))
    assert queries[1] == "insert idempotency_records"
    assert queries[-1] == "findAndModify idempotency_records"
    assert len(queries) == 7


def test_answering(carla: APIClient, opened: Row, sent: Any) -> None:
    assert sent(lambda: carla.post(f"{TICKETS}/1/comments", {"body": "Still *burning*."})) == [
        SIGNED_IN,
        "find tickets",
        "findAndModify tickets",
        "insert events",
        "insert comments",
    ]


def test_changing_what_is_counted(amir: APIClient, opened: Row, sent: Any) -> None:
    """The thread is read for the answer where there is one, and people where the agent is not the only one named."""
    change = [SIGNED_IN, "find tickets", "findAndModify tickets", "insert events", "insert stat_deltas"]
    assert sent(lambda: amir.patch(f"{TICKETS}/1", {"priority": "urgent"})) == [*change, "find users"]
    amir.post(f"{TICKETS}/1/comments", {"body": "On my way."})
    again = sent(lambda: amir.patch(f"{TICKETS}/1", {"priority": "low"}))
    assert again == [*change, "find comments", "find users"]


def test_a_change_that_changes_nothing_is_not_written(amir: APIClient, opened: Row, sent: Any) -> None:
    assert sent(lambda: amir.patch(f"{TICKETS}/1", {"priority": "normal"})) == [SIGNED_IN, "find tickets", "find users"]


def test_a_ticket_that_is_not_the_readers_costs_what_a_missing_one_does(
    amir: APIClient, gus: APIClient, carl: APIClient, opened: Row
) -> None:
    amir.post(f"{TICKETS}/1/comments", {"body": "On my way."})
    for client, command in ((gus, "aggregate tickets"), (carl, "find tickets")):
        for id_ in (opened["id"], str(ObjectId())):
            with counted_queries() as queries:
                assert client.get(f"{TICKETS}/{id_}").status_code == 404
            assert [query for query in queries if not query.endswith(" rate_windows")] == [SIGNED_IN, command]


def test_several_writers_do_not_share_what_the_first_looked_up(cast: Cast, amir: APIClient, opened: Row) -> None:
    """The actor is known by his sign-in; nobody else is taken for him."""
    answer = amir.patch(f"{TICKETS}/1", {"assigned_to": str(cast.amir.pk)}).json()
    assert answer["created_by_user"]["name"] == cast.carla.name
    assert answer["assigned_to_user"]["name"] == cast.amir.name
