"""Lists are made out once and their rows are kept: what others ask in the same words is their own all the same."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.roles import Role
from accounts.services import change_user
from tenants.services import change_settings
from tests.cast import Cast, actor_of, api
from tests.tickets.api.conftest import TICKETS, Row, WithKey, titles

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(cast: Cast, open_for: Any) -> None:
    """One of each customer's, and one of the other tenant's; the first is Amir's, the second Ada's."""
    open_for(cast.carla, title="Of Carla")
    open_for(cast.carl, title="Of Carl")
    open_for(cast.greta, title="Of Greta")
    amir = api(cast.amir)
    for number, owner in ((1, cast.amir), (2, cast.ada)):
        assert amir.patch(f"{TICKETS}/{number}", {"assigned_to": str(owner.pk)}).status_code == 200


@pytest.mark.parametrize("query", ["", "?q=of", "?priority=normal", "?limit=5&ordering=created_at"])
def test_each_reader_gets_his_own(cast: Cast, tickets: None, query: str) -> None:
    expected = {"carla": {"Of Carla"}, "carl": {"Of Carl"}, "greta": {"Of Greta"}, "gus": {"Of Greta"}}
    expected |= {name: {"Of Carla", "Of Carl"} for name in ("amir", "ada")}
    for _ in range(2):
        for name, found in expected.items():
            assert set(titles(api(getattr(cast, name)), query)) == found, name


def test_me_is_who_asks(cast: Cast, tickets: None) -> None:
    for _ in range(2):
        assert titles(api(cast.amir), "?assigned_to=me") == ["Of Carla"]
        assert titles(api(cast.ada), "?assigned_to=me") == ["Of Carl"]
        assert titles(api(cast.carla), "?created_by=me") == ["Of Carla"]
        assert api(cast.amir).get(f"{TICKETS}/stats?assigned_to=me").json()["total"] == 1
        assert api(cast.gus).get(f"{TICKETS}/stats?assigned_to=me").json()["total"] == 0


def test_another_role_is_another_reader(cast: Cast, tickets: None) -> None:
    assert len(titles(api(cast.amir))) == 2
    for role, found in ((Role.USER, 0), (Role.AGENT, 2)):
        amir = change_user(actor_of(cast.ada), cast.amir.pk, {"role": role.value})
        assert len(titles(api(amir))) == found


def test_a_key_finds_no_more_than_its_scopes_allow(cast: Cast, tickets: None, with_key: WithKey) -> None:
    api(cast.amir).post(f"{TICKETS}/1/comments", {"body": "The whistleblower", "visibility": "internal"})
    more, fewer = ["tickets:read", "comments:read"], ["tickets:read"]
    found = [titles(with_key(*scopes), "?q=whistleblower") for scopes in (more, fewer, more)]
    assert titles(api(cast.ada), "?q=whistleblower") == ["Of Carla"]
    assert found[1] == []
    assert found[0] == found[2]


def test_a_search_follows_the_tenants_language(cast: Cast, open_for: Any) -> None:
    open_for(cast.carla, title="Haus")
    amir = api(cast.amir)
    assert titles(amir, "?q=häuser") == []
    change_settings(cast.acme, {"locale": "de"}, expected_version=cast.acme.version, by="tests")
    assert titles(amir, "?q=häuser") == ["Haus"]


def test_a_page_takes_empty_fields_and_a_program_may_not_send_them(amir: APIClient, opened: Row) -> None:
    for _ in range(2):
        assert amir.get(f"{TICKETS}?status=", HTTP_ACCEPT="text/html").status_code == 200
        assert amir.get(f"{TICKETS}?status=").status_code == 400
        assert amir.get(f"{TICKETS}?q=").status_code == 400


def test_a_list_is_told_of_what_was_opened_meanwhile(cast: Cast, opened: Row, open_for: Any) -> None:
    amir = api(cast.amir)
    assert titles(amir, "?status=new") == ["Printer on fire"]
    open_for(cast.carl, title="Another")
    assert titles(amir, "?status=new") == ["Another", "Printer on fire"]


@pytest.mark.parametrize("who", ["amir", "carla"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?include=comments",
        "?include=comments,created_by,assigned_to",
        "?fields=id,number",
        "?fields=url",
        "?fields=created_by_user",
        "?fields=comments,assigned_to_user",
        "?fields=number&include=created_by",
    ],
)
def test_rows_tell_what_the_ticket_itself_does(cast: Cast, tickets: None, who: str, query: str) -> None:
    client = api(getattr(cast, who))
    for visibility in ("internal", "public"):
        api(cast.amir).post(f"{TICKETS}/1/comments", {"body": f"This is {visibility}", "visibility": visibility})
    one = client.get(f"{TICKETS}/1").json()
    one["comments"]["page"]["limit"] = 10  # of each; of one alone it is 25
    for _ in range(2):
        row = client.get(TICKETS + query).json()["data"][-1]
        assert row
        assert row == {name: one[name] for name in row}


def test_a_page_shows_the_rows_that_programs_get(amir: APIClient, opened: Row) -> None:
    page = amir.get(TICKETS, HTTP_ACCEPT="text/html").content.decode()
    [row] = amir.get(TICKETS).json()["data"]
    for shown in (row["title"], row["url"], row["created_at"]):
        assert shown in page, shown
