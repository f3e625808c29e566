"""Merging, links and splits over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.cast import Cast, actor_of
from tickets.conversation.services import add_comment
from tickets.services import open_ticket

pytestmark = pytest.mark.django_db

TICKETS = "/api/v1/tickets"
Row = dict[str, Any]


@pytest.fixture
def duplicate(cast: Cast, opened: Row) -> Row:
    """Carl's ticket, #2."""
    return open_ticket(actor_of(cast.carl), title="Smoke", description="Everywhere")


def test_a_merged_ticket_names_the_one_that_goes_on(
    cast: Cast, amir: APIClient, carl: APIClient, opened: Row, duplicate: Row
) -> None:
    assert amir.get(f"{TICKETS}/2").json()["merged_into"] is None
    response = amir.post(f"{TICKETS}/2/merge", {"into": "1"})
    assert response.status_code == 200
    merged = response.json()
    assert (merged["merged_into"], merged["status"], merged["version"]) == (opened["id"], "closed", 2)
    assert response["ETag"]
    assert carl.get(f"{TICKETS}/2").json()["merged_into"] == opened["id"]

    answer = carl.post(f"{TICKETS}/2/comments", {"body": "Still there"})
    assert (answer.status_code, answer.json()["ticket"]) == (201, opened["id"])
    bodies = [row["body"] for row in carl.get(f"{TICKETS}/1/comments").json()["data"]]
    assert bodies == ["Smoke\n\nEverywhere", "Still there"]

    again = amir.post(f"{TICKETS}/2/merge", {"into": "1"})
    assert (again.status_code, again.json()["code"], again.json()["merged_into"]) == (
        409,
        "already_merged",
        opened["id"],
    )
    back = amir.post(f"{TICKETS}/2/unmerge")
    assert (back.status_code, back.json()["status"], back.json()["merged_into"]) == (200, "new", None)
    assert [row["body"] for row in back.json()["comments"]["data"]] == ["Still there"]
    assert carl.get(f"{TICKETS}/1").status_code == 404
    assert amir.post(f"{TICKETS}/2/unmerge").json()["code"] == "not_merged"


@pytest.mark.parametrize("into", ["2", "99", "0" * 24, "nonsense", ""])
def test_a_target_that_is_none_is_named(amir: APIClient, opened: Row, duplicate: Row, into: str) -> None:
    response = amir.post(f"{TICKETS}/2/merge", {"into": into})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "into"


def test_links_are_staffs(amir: APIClient, carl: APIClient, opened: Row, duplicate: Row) -> None:
    linked = amir.post(f"{TICKETS}/2/related", {"ticket": "1"})
    assert (linked.status_code, linked.json()["number"]) == (200, 1)
    assert amir.get(f"{TICKETS}/1/related").json() == {
        "data": [
            {
                "id": str(duplicate["_id"]),
                "number": 2,
                "title": "Smoke",
                "status": "new",
                "created_at": amir.get(f"{TICKETS}/2").json()["created_at"],
            }
        ]
    }
    assert carl.get(f"{TICKETS}/2/related").status_code == 403
    assert amir.post(f"{TICKETS}/2/related", {"ticket": "2"}).json()["errors"][0]["field"] == "ticket"
    assert amir.delete(f"{TICKETS}/1/related/2").status_code == 204
    assert amir.get(f"{TICKETS}/2/related").json() == {"data": []}


def test_a_comment_becomes_a_ticket(cast: Cast, amir: APIClient, carl: APIClient, opened: Row, duplicate: Row) -> None:
    comment = add_comment(actor_of(cast.carl), "2", "The door is stuck")
    url = f"/api/v1/comments/{comment['_id']}/split"
    assert carl.post(url).status_code == 403
    response = amir.post(url, {"title": "The door"})
    made = response.json()
    assert response.status_code == 201
    assert response["Location"] == f"http://testserver{TICKETS}/{made['id']}"
    assert (made["title"], made["description"], made["created_by"]) == (
        "The door",
        "The door is stuck",
        str(cast.carl.pk),
    )
    again = amir.post(url)
    assert (again.status_code, again.json()["code"], again.json()["split_into"]) == (409, "already_split", made["id"])


def test_an_integration_with_tickets_of_the_release_before_reads_on(cast: Cast, amir: APIClient, opened: Row) -> None:
    from tickets.repository import TicketRepository

    TicketRepository(cast.acme.pk).update_where({"number": 1}, {}, operators={"$unset": {"merged_into_id": ""}})
    assert amir.get(TICKETS).json()["data"][0]["merged_into"] is None
