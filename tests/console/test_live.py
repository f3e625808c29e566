"""An open ticket page: who else is here, what is new without a reload, and the addresses of single entries."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.cast import actor_of
from tests.console.queries import counted_queries
from tests.console.test_ticket_page import TICKETS, page_of, stored
from ticketing import clock
from ticketing.mongo import ObjectId
from tickets.attachments.services import add_attachment
from tickets.conversation.services import add_comment
from tickets.drafts.services import save_draft
from tickets.merging.linking import link_tickets
from tickets.presence.repository import PresenceRepository
from tickets.services import change_ticket, open_ticket

FETCH = {"X-Requested-With": "fetch"}


def live(client: Any, ticket: Any, **data: str) -> Any:
    return client.post(f"{TICKETS}{ticket['_id']}/live/", data, headers=FETCH)


def news(client: Any, ticket: Any, version: int) -> Any:
    return client.get(f"{TICKETS}{ticket['_id']}/news/?version={version}", headers=FETCH)


def test_an_open_page_is_told_that_a_colleague_has_closed_the_ticket(cast, browser, ticket):
    told = "This ticket is closed, which is final."
    client = browser(cast.amir)
    assert told not in news(client, ticket, 1).json()["html"]
    change_ticket(actor_of(cast.ada), ticket["_id"], {"status": "closed"})
    assert told in news(client, ticket, 1).json()["html"]


def test_colleagues_see_each_other_look_and_write(cast, browser, ticket):
    amir, ada = browser(cast.amir), browser(cast.ada)
    assert live(amir, ticket).json() == {"version": 1, "here": []}
    assert live(ada, ticket, writing="1").json()["here"] == [{"text": "Amir Acme is looking at this", "writing": False}]
    assert live(amir, ticket).json()["here"] == [{"text": "Ada Acme is writing", "writing": True}]
    live(ada, ticket)
    assert live(amir, ticket).json()["here"] == [{"text": "Ada Acme is looking at this", "writing": False}]
    assert live(ada, ticket, leaving="1").json() == {}
    assert live(amir, ticket).json()["here"] == []
    assert PresenceRepository(cast.acme.pk).count({}) == 1


def test_whoever_does_not_tell_any_more_is_not_here(cast, browser, ticket, monkeypatch):
    live(browser(cast.ada), ticket)
    later = clock.now() + timedelta(seconds=91)
    monkeypatch.setattr("tickets.presence.services.clock.now", lambda: later)
    assert live(browser(cast.amir), ticket).json()["here"] == []


def test_presence_is_nobodys_business_but_the_staffs(cast, browser, ticket):
    live(browser(cast.amir), ticket)
    assert live(browser(cast.carla), ticket).status_code == 401
    assert live(browser(cast.olga), ticket).status_code == 403
    missing = [live(browser(cast.gus), {"_id": id_}) for id_ in (ticket["_id"], ObjectId(), "nonsense")]
    assert {(answer.status_code, answer.content) for answer in missing} == {(404, missing[0].content)}
    assert PresenceRepository(cast.globex.pk).count({}) == 0


def test_asking_does_not_keep_a_session_alive(cast, browser, ticket):
    client = browser(cast.amir)
    before = Session.objects.get(pk=client.session.session_key).expire_date
    answer = live(client, ticket)
    assert "sessionid" not in answer.cookies
    assert Session.objects.get(pk=client.session.session_key).expire_date == before
    Session.objects.filter(pk=client.session.session_key).delete()
    assert live(client, ticket).status_code == 401


def test_news_are_the_parts_as_they_are_now_and_what_others_did(cast, browser, ticket):
    client = browser(cast.amir)
    client.get(page_of(ticket))
    change_ticket(actor_of(cast.ada), ticket["_id"], {"priority": "urgent", "assigned_to": cast.ada.pk})
    add_comment(actor_of(cast.amir), ticket["_id"], "Of my own", "internal")
    add_comment(actor_of(cast.ada), ticket["_id"], "Have you tried **water**?")
    found = news(client, ticket, 1).json()
    assert found["version"] == stored(cast, ticket)["version"] == live(client, ticket).json()["version"]
    assert found["told"] == [
        "Ada Acme changed the priority from Normal to Urgent",
        "Ada Acme set the assignee to Ada Acme",
        "Ada Acme answered",
        "Ada Acme changed the status from New to Open",
    ]
    assert "tried <strong>water</strong>" in found["html"]
    assert '<option value="urgent" selected>' in found["html"]
    assert f'<option value="{cast.ada.pk}" selected>' in found["html"]
    assert news(client, ticket, found["version"]).json()["told"] == []
    for wrong in ("x", "-1", "9" * 30):
        assert news(client, ticket, wrong).status_code == 400
    assert news(browser(cast.gus), ticket, 1).status_code == 404


def test_the_parts_are_the_pages_own(cast, browser, ticket):
    """What live.js lays over the page must be there under the same names."""
    add_comment(actor_of(cast.ada), ticket["_id"], "Hello")
    client = browser(cast.amir)
    page, fresh = client.get(page_of(ticket)), news(client, ticket, 1).json()["html"]
    for part in ("ticket-head", "ticket-thread", "ticket-properties", "ticket-people", "description"):
        assert page.content.decode().count(f'id="{part}"') == fresh.count(f'id="{part}"') == 1, part
    for field in page.context["side_fields"]:
        assert f'name="{field.html_name}"' in fresh
        assert f'name="{field.html_initial_name}"' in fresh


def test_asking_costs_a_bounded_number_of_queries(cast, browser, ticket):
    for number in range(3):
        comment = add_comment(actor_of(cast.ada), ticket["_id"], f"Comment {number}", "internal")
    log = SimpleUploadedFile("log.txt", b"It burns")
    add_attachment(actor_of(cast.ada), ticket["_id"], log, comment_id=comment["_id"], visibility="internal")
    change_ticket(actor_of(cast.ada), ticket["_id"], {"followers": [cast.ada.pk, cast.carl.pk]})
    link_tickets(actor_of(cast.ada), ticket["_id"], open_ticket(actor_of(cast.carl), title="Related")["_id"])
    save_draft(actor_of(cast.amir), ticket["_id"], body="Not sent yet")
    live(browser(cast.ada), ticket)
    client = browser(cast.amir)
    client.get(page_of(ticket))
    for ask in (
        lambda: client.get(page_of(ticket)),
        lambda: live(client, ticket, seen="1", writing="1"),
        lambda: news(client, ticket, 1),
        lambda: client.get(f"{TICKETS}{ticket['_id']}/requester/"),
        lambda: client.get(f"{TICKETS}{ticket['_id']}/entry/{comment['_id']}/"),
    ):
        with counted_queries() as sent:
            assert ask().status_code in (200, 302)
        assert len(sent) <= 8, sent


def test_an_entry_has_an_address_that_finds_it_wherever_it_is(cast, browser, ticket, monkeypatch):
    for module in ("page", "live"):
        monkeypatch.setattr(f"tickets.console.ticket.{module}.COMMENTS_SHOWN", 2)
    comments = [add_comment(actor_of(cast.amir), ticket["_id"], f"Comment {number}") for number in range(5)]
    client = browser(cast.amir)
    for comment in comments:
        answer = client.get(f"{TICKETS}{ticket['number']}/entry/{comment['_id']}/")
        address, _, fragment = answer["Location"].partition("#")
        assert fragment == f"comment-{comment['_id']}"
        assert f'id="{fragment}"' in client.get(address).content.decode()
    assert "?" not in address  # the newest is on the page itself
    foreign, missing = (
        browser(cast.gus).get(f"{TICKETS}{ticket['_id']}/entry/{id_}/") for id_ in (comment["_id"], "x")
    )
    assert foreign.status_code == missing.status_code == 404


@pytest.mark.parametrize("fetched", [True, False])
def test_following_and_taking_a_ticket(cast, browser, ticket, fetched):
    client = browser(cast.amir)

    def work(**data: Any) -> Any:
        answer = client.post(f"{TICKETS}{ticket['_id']}/people/", data, headers=FETCH if fetched else {})
        assert answer.status_code == (200 if fetched else 302)
        return stored(cast, ticket)

    assert work(action="follow")["follower_ids"] == [cast.amir.pk]
    assert work(action="add", email="CARL@example.test")["follower_ids"] == [cast.amir.pk, cast.carl.pk]
    assert "Carl Customer" in client.get(page_of(ticket)).content.decode()
    assert work(action="unfollow")["follower_ids"] == [cast.carl.pk]
    now = work(remove=str(cast.carl.pk))
    assert (now["follower_ids"], now["participant_ids"]) == ([], [cast.carla.pk])
    assert work(action="assign")["assigned_to_id"] == cast.amir.pk


def test_who_cannot_follow_is_refused_by_name(cast, browser, ticket):
    client = browser(cast.amir)
    address = f"{TICKETS}{ticket['_id']}/people/"
    answer = client.post(address, {"action": "add", "email": "nobody@example.test"}, headers=FETCH)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["email"])
    answer = client.post(address, {"action": "add", "email": "nobody@example.test"}, follow=True)
    assert "is not the address of an active account" in str([str(each) for each in answer.context["messages"]])
    assert client.post(address, {"action": "dance"}, headers=FETCH).status_code == 400
    assert browser(cast.gus).post(address, {"action": "follow"}, headers=FETCH).status_code == 404
    assert browser(cast.olga).post(address, {"action": "follow"}).status_code == 403
    assert stored(cast, ticket)["version"] == 1


def test_the_card_of_the_requester(cast, browser, ticket):
    others = [open_ticket(actor_of(cast.carla), title=f"Other {number}") for number in range(7)]
    change_ticket(actor_of(cast.ada), others[0]["_id"], {"status": "closed"})
    client = browser(cast.amir)
    answer = client.get(f"{TICKETS}{ticket['_id']}/requester/")
    page = answer.content.decode()
    assert "Carla Customer" in page
    assert "carla@example.test" in page
    assert "never" in page
    assert "7 open, 8 in all" in page
    assert [other["number"] for other in answer.context_data["others"]] == [8, 7, 6, 5, 4]
    missing = [browser(cast.gus).get(f"{TICKETS}{id_}/requester/").status_code for id_ in (ticket["_id"], ObjectId())]
    assert missing == [404, 404]
