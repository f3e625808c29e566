"""Answers, internal notes and edits: what they move, and what customers never learn."""

from datetime import timedelta

import pytest

from accounts.actor import Via
from tests.cast import Cast, actor_of
from ticketing import clock
from ticketing.errors import InvalidInput, NotAllowed, NotFound, StaleVersion
from ticketing.mongo import ObjectId
from ticketing.mongo.pages import PageRequest
from ticketing.mongo.repository import Document
from tickets.access import access_ticket, visible_version
from tickets.conversation.repository import CommentRepository
from tickets.conversation.services import access_comment, add_comment, edit_comment
from tickets.events.repository import EventRepository
from tickets.rules import TicketClosed
from tickets.search.rules import MAX_TERMS
from tickets.services import change_ticket, open_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(cast: Cast) -> Document:
    return open_ticket(actor_of(cast.carla), title="Printer on fire")


def now_of(ticket: Document) -> Document:
    from tickets.repository import TicketRepository

    return TicketRepository(ticket["tenant_id"]).get(ticket["_id"])


def last_events(ticket: Document) -> list[Document]:
    events = EventRepository(ticket["tenant_id"])
    return events.find({"ticket_id": ticket["_id"], "version": now_of(ticket)["version"]}, sort=[("position", 1)])


def test_the_first_public_staff_answer_is_the_first_response(cast: Cast, ticket: Document) -> None:
    agent = actor_of(cast.amir)
    add_comment(actor_of(cast.carla), "1", "Please hurry")
    add_comment(agent, "1", "Looking", visibility="internal")
    assert now_of(ticket)["first_responded_at"] is None
    answer = add_comment(agent, "1", "Have you tried **water**?")
    assert now_of(ticket)["first_responded_at"] == answer["created_at"]
    add_comment(agent, "1", "Or sand")
    assert now_of(ticket)["first_responded_at"] == answer["created_at"]
    assert "<strong>water</strong>" in answer["body_html"]
    assert (now_of(ticket)["comment_count"], now_of(ticket)["internal_note_count"]) == (3, 1)


@pytest.mark.parametrize(
    ("status", "by_customer", "by_staff"),
    [
        ("new", "new", "open"),
        ("open", "open", "open"),
        ("pending", "open", "pending"),
        ("on_hold", "on_hold", "on_hold"),
        ("resolved", "open", "resolved"),
    ],
)
def test_an_answer_moves_the_ticket(cast: Cast, ticket: Document, status: str, by_customer: str, by_staff: str) -> None:
    for who, expected in ((cast.carla, by_customer), (cast.amir, by_staff)):
        other = open_ticket(actor_of(cast.carla), title="Another")
        change_ticket(actor_of(cast.amir), other["_id"], {"status": status})
        add_comment(actor_of(who), other["_id"], "An answer")
        assert now_of(other)["status"] == expected
        moved = [event["changes"] for event in last_events(other) if event["type"] == "ticket.status_changed"]
        assert moved == ([{"status": [status, expected]}] if expected != status else [])
        assert now_of(other)["reopened_count"] == (1 if (status, expected) == ("resolved", "open") else 0)


def test_an_internal_note_moves_nothing(cast: Cast, ticket: Document) -> None:
    add_comment(actor_of(cast.amir), "1", "Hm", visibility="internal")
    assert now_of(ticket)["status"] == "new"


@pytest.mark.parametrize("who", ["carla", "amir"])
def test_an_answer_to_a_closed_ticket_is_refused(cast: Cast, ticket: Document, who: str) -> None:
    change_ticket(actor_of(cast.amir), "1", {"status": "closed"})
    with pytest.raises(TicketClosed, match="closed"):
        add_comment(actor_of(getattr(cast, who)), "1", "One more thing")
    assert CommentRepository(cast.acme.pk).count({}) == 0


def test_internal_notes_do_not_show_to_customers(cast: Cast, ticket: Document) -> None:
    carla = actor_of(cast.carla)
    before = access_ticket(carla, "1")
    note = add_comment(actor_of(cast.amir), "1", "Customer is a zebra", visibility="internal")
    after = access_ticket(carla, "1")
    assert visible_version(carla, after) == visible_version(carla, before) == 1
    assert after["public_updated_at"] == before["public_updated_at"]
    assert after["comment_count"] == 0
    assert "zebra" in after["all_terms"]
    assert "zebra" not in after["public_terms"]
    with pytest.raises(NotFound) as hidden:
        access_comment(carla, note["_id"])
    with pytest.raises(NotFound) as missing:
        access_comment(carla, ObjectId())
    public = add_comment(actor_of(cast.amir), "1", "Hello Carla")
    with pytest.raises(NotFound) as not_his:
        access_comment(actor_of(cast.carl), public["_id"])
    assert str(hidden.value) == str(missing.value) == str(not_his.value)
    thread = CommentRepository(cast.acme.pk).thread(ticket["_id"], PageRequest(limit=10), internal=False)
    assert [comment["_id"] for comment in thread.rows] == [public["_id"]]


def test_customers_write_no_internal_notes(cast: Cast, ticket: Document) -> None:
    with pytest.raises(NotAllowed):
        add_comment(actor_of(cast.carla), "1", "psst", visibility="internal")
    with pytest.raises(InvalidInput):
        add_comment(actor_of(cast.carla), "1", "psst", visibility="secret")
    with pytest.raises(InvalidInput):
        add_comment(actor_of(cast.carla), "1", "  ")
    assert CommentRepository(cast.acme.pk).count({}) == 0


@pytest.mark.parametrize("who", ["carl", "greta", "gus"])
def test_whoever_does_not_see_the_ticket_cannot_answer(cast: Cast, ticket: Document, who: str) -> None:
    with pytest.raises(NotFound):
        add_comment(actor_of(getattr(cast, who)), ticket["_id"], "Hello")


def test_an_edit_keeps_the_original_in_the_history(cast: Cast, ticket: Document) -> None:
    carla = actor_of(cast.carla)
    comment = add_comment(carla, "1", "The left one burns")
    edited = edit_comment(carla, comment["_id"], "The right one burns", expected_version=1)
    assert (edited["body"], edited["version"]) == ("The right one burns", 2)
    assert edited["edited_at"] is not None
    [event] = last_events(ticket)
    assert event["type"] == "comment.edited"
    assert event["changes"] == {"body": ["The left one burns", "The right one burns"]}
    assert "left" not in now_of(ticket)["all_terms"]
    with pytest.raises(StaleVersion):
        edit_comment(carla, comment["_id"], "Both burn", expected_version=1)


def test_an_edit_of_an_internal_note_stays_internal(cast: Cast, ticket: Document) -> None:
    agent = actor_of(cast.amir)
    note = add_comment(agent, "1", "first thought", visibility="internal")
    edit_comment(agent, note["_id"], "second thought")
    assert now_of(ticket)["public_version"] == 1
    assert "second" not in now_of(ticket)["public_terms"]


def test_only_the_author_edits_and_only_for_some_minutes(
    cast: Cast, ticket: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = add_comment(actor_of(cast.carla), "1", "Text")
    with pytest.raises(NotAllowed, match="author"):
        edit_comment(actor_of(cast.ada), comment["_id"], "Changed by an admin")
    later = clock.now() + timedelta(minutes=15, seconds=1)
    monkeypatch.setattr("ticketing.clock.now", lambda: later)
    with pytest.raises(NotAllowed, match="minutes"):
        edit_comment(actor_of(cast.carla), comment["_id"], "Too late")


def test_a_long_thread_keeps_its_words_bounded(cast: Cast, ticket: Document) -> None:
    agent = actor_of(cast.amir, Via.CONSOLE)
    for part in range(4):
        add_comment(agent, "1", " ".join(f"word{part}x{n}" for n in range(900)))
    assert len(now_of(ticket)["all_terms"]) <= MAX_TERMS


def test_long_notes_take_no_words_from_a_customers_search(cast: Cast, ticket: Document) -> None:
    agent = actor_of(cast.amir, Via.CONSOLE)
    for part in range(3):
        add_comment(agent, "1", " ".join(f"word{part}x{n}" for n in range(900)), visibility="internal")
    add_comment(actor_of(cast.carla), "1", "zebra")
    assert "zebra" in now_of(ticket)["public_terms"]
