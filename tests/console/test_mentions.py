"""Everybody's list of the notes that name him, and the figure beside it."""

import re
from typing import Any

from tests.cast import actor_of
from tests.console.queries import counted_queries
from tests.console.test_live import FETCH, TICKETS, live
from tests.console.test_ticket_page import page_of
from tickets.conversation.services import add_comment
from tickets.mentions.repository import MentionRepository
from tickets.services import open_ticket

MENTIONS = "/console/tickets/mention/"


def mention(cast: Any, ticket: Any, text: str = "look at <b>this</b>") -> Any:
    return add_comment(actor_of(cast.ada), ticket["_id"], f"@agent@example.test {text}", "internal")


def figure(client: Any) -> str:
    return client.get(f"{MENTIONS}count/", headers=FETCH).json()["counts"]["mentions"]


def listed(client: Any, query: str = "") -> list[int]:
    return [row.found.ticket["number"] for row in client.get(f"{MENTIONS}{query}").context["cl"].result_list]


def test_a_mention_is_listed_and_counted_until_its_ticket_is_opened(cast, browser, ticket):
    note, client = mention(cast, ticket), browser(cast.amir)
    page = client.get(MENTIONS).content.decode()
    assert f'href="{TICKETS}{ticket["_id"]}/entry/{note["_id"]}/"' in page
    assert "look at &lt;b&gt;this&lt;/b&gt;" in page
    assert "Ada Acme" in page
    assert figure(client) == "1"
    assert re.search(rf'data-count="mentions" data-count-url="{MENTIONS}count/"', page)
    client.get(page_of(ticket))
    live(client, ticket, seen="1")
    assert figure(client) == ""
    assert listed(client) == [1]
    assert listed(client, "?seen=no") == []
    assert listed(client, "?seen=yes") == [1]


def test_everybody_has_only_his_own(cast, browser, ticket):
    mention(cast, ticket)
    assert listed(browser(cast.ada)) == []
    assert figure(browser(cast.ada)) == ""
    assert browser(cast.olga).get(f"{MENTIONS}count/", headers=FETCH).status_code == 403
    [row] = MentionRepository(cast.acme.pk).find({})
    chosen = {"action": "mark_as_seen", "_selected_action": [str(row["_id"])]}
    browser(cast.ada).post(MENTIONS, chosen)
    assert figure(browser(cast.amir)) == "1"
    browser(cast.amir).post(MENTIONS, chosen)
    assert figure(browser(cast.amir)) == ""
    assert browser(cast.amir).get(f"{MENTIONS}{row['_id']}/change/").status_code == 404


def test_the_page_shows_whom_a_note_names_and_offers_the_staff(cast, browser, ticket):
    mention(cast, ticket)
    client = browser(cast.amir)
    page = client.get(page_of(ticket)).content.decode()
    assert "Mentions Amir Acme" in page
    assert '<span class="mention">@agent@example.test</span>' in page
    assert client.get(f"{TICKETS}staff/", headers=FETCH).json()["people"] == [
        {"email": "admin@example.test", "name": "Ada Acme"},
        {"email": "agent@example.test", "name": "Amir Acme"},
    ]


def test_the_list_takes_a_bounded_number_of_queries(cast, browser, ticket):
    for each in (ticket, open_ticket(actor_of(cast.carla), title="Other")):
        mention(cast, each)
    client = browser(cast.amir)
    client.get(MENTIONS)
    for address in (MENTIONS, f"{MENTIONS}?seen=no", f"{MENTIONS}count/"):
        with counted_queries() as sent:
            assert client.get(address).status_code == 200
        assert len(sent) <= 8, sent
