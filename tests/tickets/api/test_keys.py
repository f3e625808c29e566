"""API keys see no more of a ticket than their scopes allow, whatever their owner sees."""

import pytest
from rest_framework.test import APIClient

from tests.tickets.api.conftest import TICKETS, Row, WithKey

pytestmark = pytest.mark.django_db

TICKET = f"{TICKETS}/1"


@pytest.fixture(autouse=True)
def _conversation(amir: APIClient, opened: Row) -> None:
    amir.post(f"{TICKET}/comments", {"body": "The whistleblower", "visibility": "internal"})
    amir.post(f"{TICKET}/comments", {"body": "A public word"})


def test_a_key_for_tickets_alone_sees_no_comment(with_key: WithKey) -> None:
    client = with_key("tickets:read")

    ticket = client.get(TICKET).json()
    assert (ticket["comments"]["data"], ticket["attachments"]) == ([], [])
    assert (ticket["comment_count"], ticket["version"]) == (1, 2)
    for query in (f"{TICKET}?fields=comments", f"{TICKET}?include=comments", f"{TICKETS}?include=comments"):
        assert client.get(query).status_code == 403
    for path in ("comments", "attachments", "events"):
        assert client.get(f"{TICKET}/{path}").status_code == 403
    assert client.get(f"{TICKETS}?q=public").json()["data"] != []
    assert client.get(f"{TICKETS}?q=whistleblower").json()["data"] == []
    assert client.get(f"{TICKETS}/stats").json()["total"] == 1


def test_a_key_that_reads_cannot_write(with_key: WithKey) -> None:
    client = with_key("tickets:read", "comments:read", "attachments:read")

    assert len(client.get(TICKET).json()["comments"]["data"]) == 2
    assert client.post(TICKETS, {"title": "x", "requester_email": "carla@example.test"}).status_code == 403
    assert client.patch(TICKET, {"title": "x"}).status_code == 403
    assert client.post(f"{TICKET}/comments", {"body": "x"}).status_code == 403


def test_the_history_names_the_key(with_key: WithKey, amir: APIClient) -> None:
    assert with_key("tickets:write").patch(TICKET, {"priority": "low"}).status_code == 200

    [event] = [e for e in amir.get(f"{TICKET}/events").json()["data"] if e["type"] == "ticket.priority_changed"]
    assert (event["actor"]["name"], event["actor"]["key"]) == ("Ada Acme", "Integration")
