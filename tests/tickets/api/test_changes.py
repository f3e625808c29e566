"""Changing tickets over HTTP: versions, transitions, roles, and what closed means."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.cast import Cast, actor_of
from tickets.services import change_ticket

pytestmark = pytest.mark.django_db

TICKETS = "/api/v1/tickets"
TICKET = f"{TICKETS}/1"
Row = dict[str, Any]
WHOLE = ("title", "description", "status", "priority", "category", "type", "tags", "assigned_to", "team", "followers")


def whole(ticket: Row, **changes: Any) -> Row:
    """Everything that PUT replaces."""
    return {name: ticket[name] for name in WHOLE} | changes


def fields_of(response: Any) -> dict[str, str]:
    return {error["field"]: error["code"] for error in response.json()["errors"]}


def test_staff_changes_any_field_and_the_rest_stays(cast: Cast, amir: APIClient, opened: Row) -> None:
    changes = {"status": "open", "priority": "urgent", "tags": ["Fire", "fire"], "assigned_to": str(cast.amir.pk)}
    response = amir.patch(TICKET, changes)

    ticket = response.json()
    assert response.status_code == 200
    assert (ticket["status"], ticket["priority"], ticket["tags"]) == ("open", "urgent", ["fire"])
    assert (ticket["assigned_to"], ticket["assigned_to_user"]["name"]) == (str(cast.amir.pk), "Amir Acme")
    assert ticket["title"] == opened["title"]
    assert (ticket["version"], response["ETag"][:3]) == (2, '"2-')
    assert amir.patch(TICKET, {"assigned_to": None}).json()["assigned_to_user"] is None


def test_a_change_without_a_difference_keeps_the_version(amir: APIClient, opened: Row) -> None:
    assert amir.patch(TICKET, {"title": opened["title"]}).json()["version"] == 1
    assert amir.patch(TICKET, {}).json()["version"] == 1


@pytest.mark.parametrize("method", ["patch", "put"])
def test_a_stale_version_is_refused_with_the_current_one(amir: APIClient, opened: Row, method: str) -> None:
    read = amir.get(TICKET)
    amir.patch(TICKET, {"priority": "high"})

    for headers, version in (
        ({"HTTP_IF_MATCH": read["ETag"]}, {}),
        ({"HTTP_IF_MATCH": '"1"'}, {}),
        ({}, {"version": 1}),
    ):
        response = getattr(amir, method)(TICKET, whole(read.json(), title="Lost?", **version), **headers)
        assert response.status_code == 412
        assert response["Content-Type"] == "application/problem+json"
        assert (response.json()["code"], response.json()["current_version"]) == ("stale_version", 2)
    assert amir.get(TICKET).json()["title"] == opened["title"]


@pytest.mark.parametrize("method", ["patch", "put"])
def test_the_version_that_was_read_lets_the_change_through(amir: APIClient, opened: Row, method: str) -> None:
    change = getattr(amir, method)
    first = change(TICKET, whole(opened, title="One"), HTTP_IF_MATCH=amir.get(TICKET)["ETag"])
    second = change(TICKET, whole(opened, title="Two", version=2))
    third = change(TICKET, whole(opened, title="Three"), HTTP_IF_MATCH="*")

    assert [response.status_code for response in (first, second, third)] == [200, 200, 200]
    assert amir.get(TICKET).json()["title"] == "Three"


def test_replacing_needs_to_say_what_was_read(amir: APIClient, opened: Row) -> None:
    response = amir.put(TICKET, whole(opened, title="Blind"))

    assert (response.status_code, response.json()["code"]) == (428, "precondition_required")
    assert amir.get(TICKET).json()["title"] == opened["title"]


def test_replacing_needs_everything(amir: APIClient, opened: Row) -> None:
    response = amir.put(TICKET, {"title": "x", "version": 1})

    assert response.status_code == 400
    assert fields_of(response) == dict.fromkeys(set(WHOLE) - {"title"}, "required")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"title": "x" * 201}, {"title": "max_length"}),
        ({"description": "x" * (64 * 1024 + 1)}, {"description": "max_bytes"}),
        ({"status": "done"}, {"status": "invalid_choice"}),
        ({"status": None}, {"status": "null"}),
        ({"version": "1"}, {"version": "wrong_type"}),
        ({"number": 5}, {"number": "unknown"}),
        ({"tenant_id": "x", "created_by": "y"}, {"tenant_id": "unknown", "created_by": "unknown"}),
        ({"tags": [1]}, {"tags.0": "wrong_type"}),
        ({"assigned_to": "{carla}"}, {"assigned_to": "not_found"}),
        ({"followers": ["{gus}"]}, {"followers": "not_found"}),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(
    cast: Cast, amir: APIClient, opened: Row, body: Row, fields: dict[str, str]
) -> None:
    ids = {"{carla}": str(cast.carla.pk), "{gus}": str(cast.gus.pk)}
    given = {name: [ids.get(v, v) for v in value] if isinstance(value, list) else value for name, value in body.items()}
    given = {name: ids.get(value, value) if isinstance(value, str) else value for name, value in given.items()}
    response = amir.patch(TICKET, given)

    assert response.status_code == 400
    assert fields_of(response) == fields
    assert amir.get(TICKET).json()["version"] == 1


def test_an_illegal_transition_tells_the_legal_ones(amir: APIClient, carla: APIClient, opened: Row) -> None:
    response = carla.patch(TICKET, {"status": "closed"})
    assert (response.status_code, response.json()["code"]) == (409, "invalid_transition")
    assert response.json()["allowed_transitions"] == ["resolved"] == carla.get(TICKET).json()["allowed_transitions"]

    amir.patch(TICKET, {"status": "resolved"})
    response = amir.patch(TICKET, {"status": "pending"})
    assert response.json()["allowed_transitions"] == ["open", "closed"]


def test_closed_is_final_for_fields_and_answers(amir: APIClient, carla: APIClient, opened: Row) -> None:
    amir.patch(TICKET, {"status": "closed"})

    for response in (
        amir.patch(TICKET, {"title": "Too late"}),
        carla.post(f"{TICKET}/comments", {"body": "Too late"}),
        amir.post(f"{TICKET}/comments", {"body": "Too late", "visibility": "internal"}),
        amir.post(f"{TICKET}/follow"),
    ):
        assert (response.status_code, response.json()["code"]) == (409, "ticket_closed")
    assert amir.patch(TICKET, {"status": "open"}).json()["allowed_transitions"] == []


def test_resolving_and_reopening_are_stamped_and_counted(amir: APIClient, carla: APIClient, opened: Row) -> None:
    resolved = carla.patch(TICKET, {"status": "resolved"}).json()
    assert resolved["resolved_at"] == resolved["updated_at"]
    reopened = carla.patch(TICKET, {"status": "open"}).json()
    assert (reopened["resolved_at"], reopened["reopened_count"]) == (None, 1)
    closed = amir.patch(TICKET, {"status": "closed"}).json()
    assert closed["closed_at"] == closed["resolved_at"] == closed["updated_at"]


# --- Customers --------------------------------------------------------------------------------------------------------
def test_customers_change_title_description_and_status(carla: APIClient, opened: Row) -> None:
    response = carla.patch(TICKET, {"title": "Smoke only", "description": "Out.", "status": "resolved"})

    ticket = response.json()
    assert response.status_code == 200
    assert (ticket["title"], ticket["description_html"], ticket["status"]) == (
        "Smoke only",
        "<p>Out.</p>\n",
        "resolved",
    )


@pytest.mark.parametrize("name", ["priority", "category", "type", "tags", "assigned_to", "team", "followers"])
def test_customers_cannot_change_what_is_for_staff(cast: Cast, carla: APIClient, opened: Row, name: str) -> None:
    values = {"priority": "urgent", "category": "x", "type": "task", "tags": ["x"], "followers": [str(cast.carl.pk)]}
    body = {name: values.get(name, str(cast.amir.pk))}

    for response in (carla.patch(TICKET, body), carla.put(TICKET, whole(opened, version=1, **body))):
        assert (response.status_code, fields_of(response)) == (400, {name: "staff_only"})
    assert carla.get(TICKET).json() == opened


def test_customers_replace_what_they_may_and_send_the_rest_as_it_is(carla: APIClient, opened: Row) -> None:
    assert carla.put(TICKET, whole(opened, title="Whole", version=1)).json()["title"] == "Whole"
    short = {"title": "Short", "description": "", "status": "new"}
    assert carla.put(TICKET, {**short, "version": 2}).json()["title"] == "Short"
    assert carla.put(TICKET, short).status_code == 428


def test_followers_read_and_answer_but_do_not_change(cast: Cast, amir: APIClient, carl: APIClient, opened: Row) -> None:
    amir.patch(TICKET, {"followers": [str(cast.carl.pk)]})

    assert carl.get(TICKET).status_code == 200
    assert carl.post(f"{TICKET}/comments", {"body": "Me too"}).status_code == 201
    assert carl.patch(TICKET, {"title": "Mine"}).status_code == 403


@pytest.mark.parametrize("method", ["patch", "put"])
def test_a_foreign_ticket_cannot_be_changed_nor_told_from_a_missing_one(
    gus: APIClient, carl: APIClient, opened: Row, method: str
) -> None:
    body = whole(opened, title="Taken over", version=1)
    for client in (gus, carl):
        foreign = getattr(client, method)(f"{TICKETS}/{opened['id']}", body).json()
        missing = getattr(client, method)(f"{TICKETS}/{'0' * 24}", body).json()
        assert foreign.pop("request_id") != missing.pop("request_id")
        assert foreign == missing
        assert foreign["status"] == 404


# --- Following --------------------------------------------------------------------------------------------------------
def test_staff_follows_and_stops(cast: Cast, amir: APIClient, carla: APIClient, opened: Row) -> None:
    for _ in range(2):
        assert amir.post(f"{TICKET}/follow").status_code == 204
    assert amir.get(TICKET).json()["followers"] == [str(cast.amir.pk)]
    for _ in range(2):
        assert amir.delete(f"{TICKET}/follow").status_code == 204
    assert amir.get(TICKET).json()["followers"] == []
    assert carla.post(f"{TICKET}/follow").status_code == 403


# --- The browsable page -----------------------------------------------------------------------------------------------
def test_a_customers_form_has_his_fields_and_works_as_sent(carla: APIClient, opened: Row) -> None:
    page = carla.get(TICKET, HTTP_ACCEPT="text/html").content.decode()
    for name in ("title", "description", "status", "version"):
        assert f'name="{name}"' in page
    for name in ("priority", "tags", "assigned_to", "followers"):
        assert f'name="{name}"' not in page

    form = {"title": "By form", "description": "It *burns*.", "status": "new", "version": "1"}
    sent = carla.patch(TICKET, form, format="multipart")
    assert (sent.status_code, sent.json()["title"]) == (200, "By form")
    again = carla.patch(TICKET, {**form, "title": "Stale"}, format="multipart")
    assert again.status_code == 412


def test_a_customer_opens_a_ticket_by_form(carla: APIClient) -> None:
    page = carla.get(TICKETS, HTTP_ACCEPT="text/html").content.decode()
    assert 'name="title"' in page
    assert 'name="requester"' not in page

    form = {"title": "By form", "description": "a\r\nb", "priority": "low", "category": "", "type": "task"}
    ticket = carla.post(TICKETS, form, format="multipart").json()
    assert (ticket["description"], ticket["priority"], ticket["category"]) == ("a\nb", "low", "")


def test_an_agents_form_takes_lists_between_commas_and_empty_for_nobody(
    cast: Cast, amir: APIClient, opened: Row
) -> None:
    change_ticket(actor_of(cast.amir), "1", {"tags": ["one", "two"], "assigned_to": cast.amir.pk})
    page = amir.get(TICKET, HTTP_ACCEPT="text/html").content.decode()
    assert 'value="one, two"' in page

    form = {"tags": "one, three", "assigned_to": "", "followers": f"{cast.carl.pk},{cast.amir.pk}"}
    ticket = amir.patch(TICKET, form, format="multipart").json()
    assert (ticket["tags"], ticket["assigned_to"]) == (["one", "three"], None)
    assert ticket["followers"] == [str(cast.carl.pk), str(cast.amir.pk)]
