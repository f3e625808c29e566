"""Opening, reading and listing tickets over HTTP."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.services import deactivate_user
from tests.cast import Cast, actor_of, api
from tests.tickets.api.conftest import TICKETS, Row, titles
from ticketing.clock import now
from ticketing.mongo import ObjectId
from tickets.conversation.services import add_comment

pytestmark = pytest.mark.django_db

OpenFor = Callable[..., Row]


def fields_of(response: Any) -> dict[str, str]:
    """The fields that a refusal names, with the codes."""
    assert response["Content-Type"] == "application/problem+json", response.content
    return {error["field"]: error["code"] for error in response.json()["errors"]}


# --- Opening ----------------------------------------------------------------------------------------------------------
def test_a_new_ticket_answers_with_its_address_version_and_everything_a_ticket_carries(cast, carla) -> None:
    response = carla.post(TICKETS, {"title": "Printer  on fire", "description": "It *burns*.", "priority": "high"})

    ticket = response.json()
    assert response.status_code == 201
    assert response["Location"] == ticket["url"] == f"http://testserver{TICKETS}/{ticket['id']}"
    assert response["ETag"].startswith('"1-')
    assert ticket["number"] == 1
    assert ticket["title"] == "Printer on fire"
    assert ticket["description_html"] == "<p>It <em>burns</em>.</p>\n"
    assert (ticket["status"], ticket["priority"], ticket["type"], ticket["channel"]) == (
        "new",
        "high",
        "question",
        "api",
    )
    assert ticket["created_by"] == str(cast.carla.pk)
    assert ticket["created_by_user"]["name"] == "Carla Customer"
    assert ticket["comments"] == {
        "data": [],
        "page": {"limit": 25, "has_more": False, "after": None, "before": None},
    }
    assert ticket["allowed_transitions"] == ["resolved"]
    assert carla.get(ticket["url"]).json() == ticket


def test_staff_opens_a_ticket_for_a_customer_by_id_or_address(cast: Cast, amir: APIClient, carla: APIClient) -> None:
    by_id = amir.post(TICKETS, {"title": "By id", "requester": str(cast.carla.pk), "tags": ["VIP"]})
    by_email = amir.post(TICKETS, {"title": "By address", "requester_email": "CARLA@example.test"})

    assert by_id.json()["created_by"] == by_email.json()["created_by"] == str(cast.carla.pk)
    assert by_id.json()["tags"] == ["vip"]
    assert titles(carla) == ["By address", "By id"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"title": "required"}),
        ({"title": ""}, {"title": "blank"}),
        ({"title": "x" * 201}, {"title": "max_length"}),
        ({"title": "two\nlines"}, {"title": "control"}),
        ({"title": 5}, {"title": "wrong_type"}),
        ({"title": None}, {"title": "null"}),
        ({"title": "x", "description": "ä" * (32 * 1024 + 1)}, {"description": "max_bytes"}),
        ({"title": "x", "priority": "huge"}, {"priority": "invalid_choice"}),
        ({"title": "x", "type": ["incident"]}, {"type": "wrong_type"}),
        ({"title": "x", "category": "c" * 61}, {"category": "max_length"}),
        ({"title": "x", "status": "open"}, {"status": "unknown"}),
        ({"title": "x", "number": 7}, {"number": "unknown"}),
        ({"title": "x", "tags": "vip"}, {"tags": "not_a_list"}),
        ({"title": "x", "tags": ["t" * 41]}, {"tags.0": "max_length"}),
        ({"title": "x", "tags": [f"tag{n}" for n in range(21)]}, {"tags": "max_length"}),
        ({"title": "x", "assigned_to": "me"}, {"assigned_to": "invalid_id"}),
        ({"title": "x", "assigned_to": str(ObjectId())}, {"assigned_to": "not_found"}),
        ({"title": "x", "team": str(ObjectId())}, {"team": "not_found"}),
        ({"title": "x", "followers": [str(ObjectId())]}, {"followers": "not_found"}),
        ({"title": "x", "requester": str(ObjectId())}, {"requester": "not_found"}),
        ({"title": "x", "requester_email": "nobody@example.test"}, {"requester_email": "not_found"}),
        ({"title": "x", "requester_email": "no address"}, {"requester_email": "invalid"}),
        (
            {"title": "x", "requester": str(ObjectId()), "requester_email": "a@example.test"},
            {"requester_email": "invalid"},
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(amir: APIClient, body: Row, fields: dict[str, str]) -> None:
    response = amir.post(TICKETS, body)

    assert response.status_code == 400
    assert fields_of(response) == fields
    assert titles(amir) == []


def test_texts_of_exactly_the_limit_are_taken(amir: APIClient) -> None:
    response = amir.post(TICKETS, {"title": "x" * 200, "description": "ä" * (32 * 1024)})

    assert response.status_code == 201
    assert len(response.json()["description"]) == 32 * 1024


@pytest.mark.parametrize("name", ["tags", "assigned_to", "team", "followers"])
def test_customers_cannot_set_what_is_for_staff(cast: Cast, carla: APIClient, name: str) -> None:
    values = {"tags": ["a"], "followers": [str(cast.carl.pk)]}
    response = carla.post(TICKETS, {"title": "x", name: values.get(name, str(cast.amir.pk))})

    assert response.status_code == 400
    assert fields_of(response) == {name: "staff_only"}


@pytest.mark.parametrize("requester", [{"requester_email": "carl@example.test"}, {"requester_email": "x@example.test"}])
def test_customers_cannot_open_for_others_nor_probe_addresses(carla: APIClient, requester: Row) -> None:
    response = carla.post(TICKETS, {"title": "x", **requester})

    assert response.status_code == 403


def test_assignment_is_to_active_agents_of_the_same_tenant(cast: Cast, amir: APIClient) -> None:
    for somebody in (cast.carla, cast.gus):
        response = amir.post(TICKETS, {"title": "x", "assigned_to": str(somebody.pk)})
        assert fields_of(response) == {"assigned_to": "not_found"}
    deactivate_user(actor_of(cast.ada), cast.amir.pk)
    assert api(cast.ada).post(TICKETS, {"title": "x", "assigned_to": str(cast.amir.pk)}).status_code == 400


def test_one_idempotency_key_opens_one_ticket(carla: APIClient) -> None:
    first, again = (carla.post(TICKETS, {"title": "Once"}, HTTP_IDEMPOTENCY_KEY="key-1") for _ in range(2))
    other = carla.post(TICKETS, {"title": "Twice"}, HTTP_IDEMPOTENCY_KEY="key-1")

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again["Idempotent-Replay"] == "true"
    assert again.content == first.content
    assert (again["Location"], again["ETag"]) == (first["Location"], first["ETag"])
    assert titles(carla) == ["Once"]


# --- One ticket -------------------------------------------------------------------------------------------------------
def test_a_ticket_is_read_by_id_or_number(carla: APIClient, opened: Row) -> None:
    for reference in (opened["id"], opened["id"].upper(), "1"):
        assert carla.get(f"{TICKETS}/{reference}").json() == opened


def test_what_was_read_already_is_not_sent_again(carla: APIClient, amir: APIClient, opened: Row) -> None:
    first = carla.get(f"{TICKETS}/1")
    again = carla.get(f"{TICKETS}/1", HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")

    amir.patch(f"{TICKETS}/1", {"priority": "urgent"})
    changed = carla.get(f"{TICKETS}/1", HTTP_IF_NONE_MATCH=first["ETag"])
    assert changed.status_code == 200
    assert changed.json()["priority"] == "urgent"


@pytest.mark.parametrize("path", ["", "/comments", "/attachments"])
@pytest.mark.parametrize("reference", ["foreign", "missing", "999", "0", "x", "-1", "1" * 30])
def test_foreign_missing_and_malformed_references_answer_alike(
    cast: Cast, carl: APIClient, opened: Row, reference: str, path: str
) -> None:
    given = {"foreign": opened["id"], "missing": str(ObjectId())}.get(reference, reference)
    response = carl.get(f"{TICKETS}/{given}{path}")
    body = response.json()

    assert response.status_code == 404
    assert body.pop("request_id")
    assert body == {
        "type": "/problems/not_found",
        "title": "Not found",
        "status": 404,
        "detail": "The ticket does not exist",
        "code": "not_found",
        "errors": [],
    }


def test_numbers_are_a_tenants_own(gus: APIClient, opened: Row, open_for: OpenFor, cast: Cast) -> None:
    assert gus.get(f"{TICKETS}/{opened['id']}").status_code == 404
    assert gus.get(f"{TICKETS}/1").status_code == 404
    assert open_for(cast.greta)["number"] == 1


def test_fields_and_include_choose_what_is_sent(carla: APIClient, opened: Row) -> None:
    assert set(carla.get(f"{TICKETS}/1?fields=id,title").json()) == {"id", "title"}
    assert set(carla.get(f"{TICKETS}/1?fields=id&include=created_by,comments").json()) == {
        "id",
        "created_by_user",
        "comments",
    }
    assert carla.get(f"{TICKETS}?fields=number,version").json()["data"] == [{"number": 1, "version": 1}]
    for query, name in (("fields=id,nothing", "fields"), ("include=everything", "include"), ("fields=", "fields")):
        for path in (TICKETS, f"{TICKETS}/1"):
            response = carla.get(f"{path}?{query}")
            assert (response.status_code, list(fields_of(response))) == (400, [name])


# --- The list ---------------------------------------------------------------------------------------------------------
def test_staff_sees_all_tickets_and_customers_their_own(
    cast: Cast, amir: APIClient, carla: APIClient, carl: APIClient, gus: APIClient, open_for: OpenFor
) -> None:
    open_for(cast.carla, title="Carla's")
    open_for(cast.carl, title="Carl's")
    followed = open_for(cast.carl, title="Carl's with Carla")
    amir.patch(f"{TICKETS}/{followed['id']}", {"followers": [str(cast.carla.pk)]})

    assert titles(amir) == ["Carl's with Carla", "Carl's", "Carla's"]
    assert titles(carla) == ["Carl's with Carla", "Carla's"]
    assert titles(carl) == ["Carl's with Carla", "Carl's"]
    assert titles(gus) == []


def test_included_people_and_comments_come_with_the_list(cast: Cast, amir: APIClient, opened: Row) -> None:
    for number in range(12):
        add_comment(actor_of(cast.amir), opened["id"], f"Answer {number}")
    [row] = amir.get(f"{TICKETS}?include=comments,created_by,assigned_to").json()["data"]

    assert row["created_by"] == str(cast.carla.pk)
    assert row["created_by_user"]["email"] == "carla@example.test"
    assert row["assigned_to_user"] is None
    assert [comment["body"] for comment in row["comments"]["data"]] == [f"Answer {number}" for number in range(10)]
    after = row["comments"]["page"]["after"]
    rest = amir.get(f"{TICKETS}/1/comments?after={after}").json()
    assert [comment["body"] for comment in rest["data"]] == ["Answer 10", "Answer 11"]


@pytest.fixture
def many(cast: Cast, amir: APIClient, open_for: OpenFor) -> list[Row]:
    """Four tickets that differ in everything one can filter by."""
    amir_id = str(cast.amir.pk)
    return [
        open_for(cast.carla, title="one", priority="low", category="Network", type="incident"),
        open_for(cast.amir, title="two", priority="high", tags=["vpn", "home"], assigned_to=amir_id),
        open_for(cast.carl, title="three", priority="high", category="Printers"),
        open_for(cast.amir, title="four", requester=str(cast.carl.pk), tags=["vpn"], assigned_to=str(cast.ada.pk)),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("priority=high", ["three", "two"]),
        ("priority=low,high", ["three", "two", "one"]),
        ("category=Network", ["one"]),
        ("category=Network,Printers", ["three", "one"]),
        ("type=incident", ["one"]),
        ("status=new", ["four", "three", "two", "one"]),
        ("status=open,closed", []),
        ("assigned_to=me", ["two"]),
        ("assigned_to=none", ["three", "one"]),
        ("assigned_to=none,me", ["three", "two", "one"]),
        ("assigned_to={ada}", ["four"]),
        ("team=none", ["four", "three", "two", "one"]),
        ("team={ada}", []),
        ("created_by=me", ["two"]),
        ("created_by={carl}", ["four", "three"]),
        ("tag=VPN", ["four", "two"]),
        ("tag=home,other", ["two"]),
        ("priority=high&tag=vpn", ["two"]),
        ("created_at__gte={second}", ["four", "three", "two"]),
        ("created_at__lt={second}", ["one"]),
        ("updated_at__gte={second}&updated_at__lt={third}", ["two"]),
        ("q=THREE", ["three"]),
        ("q=three four", []),
        ("q=two&ordering=created_at", ["two"]),
        ("ordering=created_at", ["one", "two", "three", "four"]),
        ("ordering=updated_at&limit=2", ["one", "two"]),
        ("ordering=-updated_at&limit=1", ["four"]),
    ],
)
def test_filters_and_orderings(cast: Cast, amir: APIClient, many: list[Row], query: str, expected: list[str]) -> None:
    values = {"ada": cast.ada.pk, "carl": cast.carl.pk}
    times = {"second": many[1]["created_at"], "third": many[2]["created_at"]}

    assert titles(amir, "?" + query.format(**values, **times)) == expected


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("state=open", {"state": "unknown"}),
        ("status=opened", {"status": "invalid"}),
        ("status=open,", {"status": "invalid"}),
        ("status=open&status=new", {"status": "repeated"}),
        ("priority=1", {"priority": "invalid"}),
        ("assigned_to=nobody", {"assigned_to": "invalid"}),
        ("created_by=none", {"created_by": "invalid"}),
        ("created_at__gte=2026-02-01", {"created_at__gte": "invalid"}),
        ("updated_at__lt=2026-02-01T00:00:00", {"updated_at__lt": "invalid"}),
        ("ordering=title", {"ordering": "invalid"}),
        ("ordering=-number", {"ordering": "invalid"}),
        ("q=printer&ordering=-updated_at", {"ordering": "invalid"}),
        ("q=!", {"q": "invalid"}),
        ("q=" + "x" * 201, {"q": "invalid"}),
        ("limit=0", {"limit": "invalid"}),
        ("limit=101", {"limit": "invalid"}),
        ("limit=ten", {"limit": "invalid"}),
        ("after=nonsense", {"after": "invalid"}),
        ("count=yes", {"count": "invalid"}),
    ],
)
def test_what_the_list_does_not_know_is_refused_and_named(amir: APIClient, query: str, fields: dict[str, str]) -> None:
    response = amir.get(f"{TICKETS}?{query}")

    assert response.status_code == 400
    assert fields_of(response) == fields


def test_pages_go_through_the_list_and_back(cast: Cast, amir: APIClient, open_for: OpenFor) -> None:
    for number in range(7):
        open_for(cast.carla, title=f"t{number}")
    for ordering in ("created_at", "-created_at", "updated_at", "-updated_at"):
        expected = titles(amir, f"?ordering={ordering}")
        pages, query = [], f"?ordering={ordering}&limit=3&count=true"
        while query:
            body = amir.get(f"{TICKETS}{query}").json()
            assert body["page"]["count"] == "7"
            pages.append([row["title"] for row in body["data"]])
            cursor = body["page"]["after"]
            assert body["page"]["has_more"] == bool(cursor)
            query = cursor and f"?ordering={ordering}&limit=3&count=true&after={cursor}"
        assert [len(page) for page in pages] == [3, 3, 1]
        assert [title for page in pages for title in page] == expected
        back = amir.get(f"{TICKETS}?ordering={ordering}&limit=3&before={body['page']['before']}").json()
        assert [row["title"] for row in back["data"]] == pages[1]


def test_a_cursor_belongs_to_its_ordering(cast: Cast, amir: APIClient, open_for: OpenFor) -> None:
    for _ in range(2):
        open_for(cast.carla)
    cursor = amir.get(f"{TICKETS}?limit=1").json()["page"]["after"]

    response = amir.get(f"{TICKETS}?limit=1&ordering=updated_at&after={cursor}")
    assert fields_of(response) == {"after": "invalid"}
    assert titles(amir, f"?limit=1&after={cursor}") == ["Something"]


def test_time_filters_see_times_of_other_zones(amir: APIClient, opened: Row) -> None:
    later = (now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")

    assert titles(amir, f"?created_at__lt={later}%2B00:00") == ["Printer on fire"]
    assert titles(amir, f"?created_at__lt={later}%2B02:00") == []
