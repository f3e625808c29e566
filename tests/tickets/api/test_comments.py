"""The thread over HTTP, and what customers never learn of internal notes."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.cast import Cast, actor_of
from ticketing import clock
from ticketing.mongo import ObjectId
from tickets.conversation.services import add_comment

pytestmark = pytest.mark.django_db

TICKETS = "/api/v1/tickets"
TICKET = f"{TICKETS}/1"
COMMENTS = f"{TICKET}/comments"
Row = dict[str, Any]


def bodies(client: APIClient, query: str = "") -> list[str]:
    return [row["body"] for row in client.get(f"{COMMENTS}{query}").json()["data"]]


def test_a_comment_answers_with_its_address_and_rendering(cast: Cast, carla: APIClient, opened: Row) -> None:
    response = carla.post(COMMENTS, {"body": "Still **burning** <script>alert(1)</script>"})

    comment = response.json()
    assert response.status_code == 201
    assert response["Location"] == f"http://testserver/api/v1/comments/{comment['id']}"
    assert comment["body_html"] == ("<p>Still <strong>burning</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>\n")
    assert (comment["visibility"], comment["ticket"], comment["version"]) == ("public", opened["id"], 1)
    assert comment["author"] == {
        "id": str(cast.carla.pk),
        "name": "Carla Customer",
        "is_staff": False,
        "email": None,
    }
    assert carla.get(response["Location"]).json() == comment
    assert carla.get(TICKET).json()["comments"]["data"] == [comment]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "body", "required"),
        ({"body": " \n "}, "body", "blank"),
        ({"body": "x" * (64 * 1024 + 1)}, "body", "max_bytes"),
        ({"body": ["x"]}, "body", "wrong_type"),
        ({"body": "x", "visibility": "secret"}, "visibility", "invalid_choice"),
        ({"body": "x", "author": "y"}, "author", "unknown"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(
    amir: APIClient, opened: Row, body: Row, field: str, code: str
) -> None:
    response = amir.post(COMMENTS, body)

    assert response.status_code == 400
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [(field, code)]
    assert bodies(amir) == []
    assert amir.get(TICKET).json()["version"] == 1


def test_answers_move_the_ticket(amir: APIClient, carla: APIClient, opened: Row) -> None:
    first = amir.post(COMMENTS, {"body": "Which floor?"}).json()
    ticket = amir.get(TICKET).json()
    assert (ticket["status"], ticket["first_responded_at"]) == ("open", first["created_at"])
    for status in ("pending", "resolved"):
        amir.patch(TICKET, {"status": status})
        carla.post(COMMENTS, {"body": "It is back"})
        assert carla.get(TICKET).json()["status"] == "open"
    assert carla.get(TICKET).json()["reopened_count"] == 1


def test_the_thread_is_paged_oldest_first(cast: Cast, amir: APIClient, opened: Row) -> None:
    for number in range(5):
        add_comment(actor_of(cast.amir), "1", f"c{number}", "internal" if number == 2 else "public")

    body = amir.get(f"{COMMENTS}?limit=2&count=true").json()
    assert ([row["body"] for row in body["data"]], body["page"]["count"]) == (["c0", "c1"], "5")
    assert bodies(amir, f"?limit=2&after={body['page']['after']}") == ["c2", "c3"]
    detail = amir.get(TICKET).json()
    assert [row["body"] for row in detail["comments"]["data"]] == ["c0", "c1", "c2", "c3", "c4"]


def test_the_thread_takes_no_filter(amir: APIClient, opened: Row) -> None:
    response = amir.get(f"{COMMENTS}?visibility=public")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "visibility")


def test_one_key_adds_one_comment(carla: APIClient, opened: Row) -> None:
    first, again = (carla.post(COMMENTS, {"body": "Once"}, HTTP_IDEMPOTENCY_KEY="k") for _ in range(2))

    assert (first.content, again["Idempotent-Replay"]) == (again.content, "true")
    assert bodies(carla) == ["Once"]


# --- Editing ----------------------------------------------------------------------------------------------------------
def test_its_author_edits_a_comment_and_the_history_keeps_the_old_text(
    amir: APIClient, carla: APIClient, opened: Row
) -> None:
    url = carla.post(COMMENTS, {"body": "Frist"})["Location"]
    response = carla.patch(url, {"body": "First"}, HTTP_IF_MATCH='"1"')

    assert (response.status_code, response["ETag"][:3]) == (200, '"2-')
    assert response.json()["edited_at"] is not None
    edited = [e for e in amir.get(f"{TICKET}/events").json()["data"] if e["type"] == "comment.edited"]
    assert edited[0]["changes"] == {"body": {"old": "Frist", "new": "First"}}


def test_a_stale_edit_is_refused(carla: APIClient, opened: Row) -> None:
    url = carla.post(COMMENTS, {"body": "one"})["Location"]
    carla.patch(url, {"body": "two"})

    for body, headers in (({"body": "x"}, {"HTTP_IF_MATCH": '"1"'}), ({"body": "x", "version": 1}, {})):
        response = carla.patch(url, body, **headers)
        assert (response.status_code, response.json()["current_version"]) == (412, 2)
    assert bodies(carla) == ["two"]


def test_others_do_not_edit_and_nobody_does_after_the_time(
    amir: APIClient, carla: APIClient, carl: APIClient, opened: Row, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    url = carla.post(COMMENTS, {"body": "mine"})["Location"]
    assert amir.patch(url, {"body": "yours"}).status_code == 403
    assert carl.patch(url, {"body": "yours"}).status_code == 404

    late = clock.now() + timedelta(minutes=settings.COMMENT_EDIT_MINUTES, seconds=1)
    with monkeypatch.context() as patch:
        patch.setattr("tickets.conversation.services.clock.now", lambda: late)
        assert carla.patch(url, {"body": "late"}).status_code == 403
    assert bodies(carla) == ["mine"]


# --- Internal notes ---------------------------------------------------------------------------------------------------
def test_customers_cannot_write_internal_notes(carla: APIClient, amir: APIClient, opened: Row) -> None:
    response = carla.post(COMMENTS, {"body": "x", "visibility": "internal"})

    assert response.status_code == 403
    assert bodies(amir) == []


def test_nothing_tells_customers_of_an_internal_note(
    cast: Cast, amir: APIClient, carla: APIClient, opened: Row
) -> None:
    """Whatever a customer can ask answers byte for byte as if the note did not exist."""
    carla.post(COMMENTS, {"body": "A public word"})
    queries = [
        TICKET,
        f"{TICKET}?fields=version,updated_at,comment_count,attachment_count",
        COMMENTS,
        f"{COMMENTS}?count=true",
        f"{TICKETS}?count=true&include=comments,created_by,assigned_to",
        f"{TICKETS}?ordering=-updated_at",
        f"{TICKETS}?q=whistleblower",
        f"{TICKETS}?q=public",
        f"{TICKETS}?updated_at__gte={opened['updated_at']}",
    ]
    before = {query: carla.get(query) for query in queries}
    note = amir.post(COMMENTS, {"body": "The whistleblower is Carla", "visibility": "internal"})
    assert note.status_code == 201

    for query in queries:
        after = carla.get(query)
        assert (after.status_code, after.content) == (200, before[query].content), query
        assert after.get("ETag") == before[query].get("ETag"), query
    ticket = carla.get(TICKET)
    assert carla.patch(TICKET, {"title": "Still the version I saw"}, HTTP_IF_MATCH=ticket["ETag"]).status_code == 200
    assert carla.get(f"{TICKETS}?updated_at__gte={note.json()['created_at']}").json()["data"] != []

    hidden = carla.get(note["Location"]).json()
    missing = carla.get(f"/api/v1/comments/{ObjectId()}").json()
    assert hidden.pop("request_id") != missing.pop("request_id")
    assert hidden == missing
    assert carla.patch(note["Location"], {"body": "mine now"}).status_code == 404


def test_staff_sees_notes_in_threads_counts_versions_and_search(amir: APIClient, opened: Row) -> None:
    amir.post(COMMENTS, {"body": "The whistleblower", "visibility": "internal"})

    ticket = amir.get(TICKET).json()
    assert (ticket["comment_count"], ticket["version"], len(ticket["comments"]["data"])) == (1, 2, 1)
    assert ticket["updated_at"] > opened["updated_at"]
    assert ticket["first_responded_at"] is None
    assert len(amir.get(f"{TICKETS}?q=whistleblower").json()["data"]) == 1


def test_staffs_addresses_are_not_for_customers(cast: Cast, amir: APIClient, carla: APIClient, opened: Row) -> None:
    amir.post(COMMENTS, {"body": "Hello"})
    amir.patch(TICKET, {"assigned_to": str(cast.amir.pk)})

    for query in (TICKET, COMMENTS, f"{TICKETS}?include=comments,assigned_to,created_by"):
        content = carla.get(query).content.decode()
        assert "Amir Acme" in content
        assert "agent@example.test" not in content


def test_a_comment_of_another_tenant_answers_as_a_missing_one(carla: APIClient, gus: APIClient, opened: Row) -> None:
    url = carla.post(COMMENTS, {"body": "x"})["Location"]

    for reference in (url, f"/api/v1/comments/{ObjectId()}", "/api/v1/comments/x"):
        assert (gus.get(reference).status_code, gus.get(reference).json()["detail"]) == (
            404,
            "The comment does not exist",
        )
        assert gus.patch(reference, {"body": "y"}).status_code == 404
