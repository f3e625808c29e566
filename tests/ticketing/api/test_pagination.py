"""Keyset pages over HTTP."""

import re
from typing import Any

import pytest

from tests.cast import Cast, api
from tests.ticketing.api.sample import Notes, add_note
from tests.ticketing.api.test_errors import assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.ticketing.api.sample")]


@pytest.fixture
def client(cast: Cast) -> Any:
    for number in range(7):
        add_note(cast.acme.pk, {"title": f"note {number}"})
    add_note(cast.globex.pk, {"title": "foreign"})
    return api(cast.carla)


def titles(response: Any) -> list[str]:
    return [row["title"] for row in response.json()["data"]]


def test_links_lead_through_the_whole_list_and_back(client: Any) -> None:
    response = client.get("/api/v1/notes?limit=3&ordering=created_at")
    seen, pages = titles(response), 1
    while match := re.search(r'<([^>]+)>; rel="next"', response.get("Link", "")):
        response = client.get(match[1])
        seen += titles(response)
        pages += 1
    assert seen == [f"note {number}" for number in range(7)]
    assert pages == 3
    assert response.json()["page"] | {"before": ""} == {"limit": 3, "has_more": False, "after": None, "before": ""}
    previous = re.search(r'<([^>]+)>; rel="prev"', response["Link"])
    assert previous
    assert titles(client.get(previous[1])) == ["note 3", "note 4", "note 5"]


def test_default_page(client: Any) -> None:
    assert client.get("/api/v1/notes").json()["page"] == {
        "limit": 25,
        "has_more": False,
        "after": None,
        "before": None,
    }


def test_count_is_a_string_and_capped(client: Any, cast: Cast) -> None:
    assert client.get("/api/v1/notes?count=true&limit=1").json()["page"]["count"] == "7"
    assert "count" not in client.get("/api/v1/notes?count=false").json()["page"]
    Notes(cast.acme.pk).insert_many({"title": "x", "version": 1} for _ in range(10_000))
    assert client.get("/api/v1/notes?count=true&limit=1").json()["page"]["count"] == "10000+"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=٣", "limit"),
        ("limit=1e1", "limit"),
        ("limit=", "limit"),
        ("count=1", "count"),
        ("after=nonsense", "after"),
        ("before=nonsense", "before"),
        ("after=a&before=b", "before"),
        ("page=2", "page"),
        ("limit=1&limit=2", "limit"),
        ("kind=small&kind=large", "kind"),
        ("offset=3", "offset"),
        ("format=json", "format"),
        ("fields=title,colour", "fields"),
        ("fields=", "fields"),
        ("include=secrets", "include"),
    ],
)
def test_bad_parameter_is_named(client: Any, query: str, field: str) -> None:
    document = assert_problem(client.get(f"/api/v1/notes?{query}"), 400, "invalid_input")
    assert [error["field"] for error in document["errors"]] == [field]


def test_every_unknown_parameter_is_named(client: Any) -> None:
    document = assert_problem(client.get("/api/v1/notes?colour=1&size=2"), 400, "invalid_input")
    assert [error["field"] for error in document["errors"]] == ["colour", "size"]


def test_writes_take_no_parameters(client: Any) -> None:
    assert_problem(client.post("/api/v1/notes?limit=1", {"title": "x"}), 400, "invalid_input")


def test_sparse_fields(client: Any) -> None:
    rows = client.get("/api/v1/notes?fields=id,title&limit=2").json()["data"]
    assert all(row.keys() == {"id", "title"} for row in rows)
