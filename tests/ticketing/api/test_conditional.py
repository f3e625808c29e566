"""ETag, If-Match and If-None-Match."""

from typing import Any

import pytest

from tests.cast import Cast, api
from tests.ticketing.api.sample import add_note
from tests.ticketing.api.test_errors import assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.ticketing.api.sample")]


@pytest.fixture
def url(cast: Cast) -> str:
    return f"/api/v1/notes/{add_note(cast.acme.pk, {'title': 'first'})['_id']}"


@pytest.fixture
def client(cast: Cast) -> Any:
    return api(cast.carla)


def test_read_again_is_304_until_it_changes(client: Any, url: str) -> None:
    first = client.get(url)
    assert first["ETag"].startswith('"1-')
    assert first["Cache-Control"] == "private, no-cache"
    again = client.get(url, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    changed = client.patch(url, {"title": "second"})
    third = client.get(url, headers={"If-None-Match": first["ETag"]})
    assert (third.status_code, third["ETag"]) == (200, changed["ETag"])


def test_head_has_the_headers_of_get(client: Any, url: str) -> None:
    head = client.head(url)
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", client.get(url)["ETag"])


@pytest.mark.parametrize("tag", ['"1"', '"9", "1-abc"', "*", '"1-0"'])
def test_current_version_passes(client: Any, url: str, tag: str) -> None:
    response = client.patch(url, {"title": "second"}, headers={"If-Match": tag})
    assert (response.status_code, response.json()["version"]) == (200, 2)


@pytest.mark.parametrize("tag", ['"2"', 'W/"1"', '"other"', '"1abc"', '""', '"0", "2"'])
def test_any_other_is_412_and_changes_nothing(client: Any, url: str, tag: str) -> None:
    document = assert_problem(client.patch(url, {"title": "x"}, headers={"If-Match": tag}), 412, "stale_version")
    assert document["current_version"] == 1
    assert client.get(url).json()["title"] == "first"


@pytest.mark.parametrize("tag", ["1", "'1'", '"1', '"1" "2"', "", ",", '"1",*'])
def test_malformed_is_400(client: Any, url: str, tag: str) -> None:
    response = client.patch(url, {"title": "x"}, headers={"If-Match": tag})
    assert assert_problem(response, 400, "invalid_input")["errors"][0]["field"] == "If-Match"


def test_replacing_blindly_is_428(client: Any, url: str) -> None:
    assert_problem(client.put(url, {"title": "x"}), 428, "precondition_required")
    assert client.put(url, {"title": "x"}, headers={"If-Match": '"1"'}).status_code == 200


def test_lists_and_errors_are_not_stored_anywhere(client: Any, url: str) -> None:
    assert client.get("/api/v1/notes")["Cache-Control"] == "no-store"
    assert client.get(url + "0")["Cache-Control"] == "no-store"
