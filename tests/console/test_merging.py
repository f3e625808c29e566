"""Merging, linking and splitting on the ticket page: what will happen is told first, and can be taken back."""

import re
from typing import Any

import pytest

from tests.cast import actor_of
from tests.console.queries import counted_queries
from tests.tickets.merging.looking import stored, thread
from tickets.conversation.services import add_comment
from tickets.merging.linking import link_tickets
from tickets.merging.services import merge_ticket, unmerge_ticket
from tickets.merging.splitting import split_comment
from tickets.repository import TicketRepository
from tickets.services import change_ticket, follow_ticket, open_ticket

TICKETS = "/console/tickets/ticket/"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def duplicate(cast: Any, ticket: Any) -> Any:
    """Carl's ticket about the same, #2, with an answer."""
    opened = open_ticket(actor_of(cast.carl), title=f"Smoke {SCRIPT}", description="From the copier")
    add_comment(actor_of(cast.carl), opened["_id"], "The door is stuck, too")
    return opened


def path(ticket: Any, what: str = "change") -> str:
    return f"{TICKETS}{ticket['_id']}/{what}/"


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_merges_after_telling_who_will_see_what(cast, browser, ticket, duplicate):
    follow_ticket(actor_of(cast.ada), duplicate["_id"])
    client = browser(cast.amir)
    assert f'href="{path(duplicate, "merge")}"' in text_of(client.get(path(duplicate)))

    with counted_queries() as queries:
        told = text_of(client.get(path(duplicate, "merge") + "?into=1"))
    assert len(queries) <= 8, queries
    assert "Carl Customer (carl@example.test) will see #1 with all of its public answers and files" in told
    assert "Ada Acme will follow #1" in told
    assert "1 comment moves to #1" in told
    assert SCRIPT not in told
    assert stored(duplicate)["status"] == "new"

    answer = client.post(path(duplicate, "merge"), {"into": str(ticket["_id"])})
    assert (answer.status_code, answer["Location"]) == (302, f"{path(ticket)}?merged={duplicate['_id']}")
    with counted_queries() as queries:
        page = text_of(client.get(answer["Location"]))
    assert len(queries) <= 8, queries
    assert "#2 was merged into this ticket." in page
    assert f'action="{path(duplicate, "unmerge")}"' in page
    assert page.count(">from #2</a>") == 2
    assert SCRIPT not in page

    left = text_of(client.get(path(duplicate)))
    assert "Merged into #1: its conversation goes on there." in left
    assert f'href="{path(ticket)}"' in left
    history = text_of(client.get(path(ticket, "history")))
    assert "merged #2 into this ticket" in history
    assert "merged this ticket into #1" in text_of(client.get(path(duplicate, "history")))

    answer = client.post(path(duplicate, "unmerge"), follow=True)
    assert answer.redirect_chain[-1][0] == path(duplicate)
    assert "The merge was taken back" in text_of(answer)
    assert stored(duplicate)["status"] == "new"
    again = text_of(client.post(path(duplicate, "unmerge"), follow=True))
    assert "The ticket is not merged into another one" in again


def test_offers_the_requesters_open_tickets_and_finds_others(cast, browser, ticket, duplicate):
    own = open_ticket(actor_of(cast.carl), title="Copier broken")
    client = browser(cast.amir)
    with counted_queries() as queries:
        page = text_of(client.get(path(duplicate, "merge")))
    assert len(queries) <= 8, queries
    assert f"?into={own['number']}" in page
    assert "?into=1" not in page
    assert "?into=1" in text_of(client.get(path(duplicate, "merge") + "?q=printer"))
    assert "No open ticket has this number" in text_of(client.get(path(duplicate, "merge") + "?q=nothing"))


@pytest.mark.parametrize("into", ["2", "99", "x", ""])
def test_a_refused_merge_says_why_and_offers_others(cast, browser, ticket, duplicate, into):
    client = browser(cast.amir)
    answer = client.post(path(duplicate, "merge"), {"into": into})
    assert answer.status_code == 200
    assert 'role="alert"' in text_of(answer)
    assert stored(duplicate)["version"] == 2


def test_a_closed_ticket_cannot_be_merged_and_the_page_offers_it_not(cast, browser, ticket, duplicate):
    change_ticket(actor_of(cast.amir), duplicate["_id"], {"status": "closed"})
    client = browser(cast.amir)
    assert path(duplicate, "merge") not in text_of(client.get(path(duplicate)))
    assert "#2 is closed" in text_of(client.get(path(duplicate, "merge") + "?into=1"))


def test_links_by_number_and_takes_links_away(cast, browser, ticket, duplicate):
    client = browser(cast.amir)
    page = text_of(client.post(path(ticket, "related"), {"ticket": " #2 "}, follow=True))
    assert f'href="{path(duplicate)}">#2</a>' in page
    assert SCRIPT not in page
    assert f'href="{path(ticket)}">#1</a>' in text_of(client.get(path(duplicate)))
    refused = text_of(client.post(path(ticket, "related"), {"ticket": "99"}, follow=True))
    assert "is not a ticket of this tenant" in refused

    fetched = {"X-Requested-With": "fetch"}
    answer = client.post(path(ticket, "related"), {"ticket": "1"}, headers=fetched)
    assert (answer.status_code, answer.json()["errors"]) == (400, {"ticket": "is the ticket itself"})
    answer = client.post(path(ticket, "related"), {"unlink": str(duplicate["_id"])}, headers=fetched)
    assert (answer.status_code, answer.json()) == (200, {})
    assert stored(ticket)["related_ids"] == []


def test_splits_a_comment_under_a_title_that_is_asked_for(cast, browser, ticket, duplicate):
    client = browser(cast.amir)
    comment = add_comment(actor_of(cast.carl), duplicate["_id"], f"My **desk** {SCRIPT}")
    split = f"{TICKETS}{duplicate['_id']}/comments/{comment['_id']}/split/"
    assert f'href="{split}"' in text_of(client.get(path(duplicate)))
    with counted_queries() as queries:
        page = text_of(client.get(split))
    assert len(queries) <= 8, queries
    assert 'value="My desk &lt;script&gt;alert(1)&lt;/script&gt;"' in page
    assert SCRIPT not in page

    answer = client.post(split, {"title": "The desk"}, follow=True)
    [opened] = TicketRepository(cast.acme.pk).find({"title": "The desk"})
    assert answer.redirect_chain[-1][0] == path(opened)
    assert (opened["title"], opened["created_by_id"]) == ("The desk", cast.carl.pk)
    left = text_of(client.get(path(duplicate)))
    assert f"split into #{opened['number']}" in left
    assert f'href="{split}"' not in left
    again = text_of(client.get(split))
    assert "A ticket was made of this comment already" in again
    assert "Make the ticket" not in again


def test_a_note_is_announced_as_staying_internal(cast, browser, ticket):
    note = add_comment(actor_of(cast.amir), ticket["_id"], "Fraud", "internal")
    client = browser(cast.amir)
    page = text_of(client.get(f"{TICKETS}{ticket['_id']}/comments/{note['_id']}/split/"))
    assert "The note stays internal" in page
    assert 'value="Printer on fire"' in page


def test_a_bad_title_is_refused_and_kept(cast, browser, ticket, duplicate):
    client = browser(cast.amir)
    comment = add_comment(actor_of(cast.carl), duplicate["_id"], "Desk")
    long = "x" * 201
    page = text_of(client.post(f"{TICKETS}{duplicate['_id']}/comments/{comment['_id']}/split/", {"title": long}))
    assert "has more than 200 characters" in page
    assert long in page
    assert TicketRepository(cast.acme.pk).count({}) == 2


def test_the_page_asks_no_more_with_everything_there_is(cast, browser, ticket, duplicate):
    amir = actor_of(cast.amir)
    third = open_ticket(actor_of(cast.carl), title="Third")
    link_tickets(amir, "1", third["_id"])
    merge_ticket(amir, duplicate["_id"], "1")
    split_comment(amir, add_comment(actor_of(cast.carla), "1", "Desk")["_id"])
    client = browser(cast.amir)
    client.get(path(ticket))
    with counted_queries() as queries:
        page = text_of(client.get(path(ticket)))
    assert len(queries) <= 8, queries
    assert "from #2" in page
    assert "split into #4" in page
    unmerge_ticket(amir, "2")
    assert thread(amir, duplicate) == ["The door is stuck, too"]


def test_tickets_of_the_release_before_are_shown(cast, browser, ticket):
    new = ("related_ids", "merged_ids", "merged_follower_ids", "merged_into_id", "status_before_merge")
    TicketRepository(cast.acme.pk).update_where({"number": 1}, {}, operators={"$unset": dict.fromkeys(new, "")})
    client = browser(cast.amir)
    client.get(path(ticket))
    with counted_queries() as queries:
        assert client.get(path(ticket)).status_code == 200
    assert len(queries) <= 8, queries
